"""When a text may arrive: open only if every rule is open on every clock that may be the person's.

The windows are data (``consent/rules/hours.toml``), the clocks are the zones of ``consent.zones``. Times are
compared as the wall shows them, so that both changes of daylight time come out right; windows are half-open.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from consent import rulebook
from consent.purposes import Category

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
# A week holds every constellation of windows; a day more covers a change of daylight time within it.
HORIZON = timedelta(days=8)

_PART = re.compile(r"(?:([A-Z][a-z]{2})(?:-([A-Z][a-z]{2}))? )?([0-9]{2}):([0-9]{2})-([0-9]{2}):([0-9]{2})")

Spans = tuple[tuple[int, int], ...]  # minutes since midnight, the second not included
ALL_DAY: Spans = ((0, 1440),)
Reason = Literal["", "quiet_hours", "zone_unknown"]


@dataclass(frozen=True, slots=True)
class Closure:
    """A rule that forbids a text now, and the wall clock (to the minute) that it goes by."""

    rule: str
    zone: str
    local: datetime


@dataclass(frozen=True, slots=True)
class Opening:
    """Whether a text may arrive, and until when that answer stands.

    ``closes_at`` (UTC): open at least until then; None while closed, and where no hours bind. ``opens_at``
    (UTC): the first moment at which everything is open; None while open, and when that moment does not come.
    ``reason`` is empty while open.
    """

    reason: Reason = ""
    closes_at: datetime | None = None
    opens_at: datetime | None = None
    closed_by: tuple[Closure, ...] = ()

    @property
    def is_open(self) -> bool:
        return not self.reason


UNBOUND = Opening()


def opening(zones: frozenset[str], regions: frozenset[str], category: str, now: datetime) -> Opening:
    """Say whether a text of a program's category may arrive at ``now`` (aware) at a person who may be anywhere there.

    ``zones`` and ``regions`` are what ``consent.zones`` says. In no known zone a promotional text has no right
    hour; any other, which the law leaves free, waits for an hour that suits every state (the rule
    ``hours.unknown_zone``). Raises ``ValueError`` for an unknown category and ``RulebookError`` for hours that
    cannot be read. Nothing changes within a minute, so one answer per minute, place and category is kept: some
    2 µs for all who share it, some 0.1 ms for the first.
    """
    return _opening(zones, regions, category, int(now.timestamp()) // 60)


@lru_cache(8192)
def _opening(zones: frozenset[str], regions: frozenset[str], category: str, minute: int) -> Opening:
    now = datetime.fromtimestamp(minute * 60, UTC)
    if not zones:
        if Category(category) == Category.PROMOTIONAL:
            return Opening("zone_unknown")
        zones = frozenset(str(rulebook.value("hours.unknown_zone", now.date())).split())
    bounds = [(rule, zone) for rule in binding(category, regions) for zone in sorted(zones)]
    shut = [bound for bound in bounds if not is_open(*bound, now)]
    if not shut:
        return Opening(closes_at=min((closing(*bound, now) for bound in bounds), default=None))
    closed_by = tuple(Closure(rule, zone, now.astimezone(ZoneInfo(zone))) for rule, zone in shut)
    return Opening("quiet_hours", opens_at=first_open(bounds, now), closed_by=closed_by)


def binding(category: str, regions: frozenset[str]) -> list[str]:
    """Return the ids of the rules that bind a category of messages in any of some states."""
    name = f"hours.{Category(category)}"
    places = regions | {"project", "US"}
    return [
        id_
        for id_, periods in rulebook.current().periods.items()
        if (id_ == name or id_.startswith(f"{name}.")) and any(period.jurisdiction in places for period in periods)
    ]


def first_open(bounds: list[tuple[str, str]], now: datetime) -> datetime | None:
    """Return the first moment from ``now`` at which each pair of rule and zone is open; None if none comes.

    What is closed opens no earlier than its own next opening, so the latest of these is the next to try.
    """
    at = now
    while at - now < HORIZON:
        nexts = [next_opening(*bound, at) for bound in bounds if not is_open(*bound, at)]
        if not nexts:
            return at
        known = [moment for moment in nexts if moment]
        if len(known) < len(nexts):
            return None
        at = max(known)
    return None


def is_open(rule: str, zone: str, at: datetime) -> bool:
    local = at.astimezone(ZoneInfo(zone))
    return any(opens <= local.hour * 60 + local.minute < closes for opens, closes in spans(rule, local.date()))


def closing(rule: str, zone: str, at: datetime) -> datetime:
    """Return the end of the window that is open at a moment."""
    local = at.astimezone(ZoneInfo(zone))
    minute = local.hour * 60 + local.minute
    return on_the_wall(
        local.date(), next(closes for opens, closes in spans(rule, local.date()) if opens <= minute < closes), zone
    )


def next_opening(rule: str, zone: str, at: datetime) -> datetime | None:
    """Return when the next window begins after a moment at which a rule is closed."""
    today = at.astimezone(ZoneInfo(zone)).date()
    for day in (today + timedelta(days=ahead) for ahead in range(HORIZON.days + 1)):
        for opens, _ in spans(rule, day):
            moment = on_the_wall(day, opens, zone)
            if moment > at:
                return moment
    return None


def on_the_wall(day: date, minute: int, zone: str) -> datetime:
    """Return the moment (UTC) at which a wall clock shows so many minutes since midnight; 1440 is the next midnight."""
    days, minute = divmod(minute, 1440)
    day += timedelta(days=days)
    return datetime(day.year, day.month, day.day, *divmod(minute, 60), tzinfo=ZoneInfo(zone)).astimezone(UTC)


def spans(rule: str, day: date) -> Spans:
    """Return when a rule is open on a day; all day where the law was not, or is no longer, in force."""
    try:
        return week(str(rulebook.value(rule, day)))[day.weekday()]
    except rulebook.NoRuleInForce:
        return ALL_DAY


@lru_cache(256)
def week(value: str) -> tuple[Spans, ...]:
    """Return the windows of each day, Monday first, as ``Mon-Sat 09:00-21:00; Sun 12:00-21:00`` says.

    A day that is not named has none; without a day a window is every day's. Raises ``RulebookError``.
    """
    days: list[list[tuple[int, int]]] = [[] for _ in DAYS]
    for part in value.split("; "):
        for day, span in _read(part, value):
            if any(span[0] < closes and opens < span[1] for opens, closes in days[day]):
                raise rulebook.RulebookError(f"hours “{value}”: two windows overlap on {DAYS[day]}")
            days[day].append(span)
    return tuple(tuple(sorted(spans)) for spans in days)


def _read(part: str, value: str) -> Iterator[tuple[int, tuple[int, int]]]:
    found = _PART.fullmatch(part)
    if not found:
        raise rulebook.RulebookError(f"hours “{value}”: “{part}” is not like “Mon-Sat 09:00-21:00”")
    first, last = found[1] or DAYS[0], found[2] or found[1] or DAYS[-1]
    hour, minute, until_hour, until_minute = map(int, found.groups()[2:])
    span = hour * 60 + minute, until_hour * 60 + until_minute
    if not {first, last} <= set(DAYS) or DAYS.index(first) > DAYS.index(last):
        raise rulebook.RulebookError(f"hours “{value}”: the days of a week are {', '.join(DAYS)}, in this order")
    if max(minute, until_minute) > 59 or not span[0] < span[1] <= 1440:
        raise rulebook.RulebookError(f"hours “{value}”: “{part}” does not end after it begins, within a day")
    for day in range(DAYS.index(first), DAYS.index(last) + 1):
        yield day, span


def mistakes(known_zones: Collection[str]) -> Iterator[str]:
    """Yield what no decision could be made by, in any period of any rule of hours: those to come are found before
    their day. Raises ``RulebookError`` when the files cannot be read at all."""
    for id_, periods in rulebook.current().periods.items():
        file, _, subject = id_.partition(".")
        if file != "hours":
            continue
        if subject.split(".")[0] not in {*Category, "unknown_zone"}:
            yield f"{id_} is about no category of messages"
        for period in periods:
            if subject == "unknown_zone":
                unknown = sorted(set(str(period.value).split()) - set(known_zones))
                yield from (f"{id_} from {period.effective_from}: there is no time zone {zone}" for zone in unknown)
                continue
            try:
                week(str(period.value))
            except rulebook.RulebookError as error:
                yield f"{id_} from {period.effective_from}: {error}"
