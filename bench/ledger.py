"""The ledger: events appended to their chains, beside plain rows of the same columns; then all of them verified."""

from collections.abc import Iterator
from itertools import count
from typing import TYPE_CHECKING
from uuid import uuid4

from bench import stage
from bench.figures import clock
from bench.gate import alternately
from bench.report import Figure, at_least, tell

BATCH = 200
ROUNDS, QUICK_ROUNDS = 25, 8
EVENTS, QUICK_EVENTS = 100_000, 15_000
AT_ONCE = 2500  # events that fill the ledger; each number gets four

PLAIN = "CREATE TABLE plain_event (LIKE consent_consentevent INCLUDING DEFAULTS INCLUDING IDENTITY INCLUDING INDEXES)"
if TYPE_CHECKING:  # Django is set up once there is a database
    from consent.models import ConsentEvent

# What no check of hashes can do without.
HASHED = """
SELECT count(*) FROM consent_consentevent WHERE hash <> encode(sha256(convert_to(prev_hash || body, 'UTF8')), 'hex')
"""


def run(*, quick: bool) -> bool:
    with stage.database():
        from tests import factories

        brand_id = factories.brand().pk
        append(brand_id, QUICK_ROUNDS if quick else ROUNDS)
        return verify(brand_id, QUICK_EVENTS if quick else EVENTS)


def record(numbers: range, brand_id: int) -> "list[ConsentEvent]":
    """A STOP from each of these numbers."""
    from django.utils import timezone

    from consent import ledger
    from consent.purposes import Kind, Source

    now = timezone.now()
    reports = [
        ledger.Report(
            phone=f"+1202{5550000 + number}",
            brand_id=brand_id,
            kind=Kind.REVOKED,
            source=Source.KEYWORD,
            occurred_at=now,
            rule="keyword:stop",
            evidence={"words": "STOP"},
        )
        for number in numbers
    ]
    return ledger.record_many(reports, now=now)


def append(brand_id: int, rounds: int) -> None:
    from django.db import connection

    from consent.ledger import EVENT_COLUMNS, EVENTS

    numbers, plainly = range(BATCH), EVENTS.replace("consent_consentevent", "plain_event")
    kept, places = record(numbers, brand_id), count(1)
    with connection.cursor() as cursor:
        cursor.execute(PLAIN)

    def insert() -> None:
        """The same columns in one statement, by the same client: no chain, no evidence, no standing, no checks."""
        place = next(places)
        for event in kept:
            event.seq, event.hash = place, uuid4().hex * 2
        with connection.cursor() as cursor:
            cursor.execute(plainly, [[getattr(event, name) for event in kept] for name in EVENT_COLUMNS])

    appended, inserted = alternately(rounds, lambda: record(numbers, brand_id), insert)
    tell(
        f"ledger: events with their evidence and standing, {BATCH} in a transaction",
        [
            Figure("events appended to their chains", BATCH * rounds / sum(appended), "/s"),
            Figure("reference: plain rows of the same columns", BATCH * rounds / sum(inserted), "/s"),
            Figure("  events beside it", sum(inserted) / sum(appended), "×", at_least(0.4)),
        ],
    )


def verify(brand_id: int, events: int) -> bool:
    """Of chains four events long."""
    from django.db import connection

    from consent import verification
    from consent.models import ConsentEvent

    for numbers in filling(events // 4):
        record(numbers, brand_id)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    began = clock()
    problems = list(verification.problems())
    whole = clock() - began
    began = clock()
    assert not list(verification.standings())
    standings = clock() - began
    began = clock()
    with connection.cursor() as cursor:
        cursor.execute(HASHED)
    bare, rows = clock() - began, ConsentEvent.objects.count()
    tell(
        f"ledger: {rows:,} events verified",
        [
            Figure("everything: chains, texts, evidence, standings", rows / whole, "/s", at_least(200_000)),
            Figure("  of it the fold of every standing, in Python", rows / standings, "/s"),
            Figure("  of it all that is rows and hashes, in SQL", rows / (whole - standings), "/s"),
            Figure("reference: only the hashes", rows / bare, "/s"),
        ],
    )
    return not problems


def filling(numbers: int) -> Iterator[range]:
    """Ranges of further people, each four times."""
    for first in range(BATCH, numbers, AT_ONCE):
        for _ in range(4):
            yield range(first, min(first + AT_ONCE, numbers))
