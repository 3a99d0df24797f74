from datetime import timedelta

import pytest

from consent import acquiring, ledger, proof, revoking
from consent.models import ConsentEvent, Standing
from consent.purposes import Category, Effect, Kind, Level, Source
from tests import factories
from tests.factories import NOON

pytestmark = pytest.mark.django_db
PHONE = "+12125550123"
WEB = {"words": "I agree …", "disclosure": "1", "url": "https://x/join/", "ip": "192.0.2.1", "user_agent": "Firefox",
       "page": "<form>"}  # fmt: skip


def standing() -> Standing:
    return Standing.objects.get(subject__phone=PHONE)


def offered(**fields):
    return factories.program(is_active=True, consent_level=Level.WRITTEN, category=Category.PROMOTIONAL, **fields)


def test_row_1_written_consent_without_any_one_proof_is_refused_and_says_which():
    program = offered()
    for name in WEB:
        with pytest.raises(acquiring.NotEnoughProof) as refused:
            acquiring.acquire(
                program=program, phone=PHONE, source=Source.WEB, evidence={**WEB, name: " "}, now=NOON
            )  # fmt: skip
        assert refused.value.missing == {name}
    assert not ConsentEvent.objects.exists()


@pytest.mark.parametrize("source", [Source.PHONE, Source.AGENT, Source.CARRIER])
def test_row_2_nobody_gives_written_consent_by_talking(source):
    everything = {name: "x" for names in [*proof.WRITTEN.values(), proof.SIGNED, {"said"}] for name in names}
    assert proof.missing(Level.WRITTEN, source, everything) == {"writing"}


def test_consent_is_recorded_with_its_proof_and_holds():
    program = offered()
    event = acquiring.acquire(program=program, phone=PHONE, source=Source.WEB, evidence=WEB, now=NOON)
    assert (event.kind, event.facts["level"]) == (Kind.GRANTED, "written")
    assert {proof.name: proof.value for proof in event.evidence.all()} == WEB
    assert standing().state.level(program.pk) == Level.WRITTEN


def test_nobody_can_agree_to_a_program_that_is_not_active():
    program = factories.program(is_active=False)
    with pytest.raises(acquiring.NotOffered):
        acquiring.acquire(program=program, phone=PHONE, source=Source.WEB, evidence=WEB, now=NOON)


def test_with_double_opt_in_only_the_phone_itself_makes_it_consent():
    program = offered(is_double_opt_in=True)
    acquiring.acquire(program=program, phone=PHONE, source=Source.WEB, evidence=WEB, now=NOON)
    assert standing().state.level(program.pk) == Level.NONE
    event = confirm(program, NOON + timedelta(minutes=1))
    assert (event.kind, standing().state.level(program.pk)) == (Kind.CONFIRMED, Level.WRITTEN)
    assert confirm(program, NOON + timedelta(minutes=2)).effect == Effect.NOTHING
    assert standing().state.level(program.pk) == Level.WRITTEN


def confirm(program, at):
    return acquiring.confirm(
        phone=PHONE, program=program, source=Source.KEYWORD, evidence={"words": "YES"},
        occurred_at=at, now=at,
    )  # fmt: skip


def test_a_request_waits_from_today_however_long_ago_somebody_agreed():
    program = offered(is_double_opt_in=True)
    agreed_at = NOON - timedelta(days=30)
    event = acquiring.acquire(
        program=program, phone=PHONE, source=Source.WEB, evidence=WEB, now=NOON, occurred_at=agreed_at
    )
    assert event.evidence.get(name="agreed_at").value == agreed_at.isoformat()
    assert confirm(program, NOON + timedelta(hours=1)).effect == Effect.GRANTED


def test_a_yes_after_three_days_confirms_nothing():
    program = offered(is_double_opt_in=True)
    acquiring.acquire(program=program, phone=PHONE, source=Source.WEB, evidence=WEB, now=NOON)
    assert confirm(program, NOON + timedelta(hours=72, seconds=1)).effect == Effect.NOTHING
    assert confirm(program, NOON + timedelta(hours=72)).effect == Effect.GRANTED


def test_a_yes_after_a_stop_confirms_nothing():
    program = offered(is_double_opt_in=True)
    acquiring.acquire(program=program, phone=PHONE, source=Source.WEB, evidence=WEB, now=NOON)
    revoking.revoke(phone=PHONE, source=Source.AGENT, evidence={}, now=NOON + timedelta(minutes=1))
    assert confirm(program, NOON + timedelta(minutes=2)).effect == Effect.NOTHING
    assert standing().state.is_suppressed


@pytest.mark.parametrize("source", [source for source in Source if source != Source.KEYWORD])
def test_row_5_a_no_counts_whichever_way_it_came(source):
    program = offered()
    acquiring.acquire(program=program, phone=PHONE, source=Source.WEB, evidence=WEB, now=NOON)
    [event] = revoking.revoke(
        phone=PHONE, source=source, evidence={"said": "on the phone"}, now=NOON + timedelta(seconds=1)
    )
    assert event.source == source
    assert standing().state.is_suppressed
    assert standing().state.level(program.pk) == Level.NONE


@pytest.mark.parametrize("source", [Source.WEB, Source.API, Source.IMPORT, Source.EMAIL, Source.PAPER])
def test_row_17_a_form_lifts_no_stop_only_the_phone_itself_does(source):
    program = offered()
    revoking.revoke(phone=PHONE, source=Source.KEYWORD, evidence={}, now=NOON)
    everything = dict.fromkeys(frozenset().union(*proof.WRITTEN.values()), "x")
    later = NOON + timedelta(days=365 * 11)
    event = acquiring.acquire(program=program, phone=PHONE, source=source, evidence=everything, now=later)
    assert event.kind == Kind.REQUESTED
    assert standing().state.is_suppressed
    assert confirm(program, later + timedelta(minutes=1)).effect == Effect.GRANTED
    assert not standing().state.is_suppressed


def test_a_no_to_one_category_leaves_the_others():
    program = offered()
    acquiring.acquire(program=program, phone=PHONE, source=Source.WEB, evidence=WEB, now=NOON)
    revoking.revoke(
        phone=PHONE, source=Source.AGENT, evidence={}, scope=Category.PROMOTIONAL, now=NOON + timedelta(seconds=1)
    )
    state = standing().state
    assert state.is_suppressed_for(Category.PROMOTIONAL)
    assert not state.is_suppressed
    assert state.level(program.pk, Category.PROMOTIONAL) == Level.NONE


@pytest.mark.parametrize("nothing", ["-", " N/A ", "none", "unknown", "."])
def test_row_1_a_placeholder_proves_nothing(nothing):
    evidence = dict.fromkeys(proof.WRITTEN[Source.IMPORT], "said")
    assert proof.missing(Level.WRITTEN, Source.IMPORT, evidence) == frozenset()
    assert proof.missing(Level.WRITTEN, Source.IMPORT, evidence | {"ip": nothing}) == {"ip"}


def told(kind: Kind, program, minute: int, **fields) -> None:
    at = NOON + timedelta(minutes=minute)
    fields = {"source": Source.KEYWORD, "level": Level.EXPRESS, "program_id": program.pk} | fields
    ledger.record(
        now=at, report=ledger.Report(phone=PHONE, brand_id=program.brand_id, kind=kind, occurred_at=at, **fields)
    )


def test_the_last_no_ended_what_was_agreed_to_between_it_and_the_one_before():
    brand = factories.brand()
    programs = {minute: factories.program(brand=brand) for minute in (4, 5, 6, 10, 11)}
    for minute, program in programs.items():
        told(Kind.GRANTED, program, minute)
    for minute in (5, 10):
        told(Kind.REVOKED, programs[4], minute, program_id=None)
    ended = acquiring.ended_by_the_last_no(standing())
    assert {minute for minute, program in programs.items() if program.pk in ended} == {6, 10}


def test_row_17_after_a_narrower_no_nobody_else_lifts_it_by_a_wider_yes():
    program = factories.program()
    told(Kind.REVOKED, program, 1, program_id=None, scope=Category.PROMOTIONAL)
    event = acquiring.acquire(
        program=program, phone=PHONE, source=Source.WEB, evidence=WEB, now=NOON + timedelta(minutes=2)
    )
    assert event.kind == Kind.REQUESTED
    assert standing().state.is_suppressed_for(Category.PROMOTIONAL)


def test_blank_evidence_is_not_kept():
    program = factories.program()
    evidence = {"words": "JOIN", "document": "  ", "name": ""}
    event = acquiring.acquire(program=program, phone=PHONE, source=Source.KEYWORD, evidence=evidence, now=NOON)
    assert list(event.evidence.values_list("name", flat=True)) == ["words"]
