"""Open minutes, against an oracle that asks every minute."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.business_hours import Week

NEW_YORK = ZoneInfo("America/New_York")
NINE_TO_FIVE = ((time(9), time(17)),)
OFFICE = Week(zone="America/New_York", weekdays=dict.fromkeys(range(5), NINE_TO_FIVE))


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=NEW_YORK)


# Not at night: there an oracle would have to know clock changes, which have tests of their own.
quarters = st.integers(16, 95).map(lambda n: time(n // 4, n % 4 * 15))
intervals = st.tuples(quarters, quarters | st.just(time(0))).filter(
    lambda pair: pair[1] == time(0) or pair[0] < pair[1]
)
shifts = st.lists(intervals, max_size=3).map(tuple)
weeks = st.builds(
    Week,
    zone=st.sampled_from(["UTC", "America/New_York", "Europe/London", "Australia/Sydney", "Asia/Kathmandu"]),
    weekdays=st.dictionaries(st.integers(0, 6), shifts, max_size=7),
    days=st.dictionaries(st.dates(date(2026, 3, 5), date(2026, 3, 20)), shifts, max_size=3),
)
moments = st.integers(0, 14 * 24 * 60).map(lambda n: datetime(2026, 3, 5, tzinfo=UTC) + timedelta(minutes=n))


def is_open(week: Week, at: datetime) -> bool:
    here = at.astimezone(ZoneInfo(week.zone))
    shown = week.days.get(here.date())
    if shown is None:
        shown = week.weekdays.get(here.weekday(), ()) if any(week.weekdays.values()) else ((time(0), time(0)),)
    return any(opens <= here.time() and (here.time() < closes or closes == time(0)) for opens, closes in shown)


@given(weeks, moments)
def test_it_is_open_when_a_clock_on_the_wall_says_so(week: Week, at: datetime) -> None:
    assert week.is_open(at) == is_open(week, at)


@given(weeks, moments, st.integers(0, 2000))
def test_open_time_is_the_number_of_open_minutes(week: Week, at: datetime, minutes: int) -> None:
    counted = sum(is_open(week, at + timedelta(minutes=n)) for n in range(minutes))
    assert week.between(at, at + timedelta(minutes=minutes)) == timedelta(minutes=counted)


@given(weeks, moments, st.integers(1, 3000))
def test_after_so_many_open_minutes_that_many_have_passed(week: Week, at: datetime, minutes: int) -> None:
    then = week.after(at, minutes)
    if week.next_opening(at) is None or week.between(at, at + timedelta(days=360)) < timedelta(minutes=minutes):
        return
    assert week.between(at, then) == timedelta(minutes=minutes)
    assert week.is_open(then - timedelta(minutes=1))


@given(weeks, moments, st.integers(0, 600), st.integers(0, 600), st.integers(0, 600))
def test_who_comes_later_or_has_longer_is_due_no_sooner(
    week: Week, at: datetime, later: int, some: int, more: int
) -> None:
    if week.next_opening(at) is None:
        return
    assert week.after(at, some) <= week.after(at + timedelta(minutes=later), some + more)


@given(weeks, moments)
def test_the_next_opening_is_open_and_nothing_before_it_is(week: Week, at: datetime) -> None:
    opening = week.next_opening(at)
    if opening is None:
        return
    assert week.is_open(opening)
    assert week.between(at, opening) == timedelta()


@pytest.mark.parametrize(
    ("at", "minutes", "due"),
    [
        ("2026-11-20T16:55", 15, "2026-11-23T09:10"),  # a Friday evening
        ("2026-11-20T16:45", 15, "2026-11-20T17:00"),
        ("2026-11-21T12:00", 15, "2026-11-23T09:15"),
        ("2026-11-23T08:00", 0, "2026-11-23T08:00"),
    ],
)
def test_what_comes_after_hours_is_due_in_the_morning(at: str, minutes: int, due: str) -> None:
    assert OFFICE.after(local(at), minutes) == local(due)


def test_a_holiday_is_closed_or_has_hours_of_its_own() -> None:
    thanksgiving, friday = date(2026, 11, 26), date(2026, 11, 27)
    week = Week("America/New_York", OFFICE.weekdays, {thanksgiving: (), friday: ((time(10), time(12)),)})

    assert week.next_opening(local("2026-11-25T17:00")) == local("2026-11-27T10:00")
    assert week.next_opening(local("2026-11-27T12:00")) == local("2026-11-30T09:00")


def test_several_intervals_a_day_leave_out_lunch() -> None:
    week = Week("America/New_York", {0: ((time(13), time(17)), (time(8), time(12)))})

    assert week.after(local("2026-11-23T11:50"), 15) == local("2026-11-23T13:05")


def test_midnight_ends_the_day_and_the_next_may_go_on() -> None:
    week = Week("America/New_York", {0: ((time(22), time(0)),), 1: ((time(0), time(2)),)})

    assert week.after(local("2026-11-23T23:00"), 90) == local("2026-11-24T00:30")
    assert week.is_open(local("2026-11-23T23:59"))


def test_the_night_shift_is_an_hour_shorter_in_spring_and_longer_in_autumn() -> None:
    night = Week("America/New_York", {6: ((time(0), time(6)),)})

    assert night.between(local("2026-03-08T00:00"), local("2026-03-08T06:00")) == timedelta(hours=5)
    assert night.between(local("2026-11-01T00:00"), local("2026-11-01T06:00")) == timedelta(hours=7)


def test_without_hours_it_is_always_open_and_one_that_never_opens_counts_by_the_clock() -> None:
    at = local("2026-11-22T03:00")
    assert Week().after(at, 15) == at + timedelta(minutes=15)
    shut = Week(days={date(2026, 11, 1) + timedelta(days=n): () for n in range(400)})
    assert shut.next_opening(at) is None
    assert shut.after(at, 15) == at + timedelta(minutes=15)
