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

from conversations.kept import kept
from conversations.live import GROUP

logger = logging.getLogger(__name__)

BEAT_SECONDS = 1.0
GAP_SECONDS = 3.0
TIMEOUT_SECONDS = 2.0
MAX_BACKOFF_SECONDS = 5.0
# A socket this far behind gets one "resync" in place of all of them.
OUTBOX_LENGTH = 256
# Who has a conversation open is told at once. All others, whose lists are fetched once a second, are told together, and
# the more they are the more seldom: a message to a socket takes a tenth of this, so that telling never takes all time.
SPACING_SECONDS_PER_SOCKET = 0.0005
RESYNC = json.dumps({"type": "resync"})


class Outbox:
    """What waits to be written to one socket."""

    def __init__(self) -> None:
        self.topics: frozenset[str] = frozenset()
        self.open: int | None = None
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
        self.gathered: dict[tuple[str, int], int] = {}
        self.told_at = 0.0
        self.timer: asyncio.TimerHandle | None = None

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
        if self.timer is not None:
            self.timer.cancel()
        self.task = self.heard_at = self.timer = None

    # Sockets

    def add(self, outbox: Outbox) -> None:
        self.outboxes.add(outbox)

    def discard(self, outbox: Outbox) -> None:
        self.outboxes.discard(outbox)

    def tell_all(self, text: str) -> None:
        kept.outdate()
        for outbox in self.outboxes:
            outbox.put(text)

    def fan_out(self, signals: Iterable[list[Any]]) -> None:
        """At once to whoever has that conversation open; to all others with what comes in the next moment."""
        kept.outdate()
        watchers: dict[int, list[Outbox]] = {}
        for outbox in self.outboxes:
            if outbox.open is not None:
                watchers.setdefault(outbox.open, []).append(outbox)
        for topic, pk, version in signals:
            self.gathered[topic, pk] = version
            for outbox in watchers.get(pk, ()):
                if topic in outbox.topics:
                    outbox.put(encoded([(topic, pk, version)]))
        if self.timer is None:
            loop = asyncio.get_running_loop()
            spacing = len(self.outboxes) * SPACING_SECONDS_PER_SOCKET
            self.timer = loop.call_at(max(loop.time(), self.told_at + spacing), self.tell)

    def tell(self) -> None:
        """Encodes once, however many sockets listen; only who was told of theirs already gets the others."""
        self.timer, self.told_at = None, asyncio.get_running_loop().time()
        gathered, self.gathered = self.gathered, {}
        opened = {pk for _, pk in gathered}
        for topic in {topic for topic, _ in gathered}:
            signals = [(topic, pk, version) for (its_topic, pk), version in gathered.items() if its_topic == topic]
            text = encoded(signals)
            for outbox in self.outboxes:
                if topic not in outbox.topics:
                    continue
                if outbox.open not in opened:
                    outbox.put(text)
                elif others := [signal for signal in signals if signal[1] != outbox.open]:
                    outbox.put(encoded(others))

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


def encoded(signals: Iterable[tuple[str, int, int]]) -> str:
    told = [{"topic": topic, "id": pk, "version": version} for topic, pk, version in signals]
    return json.dumps({"type": "signals", "signals": told})


async def closed(layer: Any) -> None:
    """Drops a layer's connections, whatever state they are in."""
    with contextlib.suppress(Exception):
        async with asyncio.timeout(TIMEOUT_SECONDS):
            await layer.flush()


hub = Hub()
