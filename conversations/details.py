"""What happened to one message, step by step: written, decided, handed over, reported. For whoever asks why."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from consent import reasons, telling
from consent.models import ConsentEvent, Decision
from consent.purposes import Verdict
from conversations import wording
from conversations.models import Message, Receipt
from conversations.states import Status

# A message passes the gate once, or again after each "slow down"; the last passes are what matters.
DECISIONS = 20
RECEIPTS = 20

RECEIPT = {
    "submitted": gettext_lazy("The carrier passed it on"),
    "delivered": gettext_lazy("The carrier says: delivered"),
    "read": gettext_lazy("The carrier says: read"),
    "rejected": gettext_lazy("The carrier rejected it"),
    "undeliverable": gettext_lazy("The carrier could not deliver it"),
}


@dataclass(frozen=True)
class Step:
    """One thing that happened, in words; ``note`` says more. ``tone`` is ``""``, ``"ok"`` or ``"bad"``. ``decision`` is
    the id of the gate's, whose page explains it."""

    at: datetime
    words: str
    note: str = ""
    tone: str = ""
    decision: int | None = None


def steps(message: Message) -> list[Step]:
    """The life of a message so far, in order: not by time, since the carrier's clock has whole seconds. Two queries."""
    return list(outbound(message) if message.is_out else inbound(message))


def inbound(message: Message) -> Iterator[Step]:
    yield Step(message.occurred_at, _("Sent by the person"), _("By the carrier’s clock"))
    yield Step(message.status_at, _("Received"))
    for event in ConsentEvent.objects.filter(message_ref=message.carrier_id or "-").order_by("seq")[:DECISIONS]:
        yield Step(event.recorded_at, telling.event(event), telling.source(event))


def outbound(message: Message) -> Iterator[Step]:
    yield Step(message.occurred_at, _("Written"), wording.label(message))
    if message.due_at and message.due_at - message.occurred_at > timedelta(minutes=1):
        yield Step(message.due_at, _("Due"), wording.moment(message.due_at))
    decisions = Decision.objects.filter(message_ref=message.ref).order_by("-pk")[:DECISIONS]
    yield from map(decided, reversed(decisions))
    if message.handed_over_at:
        yield Step(message.handed_over_at, _("Handed to the carrier"), message.carrier_id or "")
    receipts = list(message.receipts.order_by("pk")[:RECEIPTS])
    yield from map(reported, receipts)
    if message.status in ENDED_BY_US or (message.status == Status.FAILED and not receipts):
        state = wording.state(message)
        yield Step(message.status_at, state.words, tone="bad" if state.tone == "bad" else "")


ENDED_BY_US = {Status.UNKNOWN, Status.EXPIRED, Status.CANCELLED}


def decided(decision: Decision) -> Step:
    words = {
        Verdict.ALLOWED: _("The gate allowed it"),
        Verdict.HELD: _("The gate held it until %(when)s") % {"when": wording.moment(decision.held_until)},
        Verdict.BLOCKED: _("The gate blocked it"),
    }
    tone = {Verdict.ALLOWED: "ok", Verdict.BLOCKED: "bad"}
    verdict = Verdict(decision.verdict)
    return Step(
        decision.decided_at, words[verdict], reasons.sentences(decision.reasons), tone.get(verdict, ""), decision.pk
    )


def reported(receipt: Receipt) -> Step:
    cost = f"{receipt.price.normalize():f} {receipt.currency}" if receipt.price is not None else ""
    size = _("%(number)d segments") % {"number": receipt.segments} if receipt.segments else ""
    why = f"{wording.CARRIER_CODES.get(receipt.code) or receipt.detail} ({receipt.code})" if receipt.code else ""
    tone = {"delivered": "ok", "read": "ok", "rejected": "bad", "undeliverable": "bad"}.get(receipt.status, "")
    words = str(RECEIPT.get(receipt.status) or receipt.status.capitalize())
    return Step(receipt.occurred_at, words, " · ".join(filter(None, (why, size, cost))), tone)
