"""From a webhook's raw body to what is stored: parsed, without what may not be kept, and never refused."""

import hashlib
import json
import math
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from contactcenter.lib import redact
from conversations.carriers import webhooks
from conversations.models import CarrierEvent

KINDS = {
    "/webhooks/vonage/inbound": (CarrierEvent.Kind.INBOUND, webhooks.inbound_key),
    "/webhooks/vonage/status": (CarrierEvent.Kind.STATUS, webhooks.status_key),
}
# Identifiers that a card number could be mistaken for; all other text is redacted.
IDENTIFIERS = frozenset(
    {"message_uuid", "client_ref", "to", "from", "timestamp", "workflow_id", "instance", "type", "network_code"}
)
# The key under which a body is kept that is no JSON object, as text.
UNREADABLE = "unreadable"
SENDER = re.compile(r'"from"\s*:\s*"?\+?(\d{3,15})')
# As deep as the database's own parser surely goes; the carrier's bodies are three deep.
DEEPEST = 100


class Unthreadable(Exception):
    """Some events can never be threaded as they are: what is wrong, by the event's id. The others can."""

    def __init__(self, errors: dict[int, Exception]) -> None:
        super().__init__(f"{len(errors)} of the events can't be threaded")
        self.errors = errors


class Arrival(NamedTuple):
    """A verified webhook as it came."""

    path: str
    raw: bytes
    received_at: datetime


@dataclass(frozen=True)
class Delivery:
    """One verified webhook. ``payload`` is redacted already; ``sha256`` is the original body's."""

    kind: CarrierEvent.Kind
    key: str
    payload: dict[str, Any]
    sha256: str
    received_at: datetime


def delivery(arrival: Arrival) -> Delivery:
    """A verified body as it will be stored. What is no JSON object is kept as text: nothing signed is thrown away."""
    kind, key_of = KINDS[arrival.path]
    payload = parsed(arrival.raw)
    return Delivery(
        kind=kind,
        key=key_of(payload, arrival.raw),
        payload=redact.redact_json(payload, keep=IDENTIFIERS),
        sha256=hashlib.sha256(arrival.raw).hexdigest(),
        received_at=arrival.received_at,
    )


def parsed(raw: bytes) -> dict[str, Any]:
    """The JSON object, or its text under ``UNREADABLE``; without NUL and halves of surrogate pairs."""
    try:
        value = json.loads(raw, parse_constant=str, parse_float=finite)
        if isinstance(value, dict) and value:
            return clean(value)  # type: ignore[no-any-return]
    except (ValueError, RecursionError):
        pass
    return {UNREADABLE: clean(raw.decode("utf-8", "replace"))}


def finite(number: str) -> float | str:
    """As a float where JSON in the database can hold it, else as it was written."""
    value = float(number)
    return value if math.isfinite(value) else number


def clean(value: Any, depth: int = 0) -> Any:
    """Without what PostgreSQL cannot keep; what is nested deeper than anybody nests is kept as text."""
    if isinstance(value, str):
        return value.replace("\x00", "").encode("utf-8", "replace").decode()
    if depth > DEEPEST and isinstance(value, dict | list):
        return "nested too deep to be kept"
    if isinstance(value, dict):
        return {clean(key): clean(item, depth + 1) for key, item in value.items()}
    return [clean(item, depth + 1) for item in value] if isinstance(value, list) else value


def sender_in(payload: dict[str, Any]) -> str:
    """Who sent an unreadable text, if that much can be read; else empty."""
    found = SENDER.search(str(payload.get(UNREADABLE, "")))
    return found[1] if found else ""
