"""When a team is there: a week of opening hours with its holidays, and time counted in open minutes. Pure: no Django.

All moments are aware; what is returned is UTC. Local times that a clock change skips or repeats count as the wall clock
shows them: a shift over the repeated hour is an hour longer.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

Interval = tuple[time, time]  # opens, closes; 00:00 closes at midnight, the end of that day

ALL_DAY: tuple[Interval, ...] = ((time(0), time(0)),)
# Nobody plans further; and a week that never opens must not be searched for ever.
HORIZON_DAYS = 366


@dataclass(frozen=True)
class Week:
    """``weekdays``: Monday is 0; without any interval at all it is always open. ``days``: what is not like its weekday,
    closed where it has no interval."""

    zone: str = "UTC"
    weekdays: Mapping[int, tuple[Interval, ...]] = field(default_factory=dict)
    days: Mapping[date, tuple[Interval, ...]] = field(default_factory=dict)

    def is_open(self, at: datetime) -> bool:
        return any(begin <= at < end for begin, end in self.on(self.local(at)))

    def next_opening(self, at: datetime) -> datetime | None:
        """The moment itself while it is open; ``None`` when it does not open within a year."""
        return next((max(begin, at).astimezone(UTC) for begin, _ in self.spans(at)), None)

    def after(self, at: datetime, minutes: int) -> datetime:
        """When so many open minutes have passed since then; by the clock, if it does not open within a year."""
        left = timedelta(minutes=minutes)
        if not left:
            return at.astimezone(UTC)
        for begin, end in self.spans(at):
            begin = max(begin, at)
            if end - begin >= left:
                return (begin + left).astimezone(UTC)
            left -= end - begin
        return (at + timedelta(minutes=minutes)).astimezone(UTC)

    def between(self, start: datetime, end: datetime) -> timedelta:
        """How much of that time it is open; of a year at most."""
        total = timedelta()
        for opens, closes in self.spans(start):
            if opens >= end:
                break
            total += min(closes, end) - max(opens, start)
        return total

    def spans(self, at: datetime) -> Iterator[tuple[datetime, datetime]]:
        """From that moment on, in order and apart from each other; the first may have begun before it."""
        first = self.local(at)
        for ahead in range(HORIZON_DAYS):
            yield from (span for span in self.on(first + timedelta(days=ahead)) if span[1] > at)

    def on(self, day: date) -> list[tuple[datetime, datetime]]:
        zone, merged = ZoneInfo(self.zone), list[tuple[datetime, datetime]]()
        for opens, closes in sorted(self.intervals(day), key=lambda interval: interval[0]):
            begin = datetime.combine(day, opens, zone).astimezone(UTC)
            last = day + timedelta(days=1) if closes == time(0) else day
            end = datetime.combine(last, closes, zone).replace(fold=closes != time(0)).astimezone(UTC)
            if merged and begin <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
            elif begin < end:
                merged.append((begin, end))
        return merged

    def intervals(self, day: date) -> tuple[Interval, ...]:
        if day in self.days:
            return self.days[day]
        if not any(self.weekdays.values()):
            return ALL_DAY
        return self.weekdays.get(day.weekday(), ())

    def local(self, at: datetime) -> date:
        return at.astimezone(ZoneInfo(self.zone)).date()
