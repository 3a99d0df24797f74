"""Group commit: whatever arrived while the previous commit ran is written in one transaction.

Two threads with a database connection each: one stores (before the 200), one threads (at once after), so that the
second step of one batch runs beside the first step of the next.
"""

import asyncio
import logging
from collections import deque
from concurrent.futures import ThreadPoolExecutor

from django.db import close_old_connections, connections
from django.utils import timezone

from conversations import inbound, reading
from conversations.reading import Arrival

logger = logging.getLogger(__name__)

BATCH = 200
THREADED = 500
QUEUE = 2000
# Threading costs as much for ten texts as for one. Alone a text is threaded at once; after a batch that was not full,
# those that follow gather for a moment.
REST_SECONDS = 0.05


class Full(Exception):
    """More has arrived than can be written: the carrier is asked to come again."""


class GroupCommit:
    """One of these lives in each web process, on its event loop."""

    def __init__(self) -> None:
        self.waiting: deque[tuple[Arrival, asyncio.Future[bool]]] = deque()
        self.arrived = asyncio.Event()
        self.stored = asyncio.Event()
        self.storing = ThreadPoolExecutor(1, thread_name_prefix="webhook-store")
        self.threading = ThreadPoolExecutor(1, thread_name_prefix="webhook-thread")
        self.tasks: list[asyncio.Task[None]] = []
        self.is_stopping = False

    def start(self) -> None:
        self.tasks = [asyncio.create_task(self.store_forever()), asyncio.create_task(self.thread_forever())]

    async def stop(self) -> None:
        """Writes what has arrived, then stops."""
        self.is_stopping = True
        self.arrived.set()
        self.stored.set()
        await asyncio.gather(*self.tasks)
        loop = asyncio.get_running_loop()
        for thread in (self.storing, self.threading):
            await loop.run_in_executor(thread, connections.close_all)
            thread.shutdown()

    async def commit(self, arrival: Arrival) -> bool:
        """Whether it is on disk and may be acknowledged. Raises ``Full``."""
        if len(self.waiting) >= QUEUE or self.is_stopping:
            raise Full
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.waiting.append((arrival, done))
        self.arrived.set()
        return await done

    async def store_forever(self) -> None:
        loop = asyncio.get_running_loop()
        while self.waiting or not self.is_stopping:
            await self.arrived.wait()
            batch = [self.waiting.popleft() for _ in range(min(BATCH, len(self.waiting)))]
            if not self.waiting and not self.is_stopping:
                self.arrived.clear()
            if not batch:
                continue
            try:
                verdicts = await loop.run_in_executor(self.storing, store, [arrival for arrival, _ in batch])
            except Exception:
                logger.exception("Storing %d webhooks failed.", len(batch))
                verdicts = [False] * len(batch)
            for (_, done), verdict in zip(batch, verdicts, strict=True):
                if not done.done():
                    done.set_result(verdict)
            self.stored.set()

    async def thread_forever(self) -> None:
        loop = asyncio.get_running_loop()
        while not self.is_stopping:
            await self.stored.wait()
            self.stored.clear()
            try:
                taken = await loop.run_in_executor(self.threading, thread)
            except Exception:
                logger.exception("Threading failed; the sweep will try again.")
                await asyncio.sleep(1)
                continue
            if taken >= THREADED:
                self.stored.set()
            else:
                await asyncio.sleep(REST_SECONDS)


def store(arrivals: list[Arrival]) -> list[bool]:
    """In the storing thread, and so is the redacting: hostile text may take its time without stopping the loop."""
    close_old_connections()
    return inbound.receive([reading.delivery(arrival) for arrival in arrivals], now=timezone.now())


def thread() -> int:
    close_old_connections()
    return inbound.thread(now=timezone.now(), limit=THREADED)
