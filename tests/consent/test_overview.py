"""What the officer's figures count, and what they do not."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from consent import ledger, overview
from consent.models import Decision, Subject
from consent.overview import Day, Speed, Why
from consent.purposes import Kind, Level, Purpose, Source, Verdict
from tests import factories

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 30, 16, 0, tzinfo=UTC)  # noon in New York
DAY = timedelta(days=1)


@pytest.fixture
def brand():
    return factories.brand()


def read(now=NOW):
    return overview.read(now=now, zone="America/New_York")


def told(brand, kind, *, ago=timedelta(0), took=timedelta(0), phone="", **fields):
    at = NOW - ago
    fields = {"source": Source.KEYWORD, "occurred_at": at - took} | fields
    phone = phone or factories.phone_number()
    return ledger.record(now=at, report=ledger.Report(phone=phone, brand_id=brand.pk, kind=kind, **fields))


def decided(brand, verdict, *reasons, ago=timedelta(0), **fields):
    fields = {"message_ref": uuid4(), "purpose": Purpose.CAMPAIGN, "facts": {}, "rules_version": "x"} | fields
    subject = Subject.objects.for_phone(factories.phone_number())
    times = {"decided_at": NOW - ago}
    return Decision.objects.create(subject=subject, brand=brand, verdict=verdict, reasons=reasons, **times, **fields)


def test_the_time_to_effect_is_told_by_source_with_its_slowest(brand):
    for seconds in (1, 2, 3, 4, 100):
        told(brand, Kind.REVOKED, took=timedelta(seconds=seconds))
    told(brand, Kind.REVOKED, took=DAY, source=Source.PAPER)
    told(brand, Kind.REVOKED, took=9 * DAY, ago=31 * DAY)
    told(brand, Kind.RESUMED, took=9 * DAY)
    fast, slow = read().speeds
    assert (fast.source, fast.count, fast.median, fast.slowest) == (Source.KEYWORD, 5, 3.0, 100.0)
    assert 4 < fast.p90 < 100
    assert slow == Speed(Source.PAPER, 1, 86400.0, 86400.0, 86400.0)


def test_reasons_are_counted_for_a_week_and_for_a_month(brand):
    decided(brand, Verdict.BLOCKED, "opted_out", "consent_too_weak")
    decided(brand, Verdict.BLOCKED, "opted_out", ago=8 * DAY)
    decided(brand, Verdict.BLOCKED, "opted_out", ago=31 * DAY)
    decided(brand, Verdict.ALLOWED, "consent_given")
    assert read().reasons == [
        Why(Verdict.BLOCKED, "opted_out", 1, 2),
        Why(Verdict.BLOCKED, "consent_too_weak", 1, 1),
    ]


def test_what_is_held_is_counted_by_its_last_decision(brand):
    until = {"held_until": NOW + timedelta(hours=8)}
    decided(brand, Verdict.HELD, "quiet_hours", **until)
    twice = decided(brand, Verdict.HELD, "quiet_hours", ago=DAY, **until)
    decided(brand, Verdict.HELD, "quiet_hours", message_ref=twice.message_ref, **until)
    sent = decided(brand, Verdict.HELD, "quiet_hours", ago=DAY, **until)
    decided(brand, Verdict.ALLOWED, "consent_given", message_ref=sent.message_ref)
    decided(brand, Verdict.HELD, "quiet_hours", ago=DAY, held_until=NOW - timedelta(hours=1))
    assert read().held_now == 2


def test_days_are_the_center_s_and_each_is_there(brand):
    told(brand, Kind.REVOKED, ago=timedelta(hours=11))  # one in the morning in New York
    told(brand, Kind.REVOKED, ago=timedelta(hours=13))  # eleven in the evening before
    came_back = factories.phone_number()
    told(brand, Kind.REVOKED, ago=20 * DAY, phone=came_back)
    told(brand, Kind.REVOKED, ago=20 * DAY - timedelta(hours=1), phone=came_back)
    told(brand, Kind.RESUMED, phone=came_back)
    days = read().days
    assert [day.on for day in days] == [date(2026, 3, 30) - n * DAY for n in range(29, -1, -1)]
    happened = [day for day in days if day != Day(day.on)]
    assert happened == [Day(date(2026, 3, 10), 1), Day(date(2026, 3, 29), 1), Day(date(2026, 3, 30), 1, 1)]
    assert read().opted_out_now == 2


def test_a_question_is_unanswered_until_anything_answers_it(brand):
    program = {"program_id": factories.program(brand=brand).pk, "level": Level.EXPRESS}
    told(brand, Kind.REQUESTED, **program)
    told(brand, Kind.REQUESTED, ago=5 * DAY, **program)
    for answer in (Kind.CONFIRMED, Kind.REVOKED, Kind.GRANTED):
        phone = factories.phone_number()
        told(brand, Kind.REQUESTED, ago=timedelta(hours=2), phone=phone, **program)
        told(brand, answer, ago=timedelta(hours=1), phone=phone, **program)
    assert (read().questions_waiting, read().questions_unanswered) == (1, 1)


def test_consents_are_counted_by_source(brand):
    program = {"program_id": factories.program(brand=brand).pk, "level": Level.EXPRESS}
    told(brand, Kind.GRANTED, source=Source.WEB, **program)
    told(brand, Kind.GRANTED, source=Source.WEB, **program)
    told(brand, Kind.CONFIRMED, **program)
    told(brand, Kind.REQUESTED, **program)
    told(brand, Kind.GRANTED, ago=31 * DAY, **program)
    assert read().consents == [(Source.WEB, 2), (Source.KEYWORD, 1)]


def test_counting_ends_where_it_says_no_more(brand, monkeypatch):
    monkeypatch.setattr(overview, "MOST", 2)
    for _ in range(4):
        told(brand, Kind.REVOKED)
        decided(brand, Verdict.HELD, "quiet_hours", held_until=NOW + DAY)
    assert (read().opted_out_now, read().held_now) == (2, 2)


def test_the_overview_takes_eleven_statements_whatever_there_is(brand):
    def statements():
        with CaptureQueriesContext(connection) as queries:
            read()
        return len(queries)

    assert statements() == 11
    for _ in range(10):
        told(brand, Kind.REVOKED)
        told(brand, Kind.SUSPECTED)
    assert statements() == 11
