"""Carrier events that could not be applied, and a person's second try."""

import logging
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import F

from consent import ledger
from consent.models import ConsentEvent
from conversations import consequences, inbound
from conversations.models import CarrierEvent
from conversations.reading import Delivery

logger = logging.getLogger(__name__)

PARKED = CarrierEvent.State.PARKED


def try_again(event_ids: Iterable[int], *, now: datetime) -> list[CarrierEvent]:
    """Applies these parked events anew, each alone, and returns them as they are afterwards."""
    ids = sorted(event_ids)
    stored = [pk for pk in ids if store_again(pk, now=now)]
    inbound.thread(stored, now=now, limit=max(len(stored), 1))
    return list(CarrierEvent.objects.filter(pk__in=ids).order_by("pk"))


def store_again(pk: int, *, now: datetime) -> bool:
    """Gives one parked event back to threading, in one transaction with what it still owes the ledger."""
    try:
        with transaction.atomic():
            event = CarrierEvent.objects.select_for_update(no_key=True).filter(pk=pk, state=PARKED).first()
            if event is None:
                return False
            ledger.record_many(owed(event, now=now), now=now)
            CarrierEvent.objects.filter(pk=pk).update(state=CarrierEvent.State.STORED, error="")
    except Exception as error:  # the operator sees it beside the event
        logger.exception("Parked carrier event %d still cannot be applied.", pk)
        CarrierEvent.objects.filter(pk=pk, state=PARKED).update(
            error=f"{type(error).__name__}: {error}"[:2000], attempts=F("attempts") + 1
        )
        return False
    return True


def owed(event: CarrierEvent, *, now: datetime) -> list[ledger.Report]:
    """What a text means for the ledger and the ledger does not have.

    A text is parked without its effect when writing that effect is what failed: to thread it alone would lose a STOP.
    """
    if event.kind != CarrierEvent.Kind.INBOUND:
        return []
    delivery = Delivery(
        kind=CarrierEvent.Kind.INBOUND,
        key=event.key,
        payload=event.payload,
        sha256=event.sha256,
        received_at=event.received_at,
    )
    return [
        report
        for report in consequences.reports([delivery], now=now)
        if not ConsentEvent.objects.filter(message_ref=report.message_ref, brand_id=report.brand_id).exists()
    ]
