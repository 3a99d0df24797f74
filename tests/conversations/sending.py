"""Shortcuts for tests about sending; the carrier is replaced where it says what became of a text."""

from datetime import datetime
from typing import Any
from uuid import uuid4

from django.utils import timezone

from consent import gate
from consent.models import Decision
from conversations import dispatch, outbound, settling
from conversations.carriers.outcomes import Kind, Outcome
from conversations.models import Message
from tests import factories
from tests.conversations import traffic

SENT = Outcome(Kind.SENT, carrier_id="carrier-1")


def reply(body: str = "We are open until five.", **fields: Any) -> Message:
    """An agent's queued reply to a person who has just written."""
    conversation = fields.pop("conversation", None) or traffic.conversation()
    author = fields.pop("author", None) or factories.user()
    return outbound.send(
        conversation=conversation, body=body, author_id=author.pk, ref=uuid4(), now=timezone.now(), **fields
    )


def handed_over(outcome: Outcome = SENT, **fields: Any) -> Message:
    """A reply that passed the gate and met this answer."""
    message = reply(**fields)
    (hand_over,), _ = dispatch.allowed(lane="agents", limit=1, clock=timezone.now)
    settling.settle([settling.Result(hand_over, outcome, timezone.now())], clock=timezone.now)
    message.refresh_from_db()
    return message


def send_all(at: datetime | None = None) -> None:
    """Everything that is due goes through the gate, and the carrier takes what passes."""
    at = at or timezone.now()
    for lane in Message.Lane.values:
        hand_overs, _ = dispatch.allowed(lane=lane, limit=9, clock=lambda: at)
        results = [settling.Result(one, Outcome(Kind.SENT, carrier_id=str(uuid4())), at) for one in hand_overs]
        settling.settle(results, clock=lambda: at)


def decision(message: Message) -> Decision:
    """What the gate says of it now, recorded."""
    request = dispatch.request(message)
    return gate.decide([request], now=timezone.now())[message.ref]
