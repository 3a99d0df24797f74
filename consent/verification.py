"""Proof that nobody rewrote the ledger: every chain, head and seal, checked from the rows alone."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple

from django.db import DataError, connection, transaction
from django.db.models import Case, TextField, Value, When

from consent import folding
from consent.models import ConsentEvent, Standing, Subject

SUBJECTS_AT_ONCE = 5000


class Problem(NamedTuple):
    """What is wrong with which row, worst first within a table."""

    table: str
    row_id: int
    what: str


# A text that somebody broke must not break the check: what cannot be read says nothing. They live in the session's own
# schema, where nobody who tampered before could have put others of that name.
READERS = """
CREATE OR REPLACE FUNCTION pg_temp.told(body text) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN RETURN body::jsonb; EXCEPTION WHEN data_exception THEN RETURN NULL; END $$;
CREATE OR REPLACE FUNCTION pg_temp.moment(written text) RETURNS timestamptz LANGUAGE plpgsql AS $$
BEGIN RETURN written::timestamptz; EXCEPTION WHEN data_exception THEN RETURN NULL; END $$;
"""

# What the text says must be what the columns say; the CHECK in the migration holds the same comparison, but whoever can
# tamper with rows can drop a CHECK.
EVENTS = """
SELECT id, CASE
    WHEN hash <> encode(sha256(convert_to(prev_hash || body, 'UTF8')), 'hex') THEN 'its hash does not cover its text'
    WHEN seq <> place THEN 'an event before it is missing'
    WHEN prev_hash <> coalesce(before, repeat('0', 64)) THEN 'it does not follow from the event before it'
    ELSE 'its columns do not say what its text says'
END
FROM (
    SELECT event.*, subject.phone_hash,
        row_number() OVER chain AS place, lag(event.hash) OVER chain AS before, pg_temp.told(event.body) AS told
    FROM consent_consentevent event JOIN consent_subject subject ON subject.id = event.subject_id
    WINDOW chain AS (PARTITION BY event.subject_id ORDER BY event.seq)
) event
WHERE hash <> encode(sha256(convert_to(prev_hash || body, 'UTF8')), 'hex')
    OR seq <> place
    OR prev_hash <> coalesce(before, repeat('0', 64))
    OR (told->>'number', told->>'kind', told->>'source', told->>'effect', told->>'message')
        IS DISTINCT FROM (phone_hash::text, kind::text, source::text, effect::text, message_ref::text)
    OR (told->>'seq', told->>'brand', told->>'program')
        IS DISTINCT FROM (seq::text, brand_id::text, program_id::text)
    OR (pg_temp.moment(told->>'occurred_at'), pg_temp.moment(told->>'recorded_at'))
        IS DISTINCT FROM (occurred_at, recorded_at)
ORDER BY id
"""

HEADS = """
SELECT subject.id, 'its chain does not end where it says' FROM consent_subject subject
LEFT JOIN consent_consentevent event ON event.subject_id = subject.id AND event.seq = subject.head_seq
WHERE subject.head_hash IS DISTINCT FROM coalesce(event.hash, repeat('0', 64))
    OR EXISTS (SELECT FROM consent_consentevent later WHERE later.subject_id = subject.id AND later.seq >
    subject.head_seq) ORDER BY subject.id
"""

SEALS = """
SELECT id, CASE
    WHEN hash <> encode(sha256(convert_to(prev_hash || body, 'UTF8')), 'hex') THEN 'its hash does not cover its text'
    WHEN seq <> place THEN 'a seal before it is missing'
    ELSE 'it does not follow from the seal before it'
END
FROM (
    SELECT *, row_number() OVER (ORDER BY seq) AS place, lag(hash) OVER (ORDER BY seq) AS before FROM consent_seal
) seal
WHERE hash <> encode(sha256(convert_to(prev_hash || body, 'UTF8')), 'hex')
    OR seq <> place
    OR prev_hash <> coalesce(before, repeat('0', 64))
    OR pg_temp.told(body)->>'seq' IS DISTINCT FROM seq::text
ORDER BY id
"""

SEALED_HEADS = """
SELECT seal.id, format('the event it sealed at place %s of number %s… is not there', head->>1, left(head->>0, 8))
FROM consent_seal seal
CROSS JOIN LATERAL jsonb_path_query(pg_temp.told(seal.body), '$.heads[*]') head
LEFT JOIN consent_subject subject ON subject.phone_hash = head->>0
LEFT JOIN consent_consentevent event ON event.subject_id = subject.id AND event.seq::text = head->>1
WHERE event.hash IS DISTINCT FROM head->>2
ORDER BY seal.id
"""

EVIDENCE = """
SELECT evidence.id, 'it is not what its event recorded'
FROM consent_evidence evidence JOIN consent_consentevent event ON event.id = evidence.event_id
WHERE evidence.digest IS DISTINCT FROM pg_temp.told(event.body)->'evidence'->>evidence.name
    OR evidence.digest <> encode(sha256(convert_to(evidence.salt || evidence.value, 'UTF8')), 'hex')
    OR (evidence.salt IS NULL) <> (evidence.value IS NULL)
ORDER BY evidence.id
"""

MISSING_EVIDENCE = """
SELECT event.id, format('its evidence “%s” was removed, not erased', recorded->>'key')
FROM consent_consentevent event
CROSS JOIN LATERAL jsonb_path_query(pg_temp.told(event.body), '$.evidence.keyvalue()', silent => true) recorded
WHERE NOT EXISTS (
    SELECT FROM consent_evidence evidence WHERE evidence.event_id = event.id AND evidence.name = recorded->>'key'
)
ORDER BY event.id
"""

CHECKS = (
    ("consent_consentevent", EVENTS),
    ("consent_subject", HEADS),
    ("consent_seal", SEALS),
    ("consent_seal", SEALED_HEADS),
    ("consent_evidence", EVIDENCE),
    ("consent_consentevent", MISSING_EVIDENCE),
)


def standings() -> Iterator[Problem]:
    """Rows that the gate reads and that are not what their events fold to."""
    last = 0
    while subjects := list(
        Subject.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:SUBJECTS_AT_ONCE]
    ):
        last = subjects[-1]
        folded = {pair: folding.fold(entries) for pair, entries in told(subjects).items()}
        for standing in Standing.objects.filter(subject__in=subjects).order_by("pk"):
            if standing.state != folded.pop((standing.subject_id, standing.brand_id), folding.State()):
                yield Problem("consent_standing", standing.pk, "it is not what the ledger says")
        for subject_id, _ in sorted(folded):
            yield Problem("consent_subject", subject_id, "a standing of it is missing")


def told(subjects: Sequence[int]) -> dict[tuple[int, int], list[folding.Entry]]:
    """What the events of these subjects say, by subject and brand; unreadable ones are reported elsewhere."""
    entries = defaultdict(list)
    events = ConsentEvent.objects.filter(subject__in=subjects).order_by("pk")
    needed = Case(When(kind__in=folding.TELLING, then="body"), default=Value(""), output_field=TextField())
    for subject, brand, kind, at, program, body in events.values_list(
        "subject_id", "brand_id", "kind", "occurred_at", "program_id", needed
    ):
        with suppress(ValueError):
            entries[subject, brand].append(folding.Entry.of(kind, at, program, body))
    return entries


def problems() -> Iterator[Problem]:
    """Every row that was tampered with, as far as the rows can tell; compare the last seal with one kept elsewhere to
    know that not everything was rewritten."""
    for table, query in CHECKS:
        for row_id, what in found(query):
            yield Problem(table, row_id, what)
    yield from standings()


def found(query: str) -> list[tuple[int, str]]:
    """With plain casts, which are five times as fast as the readers; with those once a cast has failed."""
    with connection.cursor() as cursor:
        try:
            with transaction.atomic():
                cursor.execute(query.replace("pg_temp.told", "jsonb").replace("pg_temp.moment", "timestamptz"))
        except DataError:
            cursor.execute(READERS)
            cursor.execute(query)
        rows: list[tuple[int, str]] = cursor.fetchall()
    return rows
