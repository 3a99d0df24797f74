"""Telling screens that something changed. A hint: the database is the truth, and a lost hint costs one slow refetch.

``changed`` belongs in the transaction that changes; the signal leaves only when that commits, from a thread of its
own, so that a dead or frozen Valkey never slows or fails a message.
"""

import asyncio
import logging
import os
import threading
from collections.abc import Iterable
from datetime import datetime, timedelta

from channels.layers import get_channel_layer
from django.db import connection, transaction
from django.utils.timezone import localdate

from consent.models import ConsentEvent
from conversations.kept import kept
from conversations.models import Conversation

logger = logging.getLogger(__name__)

GROUP = "live"
Signal = tuple[str, int, int]  # topic, id, version

# Signals that wait for Valkey. Beyond this the oldest go: every screen refetches after a gap anyway.
BACKLOG = 10_000

BUMP = """
WITH locked AS (
    SELECT id FROM conversations_conversation WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE
)
UPDATE conversations_conversation SET version = version + 1 FROM locked
WHERE conversations_conversation.id = locked.id
RETURNING conversations_conversation.id, version
"""


# What changes without a version (a colleague's name, the hour of a snooze) is refetched this often.
UNCHANGED_FOR = timedelta(minutes=5)


def moment(now: datetime) -> object:
    """A part of every fragment's ETag: the same for five minutes at most, and never into another day."""
    return localdate(now), now.timestamp() // UNCHANGED_FOR.total_seconds()


def changed(conversation_ids: Iterable[int]) -> None:
    """Gives these conversations their next version and signals it on commit. Locks their rows, in order: call it before
    touching their messages."""
    ids = sorted(set(conversation_ids))
    if not ids:
        return
    with connection.cursor() as cursor:
        cursor.execute(BUMP, [ids])
        signals: list[Signal] = [("conversation", pk, version) for pk, version in cursor.fetchall()]

    def leave() -> None:
        kept.outdate()
        publisher().publish(signals)

    transaction.on_commit(leave, robust=True)


def consent_changed(events: Iterable[ConsentEvent]) -> None:
    """As ``changed``, for every conversation that shows what these events are about."""
    pairs = {(event.subject_id, event.brand_id) for event in events}
    if not pairs:
        return
    subject_ids, brand_ids = zip(*pairs, strict=True)
    shown = Conversation.objects.filter(contact__subject__in=subject_ids, line__brand__in=brand_ids)
    changed(shown.values_list("pk", flat=True))


class Publisher(threading.Thread):
    """Hands signals to the channel layer from an event loop of its own; gathers what comes while one batch is on its
    way."""

    def __init__(self) -> None:
        super().__init__(name="live-publisher", daemon=True)
        self.pid = os.getpid()
        self.waiting: dict[tuple[str, int], int] = {}
        self.lock = threading.Lock()
        self.loop = asyncio.new_event_loop()
        self.arrived = asyncio.Event()

    def publish(self, signals: Iterable[Signal]) -> None:
        with self.lock:
            for topic, pk, version in signals:
                self.waiting[topic, pk] = max(version, self.waiting.get((topic, pk), 0))
            while len(self.waiting) > BACKLOG:
                self.waiting.pop(next(iter(self.waiting)))
        self.loop.call_soon_threadsafe(self.arrived.set)

    def run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_until_complete(self.forward())

    async def forward(self) -> None:
        layer = get_channel_layer()
        while True:
            await self.arrived.wait()
            self.arrived.clear()
            with self.lock:
                batch, self.waiting = self.waiting, {}
            if not batch:
                continue
            signals = [[topic, pk, version] for (topic, pk), version in batch.items()]
            try:
                async with asyncio.timeout(2):
                    await layer.group_send(GROUP, {"type": "signals", "signals": signals})
            except Exception as error:  # noqa: BLE001 whatever is wrong with Valkey, messages go on
                logger.warning("Live signals lost, screens will catch up by themselves: %r", error)


_publisher: Publisher | None = None
_starting = threading.Lock()


def publisher() -> Publisher:
    """This process's publisher; a forked worker gets its own."""
    global _publisher
    with _starting:
        if _publisher is None or _publisher.pid != os.getpid() or not _publisher.is_alive():
            _publisher = Publisher()
            _publisher.start()
        return _publisher
