"""A bank's system records consent, and takes it back."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from consent import acquiring, ledger
from consent.models import ConsentEvent, Standing, Subject
from consent.purposes import Category, Kind, Level, Source
from conversations.models import Message
from tests import factories
from tests.api.conftest import statements
from tests.api.test_problems import problem

pytestmark = pytest.mark.django_db

PHONE = "+12015550123"
ONLINE = {
    "words": "I agree to get texts about my account.",
    "method": "ticked the box in online banking",
    "url": "https://bank.example/alerts",
    "ip": "192.0.2.7",
    "user_agent": "Mozilla/5.0",
}
ON_PAPER = {"words": "I agree …", "method": "signed at the branch", "document": "vault 7/4711", "name": "Maria Vega"}


def consent(program, /, **fields):
    return {"phone": "(201) 555-0123", "program": program.slug} | ONLINE | fields


def granted(program, **fields):
    return acquiring.acquire(
        program=program, phone=PHONE, source=Source.WEB, evidence=dict.fromkeys(
            ["words", "url", "ip", "user_agent", "disclosure", "page"], "x"), now=timezone.now(), **fields,
    )  # fmt: skip


def standing(brand):
    return Standing.objects.get(subject__phone=PHONE, brand=brand).state


def test_a_consent_is_recorded_with_its_proof_and_the_person_is_told(bank, program):
    at = timezone.now() - timedelta(hours=2)
    response = bank.post("consents/", consent(program, occurred_at=at.isoformat()))
    assert response.status_code == 201, response.content
    told = response.json()
    event = ConsentEvent.objects.get()
    assert (told["kind"], told["effect"], told["level"], told["source"]) == ("granted", "granted", "express", "api")
    assert (told["hash"], told["program"], told["brand"]) == (event.hash, program.slug, program.brand.name)
    assert told["words"] == "Agreed to be texted · the API"
    assert event.occurred_at == at
    proofs = {proof.name: proof.value for proof in event.evidence.all()}
    assert proofs == ONLINE | {"token": str(bank.token)}
    assert standing(program.brand).level(program.pk) == Level.EXPRESS
    assert Message.objects.get().purpose == "opt_in_confirmation"


def test_with_double_opt_in_it_is_a_request_until_the_phone_says_yes(bank, program):
    program.is_double_opt_in = True
    program.save()
    assert bank.post("consents/", consent(program)).json()["kind"] == "requested"
    assert Message.objects.get().purpose == "double_opt_in"
    (stands,) = bank.get("consents/", phone=PHONE).json()["standings"]
    assert stands["programs"] == [
        {"program": program.slug, "level": "none", "since": None, "waits_for_confirmation": True}
    ]


def test_row_1_written_consent_without_any_one_proof_is_refused_and_says_which(bank, program):
    for name in ONLINE:
        body = consent(program, level="written")
        del body[name]
        told = problem(bank.post("consents/", body), 422)
        assert told["type"].endswith("not-enough-proof")
        assert [error["pointer"] for error in told["errors"]] == [f"#/{name}"]
        assert "CFR" in told["errors"][0]["detail"] or "CTIA" in told["errors"][0]["detail"]
    assert not ConsentEvent.objects.exists()
    assert not Message.objects.exists()


@pytest.mark.parametrize("name", ["words", "method", "name"])
def test_row_1_a_signature_on_paper_needs_its_own_proof(bank, program, name):
    body = {"phone": PHONE, "program": program.slug, "level": "written"} | ON_PAPER
    assert bank.post("consents/", body).status_code == 201
    del body[name]
    told = problem(bank.post("consents/", body), 422)
    assert [error["pointer"] for error in told["errors"]] == [f"#/{name}"]


def test_nobody_can_agree_to_a_program_that_is_not_active(bank, program):
    program.is_active = False
    program.save()
    assert problem(bank.post("consents/", consent(program)), 409)["type"].endswith("program-not-active")


def test_a_program_whose_brand_has_no_line_can_tell_nobody(bank):
    told = problem(bank.post("consents/", consent(factories.program())), 409)
    assert "Add one under Lines" in told["detail"]
    assert not ConsentEvent.objects.exists()


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"program": "nowhere"}, "program"),
        ({"level": "none"}, "level"),
        ({"occurred_at": "2999-01-01T00:00:00Z"}, "occurred_at"),
        ({"ip": "1.2.3"}, "ip"),
        ({"phone": "+12015550123 ext. 4"}, "phone"),
    ],
)
def test_what_is_not_right_is_named(bank, program, fields, place):
    told = problem(bank.post("consents/", consent(program, **fields)), 422)
    assert [error["pointer"] for error in told["errors"]] == [f"#/{place}"]


def test_a_consent_that_is_older_than_the_last_no_changes_nothing_and_says_so(bank, program):
    bank.post("consents/revocations/", {"phone": PHONE})
    yesterday = (timezone.now() - timedelta(days=1)).isoformat()
    told = bank.post("consents/", consent(program, occurred_at=yesterday)).json()
    assert (told["effect"], "changed nothing" in told["words"]) == ("nothing", True)
    assert standing(program.brand).is_suppressed


def test_no_system_lifts_a_no(bank, program):
    bank.post("consents/revocations/", {"phone": PHONE})
    told = bank.post("consents/", consent(program)).json()
    assert told["kind"] == "requested"
    assert standing(program.brand).is_suppressed
    assert not Message.objects.exists()
    (stands,) = bank.get("consents/", phone=PHONE).json()["standings"]
    assert (stands["is_opted_out"], stands["programs"][0]["level"]) == (True, "none")


def test_a_token_of_one_brand_names_and_sees_no_other(a_caller, program):
    other = factories.program(brand=factories.line().brand)
    granted(other)
    theirs = a_caller(brand=program.brand)
    assert theirs.post("consents/", consent(program)).status_code == 201
    problem(theirs.post("consents/", consent(other)), 422)
    problem(theirs.post("consents/revocations/", {"phone": PHONE, "brand": other.brand.name}), 422)
    record = theirs.get("consents/", phone=PHONE).json()
    assert [stands["brand"] for stands in record["standings"]] == [program.brand.name]
    assert {event["brand"] for event in record["events"]} == {program.brand.name}
    assert len(theirs.post("consents/revocations/", {"phone": PHONE}).json()["events"]) == 1
    assert not standing(other.brand).is_suppressed


@pytest.mark.parametrize(("named", "brands"), [({}, 2), ({"brand": "A"}, 1), ({"program": "alerts"}, 1)])
def test_row_5_a_no_is_in_force_at_once_and_needs_no_proof(bank, named, brands):
    program = factories.program(brand=factories.brand(name="A"), slug="alerts")
    factories.brand()
    granted(program)
    response = bank.post("consents/revocations/", {"phone": PHONE, "words": "Leave me alone", **named})
    assert response.status_code == 201, response.content
    events = response.json()["events"]
    assert len(events) == brands
    assert {(event["kind"], event["effect"], event["source"]) for event in events} == {("revoked", "suppressed", "api")}
    assert standing(program.brand).is_suppressed
    assert {proof.name for proof in ConsentEvent.objects.filter(kind=Kind.REVOKED)[0].evidence.all()} == {
        "words",
        "token",
    }


def test_a_no_to_one_kind_of_texts_leaves_the_others(bank, program):
    granted(program)
    body = {"phone": PHONE, "program": program.slug, "scope": "promotional"}
    assert bank.post("consents/revocations/", body).json()["events"][0]["scope"] == "promotional"
    (stands,) = bank.get("consents/", phone=PHONE).json()["standings"]
    assert (stands["is_opted_out"], stands["opted_out_of"]) == (False, [Category.PROMOTIONAL])
    assert stands["programs"][0]["level"] == "express"


@pytest.mark.parametrize(
    ("named", "place"),
    [({"brand": "A", "program": "b"}, "brand"), ({"brand": "A"}, "brand"), ({"scope": "x"}, "scope")],
)
def test_a_no_to_whom_nobody_knows_is_not_taken_for_another(bank, named, place):
    told = problem(bank.post("consents/revocations/", {"phone": PHONE, **named}), 422)
    assert [error["pointer"] for error in told["errors"]] == [f"#/{place}"]


def test_the_record_of_a_number_pages_back_to_its_first_event(bank, program):
    now = timezone.now()
    reports = [
        ledger.Report(phone=PHONE, brand_id=program.brand_id, kind=kind, source=Source.API, occurred_at=now)
        for kind in [Kind.REVOKED, Kind.RESUMED] * 60
    ]
    ledger.record_many(reports, now=now)
    seen, url = [], f"http://127.0.0.1:8000/api/v1/consents/?phone=%2B{PHONE[1:]}"
    while url:
        page = bank.send("GET", url.partition("/api/v1/")[2]).json()
        seen += [event["seq"] for event in page["events"]]
        url = page["next"]
    assert seen == list(range(120, 0, -1))


def test_asking_about_a_number_that_nobody_knows_leaves_no_trace(bank):
    record = bank.get("consents/", phone=PHONE).json()
    assert record == {"phone": PHONE, "standings": [], "events": [], "next": None}
    assert not Subject.objects.exists()


def test_reading_costs_the_same_however_much_there_is(bank, program):
    granted(program)
    bank.get("consents/", phone=PHONE)
    with CaptureQueriesContext(connection) as few:
        bank.get("consents/", phone=PHONE)
    for _ in range(5):
        granted(factories.program(brand=program.brand))
        granted(factories.program())
    with CaptureQueriesContext(connection) as many:
        bank.get("consents/", phone=PHONE)
    assert len(few) == len(many) == 4  # the token, standings, events, programs


def test_recording_costs_so_many_queries(bank, program):
    bank.post("consents/", consent(program))
    body = consent(program, phone="+12015550124")
    with CaptureQueriesContext(connection) as queries:
        assert bank.post("consents/", body).status_code == 201
    assert len(statements(queries)) == 26  # the last: in which language they agreed
    with CaptureQueriesContext(connection) as queries:
        bank.post("consents/", body)  # known by now, and told nothing twice
    assert len(statements(queries)) == 13
