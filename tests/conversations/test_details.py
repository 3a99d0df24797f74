"""The life of one message, step by step."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from consent import gate
from consent.models import Decision
from consent.purposes import Purpose
from contactcenter.accounts.models import Role
from conversations import details, inbound, outbound
from conversations.models import CarrierEvent, Message, Receipt
from conversations.states import Status
from tests import factories
from tests.conversations import screens, traffic

pytestmark = pytest.mark.django_db


def words(message: Message) -> list[str]:
    message = Message.objects.select_related("author", "decision", "conversation__line").get(pk=message.pk)
    return [step.words for step in details.steps(message)]


def gated(message: Message) -> None:
    conversation = message.conversation
    request = gate.Request(
        message_ref=message.ref,
        subject_id=conversation.contact.subject_id,
        brand_id=conversation.line.brand_id,
        purpose=Purpose.REPLY,
        wrote_at=conversation.wrote_at,
    )
    gate.decide([request], now=timezone.now())


def receipt(message: Message, status: str, **fields: object) -> Receipt:
    event = factories.carrier_event({"message_uuid": str(uuid4())}, kind=CarrierEvent.Kind.STATUS)
    return Receipt.objects.create(message=message, event=event, status=status, occurred_at=timezone.now(), **fields)


def test_a_reply_that_arrived_tells_its_whole_way_in_order() -> None:
    message = screens.outgoing(screens.thread(), handed_over_at=timezone.now())
    gated(message)
    receipt(message, "submitted")
    receipt(message, "delivered", segments=2, price="0.0158", currency="EUR")

    steps = details.steps(message)

    assert words(message) == [
        "Written",
        "The gate allowed it",
        "Handed to the carrier",
        "The carrier passed it on",
        "The carrier says: delivered",
    ]
    assert steps[1].note == "They wrote to us."
    assert steps[-1].note == "2 segments · 0.0158 EUR"


def test_a_failure_is_told_with_the_carrier_s_code_in_plain_words() -> None:
    message = screens.outgoing(screens.thread(), status=Status.FAILED, error_code="1180")
    receipt(message, "undeliverable", code="1180", detail="absent subscriber")

    last = details.steps(message)[-1]

    assert (last.note, last.tone) == ("the phone is unreachable (1180)", "bad")


def test_what_the_gate_blocked_says_every_reason() -> None:
    conversation = screens.thread()
    screens.stop(conversation)
    message = screens.outgoing(conversation)
    gated(message)

    assert words(message) == ["Written", "The gate blocked it"]
    assert "opted out" in details.steps(message)[-1].note


@pytest.mark.parametrize(
    ("status", "told"), [(Status.EXPIRED, "Expired"), (Status.CANCELLED, "Cancelled"), (Status.UNKNOWN, "Unknown")]
)
def test_what_ended_without_the_carrier_is_told_too(status: Status, told: str) -> None:
    message = screens.outgoing(screens.thread())
    message.status = status

    assert details.steps(message)[-1].words.startswith(told)


def test_a_message_for_later_says_when_it_was_due() -> None:
    conversation = screens.thread()
    message = outbound.send(
        conversation=conversation,
        body="Good morning",
        author_id=factories.user().pk,
        ref=uuid4(),
        now=timezone.now(),
        due_at=timezone.now() + timedelta(hours=9),
    )

    assert words(message) == ["Written", "Due"]


def test_a_stop_s_details_say_what_it_did() -> None:
    traffic.line()
    inbound.receive([traffic.text("STOP", sender="+12025550123")], now=timezone.now())
    inbound.thread(now=timezone.now())

    assert words(Message.objects.get(direction="in")) == ["Sent by the person", "Received", "Opted out"]


@pytest.mark.parametrize("role", Role)
def test_who_may_open_the_admin_is_led_from_a_message_to_what_the_gate_saw(client, role: Role) -> None:
    message = screens.outgoing(screens.thread())
    gated(message)
    client.force_login(factories.user(role))

    page = client.get(reverse("message-details", args=[message.pk])).content.decode()

    decision = Decision.objects.get(message_ref=message.ref)
    link = reverse("admin:consent_decision_change", args=[decision.pk])
    assert (f'href="{link}"' in page) == (role != Role.AGENT)
