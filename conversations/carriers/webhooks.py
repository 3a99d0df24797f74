"""Vonage's webhook bodies, read tolerantly: numbers come as strings, fields come and go (Messages API 1.11)."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from contactcenter.lib import phone
from conversations.states import Status

# The carrier's word → ours. "read" exists on other channels; it says no more than delivered.
STATUSES = {
    "submitted": Status.SENT,
    "delivered": Status.DELIVERED,
    "read": Status.DELIVERED,
    "rejected": Status.FAILED,
    "undeliverable": Status.FAILED,
}
LONGEST_NUMBER = 20
# What a message may hold besides a text; several come as "content".
ATTACHED = ("image", "video", "audio", "file", "vcard")
OPTED_OUT_CODES = frozenset({"1240"})


class Malformed(ValueError):
    """The body lacks what a thread needs; says what."""


@dataclass(frozen=True)
class Text:
    """A text from a person. ``recipient`` is the line; ``is_supported`` is false for channels and kinds that
    we only keep."""

    carrier_id: str
    sender: str
    recipient: str
    occurred_at: datetime | None
    body: str
    channel: str
    is_supported: bool


@dataclass(frozen=True)
class Report:
    """A delivery report. ``sender`` is our line, ``recipient`` the person; ``status`` is ``None`` when the carrier's
    word is new to us."""

    ref: UUID | None
    carrier_id: str
    sender: str
    recipient: str
    word: str
    status: Status | None
    occurred_at: datetime | None
    code: str
    detail: str
    segments: int | None
    price: Decimal | None
    currency: str

    @property
    def is_opt_out(self) -> bool:
        return self.status == Status.FAILED and self.code in OPTED_OUT_CODES


def inbound_key(payload: dict[str, Any], raw: bytes) -> str:
    """What duplicates of one text share."""
    return f"in:{words(payload, 'message_uuid') or hashlib.sha256(raw).hexdigest()}"[:200]


def status_key(payload: dict[str, Any], raw: bytes) -> str:
    """What duplicates of one receipt share."""
    parts = [words(payload, name) for name in ("message_uuid", "status", "timestamp")]
    return f"st:{':'.join(parts)}"[:200] if all(parts) else f"st:{hashlib.sha256(raw).hexdigest()}"


def read_text(payload: dict[str, Any]) -> Text:
    """Raises ``Malformed`` without a sender, a recipient or an id."""
    missing = [name for name in ("from", "to", "message_uuid") if not words(payload, name)]
    if missing:
        raise Malformed(f"The message has no {' and no '.join(missing)}.")
    if max(len(words(payload, name)) for name in ("from", "to")) >= LONGEST_NUMBER:
        raise Malformed("The message's sender or recipient is too long to be a number.")
    channel = words(payload, "channel") or "sms"
    kind = words(payload, "message_type") or "text"
    return Text(
        carrier_id=words(payload, "message_uuid")[:64],
        sender=phone.from_carrier(words(payload, "from")),
        recipient=phone.from_carrier(words(payload, "to")),
        occurred_at=moment(payload.get("timestamp")),
        body=said(payload),
        channel=(channel if kind == "text" else f"{channel} {kind}")[:30],
        is_supported=channel == "sms" and kind == "text" and isinstance(payload.get("text"), str),
    )


def said(payload: dict[str, Any]) -> str:
    """The words of a message: a text's, or those beside a picture. A STOP is a STOP wherever it is written."""
    several = payload.get("content")
    attached = [payload.get(kind) for kind in ATTACHED] + (several if isinstance(several, list) else [])
    parts = [payload.get("text"), *(mapping(one).get(name) for one in attached for name in ("text", "caption"))]
    return "\n".join(part for part in parts if isinstance(part, str) and part)


def read_report(payload: dict[str, Any]) -> Report:
    """Never raises: what cannot be read is empty."""
    error, usage, sms = (mapping(payload.get(name)) for name in ("error", "usage", "sms"))
    fragment = words(error, "type").rpartition("#")[2]
    title = words(error, "title")
    return Report(
        ref=uuid(words(payload, "client_ref")),
        carrier_id=words(payload, "message_uuid")[:64],
        sender=phone.from_carrier(words(payload, "from"))[:LONGEST_NUMBER],
        recipient=phone.from_carrier(words(payload, "to"))[:LONGEST_NUMBER],
        word=words(payload, "status")[:20],
        status=STATUSES.get(words(payload, "status")),
        occurred_at=moment(payload.get("timestamp")),
        code=(title if title.isdigit() else fragment or title)[:30],
        detail=words(error, "detail")[:300],
        segments=whole(sms.get("count_total")),
        price=decimal(usage.get("price")),
        currency=words(usage, "currency")[:3],
    )


def words(payload: dict[str, Any], name: str) -> str:
    value = payload.get(name)
    return str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""


def mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def moment(value: object) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    if not 2000 <= at.year < 2100:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def uuid(value: str) -> UUID | None:
    try:
        return UUID(value)
    except ValueError:
        return None


def whole(value: object) -> int | None:
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 5 else None


def decimal(value: object) -> Decimal | None:
    try:
        price = Decimal(str(value))
    except InvalidOperation:
        return None
    return price if price.is_finite() and abs(price) < 1_000_000 else None
