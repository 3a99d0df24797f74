"""What carriers send and what comes of it, for tests: texts and receipts through both steps of the ingest."""

import json
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.utils import timezone

from conversations import inbound, reading
from conversations.models import Conversation, Line, Message
from conversations.reading import Arrival, Delivery
from tests import factories

LINE = factories.LINE_NUMBER
PERSON = "+12015550123"


def line(**fields: Any) -> Line:
    """``LINE``, in no hurry to be throttled."""
    return factories.line(**{"number": LINE, "per_second": 1000, **fields})


def payload(body: str = "Hello", **fields: Any) -> dict[str, Any]:
    """The carrier's webhook body; ``sender`` and ``recipient`` are E.164, other fields the carrier's own."""
    sender, recipient = fields.pop("sender", PERSON), fields.pop("recipient", LINE)
    return {
        **factories.text_payload(sender=sender, recipient=recipient, text=body),
        "timestamp": timezone.now().isoformat().replace("+00:00", "Z"),
        "sms": {"num_messages": "1"},
        **fields,
    }


def text(body: str = "Hello", **fields: Any) -> Delivery:
    """A text from a person, verified and ready to be received."""
    return delivery("inbound", json.dumps(payload(body, **fields)).encode())


def receipt(message: Message, status: str, **fields: Any) -> Delivery:
    """A delivery report for one of our messages, verified and ready to be received."""
    report = {
        "message_uuid": message.carrier_id or str(uuid4()),
        "to": message.conversation.contact.phone[1:],
        "from": message.conversation.line.number[1:],
        "client_ref": str(message.ref),
        "status": status,
        "timestamp": timezone.now().isoformat().replace("+00:00", "Z"),
        "channel": "sms",
        **fields,
    }
    return delivery("status", json.dumps(report).encode())


def delivery(kind: str, raw: bytes) -> Delivery:
    """A body that was posted to one of the webhooks just now."""
    return reading.delivery(Arrival(f"/webhooks/vonage/{kind}", raw, timezone.now()))


def arrive(*deliveries: Delivery, now: datetime | None = None) -> None:
    """Through both steps, as a batch."""
    now = now or timezone.now()
    assert all(inbound.receive(deliveries, now=now))
    inbound.thread(now=now)


def conversation(body: str = "Hello", **fields: Any) -> Conversation:
    """A conversation that a person began, on a line made if missing."""
    recipient = fields.setdefault("recipient", LINE)
    if not Line.objects.filter(number=recipient).exists():
        line(number=recipient)
    arrive(text(body, **fields))
    return Conversation.objects.select_related("contact", "line").get(
        contact__phone=fields.get("sender", PERSON), line__number=recipient
    )
