"""A bank's system sends an alert and asks what became of it."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from consent import acquiring
from consent.purposes import Category, Level, Purpose, Source
from conversations import alerting, dispatch, invariants, settling
from conversations.carriers.outcomes import Kind, Outcome
from conversations.models import Contact, Conversation, Message
from tests import factories
from tests.api.conftest import statements
from tests.api.test_problems import problem

pytestmark = pytest.mark.django_db

PHONE = "+12015550123"


def alert(program, /, **fields):
    return {"to": PHONE, "program": program.slug, "body": "Your card was used in Lisbon. Was it you?"} | fields


def agreed(program):
    acquiring.acquire(
        program=program, phone=PHONE, source=Source.KEYWORD, evidence={"words": "JOIN"}, now=timezone.now()
    )


def gated(outcome=None):
    handed, _ = dispatch.allowed(lane="agents", limit=5, clock=timezone.now)
    settling.settle([settling.Result(one, outcome, timezone.now()) for one in handed], clock=timezone.now)
    return len(handed)


def test_an_alert_to_somebody_who_agreed_is_sent_and_its_address_says_so(bank, program):
    agreed(program)
    response = bank.post("messages/", alert(program))
    assert response.status_code == 202, response.content
    told = response.json()
    assert (told["status"], told["words"], told["decision"], told["error"]) == ("queued", "Queued", None, None)
    assert told["url"] == response.headers["Location"]
    assert gated(Outcome(Kind.SENT, carrier_id="carrier-1")) == 1
    now = bank.send("GET", told["url"].partition("/api/v1/")[2]).json()
    assert (now["status"], now["decision"]["verdict"]) == ("sent", "allowed")
    assert now["decision"]["words"] == "They agreed to be texted."
    assert now["handed_over_at"]
    message = Message.objects.get()
    assert (message.purpose, message.author, message.lane, message.program) == (Purpose.ALERT, None, "agents", program)


def test_an_alert_to_somebody_who_never_agreed_is_blocked_and_says_why(bank, program):
    told = bank.post("messages/", alert(program)).json()
    assert gated() == 0
    now = bank.get(f"messages/{told['ref']}/").json()
    assert (now["status"], now["decision"]["verdict"]) == ("blocked", "blocked")
    assert "consent_too_weak" in now["decision"]["reasons"]
    assert "not enough for this kind of message" in now["words"]


def test_no_alert_passes_a_no(bank, program):
    agreed(program)
    told = bank.post("messages/", alert(program)).json()
    bank.post("consents/revocations/", {"phone": PHONE})
    assert gated() == 0
    assert "opted_out" in bank.get(f"messages/{told['ref']}/").json()["decision"]["reasons"]


def test_what_the_carrier_refused_says_so_in_words(bank, program):
    agreed(program)
    told = bank.post("messages/", alert(program)).json()
    gated(Outcome(Kind.REFUSED, code="1170", detail="Invalid"))
    assert bank.get(f"messages/{told['ref']}/").json()["error"] == {
        "code": "1170",
        "words": "the number is not valid or cannot get texts (1170)",
    }


def test_promotions_are_campaigns(bank, program):
    offers = factories.program(brand=program.brand, category=Category.PROMOTIONAL, consent_level=Level.WRITTEN)
    assert "campaigns" in problem(bank.post("messages/", alert(offers)), 409)["detail"]
    assert not Message.objects.exists()


@pytest.mark.parametrize(
    ("fields", "place", "words"),
    [
        ({"body": "  "}, "body", "blank"),
        ({"body": "é" * 1531}, "body", "segments"),
        ({"body": "Card 4111 1111 1111 1111"}, "body", "card or social security"),
        ({"to": "bank"}, "to", "phone number"),
        ({"program": "nowhere"}, "program", "no program"),
        ({"ref": "7"}, "ref", "UUID"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at", "still to come"),
        ({"expires_at": "2999-01-01T00:00:00Z"}, "expires_at", "30 days"),
    ],
)
def test_what_is_not_right_is_named(bank, program, fields, place, words):
    (error,) = problem(bank.post("messages/", alert(program, **fields)), 422)["errors"]
    assert error["pointer"] == f"#/{place}"
    assert words in error["detail"]
    assert not Contact.objects.exists()


@pytest.mark.parametrize(
    ("at", "due"),
    [
        (datetime(2026, 3, 3, 4, 0, tzinfo=UTC), datetime(2026, 3, 3, 13, 0, tzinfo=UTC)),  # 23:00 in New York
        (datetime(2026, 3, 3, 15, 0, tzinfo=UTC), datetime(2026, 3, 3, 15, 0, tzinfo=UTC)),
    ],
)
def test_an_alert_that_can_wait_wakes_nobody(program, at, due):
    said = {"program": program, "phone": PHONE, "body": "Your card is ready.", "ref": uuid4(), "now": at}
    told = alerting.send(**said, waits_for_morning=True)
    assert (told.due_at, told.expires_at - told.due_at) == (due, timedelta(days=1))


def test_an_alert_that_would_wait_too_long_is_refused(program):
    at = datetime(2026, 3, 3, 4, 0, tzinfo=UTC)
    said = {"program": program, "phone": PHONE, "body": "Your table is ready.", "ref": uuid4(), "now": at}
    with pytest.raises(alerting.TooLate):
        alerting.send(**said, waits_for_morning=True, expires_at=at + timedelta(hours=2))
    assert not Contact.objects.exists()


def test_a_brand_without_a_line_sends_nothing(bank):
    assert "Add one under Lines" in problem(bank.post("messages/", alert(factories.program())), 409)["detail"]


def test_the_same_ref_is_the_same_message_and_another_under_it_is_refused(bank, program):
    ref = str(uuid4())
    first = bank.post("messages/", alert(program, ref=ref))
    again = bank.post("messages/", alert(program, ref=ref))
    assert first.json() == again.json()
    told = problem(bank.post("messages/", alert(program, ref=ref, body="Something else")), 409)
    assert told["errors"][0]["pointer"] == "#/ref"
    assert Message.objects.count() == 1


def test_an_alert_comes_from_its_program_s_own_line(bank, program):
    own = factories.line(brand=program.brand, program=program)
    assert bank.post("messages/", alert(program)).json()["sender"] == own.number


def test_an_alert_is_nobody_s_conversation_until_the_person_answers(bank, program):
    bank.post("messages/", alert(program))
    conversation = Conversation.objects.get()
    assert (conversation.last_message, conversation.last_message_at, conversation.owner) == (None, None, None)
    assert conversation.version == 1
    now = timezone.now() + timedelta(minutes=1)
    for invariant in invariants.INVARIANTS:
        assert not list(invariant.problems(now)), invariant


def test_a_token_reads_alerts_of_its_brand_and_nothing_else(bank, a_caller, program):
    ref = bank.post("messages/", alert(program)).json()["ref"]
    assert a_caller(brand=program.brand).get(f"messages/{ref}/").status_code == 200
    problem(a_caller(brand=factories.brand()).get(f"messages/{ref}/"), 404)
    text = factories.text_from(factories.conversation())
    problem(bank.get(f"messages/{text.ref}/"), 404)


def test_reading_is_two_queries_and_sending_a_dozen(bank, program):
    ref = bank.post("messages/", alert(program)).json()["ref"]
    with CaptureQueriesContext(connection) as queries:
        bank.get(f"messages/{ref}/")
    assert len(queries) == 2
    with CaptureQueriesContext(connection) as queries:
        bank.post("messages/", alert(program, to="+12015550124"))
    assert len(statements(queries)) == 16
    with CaptureQueriesContext(connection) as queries:
        bank.post("messages/", alert(program, to="+12015550124"))
    assert len(statements(queries)) == 12  # the person is known
