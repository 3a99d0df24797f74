"""What a compliance officer watches: what waits, how fast a "no" counts, what was not sent and why, and who joined.

Every figure is about a stretch of time or counted no further than ``MOST``, so that a longer history costs no more.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet

from consent import rulebook
from consent.models import ConsentEvent, Hold, Review, Standing
from consent.purposes import Effect, Kind, Source

DAYS = 30
WEEK = timedelta(days=7)
# "More than a hundred thousand" says enough.
MOST = 100_000


@dataclass(frozen=True)
class Speed:
    """From a "no" to its effect, in seconds: half, nine in ten and all of ``count`` opt-outs were as fast as that."""

    source: str
    count: int
    median: float
    p90: float
    slowest: float


@dataclass(frozen=True)
class Why:
    """How many decisions with this verdict gave this reason in the last seven and in the last ``DAYS`` days."""

    verdict: str
    reason: str
    week: int
    month: int


@dataclass(frozen=True)
class Day:
    """How many numbers said no on this day, and how many came back with START."""

    on: date
    opted_out: int = 0
    came_back: int = 0


@dataclass(frozen=True, kw_only=True)
class Overview:
    """All of it as of one moment. A count of ``MOST`` means "or more"."""

    as_of: datetime
    suspects_waiting: int
    suspects_overdue: int
    numbers_on_hold: int
    opted_out_now: int
    held_now: int
    questions_waiting: int
    questions_unanswered: int
    speeds: list[Speed]
    reasons: list[Why]
    consents: list[tuple[str, int]]
    days: list[Day]


# ``verdict`` and ``kind`` are written out as in the conditions of the indexes that serve these queries.
SPEEDS = """
SELECT source, count(*), percentile_cont(0.5) WITHIN GROUP (ORDER BY took),
    percentile_cont(0.9) WITHIN GROUP (ORDER BY took), max(took)
FROM (
    SELECT source, extract(epoch FROM recorded_at - occurred_at)::float AS took FROM consent_consentevent
    WHERE kind = 'revoked' AND recorded_at > %(since)s AND recorded_at <= %(now)s
) revoked
GROUP BY source ORDER BY count(*) DESC, source
"""
REASONS = """
SELECT verdict, reason, count(*) FILTER (WHERE decided_at > %(week)s), count(*)
FROM consent_decision CROSS JOIN unnest(reasons) AS reason
WHERE verdict IN ('blocked', 'held') AND decided_at > %(since)s AND decided_at <= %(now)s
GROUP BY verdict, reason ORDER BY verdict, count(*) DESC, reason
"""
CONSENTS = """
SELECT source, count(*) FROM consent_consentevent
WHERE kind IN ('granted', 'confirmed') AND recorded_at > %(since)s AND recorded_at <= %(now)s
GROUP BY source ORDER BY count(*) DESC, source
"""
BY_DAY = """
SELECT (recorded_at AT TIME ZONE %(zone)s)::date AS day,
    count(*) FILTER (WHERE effect = 'suppressed'), count(*) FILTER (WHERE effect = 'resumed')
FROM consent_consentevent
WHERE kind IN ('revoked', 'resumed') AND recorded_at > %(since)s AND recorded_at <= %(now)s
GROUP BY day
"""
# A message passes the gate again when its time has come; only the last word counts.
HELD = """
SELECT count(*) FROM (
    SELECT FROM consent_decision held
    WHERE verdict = 'held' AND held_until > %(now)s AND NOT EXISTS (
        SELECT FROM consent_decision later WHERE later.message_ref = held.message_ref AND later.id > held.id)
    LIMIT %(most)s
) held
"""


def read(*, now: datetime, zone: str) -> Overview:
    """The overview at ``now``, its days in this IANA time zone. Eleven statements, whatever the tables hold."""
    since = now - timedelta(days=DAYS)
    asked_since = now - timedelta(hours=int(rulebook.value("confirmation.double_opt_in_hours", now.date())))
    return Overview(
        as_of=now,
        suspects_waiting=bounded(Review.objects.open()),
        suspects_overdue=bounded(Review.objects.open().filter(due_at__lt=now)),
        numbers_on_hold=bounded(Hold.objects.filter(released_at=None)),
        opted_out_now=bounded(Standing.objects.suppressed()),
        held_now=next(found(HELD, now=now, most=MOST))[0],
        questions_waiting=bounded(unanswered(asked_since, now)),
        questions_unanswered=bounded(unanswered(since, asked_since)),
        speeds=[Speed(*row) for row in found(SPEEDS, since=since, now=now)],
        reasons=[Why(*row) for row in found(REASONS, since=since, now=now, week=now - WEEK)],
        consents=[(source, many) for source, many in found(CONSENTS, since=since, now=now)],
        days=by_day(now=now, zone=zone),
    )


def by_day(*, now: datetime, zone: str) -> list[Day]:
    """``DAYS`` whole days up to today, oldest first, each there even when nothing happened."""
    today = now.astimezone(ZoneInfo(zone)).date()
    first = datetime.combine(today - timedelta(days=DAYS - 1), datetime.min.time(), ZoneInfo(zone))
    counted = {day: Day(day, *counts) for day, *counts in found(BY_DAY, since=first, now=now, zone=zone)}
    days = [first.date() + timedelta(days=number) for number in range(DAYS)]
    return [counted.get(day, Day(day)) for day in days]


def unanswered(since: datetime, until: datetime) -> "QuerySet[ConsentEvent]":
    """Questions whether somebody asked to be texted, put in this time, that nothing has answered."""
    answer = ConsentEvent.objects.filter(
        subject=OuterRef("subject"),
        brand=OuterRef("brand"),
        seq__gt=OuterRef("seq"),
        recorded_at__gt=since,  # as it must be: so that no plan reads the history before
        kind__in=[Kind.CONFIRMED, Kind.GRANTED, Kind.REVOKED],
    )
    # A link in an email that only proves an address leaves the phone's question open.
    answer = answer.exclude(kind=Kind.CONFIRMED, source=Source.EMAIL, effect=Effect.NOTHING)
    asked = ConsentEvent.objects.filter(kind=Kind.REQUESTED, recorded_at__gt=since, recorded_at__lte=until)
    return asked.filter(~Exists(answer)).order_by()


def bounded(rows: "QuerySet[Any]") -> int:
    return rows.order_by()[:MOST].count()


def found(query: str, **values: datetime | int | str) -> Iterator[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        yield from cursor.fetchall()
