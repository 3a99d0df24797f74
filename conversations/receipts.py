"""Delivery reports: they come twice, late, out of order and before the send's own answer, and only move a message
forward."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from consent import ledger
from consent.models import Brand
from consent.purposes import Kind, Source
from conversations import latest, live, reading, waits
from conversations.carriers import webhooks
from conversations.models import CarrierEvent, Line, Message, Receipt
from conversations.states import Status, strongest


class Unmatched(ValueError):
    """The receipt is for no message of ours."""


Match = tuple[CarrierEvent, webhooks.Report, Message]


def apply(events: Sequence[CarrierEvent], *, now: datetime) -> None:
    """Keeps each receipt and moves its message. A fixed number of statements for any number of events.

    Raises ``reading.Unthreadable``, before anything is locked, when some are for no message of ours. A "has opted out"
    counts even then.
    """
    reports = [webhooks.read_report(event.payload) for event in events]
    with transaction.atomic():
        messages = ours(reports)
        strangers = [
            report
            for report in reports
            if report.is_opt_out and report.recipient and message_of(report, messages) is None
        ]
        matched = matches(events, reports, messages, strangers)
        ledger.record_many([*opt_outs(matched), *stray_opt_outs(strangers, now)], now=now)
        live.changed(message.conversation_id for _, _, message in matched)
        Receipt.objects.bulk_create([row(*match, now=now) for match in matched], ignore_conflicts=True)
        settle(matched, now=now)
        CarrierEvent.objects.filter(pk__in=[event.pk for event in events]).update(
            state=CarrierEvent.State.THREADED, error=""
        )


def ours(reports: Sequence[webhooks.Report]) -> dict[UUID | str, Message]:
    """Our messages that these reports are about, by our reference and by the carrier's id."""
    named = Q(ref__in={report.ref for report in reports if report.ref}) | Q(
        carrier_id__in={report.carrier_id for report in reports if report.carrier_id}
    )
    found: dict[UUID | str, Message] = {}
    for message in Message.objects.filter(named, direction=Message.Direction.OUT).select_related(
        "conversation__line", "conversation__contact", "decision"
    ):
        found[message.ref] = message
        if message.carrier_id:
            found[message.carrier_id] = message
    return found


def message_of(report: webhooks.Report, messages: dict[UUID | str, Message]) -> Message | None:
    return (messages.get(report.ref) if report.ref else None) or messages.get(report.carrier_id)


def matches(
    events: Sequence[CarrierEvent],
    reports: Sequence[webhooks.Report],
    messages: dict[UUID | str, Message],
    strangers: Sequence[webhooks.Report],
) -> list[Match]:
    """Each with its message, but for ``strangers``. Raises ``reading.Unthreadable``."""
    matched: list[Match] = []
    errors: dict[int, Exception] = {}
    for event, report in zip(events, reports, strict=True):
        message = message_of(report, messages)
        if message is not None:
            matched.append((event, report, message))
        elif report not in strangers:
            named = report.ref or "(none)"
            errors[event.pk] = Unmatched(f"No message of ours has the reference {named} that this receipt names.")
    if errors:
        raise reading.Unthreadable(errors)
    return matched


def opt_outs(matched: Sequence[Match]) -> list[ledger.Report]:
    """A carrier's "has opted out" is a revocation, as old as the message that met it."""
    return [
        opt_out(
            report,
            phone=message.conversation.contact.phone,
            brand_id=message.conversation.line.brand_id,
            occurred_at=message.handed_over_at
            or (message.decision.decided_at if message.decision else message.status_at),
        )
        for _, report, message in matched
        if report.is_opt_out
    ]


def stray_opt_outs(reports: Sequence[webhooks.Report], now: datetime) -> list[ledger.Report]:
    """Those about messages that we do not know (any more): said by the number that the receipt names, of its line."""
    brands = dict(
        Line.objects.filter(number__in={report.sender for report in reports}).values_list("number", "brand_id")
    )
    everyone = list(Brand.objects.order_by("pk").values_list("pk", flat=True)) if reports else []
    return [
        opt_out(report, phone=report.recipient, brand_id=brand_id, occurred_at=report.occurred_at or now)
        for report in reports
        for brand_id in ([brands[report.sender]] if report.sender in brands else everyone)
    ]


def opt_out(report: webhooks.Report, *, phone: str, brand_id: int, occurred_at: datetime) -> ledger.Report:
    return ledger.Report(
        phone=phone,
        brand_id=brand_id,
        kind=Kind.REVOKED,
        source=Source.CARRIER,
        occurred_at=occurred_at,
        rule=f"carrier:{report.code}",
        message_ref=report.carrier_id,
        evidence={"words": report.detail} if report.detail else {},
    )


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


def settle(matched: Sequence[Match], *, now: datetime) -> None:
    """Moves each message to the strongest thing its receipts say."""
    said: dict[int, tuple[Status, webhooks.Report]] = {}
    for _, report, message in matched:
        if report.status is None:
            continue
        before = said.get(message.pk)
        if before is None or strongest(before[0], report.status) != before[0]:
            said[message.pk] = (report.status, report)
    taken_back = Message.objects.filter(pk__in=said, status=Status.CANCELLED)
    revived = list(taken_back.values_list("conversation", flat=True))
    alike: dict[tuple[Status, str, str], list[int]] = defaultdict(list)
    for pk, (status, report) in said.items():
        alike[status, report.code, report.detail].append(pk)
    for (status, code, detail), pks in sorted(alike.items()):
        failed = status == Status.FAILED
        Message.objects.filter(pk__in=sorted(pks)).move(
            status,
            now=now,
            error_code=code if failed else "",
            error_detail=detail if failed else "",
            lease_until=None,
            lease_token=None,
        )
    named = {message.pk: report.carrier_id for _, report, message in matched if report.carrier_id}
    unnamed = list(Message.objects.filter(pk__in=named, carrier_id=None).order_by("pk"))
    for message in unnamed:
        message.carrier_id = named[message.pk]
    Message.objects.bulk_update(unnamed, ["carrier_id"])
    waits.follow(list(said))
    latest.recount(revived)
