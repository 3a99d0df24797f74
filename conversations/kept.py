"""What many screens ask for at once, read once: after a signal every open page fetches the same list.

A value is kept until something is known to have changed, by a commit of this process or by a signal of another. So
whoever was told of a change, and whoever made it, never gets what was read before it. A change that nobody tells of (a
lost signal, a row edited by hand) is seen a second later.
"""

import threading
import time
from collections.abc import Callable, Hashable
from typing import TypeVar

Value = TypeVar("Value")

SECONDS = 1.0
MOST = 1000


class Entry:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.value: object = None
        self.generation = -1
        self.read_at = 0.0


class Kept:
    """One of these per process, for all its threads. Values are shared: nobody may change them."""

    def __init__(self) -> None:
        self.generation = 0
        self.entries: dict[Hashable, Entry] = {}
        self.lock = threading.Lock()

    def outdate(self) -> None:
        """Something changed. Call it when that is committed, and before anybody is told."""
        with self.lock:
            self.generation += 1

    def value(self, name: Hashable, read: Callable[[Value | None], Value]) -> Value:
        """``read``'s answer, or an earlier one since which nothing has changed. Of those who ask at once one reads, and
        the others wait. ``read`` is given what it answered last time, if that is still known."""
        asked = self.generation
        entry = self.entry(name)
        with entry.lock:
            if entry.generation < asked or time.monotonic() - entry.read_at > SECONDS:
                generation, read_at = self.generation, time.monotonic()  # before reading: what changes meanwhile counts
                entry.value = read(entry.value)  # type: ignore[arg-type]
                entry.generation, entry.read_at = generation, read_at
            return entry.value  # type: ignore[return-value]

    def entry(self, name: Hashable) -> Entry:
        with self.lock:
            entry = self.entries.pop(name, None) or Entry()
            self.entries[name] = entry  # the last one asked for is the last to go
            if len(self.entries) > MOST:
                del self.entries[next(iter(self.entries))]
            return entry


kept = Kept()
