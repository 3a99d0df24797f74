"""The database itself refuses to change history, and to store an event whose columns contradict its text."""

from django.db import migrations

REFUSE = """
CREATE FUNCTION consent_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of % is refused: history only grows', TG_OP, TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE FUNCTION consent_allow_erasure_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.value IS NULL AND NEW.salt IS NULL
        AND (NEW.id, NEW.event_id, NEW.name, NEW.digest) = (OLD.id, OLD.event_id, OLD.name, OLD.digest)
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'evidence may be erased, not changed' USING ERRCODE = 'integrity_constraint_violation';
END $$;
"""

FORGET = """
DROP FUNCTION consent_refuse_change();
DROP FUNCTION consent_allow_erasure_only();
"""


def refuse(table: str, operations: str) -> migrations.RunSQL:
    return migrations.RunSQL(
        f"""
        CREATE TRIGGER history_only_grows BEFORE {operations} ON {table}
            FOR EACH ROW EXECUTE FUNCTION consent_refuse_change();
        CREATE TRIGGER history_is_not_emptied BEFORE TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION consent_refuse_change();
        """,
        f"DROP TRIGGER history_only_grows ON {table}; DROP TRIGGER history_is_not_emptied ON {table};",
    )


CHAINED = """
CHECK (hash = encode(sha256(convert_to(prev_hash || body, 'UTF8')), 'hex'))
"""

# `subject` is an id here and a keyed hash in the text: verify_ledger compares those.
TOLD = """
CHECK (
    (body::jsonb->>'kind', body::jsonb->>'source', body::jsonb->>'effect', body::jsonb->>'message')
        IS NOT DISTINCT FROM (kind::text, source::text, effect::text, message_ref::text)
    AND ((body::jsonb->>'seq')::bigint, (body::jsonb->>'brand')::bigint, (body::jsonb->>'program')::bigint)
        IS NOT DISTINCT FROM (seq, brand_id, program_id)
    AND ((body::jsonb->>'occurred_at')::timestamptz, (body::jsonb->>'recorded_at')::timestamptz)
        IS NOT DISTINCT FROM (occurred_at, recorded_at)
)
"""


def check(table: str, name: str, condition: str) -> migrations.RunSQL:
    return migrations.RunSQL(
        f"ALTER TABLE {table} ADD CONSTRAINT {name} {condition}",
        f"ALTER TABLE {table} DROP CONSTRAINT {name}",
    )


class Migration(migrations.Migration):
    dependencies = [("consent", "0001_initial")]

    operations = [
        migrations.RunSQL(REFUSE, FORGET),
        refuse("consent_consentevent", "UPDATE OR DELETE"),
        refuse("consent_decision", "UPDATE OR DELETE"),
        refuse("consent_disclosure", "UPDATE OR DELETE"),
        refuse("consent_seal", "UPDATE OR DELETE"),
        refuse("consent_evidence", "DELETE"),
        migrations.RunSQL(
            """
            CREATE TRIGGER evidence_may_only_be_erased BEFORE UPDATE ON consent_evidence
                FOR EACH ROW EXECUTE FUNCTION consent_allow_erasure_only();
            """,
            "DROP TRIGGER evidence_may_only_be_erased ON consent_evidence",
        ),
        check("consent_consentevent", "an_event_s_hash_covers_its_text", CHAINED),
        check("consent_consentevent", "an_event_s_columns_say_what_its_text_says", TOLD),
        check("consent_seal", "a_seal_s_hash_covers_its_text", CHAINED),
    ]
