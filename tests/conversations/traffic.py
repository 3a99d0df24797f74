"""What carriers send and what comes of it, for tests: texts and receipts through both steps of the ingest."""

import json
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.utils import timezone

from conversations import inbound
from conversations.inbound import Delivery
from conversations.models import Conversation, Line, Message
from conversations.webhooks import delivery
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
    return delivery("/webhooks/vonage/inbound", json.dumps(payload(body, **fields)).encode())


def receipt(message: Message, status: str, **fields: Any) -> Delivery:
    """A delivery report for one of our messages, verified and ready to be received."""
    report = {
        "message_uuid": message.carrier_id or str(uuid4()),
        "client_ref": str(message.ref),
        "status": status,
        "timestamp": timezone.now().isoformat().replace("+00:00", "Z"),
        "channel": "sms",
        **fields,
    }
    return delivery("/webhooks/vonage/status", json.dumps(report).encode())


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
