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

from conversations.company import Company, Doing, Person
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
        self.person: Person | None = None
        self.page = uuid4().hex
        self.waiting: deque[str] = deque()
        self.arrived = asyncio.Event()
        self.has_company = False

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
        self.company = Company()
        self.layer: Any = None
        self.saying: set[asyncio.Task[None]] = set()

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
        self.leave(outbox)

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

    # Who is in a conversation

    def subscribe(self, outbox: Outbox, topics: frozenset[str], opened: int | None, *, is_seen: bool) -> None:
        """What this socket is to be told, and which conversation its page shows; ``is_seen``: and somebody can see."""
        if outbox.open != opened:
            self.leave(outbox)
        outbox.topics, outbox.open = topics, opened
        self.add(outbox)
        if is_seen:
            self.say(outbox, None)
        elif opened is not None:
            self.introduce(opened, outbox)

    def say(self, outbox: Outbox, doing: Doing | None) -> None:
        """What this page's person does in the conversation that it shows; ``None``: is still there."""
        if outbox.open is None or outbox.person is None:
            return
        self.hear_of(outbox.open, outbox.page, outbox.person, doing)
        person = [outbox.person.id, outbox.person.name, outbox.person.initials]
        word = {"type": "company", "hub": self.id, "id": outbox.open, "page": outbox.page, "person": person}
        if self.layer is not None:
            task = asyncio.get_running_loop().create_task(self.pass_on(word | {"doing": doing}))
            self.saying.add(task)
            task.add_done_callback(self.saying.discard)

    def leave(self, outbox: Outbox) -> None:
        if outbox.open is not None:
            self.say(outbox, Doing.GONE)

    def hear_of(self, conversation: int, page: str, person: Person, doing: Doing | None) -> None:
        now = time.monotonic()
        if doing is None:
            self.company.renew(conversation, page, person, now=now)
        else:
            self.company.hear(conversation, page, person, doing, now=now)
        for outbox in self.outboxes:
            if outbox.open == conversation:
                self.introduce(conversation, outbox)

    def introduce(self, conversation: int, outbox: Outbox) -> None:
        """Tells a page who else is there, if that is news to it: or was nobody, and still is."""
        if outbox.person is None:
            return
        others = self.company.besides(outbox.person.id, conversation, now=time.monotonic())
        if others or outbox.has_company:
            outbox.has_company = bool(others)
            people = [
                {"name": one.person.name, "initials": one.person.initials, "doing": one.doing}
                | {"seconds": round(one.seconds, 1), "here": round(one.here, 1)}
                for one in others
            ]
            outbox.put(json.dumps({"type": "company", "id": conversation, "people": people}))

    async def pass_on(self, word: dict[str, Any]) -> None:
        """To the other processes. Lost, it costs them what expires by itself."""
        with contextlib.suppress(Exception):
            async with asyncio.timeout(TIMEOUT_SECONDS):
                await self.layer.group_send(GROUP, word)

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
                self.heard_at = self.layer = None
                await closed(layer)
            await asyncio.sleep(min(0.1 * 2**failures, MAX_BACKOFF_SECONDS) * random.uniform(0.5, 1.0))  # noqa: S311

    async def listen(self, layer: Any) -> None:
        """Subscribes and forwards until something is missed."""
        async with asyncio.timeout(TIMEOUT_SECONDS):
            channel = await layer.new_channel()
            await layer.group_add(GROUP, channel)
        self.layer = layer
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
            elif message["type"] == "company":
                if message["hub"] != self.id:
                    doing = message["doing"] if message["doing"] is None else Doing(message["doing"])
                    self.hear_of(message["id"], message["page"], Person(*message["person"]), doing)
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
