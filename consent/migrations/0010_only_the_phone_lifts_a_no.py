"""Standings as the ledger folds now: a consent that came elsewhere than from the phone takes no "no" back, not even one
that becomes known later."""

from django.db import migrations

REFOLD = """
UPDATE consent_standing standing SET resumed_at = (
    SELECT max(event.occurred_at) FROM consent_consentevent event
    WHERE event.subject_id = standing.subject_id AND event.brand_id = standing.brand_id
        AND (event.kind = 'resumed' OR event.program_id IS NOT NULL AND event.source = 'keyword' AND (
            event.kind = 'granted' OR event.kind = 'confirmed' AND event.body::jsonb->>'level' <> 'none'))
)
WHERE standing.resumed_at IS NOT NULL
"""


class Migration(migrations.Migration):
    dependencies = [("consent", "0009_confirm_by_a_link_in_an_email")]

    operations = [migrations.RunSQL(REFOLD, migrations.RunSQL.noop)]
