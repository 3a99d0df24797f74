"""Messages in, in two steps, so that nothing acknowledged can be lost and a STOP never waits.

``receive`` runs before the carrier gets its 200: the raw event, and what it does to the ledger. ``thread`` runs at once
after, for the same batch, and again for whatever a crash left: contact, conversation, message, wait.
"""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import DatabaseError, InternalError, OperationalError, connection, transaction

from consent import ledger
from consent.models import Hold
from contactcenter.lib import phone
from conversations import consequences, reading, receipts, threads
from conversations.carriers import webhooks
from conversations.models import CarrierEvent
from conversations.reading import Delivery

logger = logging.getLogger(__name__)

THREADING_LOCK = 0x7EAD  # any number, the same in every process


# --- Step 1: before the 200 ----------------------------------------------------------------------------------


def receive(deliveries: Sequence[Delivery], *, now: datetime) -> list[bool]:
    """Stores each delivery once, with its effect on the ledger; whether each may be acknowledged.

    All in one transaction. If that fails, each alone; one whose ledger part fails is kept, parked, and its number held.
    """
    try:
        store(deliveries, now=now)
    except Exception:
        logger.exception("A batch of %d webhooks could not be stored; trying each alone.", len(deliveries))
    else:
        return [True] * len(deliveries)
    if not is_database_there():
        return [False] * len(deliveries)
    return [receive_alone(delivery, now=now) for delivery in deliveries]


def receive_alone(delivery: Delivery, *, now: datetime) -> bool:
    try:
        store([delivery], now=now)
    except (OperationalError, InternalError):  # a deadlock, a time-out, a freeze: nothing is wrong with this delivery
        logger.exception("Webhook %s could not be stored now.", delivery.key)
        return False
    except Exception as error:
        logger.exception("Webhook %s could not be applied; parking it.", delivery.key)
        try:
            park_and_hold(delivery, error)
        except DatabaseError:
            logger.exception("Webhook %s could not even be parked.", delivery.key)
            return False
    return True


def is_database_there() -> bool:
    """Asked after a failure; drops a dead connection, so that the next batch gets a new one."""
    if connection.connection is not None and connection.is_usable():
        return True
    connection.close()
    return False


def store(deliveries: Sequence[Delivery], *, now: datetime) -> list[int]:
    """The events that were new, by id, with their effect on the ledger; all or nothing."""
    once: dict[str, Delivery] = {}
    for delivery in deliveries:
        once.setdefault(delivery.key, delivery)
    with transaction.atomic():
        new = insert(list(once.values()))
        texts = [once[key] for key in once if key in new and once[key].kind == CarrierEvent.Kind.INBOUND]
        reports = consequences.reports(texts, now=now)
        for key in sorted(new):  # before any standing is locked, as in the gate
            if reading.UNREADABLE in once[key].payload:
                hold_sender(once[key], "A text from this number could not be read.")
        ledger.record_many(reports, now=now)
    return sorted(new.values())


# Sorted, because two processes may hold the same duplicates; threading goes by time of arrival. The payloads are one
# value: in an array of them each quotation mark is escaped by itself, which took as long as judging the texts.
INSERT = """
INSERT INTO conversations_carrierevent (key, kind, payload, sha256, received_at, state, error)
SELECT key, kind, payload, sha256, received_at, 'stored', ''
FROM ROWS FROM (
    unnest(%s::text[], %s::text[], %s::text[], %s::timestamptz[]), jsonb_array_elements(%s::jsonb)
) AS delivery (key, kind, sha256, received_at, payload)
ORDER BY key
ON CONFLICT DO NOTHING
RETURNING key, id
"""


def insert(deliveries: Sequence[Delivery]) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            INSERT,
            [
                [delivery.key for delivery in deliveries],
                [str(delivery.kind) for delivery in deliveries],
                [delivery.sha256 for delivery in deliveries],
                [delivery.received_at for delivery in deliveries],
                ledger.canonical([delivery.payload for delivery in deliveries]),
            ],
        )
        return dict(cursor.fetchall())


def hold_sender(delivery: Delivery, reason: str) -> None:
    """Nothing goes to whoever sent this until a person has looked: it may have been a "no"."""
    sender = webhooks.words(delivery.payload, "from") or reading.sender_in(delivery.payload)
    if delivery.kind == CarrierEvent.Kind.INBOUND and sender:
        Hold.objects.put(phone=phone.from_carrier(sender), reason=reason)


def park_and_hold(delivery: Delivery, error: Exception) -> None:
    """Keeps what could not be applied; nothing goes to its number until a person has looked."""
    reason = f"{type(error).__name__}: {error}"[:2000]
    with transaction.atomic():
        for pk in insert([delivery]).values():
            CarrierEvent.objects.filter(pk=pk).update(state=CarrierEvent.State.PARKED, error=reason)
        hold_sender(delivery, reason)


# --- Step 2: at once after -----------------------------------------------------------------------------------


def thread(event_ids: Sequence[int] | None = None, *, now: datetime, limit: int = 500) -> int:
    """Threads stored events (these, or the oldest that nobody is at) and says how many it took.

    One process at a time does this: two at once could put a person's second text before their first. What can't be
    threaded is parked; should a batch fail all the same, it is tried one by one. When the database itself is in
    trouble, everything stays stored for the next time, and ``OperationalError`` (or, after a long freeze,
    ``InternalError``) is raised.
    """
    taken = 0
    for kind, apply in (
        (CarrierEvent.Kind.INBOUND, threads.apply),
        (CarrierEvent.Kind.STATUS, receipts.apply),
    ):
        with transaction.atomic():
            one_at_a_time()
            events = stored(kind, event_ids, limit)
            if not events:
                continue
            taken += len(events)
            thread_batch(events, apply, now=now)
    return taken


def one_at_a_time() -> None:
    """Waits for another process's batch. The first lock of all; whoever threads holds it until the commit."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [THREADING_LOCK])


def stored(kind: CarrierEvent.Kind, event_ids: Sequence[int] | None, limit: int) -> list[CarrierEvent]:
    events = CarrierEvent.objects.filter(state=CarrierEvent.State.STORED, kind=kind)
    if event_ids is not None:
        events = events.filter(pk__in=event_ids)
    return list(events.order_by("received_at", "pk").select_for_update(skip_locked=True, no_key=True)[:limit])


def thread_batch(events: Sequence[CarrierEvent], apply: Any, *, now: datetime) -> None:
    try:
        with transaction.atomic():
            apply(events, now=now)
    except (OperationalError, InternalError):
        raise
    except reading.Unthreadable as unthreadable:
        for event in events:
            if event.pk in unthreadable.errors:
                park(event, unthreadable.errors[event.pk])
        if others := [event for event in events if event.pk not in unthreadable.errors]:
            thread_batch(others, apply, now=now)
    except Exception as error:  # noqa: BLE001 whatever it is, the others must not wait for it
        for event in events:
            thread_alone(event, apply, error if len(events) == 1 else None, now=now)


def thread_alone(event: CarrierEvent, apply: Any, failed: Exception | None, *, now: datetime) -> None:
    if failed is None:
        try:
            with transaction.atomic():
                apply([event], now=now)
        except (OperationalError, InternalError):
            raise
        except Exception as error:  # noqa: BLE001 see thread_batch
            failed = error
        else:
            return
    park(event, failed)


def park(event: CarrierEvent, error: Exception) -> None:
    logger.warning("Carrier event %s is parked: %r", event.key, error)
    CarrierEvent.objects.filter(pk=event.pk).update(
        state=CarrierEvent.State.PARKED,
        error=(str(error) or repr(error))[:2000],
        attempts=event.attempts + 1,
    )
