"""When teams are there, read for as many of them as are asked about, in a fixed number of queries."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from conversations.business_hours import Interval, Week
from conversations.models import Holiday, OpeningHours, Team

# For conversations of no team, by the clock.
RESPONSE_TARGET = timedelta(minutes=15)
WARNS_BEFORE = timedelta(minutes=5)
ESCALATES_AFTER = timedelta(minutes=15)


@dataclass(frozen=True)
class Targets:
    """When an answer is due, when its being late is warned of, and when supervisors are told."""

    due_at: datetime
    warns_at: datetime
    escalates_at: datetime


@dataclass(frozen=True)
class Staffed:
    """A team with its week."""

    team: Team
    week: Week

    def targets(self, since: datetime, *, is_first: bool) -> Targets:
        team = self.team
        within = team.first_response if is_first else team.next_response
        return Targets(
            due_at=self.week.after(since, within),
            warns_at=self.week.after(since, max(0, within - team.warns_before)),
            escalates_at=self.week.after(since, within + team.escalates_after),
        )


def staffed(team_ids: Iterable[int]) -> dict[int, Staffed]:
    """Three queries, or none where no team is asked about."""
    ids = set(team_ids)
    if not ids:
        return {}
    weekdays: dict[int, dict[int, list[Interval]]] = defaultdict(lambda: defaultdict(list))
    for team_id, weekday, opens, closes in OpeningHours.objects.filter(team__in=ids).values_list(
        "team_id", "weekday", "opens", "closes"
    ):
        weekdays[team_id][weekday].append((opens, closes))
    days: dict[int, dict[date, tuple[Interval, ...]]] = defaultdict(dict)
    for one in Holiday.objects.filter(team__in=ids):
        is_closed = one.opens is None or one.closes is None
        days[one.team_id][one.day] = () if is_closed else ((one.opens, one.closes),)  # type: ignore[assignment]
    return {
        team.pk: Staffed(team, week_of(team, weekdays[team.pk], days[team.pk]))
        for team in Team.objects.filter(pk__in=ids)
    }


def week_of(team: Team, weekdays: dict[int, list[Interval]], days: dict[date, tuple[Interval, ...]]) -> Week:
    return Week(team.time_zone, {weekday: tuple(shifts) for weekday, shifts in weekdays.items()}, days)


def by_the_clock(since: datetime) -> Targets:
    due_at = since + RESPONSE_TARGET
    return Targets(due_at, due_at - WARNS_BEFORE, due_at + ESCALATES_AFTER)
