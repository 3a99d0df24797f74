"""Writing to somebody first: whether they may be texted is said before there is a word to send."""

from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consent import acquiring
from consent.purposes import Source
from conversations import footing, outbound, starting
from conversations.models import Contact, Conversation, Entry, Line, Message
from conversations.states import Status
from tests import factories
from tests.conversations import screens, sending, traffic

pytestmark = pytest.mark.django_db
NEW = "/inbox/new/"


@pytest.fixture
def line() -> Line:
    return traffic.line()


@pytest.fixture
def agent(client: Client) -> Client:
    client.force_login(factories.user())
    return client


def agrees(line: Line, number: str) -> None:
    program = factories.program(brand=line.brand)
    evidence = {"words": "I agree …", "url": "https://h.example/", "ip": "192.0.2.1", "user_agent": "Firefox"}
    acquiring.acquire(program=program, phone=number, source=Source.WEB, evidence=evidence, now=factories.NOON)


def test_who_never_agreed_may_not_be_texted_and_is_not_even_written_down(agent: Client, line: Line) -> None:
    asked = {"phone": "(201) 555-0177", "line": line.pk}
    for answer in (agent.get(NEW, asked), agent.post(NEW, asked)):
        words = answer.content.decode()
        assert "may not be texted" in words
        assert "has never texted this line" in words
    assert not Contact.objects.exists()


def test_who_agreed_is_written_to_once_somebody_says_so(agent: Client, line: Line) -> None:
    agrees(line, "+12015550177")
    asked = {"phone": "201 555 0177", "line": line.pk}

    assert "(201) 555-0177 may be texted" in agent.get(NEW, asked).content.decode()
    assert not Conversation.objects.exists()

    answer = agent.post(NEW, asked)
    conversation = Conversation.objects.get()
    assert answer.url == reverse("conversation", args=[conversation.pk])
    assert conversation.contact.phone == "+12015550177"
    assert Entry.objects.get().kind == Entry.Kind.STARTED
    assert not Message.objects.exists()
    page = agent.get(answer.url).content.decode()
    assert 'id="composer"' in page


def test_somebody_whom_we_know_is_opened(agent: Client, line: Line) -> None:
    known = screens.thread(line=line)
    asked = {"phone": known.contact.phone, "line": line.pk}

    for answer in (agent.get(NEW, asked), agent.post(NEW, asked)):
        assert answer.url == reverse("conversation", args=[known.pk])


@pytest.mark.parametrize(
    ("phone", "complaint"), [("12", "not a number in use"), ("", "required"), (factories.LINE_NUMBER, "our own lines")]
)
def test_what_can_not_be_texted_is_said_and_kept_as_typed(
    agent: Client, line: Line, phone: str, complaint: str
) -> None:
    words = agent.get(NEW, {"phone": phone, "line": line.pk}).content.decode()
    assert complaint in words
    assert f'value="{phone}"' in words or not phone


def test_who_has_opted_out_is_not_written_to(agent: Client, line: Line) -> None:
    agrees(line, "+12015550177")
    known = screens.thread(line=line)
    screens.stop(known)
    other = factories.line(brand=line.brand)

    words = agent.post(NEW, {"phone": known.contact.phone, "line": other.pk}).content.decode()

    assert "has opted out" in words
    assert Conversation.objects.count() == 1


def test_the_first_text_goes_on_what_they_agreed_to(line: Line) -> None:
    agrees(line, "+12015550177")
    agent, now = factories.user(), timezone.now()
    conversation = starting.start(number="+12015550177", line=line, by_id=agent.pk, now=now)

    message = outbound.send(
        conversation=conversation, body="Your order is in.", author_id=agent.pk, ref=uuid4(), now=now
    )
    sending.send_all()

    message.refresh_from_db()
    assert (message.status, message.decision.reasons) == (Status.SENT, ["consent_given"])


def test_what_they_did_not_agree_to_as_it_needs_is_no_footing(line: Line) -> None:
    factories.program(brand=line.brand, category="promotional")
    agrees(line, "+12015550177")
    conversation = starting.imagined(number="+12015550177", line=line)
    assert footing.program_of(conversation).category == "informational"
    conversation.wrote_at = timezone.now()
    assert footing.program_of(conversation) is None
