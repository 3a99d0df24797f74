from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consent import hours, rulebook, zones
from consent.purposes import Category

PROMOTIONAL, INFORMATIONAL = Category.PROMOTIONAL, Category.INFORMATIONAL
EASTERN = ZoneInfo("America/New_York")
NOWHERE: frozenset[str] = frozenset()
MINUTE = timedelta(minutes=1)


@pytest.fixture
def only_law(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the project's own, stricter hours, so that a state's can be seen."""
    book = rulebook.current()
    periods = {id_: rules for id_, rules in book.periods.items() if id_ != "hours.promotional"}
    monkeypatch.setattr(rulebook, "current", lambda: rulebook.Rulebook(periods, book.words, book.version))
    hours._opening.cache_clear()
    yield
    hours._opening.cache_clear()


def eastern(month: int, day: int, hour: int, minute: int = 0, second: int = 0, year: int = 2026) -> datetime:
    return datetime(year, month, day, hour, minute, second, tzinfo=EASTERN)


def ask(area_code: str, now: datetime, category: str = PROMOTIONAL, postal_code: str | None = None) -> hours.Opening:
    phone = f"+1{area_code}2345678"
    return hours.opening(zones.candidates(phone, postal_code), zones.regions(phone, postal_code), category, now)


def is_open(area_code: str, now: datetime, category: str = PROMOTIONAL) -> bool:
    return ask(area_code, now, category).is_open


# LiveVox, "split area codes": from, until (Eastern) where 8:00-21:00 fits every zone of the code. Its winter
# and summer are alike, as all these zones change their clocks.
LIVEVOX = {
    "850": (9, 21), "219": (9, 21), "574": (9, 21), "812": (9, 21), "930": (9, 21), "270": (9, 21), "606": (9, 21),
    "906": (9, 21), "947": (9, 21), "620": (10, 22), "785": (10, 22), "701": (10, 22), "308": (10, 22),
    "402": (10, 22), "531": (10, 22), "208": (11, 23), "458": (11, 23), "541": (11, 23),
    # Overlays that it need not name: they have the zones of what they overlay.
    "364": (9, 21), "448": (9, 21), "986": (11, 23),
}  # fmt: skip


# 907 is missing on purpose: Adak and Juneau leave 13-24.
@pytest.mark.parametrize("month", [1, 7])
@pytest.mark.parametrize(("code", "window"), LIVEVOX.items())
def test_row_12_split_area_codes_are_open_when_livevox_says(code: str, window: tuple[int, int], month: int) -> None:
    # hours.informational is the federal window, 8:00-21:00, alone.
    midnight = eastern(month, 14, 0).astimezone(UTC)
    opens, closes = (midnight + timedelta(hours=hour) for hour in window)
    assert not is_open(code, opens - MINUTE, INFORMATIONAL)
    assert is_open(code, opens, INFORMATIONAL)
    assert is_open(code, closes - MINUTE, INFORMATIONAL)
    assert not is_open(code, closes, INFORMATIONAL)
    assert ask(code, opens - MINUTE, INFORMATIONAL).opens_at == opens
    assert ask(code, opens, INFORMATIONAL).closes_at == closes


@pytest.mark.parametrize("code", ["236", "250", "709", "807", "418", "450", "579", "581"])
def test_row_12_canadian_codes_that_livevox_lists_as_split_are(code: str) -> None:
    assert (
        len({datetime(2026, 7, 1, tzinfo=ZoneInfo(zone)).utcoffset() for zone in zones.candidates(f"+1{code}2345678")})
        > 1
    )


def test_row_12_florida_ends_at_20_sharp(only_law: None) -> None:
    assert is_open("305", eastern(11, 23, 19, 59, 59))
    shut = ask("305", eastern(11, 23, 20, 0, 0))
    assert not shut.is_open
    assert [(one.rule, one.zone, one.local.hour) for one in shut.closed_by] == [
        ("hours.promotional.us-fl", "America/New_York", 20)
    ]
    assert shut.opens_at == eastern(11, 24, 8)
    assert is_open("212", eastern(11, 23, 20, 0, 0))
    assert not is_open("212", eastern(11, 23, 21, 0, 0))


def test_row_12_florida_counts_for_its_area_code_wherever_the_person_lives(only_law: None) -> None:
    # 20:00 in Houston, whose own hours end at 21:00.
    assert not ask("305", eastern(11, 23, 21), postal_code="77001").is_open
    assert ask("212", eastern(11, 23, 21), postal_code="77001").is_open


@pytest.mark.parametrize(
    ("code", "rule", "opens", "closes"),
    [("405", "us-ok", 9, 21), ("410", "us-md", 8, 20), ("503", "us-or", 11, 23), ("860", "us-ct", 9, 20),
     ("206", "us-wa", 11, 23), ("713", "us-tx", 10, 22), ("212", "us", 8, 21)],
)  # fmt: skip
def test_row_12_each_state_has_its_hours(only_law: None, code: str, rule: str, opens: int, closes: int) -> None:
    monday = eastern(11, 23, 0)
    assert is_open(code, monday.replace(hour=opens))
    assert is_open(code, monday.replace(hour=closes) - MINUTE)
    for shut in (monday.replace(hour=opens) - MINUTE, monday.replace(hour=closes)):
        assert f"hours.promotional.{rule}" in {one.rule for one in ask(code, shut).closed_by}


def test_row_12_texas_begins_at_noon_on_sundays(only_law: None) -> None:
    noon = datetime(2026, 11, 22, 12, tzinfo=ZoneInfo("America/Chicago"))
    early = ask("713", noon - timedelta(seconds=1))
    assert [one.rule for one in early.closed_by] == ["hours.promotional.us-tx"]
    assert early.opens_at == noon
    assert is_open("713", noon)
    assert is_open("713", noon - timedelta(days=1, hours=3))
    assert not is_open("713", noon - timedelta(days=1, hours=3) - MINUTE)


def test_row_12_in_el_paso_noon_must_have_come_to_both_zones() -> None:
    noon_in_denver = datetime(2026, 11, 22, 12, tzinfo=ZoneInfo("America/Denver"))
    assert not is_open("915", noon_in_denver - MINUTE)
    assert is_open("915", noon_in_denver)


def test_row_12_by_default_everybody_has_the_strictest_hours() -> None:
    assert not is_open("212", eastern(11, 23, 8, 59))
    assert is_open("212", eastern(11, 23, 9))
    assert not is_open("212", eastern(11, 23, 20))
    assert not is_open("212", eastern(11, 22, 11, 59))
    assert is_open("212", eastern(11, 22, 12))
    assert ask("212", eastern(11, 21, 20)).opens_at == eastern(11, 22, 12)


def test_row_12_a_rule_binds_from_its_day(only_law: None) -> None:
    last, first = eastern(12, 31, 20, year=2025), eastern(1, 1, 20)
    pacific = timedelta(hours=3)
    assert is_open("503", last + pacific)
    assert not is_open("503", first + pacific)


@pytest.mark.parametrize(
    ("before", "hours_between"),
    [(datetime(2027, 3, 13, 20, tzinfo=EASTERN), 15), (datetime(2026, 10, 31, 20, tzinfo=EASTERN), 17)],
    ids=["an hour is lost", "an hour is won"],
)
def test_row_12_both_changes_of_daylight_time(before: datetime, hours_between: int) -> None:
    # Saturday 20:00 to Sunday noon is 16 hours on every other weekend.
    shut = ask("212", before)
    assert shut.opens_at == before.astimezone(UTC) + timedelta(hours=hours_between)
    assert shut.opens_at.astimezone(EASTERN).hour == 12
    assert not is_open("212", shut.opens_at - MINUTE)
    assert is_open("212", shut.opens_at)


def test_row_12_arizona_keeps_its_clock_and_the_navajo_nation_does_not() -> None:
    summer, winter = datetime(2026, 7, 15, tzinfo=UTC), datetime(2026, 12, 16, tzinfo=UTC)
    # Phoenix is UTC-7 all year: 8:00 is 15:00.
    for day in (summer, winter):
        assert ask("602", day.replace(hour=14), INFORMATIONAL).opens_at == day.replace(hour=15)
    # Denver is an hour ahead in summer, and closes an hour earlier.
    assert ask("928", summer.replace(hour=15), INFORMATIONAL).closes_at == summer.replace(hour=3) + timedelta(days=1)
    assert ask("928", winter.replace(hour=15), INFORMATIONAL).closes_at == winter.replace(hour=4) + timedelta(days=1)
    assert not ask("602", summer.replace(hour=14, minute=59), INFORMATIONAL, "86503").is_open


@pytest.mark.parametrize("code", ["800", "833", "500", "533", "679"])
@pytest.mark.parametrize("hour", range(24))
def test_row_13_no_promotion_goes_to_an_unknown_zone_at_any_hour(code: str, hour: int) -> None:
    assert ask(code, eastern(11, 23, hour)) == hours.Opening("zone_unknown")


def test_row_13_information_for_an_unknown_zone_waits_for_an_hour_that_suits_all_states() -> None:
    # 8:00 in Honolulu to 21:00 in Puerto Rico.
    shut = hours.opening(NOWHERE, NOWHERE, INFORMATIONAL, eastern(11, 23, 12, 59))
    assert shut.reason == "quiet_hours"
    assert shut.opens_at == eastern(11, 23, 13)
    assert hours.opening(NOWHERE, NOWHERE, INFORMATIONAL, shut.opens_at).closes_at == eastern(11, 23, 20)


def test_a_planned_conversation_has_the_hours_of_information() -> None:
    for zone in (NOWHERE, frozenset({"America/New_York"})):
        for hour in (3, 12):
            at = eastern(11, 23, hour)
            planned = hours.opening(zone, NOWHERE, Category.CONVERSATIONAL, at)
            told = hours.opening(zone, NOWHERE, INFORMATIONAL, at)
            assert (planned.is_open, planned.opens_at, planned.closes_at) == (
                told.is_open,
                told.opens_at,
                told.closes_at,
            )
    assert hours.UNBOUND.is_open


def test_information_may_come_an_hour_earlier_and_on_sunday_mornings() -> None:
    assert is_open("305", eastern(11, 22, 8), INFORMATIONAL)
    assert is_open("305", eastern(11, 22, 20, 59), INFORMATIONAL)
    assert not is_open("305", eastern(11, 22, 21), INFORMATIONAL)


def test_an_unknown_category_is_refused() -> None:
    with pytest.raises(ValueError, match="marketing"):
        ask("212", eastern(11, 23, 12), "marketing")


def test_clocks_too_far_apart_never_open() -> None:
    apart = frozenset({"Pacific/Kiritimati", "Pacific/Pago_Pago", "Europe/London"})
    shut = hours.opening(apart, NOWHERE, PROMOTIONAL, eastern(11, 23, 12))
    assert (shut.reason, shut.opens_at) == ("quiet_hours", None)


places = st.sampled_from(sorted(zones.tables().areas)).map(lambda code: f"+1{code}2345678")
moments = st.datetimes(datetime(2026, 1, 1), datetime(2028, 12, 31), timezones=st.just(UTC))
near_a_change = st.sampled_from([datetime(2026, 11, 1, 6, tzinfo=UTC), datetime(2027, 3, 14, 6, tzinfo=UTC)]).flatmap(
    lambda change: st.integers(-2880, 2880).map(lambda minutes: change + minutes * MINUTE)
)


def fits(local: datetime, value: str) -> bool:
    """A second reading of a window, by text."""
    for part in value.split("; "):
        days, _, times = part.rpartition(" ")
        first, _, last = (days or "Mon-Sun").partition("-")
        named = hours.DAYS[hours.DAYS.index(first) : hours.DAYS.index(last or first) + 1]
        opens, _, closes = times.partition("-")
        if local.strftime("%a") in named and opens <= local.strftime("%H:%M") < closes:
            return True
    return False


@given(places, moments | near_a_change, st.sampled_from([PROMOTIONAL, INFORMATIONAL]))
def test_row_12_open_means_every_rule_on_every_clock(phone: str, now: datetime, category: str) -> None:
    where, regions = zones.candidates(phone), zones.regions(phone)
    rules = [rulebook.rule(id_, now.date()) for id_ in hours.binding(category, regions)]
    assert {rule.jurisdiction for rule in rules} <= regions | {"project", "US"}
    expected = all(fits(now.astimezone(ZoneInfo(zone)), rule.value) for zone in where for rule in rules)
    found = hours.opening(where, regions, category, now)
    assert found.is_open == expected
    assert found.is_open == (not found.closed_by)
    for one in found.closed_by:
        assert not fits(now.astimezone(ZoneInfo(one.zone)), rulebook.value(one.rule, one.local.date()))
        assert one.local.astimezone(UTC) == now.replace(second=0, microsecond=0)


@settings(max_examples=40, deadline=None)
@given(places, moments | near_a_change, st.sampled_from([PROMOTIONAL, INFORMATIONAL]))
def test_row_12_the_answer_stands_until_the_very_minute_it_names(phone: str, now: datetime, category: str) -> None:
    where, regions = zones.candidates(phone), zones.regions(phone)
    found = hours.opening(where, regions, category, now)
    until = found.closes_at or found.opens_at
    assert until is not None
    assert until > now
    at = now
    while at < until:
        assert hours.opening(where, regions, category, at).is_open == found.is_open
        at += MINUTE
    assert hours.opening(where, regions, category, until).is_open != found.is_open


def test_a_million_decisions_share_one_answer_a_minute() -> None:
    hours._opening.cache_clear()
    for second in range(60):
        ask("850", eastern(11, 23, 12, 0, second))
    assert hours._opening.cache_info().misses == 1


def test_every_shipped_window_can_be_read() -> None:
    shipped = [
        rule for rule in rulebook.all_rules() if rule.id.startswith("hours.") and rule.id != "hours.unknown_zone"
    ]
    assert len(shipped) == 11
    for rule in shipped:
        assert any(hours.week(rule.value))


def test_how_hours_are_written() -> None:
    assert hours.week("08:00-21:00") == ((((480, 1260)),),) * 7
    week = hours.week("Mon-Fri 09:00-12:00; Mon 13:00-24:00; Sun 12:00-12:30")
    assert week[0] == ((540, 720), (780, 1440))
    assert week[4] == ((540, 720),)
    assert week[5] == ()
    assert week[6] == ((720, 750),)


@pytest.mark.parametrize(
    "value",
    ["", "8-21", "08:00-08:00", "21:00-08:00", "08:00-24:01", "08:60-09:00", "Mon 08:00", "mon 08:00-09:00",
     "Fri-Mon 08:00-09:00", "Mun 08:00-09:00", "08:00-12:00;13:00-14:00", "08:00-12:00; Sun 11:59-13:00"],
)  # fmt: skip
def test_hours_that_cannot_be_read_are_refused(value: str) -> None:
    with pytest.raises(rulebook.RulebookError, match="hours “"):
        hours.week(value)


def test_row_14_the_caps_are_three_in_any_24_hours_for_everybody() -> None:
    today = date(2026, 11, 23)
    assert rulebook.value("caps.per_day", today) == 3
    assert rulebook.value("caps.window_hours", today) == 24
    states = {rule.jurisdiction: rule.value for rule in rulebook.all_rules() if rule.id.startswith("caps.per_day.")}
    assert states == {"US-FL": 3, "US-OK": 3, "US-MD": 3, "US-OR": 3}
