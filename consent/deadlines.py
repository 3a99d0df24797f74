"""By when a "no" must have taken effect, and a suspected one been looked at: the earliest limit that any law sets.

Business days are Monday to Friday without federal holidays, as 47 CFR 64.1200(n)(1) counts them. A deadline
falls on the hour of receipt, which is never later than any reading of "within ten business days".
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Literal
from zoneinfo import ZoneInfo

from consent import rulebook

# exempt: free financial and health texts under 64.1200(a)(9); package: notices of delivery under the same.
Kind = Literal["revocation", "exempt", "package", "review"]

# 5 U.S.C. 6103(a): month, day.
FIXED = ((1, 1), (6, 19), (7, 4), (11, 11), (12, 25))
# Month, weekday (Monday is 0), which one: King, Washington, Labor Day, Columbus, Thanksgiving.
FLOATING = ((1, 0, 3), (2, 0, 3), (9, 0, 1), (10, 0, 2), (11, 3, 4))


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment (UTC) and the id of the rule that sets it."""

    at: datetime
    rule: str


def due(received_at: datetime, zone: str, kind: Kind = "revocation") -> Deadline:
    """Return the earliest deadline for what was received at an aware moment, counted on the calendar of a zone.

    ``review`` is the time a person has to decide about a suspect; it never outlasts the law's own limit.
    Raises ``UnknownRule`` for an unknown kind, ``NoRuleInForce`` for a time before the first limit.
    """
    local = received_at.astimezone(ZoneInfo(zone))
    limits = [Deadline(_after(local, rule), rule.id) for rule in _in_force(kind, local.date())]
    return min(limits, key=lambda limit: limit.at)


def business_day(day: date, count: int) -> date:
    """Return the day on which so many business days have passed since a day, which itself is not counted."""
    while count:
        day += timedelta(days=1)
        count -= is_business_day(day)
    return day


def is_business_day(day: date) -> bool:
    """Whether a day is neither Saturday nor Sunday nor a federal holiday, nor one observed in its place."""
    return day.weekday() < 5 and day not in federal_holidays(day.year)


@cache
def federal_holidays(year: int) -> frozenset[date]:
    """Return the days off of a year: the holidays of 5 U.S.C. 6103(a) and those observed instead.

    One that falls on a Saturday is observed on Friday, one on a Sunday on Monday (6103(b), E.O. 11582); so
    the next year's first of January can be this year's last day off. Days that a president gives off once
    are none: a deadline without them is the earlier one.
    """
    return frozenset(day for holiday in _holidays(year) for day in _kept(holiday) if day.year == year)


def _holidays(year: int) -> Iterator[date]:
    for month, day in FIXED:
        yield date(year, month, day)
    yield date(year + 1, 1, 1)
    for month, weekday, which in FLOATING:
        first = date(year, month, 1)
        yield first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (which - 1))
    last_of_may = date(year, 5, 31)
    yield last_of_may - timedelta(days=last_of_may.weekday())


def _kept(holiday: date) -> tuple[date, date]:
    shift = {5: -1, 6: 1}.get(holiday.weekday(), 0)
    return holiday, holiday + timedelta(days=shift)


def _in_force(kind: str, on: date) -> list[rulebook.Rule]:
    starts = ("deadlines.revocation.", f"deadlines.{kind}.")
    periods = [period for period in rulebook.all_rules() if period.id.startswith(starts)]
    if not any(period.id.startswith(starts[1]) for period in periods):
        raise rulebook.UnknownRule(f"No rule is called {starts[1]}…")
    in_force = [period for period in periods if period.is_in_force(on)]
    if not in_force:
        raise rulebook.NoRuleInForce(f"No {starts[1]}… has a period that covers {on.isoformat()}.")
    return in_force


def _after(local: datetime, rule: rulebook.Rule) -> datetime:
    days = int(rule.value)
    if rule.id.endswith(".business_days"):
        day = business_day(local.date(), days)
    else:
        day = local.date() + timedelta(days=days)
    # Wall-clock arithmetic: the hour of receipt on that day, whatever daylight time did in between.
    return local.replace(year=day.year, month=day.month, day=day.day).astimezone(UTC)
