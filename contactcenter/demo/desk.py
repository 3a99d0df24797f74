"""When the desk answers.

In the demo agents press "send" in rounds, a few minutes apart, because one gate then decides for several replies: that
is what makes three weeks fit into seconds.
"""

from bisect import bisect_left
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")
DAYS = 21
# Minutes before the moment of seeding.
LATELY = (104, 93, 81, 70, 58, 47, 38, 29, 21, 13, 8, 3)
SATURDAY, SUNDAY = 5, 6

Rush = list[datetime]


class Desk:
    """The rounds of three weeks, Monday to Saturday and a few evenings, in rushes; the last one ends just before
    ``now``. All times are aware."""

    def __init__(self, rng: Random, now: datetime) -> None:
        self.now = now
        self.rushes = sorted(rush for rush in planned(rng, now) if rush[-1] < now - timedelta(minutes=LATELY[0] + 10))
        self.lately = [now - timedelta(minutes=minutes, seconds=rng.randrange(20)) for minutes in LATELY]
        self.rounds = [at for rush in [*self.rushes, self.lately] for at in rush]

    def next(self, after: datetime) -> datetime:
        """The first round after that moment. Raises ``LookupError`` when it is still to come."""
        place = bisect_left(self.rounds, after)
        if place == len(self.rounds):
            raise LookupError(f"nobody answers between {after} and {self.now}")
        return self.rounds[place]

    def evening(self, before: datetime) -> datetime:
        """When the last rush before that moment was over."""
        over = [rush[-1] + timedelta(minutes=15) for rush in self.rushes]
        return max((at for at in over if at < before), default=before - timedelta(hours=1))

    def before_a_weekend(self) -> tuple[datetime, datetime]:
        """The last round of the first Saturday, and the next one after it."""
        last = next(rush[-1] for rush in self.rushes if local(rush[-1]).weekday() == SATURDAY)
        return last, self.next(last + timedelta(seconds=1))


def planned(rng: Random, now: datetime) -> Iterator[Rush]:
    """One or two rushes on a weekday and sometimes one in the evening, one on Saturdays, none on Sundays."""
    for ago in range(DAYS, -1, -1):
        day = local(now - timedelta(days=ago)).date()
        if day.weekday() == SUNDAY:
            continue
        morning, afternoon, evening = (8, 11, 4), (13, 16, 4), (19, 21, 3)
        spans = [morning]
        if day.weekday() < SATURDAY:
            both = [morning, afternoon]
            spans = rng.choice((both, [morning], [morning], [afternoon], [afternoon, evening]))
        for earliest, latest, length in spans:
            at = datetime.combine(day, time(earliest), NEW_YORK) + timedelta(
                minutes=rng.randrange((latest - earliest) * 60)
            )
            rush = [at := at + timedelta(seconds=rng.randrange(110, 420)) for _ in range(length)]
            yield [moment.astimezone(now.tzinfo) for moment in rush]


def local(at: datetime) -> datetime:
    return at.astimezone(NEW_YORK)
