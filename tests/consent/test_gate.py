from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import transaction

from consent import gate, ledger, policy, rulebook
from consent.models import Decision, Hold, Standing, Subject, phone_hash
from consent.purposes import Category, Kind, Level, Purpose, Source, Verdict
from tests import factories
from tests.factories import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture
def brand():
    return factories.brand()


def request_to(phone, brand, **fields):
    fields = {"purpose": Purpose.REPLY, "wrote_at": NOON - timedelta(minutes=3)} | fields
    subject = Subject.objects.for_phone(phone)
    return gate.Request(message_ref=uuid4(), subject_id=subject.pk, brand_id=brand.pk, **fields)


def recorded(brand, phone, kind, **fields):
    report = ledger.Report(
        phone=phone, brand_id=brand.pk, kind=kind, source=Source.WEB, occurred_at=NOON - timedelta(minutes=1), **fields
    )
    return ledger.record(report=report, now=NOON)


def decided(*requests):
    with transaction.atomic():
        return list(gate.decide(requests, now=NOON).values())


def test_a_reply_to_whoever_wrote_is_allowed_and_the_decision_says_why(brand):
    request = request_to("+12015550123", brand)
    (decision,) = decided(request)
    decision.refresh_from_db()
    assert (decision.verdict, decision.reasons) == (Verdict.ALLOWED, ["person_wrote"])
    assert decision.message_ref == request.message_ref
    assert decision.rules_version == rulebook.version()
    assert decision.decided_at == NOON
    assert decision.facts["wrote_at"] == (NOON - timedelta(minutes=3)).isoformat()
    assert decision.facts["is_suppressed"] is False


def test_a_stop_blocks_the_number_for_its_brand_and_for_no_other(brand):
    other = factories.brand()
    recorded(brand, "+12015550123", Kind.REVOKED)
    verdicts = [d.verdict for d in decided(*(request_to("+12015550123", one) for one in (brand, other)))]
    assert verdicts == [Verdict.BLOCKED, Verdict.ALLOWED]


def test_a_hold_blocks_until_it_is_released(brand):
    hold = Hold.objects.create(phone="+12015550123", phone_hash=phone_hash("+12015550123"), reason="disk full")
    assert decided(request_to("+12015550123", brand))[0].reasons == ["number_on_hold"]
    Hold.objects.filter(pk=hold.pk).update(released_at=NOON)
    assert decided(request_to("+12015550123", brand))[0].verdict == Verdict.ALLOWED


def test_a_campaign_rests_on_what_was_granted_to_its_program(brand):
    program, other = factories.program(brand=brand), factories.program(brand=brand)
    recorded(brand, "+12015550123", Kind.GRANTED, program_id=program.pk, level=Level.EXPRESS)
    campaign = {"purpose": Purpose.CAMPAIGN, "wrote_at": None}
    asked = [request_to("+12015550123", brand, program_id=one.pk, **campaign) for one in (program, other)]
    assert [tuple(d.reasons) for d in decided(*asked)] == [("consent_given",), ("consent_too_weak",)]
    type(program).objects.filter(pk=program.pk).update(is_active=False)
    assert decided(asked[0])[0].reasons == ["program_not_active"]


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_the_gate_does_not_answer_and_records_nothing():
    request = request_to("+12015550123", factories.brand())
    with pytest.raises(transaction.TransactionManagementError, match="belongs in the transaction"):
        gate.decide([request], now=NOON)
    assert not Decision.objects.exists()


def test_many_messages_take_as_many_statements_as_few(brand, django_assert_num_queries):
    program = factories.program(brand=brand)
    for number_of in (2, 60):
        phones = [factories.phone_number() for _ in range(number_of)]
        asked = [request_to(phone, brand, program_id=program.pk) for phone in phones]
        decided(*asked)  # makes the standings
        again = [request_to(phone, brand, program_id=program.pk) for phone in phones]
        with transaction.atomic(), django_assert_num_queries(7):
            gate.decide(again, now=NOON)


def test_the_law_is_asked_once_per_distinct_case(brand, monkeypatch):
    asked = []
    monkeypatch.setattr(gate.policy, "decide", lambda facts, now: asked.append(facts) or RULING)
    phones = [factories.phone_number() for _ in range(20)]
    recorded(brand, phones[0], Kind.REVOKED)
    assert len(decided(*(request_to(phone, brand) for phone in phones))) == 20
    assert len(asked) == 2


RULING = policy.Ruling(Verdict.BLOCKED, ("opted_out",))


def test_two_messages_to_one_number_get_a_decision_each(brand):
    assert len(decided(request_to("+12015550123", brand), request_to("+12015550123", brand))) == 2


def test_a_preview_says_what_the_gate_would_and_leaves_no_trace(brand):
    request = request_to("+12015550123", brand)
    assert gate.preview(request, now=NOON).verdict == Verdict.ALLOWED
    assert not Standing.objects.exists()
    recorded(brand, "+12015550123", Kind.REVOKED)
    assert gate.preview(request, now=NOON).reasons == tuple(decided(request)[0].reasons) == ("opted_out",)
    assert Decision.objects.count() == 1


def test_row_14_offers_that_are_decided_together_count_for_one_another(brand):
    offers = factories.program(brand=brand, category=Category.PROMOTIONAL)
    for phone in ("+12125550123", "+12125550124"):
        recorded(brand, phone, Kind.GRANTED, program_id=offers.pk, level=Level.WRITTEN)
    campaign = {"purpose": Purpose.CAMPAIGN, "wrote_at": None, "program_id": offers.pk}
    asked = [request_to(phone, brand, **campaign) for phone in ("+12125550123",) * 5 + ("+12125550124",)]
    verdicts = [decision.verdict for decision in decided(*asked)]
    assert verdicts == [Verdict.ALLOWED] * 3 + [Verdict.HELD] * 2 + [Verdict.ALLOWED]


def test_row_14_a_planned_conversation_waits_for_the_morning_and_an_answer_does_not(brand):
    chat = factories.program(brand=brand, category=Category.CONVERSATIONAL, consent_level=Level.CONVERSATIONAL)
    recorded(brand, "+12125550123", Kind.GRANTED, program_id=chat.pk, level=Level.CONVERSATIONAL)
    planned = request_to("+12125550123", brand, purpose=Purpose.CAMPAIGN, program_id=chat.pk)
    answer = request_to("+12125550123", brand)
    night = NOON.replace(hour=8)  # three in the morning in New York
    with transaction.atomic():
        verdicts = [decision.verdict for decision in gate.decide([planned, answer], now=night).values()]
    assert verdicts == [Verdict.HELD, Verdict.ALLOWED]


def test_row_7_whoever_ended_conversations_is_not_answered_either(brand):
    recorded(brand, "+12015550123", Kind.REVOKED, scope=Category.CONVERSATIONAL)
    assert decided(request_to("+12015550123", brand))[0].reasons == ["opted_out"]


def test_row_7_start_after_a_narrower_no_brings_no_older_consent_back(brand):
    offers = factories.program(brand=brand, category=Category.PROMOTIONAL)
    recorded(brand, "+12015550123", Kind.GRANTED, program_id=offers.pk, level=Level.WRITTEN)
    recorded(brand, "+12015550123", Kind.REVOKED, scope=Category.PROMOTIONAL)
    planned = request_to("+12015550123", brand, purpose=Purpose.CAMPAIGN, program_id=offers.pk)
    assert "opted_out" in decided(planned)[0].reasons
    start = ledger.Report(
        phone="+12015550123", brand_id=brand.pk, kind=Kind.RESUMED, source=Source.KEYWORD, occurred_at=NOON
    )
    ledger.record(report=start, now=NOON)
    assert decided(planned)[0].reasons == ["consent_too_weak"]
