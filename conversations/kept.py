"""What many screens ask for at once, read once: after a signal every open page fetches the same list.

A value is kept until something is known to have changed, by a commit of this process or by a signal of another, and for
a second at most. Another process may hear of a change a moment later than the browser that asks it: so whoever has just
done something asks for it ``fresh``, and who was told, or catches up, looks once more when the second is over
(static/js/inbox.js).
"""

import threading
import time
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Generic, TypeVar

Value = TypeVar("Value")

SECONDS = 1.0
MOST = 300


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

    def value(self, name: Hashable, read: Callable[[Value | None], Value], *, fresh: bool = False) -> Value:
        """``read``'s answer, or (unless it must be ``fresh``) an earlier one since which nothing is known to have
        changed. Of those who ask at once one reads, and the others wait. ``read`` is given what it answered last time,
        if that is still known."""
        asked = self.generation
        entry = self.entry(name)
        with entry.lock:
            if fresh or entry.generation < asked or time.monotonic() - entry.read_at > SECONDS:
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


class Lasting(Generic[Value]):
    """The values last used, by names that say all that a value depends on: so none is ever outdated. For all threads of
    a process; whatever two of them make at once is the same."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.values: dict[Hashable, Value] = {}
        self.lock = threading.Lock()

    def known(self, names: Iterable[Hashable]) -> dict[Hashable, Value]:
        """Those of these that are there; they are the last to go."""
        with self.lock:
            found = {name: self.values.pop(name) for name in names if name in self.values}
            self.values |= found
        return found

    def keep(self, values: Mapping[Hashable, Value]) -> None:
        with self.lock:
            self.values |= values
            for name in list(self.values)[: max(0, len(self.values) - self.most)]:
                del self.values[name]


kept = Kept()
drawn_rows = Lasting[str](most=2000)  # of the list, as HTML: a kilobyte or two each
