"""Delivery reports: they come twice, late, out of order and before the send's own answer, and only move a message
forward."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from consent import ledger
from consent.purposes import Kind, Source
from conversations import live, waits
from conversations.carriers import webhooks
from conversations.models import CarrierEvent, Message, Receipt
from conversations.states import Status, strongest


class Unmatched(ValueError):
    """The receipt is for no message of ours."""


def apply(events: Sequence[CarrierEvent], *, now: datetime) -> None:
    """Keeps each receipt and moves its message. A fixed number of statements for any number of events.

    Raises ``Unmatched`` when any of them is for no message of ours: the caller then tries them one by one.
    """
    reports = [webhooks.read_report(event.payload) for event in events]
    with transaction.atomic():
        messages = {
            message.ref: message
            for message in Message.objects.filter(
                ref__in={report.ref for report in reports if report.ref}, direction=Message.Direction.OUT
            ).select_related("conversation__line", "conversation__contact")
        }
        matched = [(event, report, matching(report, messages)) for event, report in zip(events, reports, strict=True)]
        ledger.record_many(opt_outs(matched), now=now)
        live.changed(message.conversation_id for _, _, message in matched)
        Receipt.objects.bulk_create([row(*match, now=now) for match in matched], ignore_conflicts=True)
        settle(matched, now=now)
        CarrierEvent.objects.filter(pk__in=[event.pk for event in events]).update(
            state=CarrierEvent.State.THREADED, error=""
        )


def matching(report: webhooks.Report, messages: dict[UUID, Message]) -> Message:
    message = messages.get(report.ref) if report.ref else None
    if message is None:
        raise Unmatched(f"No message of ours has the reference {report.ref or '(none)'} that this receipt names.")
    return message


def opt_outs(matched: Sequence[tuple[CarrierEvent, webhooks.Report, Message]]) -> list[ledger.Report]:
    """A carrier's "has opted out" is a revocation, as old as the message that met it."""
    return [
        ledger.Report(
            phone=message.conversation.contact.phone,
            brand_id=message.conversation.line.brand_id,
            kind=Kind.REVOKED,
            source=Source.CARRIER,
            occurred_at=message.handed_over_at or message.occurred_at,
            rule=f"carrier:{report.code}",
            message_ref=report.carrier_id,
            evidence={"words": report.detail} if report.detail else {},
        )
        for _, report, message in matched
        if report.is_opt_out
    ]


def row(event: CarrierEvent, report: webhooks.Report, message: Message, now: datetime) -> Receipt:
    return Receipt(
        message=message,
        event=event,
        status=report.word,
        occurred_at=report.occurred_at or now,
        code=report.code,
        detail=report.detail,
        segments=report.segments,
        price=report.price,
        currency=report.currency,
    )


def settle(matched: Sequence[tuple[CarrierEvent, webhooks.Report, Message]], *, now: datetime) -> None:
    """Moves each message to the strongest thing its receipts say."""
    said: dict[int, tuple[Status, webhooks.Report]] = {}
    for _, report, message in matched:
        if report.status is None:
            continue
        before = said.get(message.pk)
        if before is None or strongest(before[0], report.status) != before[0]:
            said[message.pk] = (report.status, report)
    alike: dict[tuple[Status, str, str], list[int]] = defaultdict(list)
    for pk, (status, report) in said.items():
        alike[status, report.code, report.detail].append(pk)
    for (status, code, detail), pks in sorted(alike.items()):
        failed = status == Status.FAILED
        Message.objects.filter(pk__in=sorted(pks)).move(
            status, now=now, error_code=code if failed else "", error_detail=detail if failed else ""
        )
    named = {message.pk: report.carrier_id for _, report, message in matched if report.carrier_id}
    unnamed = list(Message.objects.filter(pk__in=named, carrier_id=None).order_by("pk"))
    for message in unnamed:
        message.carrier_id = named[message.pk]
    Message.objects.bulk_update(unnamed, ["carrier_id"])
    waits.answered(pk for pk, (status, _) in said.items() if status != Status.FAILED)
