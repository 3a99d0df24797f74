"""One subscription to the channel layer per web process, fanned out to its sockets.

Not one channel per socket, because a channel costs a round trip, a task and a thread hop for every message and socket
(six times the CPU). The hub hears its own heartbeat through the layer each second: when one is missing, signals may be
too, and every socket is told to resync. A dead, frozen or restarted Valkey therefore costs freshness, never truth.
"""

import asyncio
import contextlib
import json
import logging
import random
import time
from collections import deque
from collections.abc import Iterable
from typing import Any
from uuid import uuid4

from channels import DEFAULT_CHANNEL_LAYER
from channels.layers import channel_layers

from conversations.live import GROUP

logger = logging.getLogger(__name__)

BEAT_SECONDS = 1.0
GAP_SECONDS = 3.0
TIMEOUT_SECONDS = 2.0
MAX_BACKOFF_SECONDS = 5.0
# A socket this far behind gets one "resync" in place of all of them.
OUTBOX_LENGTH = 256
RESYNC = json.dumps({"type": "resync"})


class Outbox:
    """What waits to be written to one socket."""

    def __init__(self) -> None:
        self.topics: frozenset[str] = frozenset()
        self.waiting: deque[str] = deque()
        self.arrived = asyncio.Event()

    def put(self, text: str) -> None:
        if len(self.waiting) >= OUTBOX_LENGTH:
            self.waiting.clear()
            text = RESYNC
        self.waiting.append(text)
        self.arrived.set()

    async def take(self) -> list[str]:
        """Everything that waits, oldest first; waits for something to."""
        await self.arrived.wait()
        self.arrived.clear()
        taken, self.waiting = list(self.waiting), deque()
        return taken


class Hub:
    """Start it on the event loop of the sockets; starting twice is harmless."""

    def __init__(self) -> None:
        self.id = uuid4().hex
        self.outboxes: set[Outbox] = set()
        self.heard_at: float | None = None
        self.task: asyncio.Task[None] | None = None

    @property
    def is_healthy(self) -> bool:
        """Whether signals arrive: its own heartbeat came within the last three seconds."""
        return self.heard_at is not None and time.monotonic() - self.heard_at <= GAP_SECONDS

    async def start(self) -> None:
        if self.task is None or self.task.done():
            self.task = asyncio.create_task(self.run(), name="live-hub")

    async def stop(self) -> None:
        if self.task is not None:
            self.task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self.task
        self.task = self.heard_at = None

    # Sockets

    def add(self, outbox: Outbox) -> None:
        self.outboxes.add(outbox)

    def discard(self, outbox: Outbox) -> None:
        self.outboxes.discard(outbox)

    def tell_all(self, text: str) -> None:
        for outbox in self.outboxes:
            outbox.put(text)

    def fan_out(self, signals: Iterable[list[Any]]) -> None:
        """Encodes once per topic, however many sockets listen."""
        by_topic: dict[str, list[dict[str, Any]]] = {}
        for topic, pk, version in signals:
            by_topic.setdefault(topic, []).append({"topic": topic, "id": pk, "version": version})
        for topic, its_signals in by_topic.items():
            text = json.dumps({"type": "signals", "signals": its_signals})
            for outbox in self.outboxes:
                if topic in outbox.topics:
                    outbox.put(text)

    # The layer

    async def run(self) -> None:
        failures = 0
        while True:
            layer = channel_layers.make_backend(DEFAULT_CHANNEL_LAYER)
            try:
                await self.listen(layer)
            except* Exception as errors:  # noqa: BLE001 whatever is wrong with Valkey, pages go on
                failures = 1 if self.heard_at is not None else failures + 1
                if failures == 1:
                    logger.warning("Live signals are interrupted, screens will catch up: %r", errors.exceptions[0])
            finally:
                self.heard_at = None
                await closed(layer)
            await asyncio.sleep(min(0.1 * 2**failures, MAX_BACKOFF_SECONDS) * random.uniform(0.5, 1.0))  # noqa: S311

    async def listen(self, layer: Any) -> None:
        """Subscribes and forwards until something is missed."""
        async with asyncio.timeout(TIMEOUT_SECONDS):
            channel = await layer.new_channel()
            await layer.group_add(GROUP, channel)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.beat(layer))
            tasks.create_task(self.hear(layer, channel))

    async def beat(self, layer: Any) -> None:
        number = 0
        while True:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                await layer.group_send(GROUP, {"type": "heartbeat", "hub": self.id, "number": number})
            number += 1
            await asyncio.sleep(BEAT_SECONDS)

    async def hear(self, layer: Any, channel: str) -> None:
        expected: int | None = None
        while True:
            # Other processes' signals must not hide that our own heartbeat stopped.
            until_gap = GAP_SECONDS - (time.monotonic() - self.heard_at if self.heard_at is not None else 0.0)
            async with asyncio.timeout(max(until_gap, 0.0)):
                message = await layer.receive(channel)
            if message["type"] == "signals":
                self.fan_out(message["signals"])
            elif message.get("hub") == self.id:
                # The first one proves that the subscription works: what changed before it has to be fetched. One out
                # of turn tells that the layer reconnected by itself and lost what came between.
                self.heard_at = time.monotonic()
                if message["number"] != expected:
                    self.tell_all(RESYNC)
                expected = message["number"] + 1


async def closed(layer: Any) -> None:
    """Drops a layer's connections, whatever state they are in."""
    with contextlib.suppress(Exception):
        async with asyncio.timeout(TIMEOUT_SECONDS):
            await layer.flush()


hub = Hub()
