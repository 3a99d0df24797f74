"""The carrier's part in the demo: the webhooks it would have sent, and what became of each hand-over."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from random import Random

from contactcenter.demo.events import Fate, Text, Thread
from contactcenter.lib import phone, segments
from conversations import reading
from conversations.carriers.outcomes import Kind, Outcome
from conversations.reading import Arrival, Delivery
from conversations.settling import HandOver
from sandbox import problems, receipts  # writes as the carrier does

INBOUND, STATUS = reading.KINDS
OUTCOMES = {
    Fate.REFUSED: Outcome(
        Kind.REFUSED, code="110", detail=f"{problems.RECIPIENT.title}. {problems.RECIPIENT.detail.rstrip('.')}"
    ),
    Fate.UNKNOWN: Outcome(Kind.UNKNOWN, code="no_answer", detail="The carrier did not answer."),
    Fate.THROTTLED: Outcome(
        Kind.NOT_SENT, code="1000", detail="Rate Limit Hit. Please wait, then retry your request", is_throttled=True
    ),
}
POSTED_AFTER = timedelta(seconds=0.5)
# Seconds from the hand-over to each receipt.
REPORTS: Mapping[Fate, tuple[tuple[str, int, int], ...]] = {
    Fate.DELIVERED: (("submitted", 1, 1), ("delivered", 2, 6)),
    Fate.SENT: (("submitted", 1, 1),),
    Fate.REFUSED: (),
    Fate.UNKNOWN: (),
    Fate.THROTTLED: (),
}
REJECTED = (("rejected", 2, 6),)


def text(event: Text) -> Delivery:
    """A text, as it was posted half a second later."""
    sender, line = event.thread
    parts = max(segments.count(event.body).segments, 1)
    body: dict[str, object] = {
        "channel": "mms" if event.is_picture else "sms",
        "message_type": "image" if event.is_picture else "text",
        "message_uuid": event.carrier_id,
        "to": phone.to_carrier(line),
        "from": phone.to_carrier(sender),
        "timestamp": receipts.timestamp(event.at),
        "usage": receipts.usage(parts),
        "origin": {"network_code": "310260"},
    }
    if event.is_picture:
        body["image"] = {"url": f"https://media.carrier.example/{event.carrier_id}.jpg"}
    else:
        body |= {"text": event.body, "sms": {"num_messages": str(parts)}}
    return posted(INBOUND, json.dumps(body, ensure_ascii=False).encode(), event.at)


def garbled(thread: Thread, at: datetime) -> Delivery:
    """What was cut off on its way: somebody's text, and nobody knows what it said."""
    sender, line = (phone.to_carrier(number) for number in thread)
    return posted(INBOUND, f'{{"channel":"sms","from":"{sender}","to":"{line}","text":"Ple'.encode(), at)


def outcome(fate: Fate, rng: Random) -> Outcome:
    return OUTCOMES.get(fate) or Outcome(Kind.SENT, carrier_id=receipts_id(rng))


def receipts_id(rng: Random) -> str:
    """The carrier's own id for a text it took."""
    number = f"{rng.getrandbits(128):032x}"
    return f"{number[:8]}-{number[8:12]}-4{number[13:16]}-a{number[17:20]}-{number[20:]}"


def reports(one: HandOver, carrier_id: str, fate: Fate, handed_over_at: datetime, rng: Random) -> list[Delivery]:
    """The receipts of one hand-over."""
    message = receipts.Message(
        message_uuid=carrier_id,
        to=phone.to_carrier(one.to),
        sender=phone.to_carrier(one.sender),
        channel="sms",
        client_ref=one.ref,
        segments=max(segments.count(one.body).segments, 1),
    )
    code = fate.value if fate.value.isdigit() else None
    found = []
    for status, least, most in REPORTS.get(fate, REJECTED):
        at = handed_over_at + timedelta(seconds=rng.randint(least, most))
        body = receipts.body(message, status, at=at, reject=code)
        found.append(posted(STATUS, json.dumps(body).encode(), at))
    return found


def posted(path: str, raw: bytes, at: datetime) -> Delivery:
    return reading.delivery(Arrival(path, raw, at + POSTED_AFTER))
