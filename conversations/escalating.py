"""Deadlines as the clock sees them pass: warned, breached, escalated, each once. What is snoozed is late as well."""

from datetime import datetime

from django.db import connection, transaction

from conversations import live, timeline
from conversations.models import Entry, Wait

STAGE = """
CASE WHEN escalates_at <= %(now)s THEN 'escalated' WHEN due_at <= %(now)s THEN 'breached' ELSE 'warned' END
"""
PASSED = """
SELECT id, conversation_id FROM conversations_wait
WHERE answered_at IS NULL AND (stage = '' AND (warns_at <= %(now)s OR due_at <= %(now)s)
    OR stage = 'warned' AND due_at <= %(now)s OR stage = 'breached' AND escalates_at <= %(now)s)
ORDER BY due_at LIMIT 500
"""
ADVANCE = f"""
UPDATE conversations_wait wait SET stage = next.stage
FROM (SELECT id, {STAGE} AS stage, stage AS was FROM conversations_wait WHERE id = ANY(%(ids)s)) next
WHERE wait.id = next.id AND wait.answered_at IS NULL AND wait.stage = next.was AND wait.stage <> next.stage
RETURNING wait.conversation_id, wait.due_at, next.was, next.stage
"""  # noqa: S608 nothing in it is from outside
TOLD = ((Wait.Stage.BREACHED, Entry.Kind.BREACHED), (Wait.Stage.ESCALATED, Entry.Kind.ESCALATED))


def advance(*, now: datetime) -> int:
    """Moves the waits whose moments have passed, and writes down what is late. How many."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(PASSED, {"now": now})
        rows = cursor.fetchall()
        if not rows:
            return 0
        live.changed(conversation_id for _, conversation_id in rows)
        cursor.execute(ADVANCE, {"now": now, "ids": [pk for pk, _ in rows]})
        moved = cursor.fetchall()
        order = list(Wait.Stage)
        for conversation_id, due_at, was, stage in moved:
            for told, kind in TOLD:
                if order.index(was) < order.index(told) <= order.index(stage):
                    timeline.record([conversation_id], kind, at=now, due=due_at.isoformat())
    return len(moved)
