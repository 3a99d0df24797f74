"""Conversations as years of work leave them, made by the database itself: consistent, and quickly.

In each, a person writes and we answer, five times over; one in fifty still waits for the last answer. Seven in ten are
resolved, one in a hundred is snoozed, four in five have an owner. Every reply has its decision, every stretch its wait.
"""

from datetime import datetime
from typing import Any

ROUNDS = 5
# What people say and we answer: common words, and a number that no other text has.
WORDS = """
open today tomorrow appointment reschedule parking garage insurance card refill ready pharmacy results doctor nurse call
back thanks please when where how much bill payment receipt address entrance bring brother interpreter
"""

STATEMENTS = (
    """
    CREATE TEMP TABLE fresh ON COMMIT DROP AS
    WITH subjects AS (
        INSERT INTO consent_subject (phone, phone_hash)
        SELECT '+1202' || to_char(n, 'FM0000000'), encode(sha256(convert_to('bench' || n, 'UTF8')), 'hex')
        FROM generate_series(%(first)s, %(last)s) n RETURNING id, phone
    ), contacts AS (
        INSERT INTO conversations_contact (subject_id, phone, name)
        SELECT id, phone, CASE WHEN id %% 3 > 0 THEN 'Person ' || id ELSE '' END FROM subjects RETURNING id, subject_id
    ), conversations AS (
        INSERT INTO conversations_conversation (contact_id, line_id) SELECT id, %(line)s FROM contacts
        RETURNING id, contact_id
    )
    SELECT conversations.id, subject_id, row_number() OVER (ORDER BY conversations.id) AS place
    FROM conversations JOIN contacts ON contacts.id = contact_id
    """,
    "INSERT INTO consent_standing (subject_id, brand_id) SELECT subject_id, %(brand)s FROM fresh",
    # Every text in the order of its time: round by round, the person's and then ours.
    """
    CREATE TEMP TABLE said ON COMMIT DROP AS
    SELECT fresh.id AS conversation_id, subject_id, round, is_ours,
        md5(fresh.id || '-' || round || is_ours)::uuid AS ref,
        %(since)s + (%(until)s::timestamptz - %(since)s) * (
            (2 * round + is_ours::int + place / (%(last)s - %(first)s + 2.0)) / (2 * %(rounds)s)) AS at
    FROM generate_series(0, %(rounds)s - 1) round, (VALUES (false), (true)) side (is_ours), fresh
    WHERE NOT (is_ours AND round = %(rounds)s - 1 AND fresh.id %% 50 = 0)
    """,
    """
    INSERT INTO consent_decision
        (message_ref, subject_id, brand_id, purpose, verdict, reasons, facts, rules_version, decided_at)
    SELECT ref, subject_id, %(brand)s, 'reply', 'allowed', '{}', '{"purpose": "reply"}', 'bench', at
    FROM said WHERE is_ours
    """,
    """
    INSERT INTO conversations_message (conversation_id, ref, direction, kind, channel, body, status, status_at,
        occurred_at, carrier_id, purpose, lane, error_code, error_detail, author_id, due_at, handed_over_at,
        decision_id)
    SELECT conversation_id, ref, CASE WHEN is_ours THEN 'out' ELSE 'in' END, 'text', 'sms',
        (SELECT string_agg(
            (%(words)s::text[])[1 + abs(hashint8(conversation_id * 37 + round * 7 + n)) %% %(vocabulary)s], ' ')
         FROM generate_series(1, 9) n) || ' ' || conversation_id,
        CASE WHEN is_ours THEN 'delivered' ELSE 'received' END, at, at, ref::text,
        CASE WHEN is_ours THEN 'reply' ELSE '' END, CASE WHEN is_ours THEN 'agents' ELSE '' END, '', '',
        CASE WHEN is_ours THEN %(author)s END, CASE WHEN is_ours THEN at END, CASE WHEN is_ours THEN at END, decision.id
    FROM said LEFT JOIN consent_decision decision ON is_ours AND decision.message_ref = said.ref
    ORDER BY at, conversation_id
    """,
    """
    INSERT INTO conversations_wait
        (conversation_id, opened_by_id, since, due_at, answered_with_id, answered_at, answered_by_id, ending)
    SELECT text.conversation_id, text.id, text.occurred_at, text.occurred_at + interval '15 minutes',
        reply.id, reply.occurred_at, reply.author_id, CASE WHEN reply.id IS NULL THEN '' ELSE 'reply' END
    FROM said JOIN conversations_message text ON text.ref = said.ref
    LEFT JOIN conversations_message reply
        ON reply.ref = md5(said.conversation_id || '-' || said.round || 'true')::uuid
    WHERE NOT is_ours
    """,
    # The columns that repeat what messages and waits say.
    """
    UPDATE conversations_conversation conversation
    SET last_message_id = latest.id, last_message_at = latest.occurred_at, version = 2 * %(rounds)s,
        wrote_at = latest.wrote_at, unread = CASE WHEN wait.id IS NULL THEN 0 ELSE 1 END, due_at = wait.due_at,
        owner_id = CASE WHEN conversation.id %% 5 > 0 THEN (%(owners)s::bigint[])[1 + conversation.id %% %(team)s] END,
        snoozed_until = CASE WHEN wait.id IS NULL AND conversation.id %% 100 = 1 THEN %(until)s + interval '1 day' END,
        resolved_at = CASE WHEN wait.id IS NULL AND conversation.id %% 10 > 2 THEN latest.occurred_at END
    FROM (
        SELECT DISTINCT ON (conversation_id) conversation_id, id, occurred_at,
            max(occurred_at) FILTER (WHERE direction = 'in') OVER (PARTITION BY conversation_id) AS wrote_at
        FROM conversations_message WHERE conversation_id IN (SELECT id FROM fresh) ORDER BY conversation_id, id DESC
    ) latest
    LEFT JOIN conversations_wait wait ON wait.conversation_id = latest.conversation_id AND wait.answered_at IS NULL
    WHERE conversation.id = latest.conversation_id
    """,
)


def grow(
    numbers: range, *, line_id: int, brand_id: int, author_id: int, owners: list[int], since: datetime, until: datetime
) -> None:
    """A conversation for each of these numbers, begun and brought up to date between two moments."""
    from django.db import connection, transaction

    asked: dict[str, Any] = {
        "first": numbers[0],
        "last": numbers[-1],
        "line": line_id,
        "brand": brand_id,
        "author": author_id,
        "owners": owners,
        "team": len(owners),
        "since": since,
        "until": until,
        "rounds": ROUNDS,
        "words": WORDS.split(),
        "vocabulary": len(WORDS.split()),
    }
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in STATEMENTS:
            cursor.execute(statement, asked)
