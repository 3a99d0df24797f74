"""The carrier's delivery reports: which ones a message gets, when, and what they say."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sandbox import problems

SUBMITTED_AFTER = 0.05
DELIVERED_AFTER = 0.15
_PRICE_PER_SEGMENT = 0.0075


@dataclass(frozen=True, slots=True)
class Message:
    """An accepted message, as far as its receipts speak of it."""

    message_uuid: str
    to: str
    sender: str
    channel: str
    client_ref: str | None
    segments: int


@dataclass(frozen=True, slots=True)
class Troubles:
    """What goes wrong with one message's receipts. ``late`` is in seconds, ``reject`` an error code."""

    reject: str | None = None
    late: float = 0
    doubled: bool = False
    disordered: bool = False
    silent: bool = False


def schedule(troubles: Troubles) -> list[tuple[float, str]]:
    """Return (seconds after the answer, status) of each receipt, in the order of sending."""
    if troubles.silent:
        return []
    if troubles.reject:
        planned = [(SUBMITTED_AFTER, "rejected")]
    elif troubles.disordered:
        planned = [(SUBMITTED_AFTER, "delivered"), (DELIVERED_AFTER, "submitted")]
    else:
        planned = [(SUBMITTED_AFTER, "submitted"), (DELIVERED_AFTER, "delivered")]
    copies = 2 if troubles.doubled else 1
    return [(after + troubles.late, status) for after, status in planned for _ in range(copies)]


def body(message: Message, status: str, *, at: datetime, reject: str | None = None) -> dict[str, object]:
    """Return the body of a status webhook; counts and prices are strings, as the carrier sends them."""
    receipt: dict[str, object] = {
        "message_uuid": message.message_uuid,
        "to": message.to,
        "from": message.sender,
        "timestamp": timestamp(at),
        "status": status,
    }
    if status == "rejected" and reject:
        receipt["error"] = problems.receipt_error(reject)
    if message.client_ref is not None:
        receipt["client_ref"] = message.client_ref
    if status == "submitted":
        receipt["usage"] = usage(message.segments)
    receipt["channel"] = message.channel
    receipt["destination"] = {"network_code": "310260"}
    if message.channel == "sms" and status != "rejected":
        receipt["sms"] = {"count_total": str(message.segments)}
    return receipt


def usage(segments: int) -> dict[str, str]:
    """Return the price of a text of so many segments; the description knows no currency but the euro."""
    return {"currency": "EUR", "price": f"{_PRICE_PER_SEGMENT * segments:.4f}"}


def timestamp(at: datetime) -> str:
    """Write an aware time as the carrier does: UTC, whole seconds, Z."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
