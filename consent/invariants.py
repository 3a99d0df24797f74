"""What must be true of the ledger and the gate's decisions, checked from the rows alone (``manage.py audit``)."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from django.db import connection

from consent import verification
from consent.verification import Problem

# Of each kind: more would say no more.
MOST = 1000


class Invariant(NamedTuple):
    """A sentence that is true, and the rows that make it false."""

    says: str
    problems: Callable[[datetime], Iterable[Problem]]


def rows(table: str, query: str) -> Callable[[datetime], Iterator[Problem]]:
    """The rows of ``table`` that a query finds: their ids, and what is wrong. It is given ``%(now)s``."""

    def problems(now: datetime) -> Iterator[Problem]:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM ({query}) AS found LIMIT {MOST}", {"now": now})  # noqa: S608 our own words
            for row_id, what in cursor.fetchall():
                yield Problem(table, row_id, what)

    return problems


# A decision notes the place in the number's chain up to which it saw: exact, whatever the clocks of two processes say.
# One from before there were such notes must have seen what was recorded a minute earlier.
ALLOWED_IN_SPITE = rows(
    "consent_decision",
    """
    SELECT decision.id, 'it allowed a text to somebody who had said no'
    FROM consent_decision decision
    LEFT JOIN consent_program program ON program.id = decision.program_id
    CROSS JOIN LATERAL (
        SELECT max(occurred_at) FILTER (
                WHERE kind = 'revoked' AND coalesce(body::jsonb->>'scope', '') IN ('', coalesce(program.category,
                    CASE WHEN decision.purpose IN ('reply', 'out_of_office', 'greeting') THEN 'conversational' END)))
                AS revoked_at,
            max(occurred_at) FILTER (
                WHERE kind = 'resumed' OR event.program_id IS NOT NULL AND source = 'keyword' AND (
                    kind = 'granted' OR kind = 'confirmed' AND body::jsonb->>'level' <> 'none')) AS resumed_at,
            max(occurred_at) FILTER (
                WHERE kind = 'requested' AND source = 'keyword' AND event.program_id = decision.program_id
                    AND decision.purpose = 'double_opt_in') AS asked_anew_at
        FROM consent_consentevent event
        WHERE event.subject_id = decision.subject_id AND event.brand_id = decision.brand_id
            AND (event.seq <= decision.ledger_seq OR
                decision.ledger_seq IS NULL AND event.recorded_at < decision.decided_at - interval '1 minute')
    ) seen
    WHERE decision.verdict = 'allowed' AND decision.purpose NOT IN ('opt_out_confirmation', 'help')
        AND seen.revoked_at >= coalesce(seen.resumed_at, '-infinity')
        AND seen.revoked_at >= coalesce(seen.asked_anew_at, '-infinity')
    ORDER BY decision.id
    """,
)

# The gate allowed the question before the answer was recorded, and after the last "no" to everything before it. Only
# texts carry a carrier's id; a link in an email answers a question of its own.
ANSWERED_UNASKED = rows(
    "consent_consentevent",
    """
    SELECT answer.id, 'it counts as a YES, and no question had been allowed'
    FROM consent_consentevent answer
    WHERE answer.kind = 'confirmed' AND answer.source = 'keyword' AND answer.message_ref <> ''
        AND answer.body::jsonb->>'level' <> 'none'
        AND NOT EXISTS (
            SELECT FROM consent_decision question
            WHERE question.subject_id = answer.subject_id AND question.brand_id = answer.brand_id
                AND question.program_id = answer.program_id
                AND question.purpose = 'double_opt_in' AND question.verdict = 'allowed'
                AND coalesce(question.ledger_seq < answer.seq, question.decided_at <= answer.recorded_at)
                AND NOT EXISTS (
                    SELECT FROM consent_consentevent no
                    WHERE no.subject_id = answer.subject_id AND no.brand_id = answer.brand_id
                        AND no.kind = 'revoked' AND coalesce(no.body::jsonb->>'scope', '') = ''
                        AND no.seq > question.ledger_seq AND no.seq < answer.seq))
    ORDER BY answer.id
    """,
)


# One event for each row of consents that was taken in; a row of opt-outs has one for each brand it was said to, so that
# the brand of which there are most has one for each row. Refused rows are forgotten after a month.
MISCOUNTED = rows(
    "consent_consentimport",
    """
    WITH events AS (
        SELECT body::jsonb->>'rule' AS rule, brand_id, count(*) AS number
        FROM consent_consentevent WHERE source = 'import' GROUP BY 1, 2
    ), counted AS (
        SELECT it.*,
            (SELECT coalesce(CASE it.kind WHEN 'opt_outs' THEN max(number) ELSE sum(number) END, 0) FROM events
             WHERE rule = 'import:' || it.id) AS recorded,
            (SELECT count(*) FROM consent_importrefusal WHERE of_id = it.id) AS kept,
            (SELECT coalesce(sum(jsonb_array_length(part.rows)), 0) FROM consent_importpart part
             WHERE of_id = it.id) AS waiting
        FROM consent_consentimport it
    )
    SELECT id, 'its rows that were taken in are not those that the ledger has of it'
    FROM counted WHERE recorded <> taken
    UNION ALL
    SELECT id, 'its refused rows are not as many as it says'
    FROM counted WHERE kept > refused OR kept < refused AND state_at > %(now)s - interval '30 days'
    UNION ALL
    SELECT id, 'its rows are neither dealt with nor waiting'
    FROM counted WHERE state <> 'cancelled' AND rows <> taken + refused + waiting
    ORDER BY 1
    """,
)


def ledger(now: datetime) -> Iterator[Problem]:
    return verification.problems()


INVARIANTS = (
    Invariant("Chains, seals and evidence are whole, and standings are what the ledger says.", ledger),
    Invariant("No message was allowed after a revocation in force.", ALLOWED_IN_SPITE),
    Invariant("Nobody's YES counted who had not been asked.", ANSWERED_UNASKED),
    Invariant("Every row of an import is in the ledger, refused, or waits; once.", MISCOUNTED),
)
