"""A set of people is judged as each of them would be alone, by the same policy."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import transaction

from consent import gate, ledger, survey
from consent.models import Decision, Hold, Standing, Subject, phone_hash
from consent.purposes import Category, Kind, Level, Purpose, Source, Verdict
from tests import factories
from tests.factories import NOON

pytestmark = pytest.mark.django_db
PHONES = [f"+1{area}555{number:04}" for area in (212, 850, 602, 808, 800) for number in range(100, 108)]


@pytest.fixture
def offers():
    return factories.program(category=Category.PROMOTIONAL, consent_level=Level.WRITTEN)


def happened(program, phone, kind, minutes_ago, **fields):
    at = NOON - timedelta(minutes=minutes_ago)
    report = ledger.Report(
        phone=phone,
        brand_id=program.brand_id,
        program_id=program.pk,
        kind=kind,
        source=Source.WEB,
        occurred_at=at,
        **fields,
    )
    return ledger.record(report=report, now=NOON)


@pytest.fixture
def people(offers):
    """Of each area: a stranger, members, who left, who left offers only, a suspect, one on hold, one texted enough."""
    for phone in PHONES:
        if (place := int(phone[-1])) > 0:
            happened(offers, phone, Kind.GRANTED, 60, level=Level.WRITTEN)
        if place == 2:
            happened(offers, phone, Kind.REVOKED, 30)
        if place == 3:
            happened(offers, phone, Kind.REVOKED, 30, scope=Category.PROMOTIONAL)
        if place == 4:
            happened(offers, phone, Kind.SUSPECTED, 30)
        if place == 5:
            Hold.objects.create(phone=phone, phone_hash=phone_hash(phone), reason="unreadable")
        if place == 6:
            for hours in (1, 2, 3):
                texted(offers, phone, hours)
    return [(subject.pk, "", "") for subject in Subject.objects.for_phones(PHONES).values()]


def texted(program, phone, hours):
    Decision.objects.create(
        message_ref=uuid4(), subject=Subject.objects.for_phone(phone), brand=program.brand, program=program,
        purpose=Purpose.CAMPAIGN, verdict=Verdict.ALLOWED, reasons=[], facts={}, rules_version="",
        decided_at=NOON - timedelta(hours=hours),
    )  # fmt: skip


@pytest.mark.parametrize("hour", [0, 10])  # noon, and night nearly everywhere
def test_a_set_is_judged_as_each_alone(offers, people, hour):
    now = NOON + timedelta(hours=hour)
    together = dict(survey.rulings(people, program=offers, purpose=Purpose.CAMPAIGN, now=now))
    assert len(together) == len(PHONES)
    for subject_id, *_ in people:
        request = gate.Request(
            message_ref=uuid4(), subject_id=subject_id, brand_id=offers.brand_id, program_id=offers.pk,
            purpose=Purpose.CAMPAIGN, wrote_at=NOON,
        )  # fmt: skip
        assert together[subject_id] == gate.preview(request, now=now)
    told = {reason for ruling in together.values() for reason in ruling.reasons}
    assert told >= {"opted_out", "consent_too_weak", "may_have_opted_out", "number_on_hold", "zone_unknown"}
    assert ("too_many" in told, "quiet_hours" in told) == (True, True)  # Honolulu sleeps at noon in New York


def test_any_number_of_people_costs_the_same_statements(offers, people, django_assert_num_queries):
    with django_assert_num_queries(3):
        list(survey.rulings(people, program=offers, purpose=Purpose.CAMPAIGN, now=NOON))


def test_a_postal_code_tells_more_than_the_number(offers):
    phone = "+18505550100"  # Eastern or Central
    happened(offers, phone, Kind.GRANTED, 60, level=Level.WRITTEN)
    subject = Subject.objects.get(phone=phone)
    evening = NOON.replace(day=3, hour=0, minute=30)  # 7:30 PM in New York, 6:30 in Chicago

    def verdict(postal_code, at=evening, time_zone=""):
        people = [(subject.pk, postal_code, time_zone)]
        return dict(survey.rulings(people, program=offers, purpose=Purpose.CAMPAIGN, now=at))[subject.pk].verdict

    assert verdict("32501") == verdict("") == Verdict.ALLOWED
    later = evening + timedelta(hours=1)
    assert verdict("", later) == Verdict.HELD
    assert verdict("32501", later) == Verdict.ALLOWED  # Pensacola is Central
    assert verdict("32501", later, "America/New_York") == Verdict.HELD  # and somebody noted that they moved


def test_what_was_allowed_is_counted_once_however_often_it_asked(offers):
    happened(offers, PHONES[0], Kind.GRANTED, 60, level=Level.WRITTEN)
    subject = Subject.objects.get(phone=PHONES[0])

    def ask(ref):
        request = gate.Request(
            message_ref=ref, subject_id=subject.pk, brand_id=offers.brand_id, program_id=offers.pk,
            purpose=Purpose.CAMPAIGN,
        )  # fmt: skip
        with transaction.atomic():
            return gate.decide([request], now=NOON)[ref].verdict

    first = uuid4()
    assert [ask(first) for _ in range(5)] == [Verdict.ALLOWED] * 5  # gated again after a stale hand-over
    assert [ask(uuid4()) for _ in range(3)] == [Verdict.ALLOWED, Verdict.ALLOWED, Verdict.HELD]
    assert Standing.objects.filter(subject=subject).count() == 1
