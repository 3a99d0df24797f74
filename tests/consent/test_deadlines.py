from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent import deadlines, rulebook

EASTERN = ZoneInfo("America/New_York")
DECEMBER_23 = datetime(2026, 12, 23, 15, 30, tzinfo=EASTERN)


def test_row_6_ten_business_days_over_christmas_and_new_year() -> None:
    assert deadlines.business_day(date(2026, 12, 23), 10) == date(2027, 1, 8)


def test_row_6_florida_is_earlier_over_christmas_and_the_earliest_counts() -> None:
    due = deadlines.due(DECEMBER_23, "America/New_York")
    assert due == deadlines.Deadline(
        datetime(2027, 1, 7, 15, 30, tzinfo=EASTERN), "deadlines.revocation.us-fl.calendar_days"
    )


def test_row_6_without_holidays_ten_business_days_are_earlier() -> None:
    due = deadlines.due(datetime(2026, 3, 2, 9, tzinfo=EASTERN), "America/New_York")
    # Daylight time begins in between; the hour on the wall stays.
    assert due == deadlines.Deadline(datetime(2026, 3, 16, 9, tzinfo=EASTERN), "deadlines.revocation.business_days")
    assert due.at.tzinfo is UTC


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("exempt", DECEMBER_23),
        ("package", datetime(2027, 1, 4, 15, 30, tzinfo=EASTERN)),
        ("review", datetime(2026, 12, 24, 15, 30, tzinfo=EASTERN)),
    ],
)
def test_row_6_other_kinds_have_less_time(kind: deadlines.Kind, expected: datetime) -> None:
    assert deadlines.due(DECEMBER_23, "America/New_York", kind).at == expected


def test_a_suspect_of_friday_evening_waits_for_monday() -> None:
    friday = datetime(2026, 11, 20, 18, tzinfo=EASTERN)
    assert deadlines.due(friday, "America/New_York", "review").at == friday + timedelta(days=3)


def test_the_calendar_is_the_one_of_the_zone() -> None:
    # Thursday evening in New York is Friday in UTC.
    received = datetime(2026, 11, 20, 1, tzinfo=UTC)
    assert deadlines.due(received, "America/New_York", "review").at == datetime(2026, 11, 21, 1, tzinfo=UTC)
    assert deadlines.due(received, "UTC", "review").at == datetime(2026, 11, 23, 1, tzinfo=UTC)


def test_an_unknown_kind_and_a_time_before_the_law_are_refused() -> None:
    with pytest.raises(rulebook.UnknownRule, match="holiday"):
        deadlines.due(DECEMBER_23, "UTC", "holiday")
    with pytest.raises(rulebook.NoRuleInForce, match="2015"):
        deadlines.due(DECEMBER_23.replace(year=2015), "UTC")


def test_the_federal_holidays_of_2026_as_published() -> None:
    # opm.gov; 4 July is a Saturday, observed on Friday 3.
    assert sorted(day.strftime("%m-%d") for day in deadlines.federal_holidays(2026)) == [
        "01-01", "01-19", "02-16", "05-25", "06-19", "07-03", "07-04", "09-07", "10-12", "11-11", "11-26", "12-25",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("day", "is_business"),
    [
        (date(2027, 12, 31), False),  # 1 January 2028 is a Saturday
        (date(2027, 6, 18), False),  # 19 June is a Saturday
        (date(2027, 7, 5), False),  # 4 July is a Sunday
        (date(2027, 12, 24), False),  # 25 December is a Saturday
        (date(2026, 12, 24), True),
        (date(2026, 12, 26), False),
        (date(2028, 1, 3), True),
    ],
)
def test_observed_holidays_are_no_business_days(day: date, is_business: bool) -> None:
    assert deadlines.is_business_day(day) == is_business


@given(st.dates(date(2020, 1, 1), date(2060, 1, 1)), st.integers(1, 30))
def test_counting_business_days_one_by_one(day: date, count: int) -> None:
    reached = deadlines.business_day(day, count)
    between = (day + timedelta(days=ahead) for ahead in range(1, (reached - day).days + 1))
    assert sum(map(deadlines.is_business_day, between)) == count
    assert deadlines.is_business_day(reached)


@given(st.datetimes(datetime(2025, 5, 1), datetime(2040, 1, 1), timezones=st.just(UTC)))
def test_no_revocation_may_take_longer_than_any_law_allows(received_at: datetime) -> None:
    due = deadlines.due(received_at, "America/New_York").at
    local = received_at.astimezone(EASTERN).date()
    assert received_at < due
    assert due.astimezone(EASTERN).date() <= min(local + timedelta(days=15), deadlines.business_day(local, 10))
