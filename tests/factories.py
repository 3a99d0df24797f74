"""Small rows for tests: each function makes one, with what it needs and nothing more."""

import hashlib
import itertools
import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from django.utils import timezone

from consent import acquiring
from consent.models import Brand, Program, Subject
from consent.purposes import Category, Level, Source
from contactcenter.accounts.models import Role, User
from conversations.models import (
    CarrierEvent,
    Contact,
    Conversation,
    Disposition,
    Line,
    Mail,
    Membership,
    Message,
    Presence,
    RoutingRule,
    Tag,
    Team,
)
from conversations.states import Status

NOON = datetime(2026, 3, 2, 17, 0, tzinfo=UTC)  # a Monday; noon in New York
LINE_NUMBER = "+12015550100"
CATEGORIES = {Level.NONE: Category.CONVERSATIONAL, Level.CONVERSATIONAL: Category.CONVERSATIONAL}
PASSWORD = "correct horse battery staple"

_counter = itertools.count(1)


def phone_number() -> str:
    """A number that no other row of this run has."""
    return f"+1201{5550200 + next(_counter):07}"


def user(role: Role = Role.AGENT, **fields: Any) -> User:
    return User.objects.create_user(fields.pop("username", f"{role}-{next(_counter)}"), PASSWORD, role=role, **fields)


def brand(**fields: Any) -> Brand:
    return Brand.objects.create(
        **{"name": f"Harbor Clinic {next(_counter)}", "help_contact": "help@example.com"} | fields
    )


def program(**fields: Any) -> Program:
    fields = {
        "name": f"Reminders {next(_counter)}",
        "slug": f"reminders-{next(_counter)}",
        "category": CATEGORIES.get(fields.get("consent_level", Level.EXPRESS), Category.INFORMATIONAL),
        "consent_level": Level.WRITTEN if fields.get("category") == Category.PROMOTIONAL else Level.EXPRESS,
        "is_active": True,
    } | fields
    fields.setdefault("brand", None)
    return Program.objects.create(**fields | {"brand": fields["brand"] or brand()})


def mail(**fields: Any) -> Mail:
    """About a consent given on the web at noon."""
    found = program()
    evidence = {"words": "I agree …", "url": "https://h.example/", "ip": "192.0.2.1", "user_agent": "Firefox"}
    event = acquiring.acquire(program=found, phone=phone_number(), source=Source.WEB, evidence=evidence, now=NOON)
    fields = {
        "event": event,
        "to": "anna@example.com",
        "subject": "What you agreed to",
        "body": "…",
        "due_at": NOON,
        "created_at": NOON,
        "expires_at": NOON + timedelta(days=7),
    } | fields
    return Mail.objects.create(**fields)


def line(**fields: Any) -> Line:
    fields = {"number": phone_number(), "name": "Front desk", "kind": Line.Kind.TEN_DLC} | fields
    return Line.objects.create(**fields | {"brand": fields.get("brand") or brand()})


def contact(phone: str = "", **fields: Any) -> Contact:
    phone = phone or phone_number()
    return Contact.objects.create(phone=phone, subject=Subject.objects.for_phone(phone), **fields)


def conversation(**fields: Any) -> Conversation:
    return Conversation.objects.create(
        contact=fields.pop("contact", None) or contact(), line=fields.pop("line", None) or line(), **fields
    )


def disposition(**fields: Any) -> Disposition:
    return Disposition.objects.create(**{"name": f"Appointment {next(_counter)}"} | fields)


def text_from(conversation: Conversation, body: str = "Are you open today?", **fields: Any) -> Message:
    """A text from the person, as threading leaves it."""
    return Message.objects.create(
        **{
            "conversation": conversation,
            "direction": Message.Direction.IN,
            "body": body,
            "status": Status.RECEIVED,
            "status_at": NOON,
            "occurred_at": NOON,
            "carrier_id": str(uuid4()),
        }
        | fields
    )


def carrier_event(payload: dict[str, Any], **fields: Any) -> CarrierEvent:
    """An inbound webhook as ``inbound.receive`` stores it, without its effect on the ledger."""
    raw = json.dumps(payload)
    return CarrierEvent.objects.create(
        **{
            "key": f"in:{payload.get('message_uuid', next(_counter))}",
            "kind": CarrierEvent.Kind.INBOUND,
            "payload": payload,
            "sha256": hashlib.sha256(raw.encode()).hexdigest(),
            "received_at": NOON,
        }
        | fields
    )


def text_payload(*, sender: str, recipient: str = LINE_NUMBER, text: str = "hello") -> dict[str, Any]:
    """An inbound webhook's body as the carrier writes it."""
    return {
        "channel": "sms",
        "message_type": "text",
        "message_uuid": str(uuid4()),
        "from": sender.removeprefix("+"),
        "to": recipient.removeprefix("+"),
        "timestamp": NOON.isoformat().replace("+00:00", "Z"),
        "text": text,
    }


def present(user: User, **fields: Any) -> User:
    """Somebody whose page is open now."""
    now = timezone.now()
    Presence.objects.update_or_create(user=user, defaults={"seen_at": now, "active_at": now} | fields)
    return user


def team(*members: User, **fields: Any) -> Team:
    made = Team.objects.create(**{"name": f"Scheduling {next(_counter)}"} | fields)
    for member in members:
        Membership.objects.create(team=made, user=member)
    return made


def routing_rule(
    team_: Team | None = None, *, lines: Iterable[Line] = (), tags: Iterable[Tag] = (), **fields: Any
) -> RoutingRule:
    """Without conditions it always fits."""
    made = RoutingRule.objects.create(**{"name": f"Rule {next(_counter)}", "team": team_ or team()} | fields)
    made.lines.set(lines)
    made.tags.set(tags)
    return made
