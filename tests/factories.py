"""Small plain functions that make what tests talk about. Each gives a sensible default for everything."""

import json
from datetime import datetime
from itertools import count
from typing import Any
from uuid import uuid4

from django.utils import timezone

from consent.models import Brand, Program, Subject
from consent.purposes import Category, Level
from contactcenter.accounts.models import Role, User
from conversations import inbound
from conversations.inbound import Delivery
from conversations.models import Contact, Conversation, Line, Message
from conversations.webhooks import delivery

numbers = count(1)
LINE = "+12015550100"
PERSON = "+12015550123"


def brand(**fields: Any) -> Brand:
    defaults = {"name": f"Brand {next(numbers)}", "help_contact": "+1 (201) 555-0199"}
    return Brand.objects.create(**{**defaults, **fields})


def program(**fields: Any) -> Program:
    number = next(numbers)
    defaults = {
        "name": f"Program {number}",
        "slug": f"program-{number}",
        "category": Category.INFORMATIONAL,
        "consent_level": Level.EXPRESS,
        "is_active": True,
    }
    return Program.objects.create(**{**defaults, **({} if "brand" in fields else {"brand": brand()}), **fields})


def line(**fields: Any) -> Line:
    defaults = {"number": LINE, "name": "Front desk", "kind": Line.Kind.TEN_DLC, "per_second": 1000}
    return Line.objects.create(**{**defaults, **({} if "brand" in fields else {"brand": brand()}), **fields})


def user(username: str = "priya", role: Role = Role.AGENT, **fields: Any) -> User:
    return User.objects.create_user(username, "secret-password", role=role, **fields)


def contact(phone: str = PERSON, **fields: Any) -> Contact:
    return Contact.objects.create(phone=phone, subject=Subject.objects.for_phone(phone), **fields)


def text_payload(body: str = "Hello", **fields: Any) -> dict[str, Any]:
    """The carrier's webhook body for a text from ``PERSON`` to ``LINE``."""
    return {
        "channel": "sms",
        "message_type": "text",
        "message_uuid": str(uuid4()),
        "from": PERSON[1:],
        "to": LINE[1:],
        "timestamp": timezone.now().isoformat().replace("+00:00", "Z"),
        "text": body,
        "sms": {"num_messages": "1"},
        **fields,
    }


def text(body: str = "Hello", **fields: Any) -> Delivery:
    """A text from a person, verified and ready to be received. ``sender`` and ``recipient`` are E.164."""
    for name, key in (("sender", "from"), ("recipient", "to")):
        if name in fields:
            fields[key] = fields.pop(name)[1:]
    return delivery("/webhooks/vonage/inbound", json.dumps(text_payload(body, **fields)).encode())


def receipt(message: Message, status: str, **fields: Any) -> Delivery:
    payload = {
        "message_uuid": message.carrier_id or str(uuid4()),
        "client_ref": str(message.ref),
        "status": status,
        "timestamp": timezone.now().isoformat().replace("+00:00", "Z"),
        "channel": "sms",
        **fields,
    }
    return delivery("/webhooks/vonage/status", json.dumps(payload).encode())


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
