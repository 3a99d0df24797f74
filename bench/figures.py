"""What a run of ``bench.live`` counts: durations, and which text was seen when."""

import time
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

clock = time.perf_counter


class Summary(NamedTuple):
    """In seconds; ``first`` and ``last`` are the medians of the run's first and last quarter."""

    number: int
    p50: float
    p90: float
    p99: float
    most: float
    first: float
    last: float


class Times:
    """Durations, each with the moment of the run at which it began."""

    def __init__(self) -> None:
        self.at = array("d")
        self.took = array("d")

    def note(self, at: float, took: float) -> None:
        self.at.append(at)
        self.took.append(took)

    def summary(self, seconds: float) -> Summary:
        """Of a run this long. There must be one duration at least."""
        every = sorted(self.took)
        pairs = list(zip(self.at, self.took, strict=True))
        first = sorted(took for at, took in pairs if at < seconds / 4)
        last = sorted(took for at, took in pairs if at >= seconds * 3 / 4)
        return Summary(
            len(every),
            *(share(every, part) for part in (0.5, 0.9, 0.99, 1.0)),
            *(share(quarter or every, 0.5) for quarter in (first, last)),
        )


def share(ordered: list[float], part: float) -> float:
    """The smallest that this part of all does not exceed."""
    return ordered[max(0, min(len(ordered) - 1, round(part * len(ordered)) - 1))]


class Texts:
    """Which texts were posted when, and by whom. Before the run each person had sent one, numbered as they are."""

    def __init__(self, people: int) -> None:
        self.posted: dict[int, float] = {}
        self.person: dict[int, int] = {number: number for number in range(people)}
        self.of: list[list[int]] = [[number] for number in range(people)]

    def post(self, number: int, person: int, at: float) -> None:
        self.posted[number] = at
        self.person[number] = person
        self.of[person].append(number)

    def refused(self, number: int, person: int) -> None:
        self.of[person].remove(number)

    def last(self, person: int) -> int:
        return self.of[person][-1]

    def newest(self, numbers: Iterable[int]) -> dict[int, int]:
        """The highest of these numbers, by person."""
        newest: dict[int, int] = {}
        for number in sorted(numbers):
            newest[self.person[number]] = number
        return newest

    def seen(
        self, before: dict[int, int], numbers: Iterable[int], *, is_thread: bool = False
    ) -> Iterator[tuple[float, bool]]:
        """The texts that have become visible since ``before`` (the newest by person, which is brought up to date): when
        each was posted, and whether a newer one of the same person took its place before it was ever seen.

        A thread shows all of them; a row that was not there before only tells about the text that it shows.
        """
        for person, newest in self.newest(numbers).items():
            known = before.get(person, newest - 1)
            if newest <= known:
                continue
            before[person] = newest
            for number in reversed(self.of[person]):
                if number <= known:
                    break
                if number <= newest and number in self.posted:
                    yield self.posted[number], number < newest and not is_thread


class Record:
    """What one run measures. What is noted before it begins is dropped, and so is what happens after its end; only how
    long its texts took to be seen is noted until all of them are."""

    def __init__(self, texts: Texts) -> None:
        self.texts = texts
        self.times: dict[str, Times] = {}
        self.counts: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self.began = self.ended = float("inf")

    @property
    def is_on(self) -> bool:
        return self.began <= clock() < self.ended

    def note(self, name: str, took: float) -> None:
        if self.is_on:
            self.times.setdefault(name, Times()).note(clock() - self.began, took)

    def count(self, name: str, number: int = 1) -> None:
        if self.is_on:
            self.counts[name] += number

    def failed(self, what: str) -> None:
        self.errors[what] += 1

    def seen(self, name: str, before: dict[int, int], numbers: set[int], *, is_thread: bool = False) -> None:
        """These texts are on a screen now; ``before`` is what it knew, by person."""
        for at, is_superseded in self.texts.seen(before, numbers, is_thread=is_thread):
            self.visible(name, at)
            if is_superseded:
                self.counts[f"{name} superseded"] += 1

    def signalled(self, before: dict[int, int], people: Iterable[int]) -> None:
        """Something of these people's was signalled at a socket."""
        for person in people:
            number = self.texts.last(person)
            if number > before.get(person, -1):
                before[person] = number
                if at := self.texts.posted.get(number):
                    self.visible("signal", at)

    def visible(self, name: str, posted_at: float) -> None:
        self.times.setdefault(name, Times()).note(posted_at - self.began, clock() - posted_at)
