import importlib
import tomllib
from zoneinfo import ZoneInfo, available_timezones

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import timezone

from consent import zones

scan = importlib.import_module("consent.data.__main__")

CURATED = tomllib.loads((zones.DATA / "curated.toml").read_text())
NEW_YORK, CHICAGO, DENVER = "America/New_York", "America/Chicago", "America/Denver"
ON_THIS_MACHINE = available_timezones()
PHOENIX, LOS_ANGELES = "America/Phoenix", "America/Los_Angeles"
# Not all: a code takes 800 questions. Those of the curated list, an island, Alaska, a plain one and a new one.
SAMPLE = ["205", "212", "219", "242", "250", "270", "364", "423", "448", "541", "701", "775", "850", "867", "879",
          "907", "928", "947", "986"]  # fmt: skip


def number(area_code: str) -> str:
    return f"+1{area_code}2345678"


@pytest.mark.parametrize("file", ["areacodes.txt", "countries.txt"])
def test_the_tables_were_made_from_the_installed_library(file: str) -> None:
    source = (zones.DATA / file).read_text().splitlines()[0]
    assert f"phonenumbers {phonenumbers.__version__} " in source, "run: python -m consent.data"


@pytest.mark.parametrize("code", SAMPLE)
def test_what_the_library_says_about_any_prefix_is_a_candidate(code: str) -> None:
    generated = dict(zones._read("areacodes.txt"))[code].zones
    assert generated == scan.scan_area_code(code) != frozenset()
    assert zones.candidates(number(code)) >= generated


def test_no_area_code_is_missing_or_made_up() -> None:
    def answer(code: str) -> tuple[str, ...]:
        return timezone.time_zones_for_geographical_number(scan.number(code, 234))

    known = {code for code in map(str, range(200, 1000)) if answer(code) != scan.everywhere()}
    assert known <= set(dict(zones._read("areacodes.txt")))
    curated = {code for entry in CURATED["area"] for code in entry["codes"]}
    assert set(zones.tables().areas) - known <= curated


def test_a_country_has_every_zone_that_the_library_gives_it() -> None:
    assert scan.countries().keys() == zones.tables().countries.keys()
    for code, (_, expected) in scan.countries().items():
        assert zones.candidates(f"+{code}" + "5" * 9) == expected


def test_every_zone_is_known_to_this_machine_and_every_curated_entry_is_complete() -> None:
    places = zones.tables()
    named = {
        zone for table in (places.areas, places.countries, places.postal) for p in table.values() for zone in p.zones
    }
    assert named <= ON_THIS_MACHINE
    for entry in CURATED["area"] + CURATED["postal"]:
        assert len(entry["citation"]) > 5
        assert entry["checked"].year >= 2026
        assert entry["zones"]


@pytest.mark.parametrize("entry", CURATED["area"], ids=lambda entry: "/".join(entry["codes"]))
def test_row_12_split_codes_and_their_overlays_have_all_zones(entry: dict[str, list[str]]) -> None:
    for code in entry["codes"]:
        assert zones.candidates(number(code)) >= set(entry["zones"])
        assert len({ZoneInfo(zone).key for zone in zones.candidates(number(code))}) > 1
        assert entry["region"] in zones.regions(number(code))


def test_row_12_the_first_answer_of_the_library_is_never_the_only_one() -> None:
    for code in ("219", "270", "364", "448", "850", "930"):
        first = timezone.time_zones_for_geographical_number(scan.number(code, 234))
        assert len(first) == 1
        assert zones.candidates(number(code)) == {NEW_YORK, CHICAGO}


@pytest.mark.parametrize(
    "code", ["800", "833", "844", "855", "866", "877", "888", "500", "533", "544", "700", "900", "679"]
)
def test_row_13_a_number_without_a_place_has_no_zone(code: str) -> None:
    assert zones.candidates(number(code)) == frozenset()
    assert zones.regions(number(code)) == frozenset()


@pytest.mark.parametrize(
    "phone", ["", "+", "+1", "+1850", "24273", "MyBank", "+88161234567", "+80012345678", "8502345678"]
)
def test_row_13_what_is_no_number_of_a_country_has_no_zone(phone: str) -> None:
    assert zones.candidates(phone) == frozenset()


@pytest.mark.parametrize(
    ("postal_code", "expected", "region"),
    [
        ("32501", {CHICAGO}, "US-FL"),
        ("32301", {NEW_YORK}, "US-FL"),
        ("32456", {NEW_YORK}, "US-FL"),
        ("02139", {NEW_YORK}, "US-MA"),
        ("00901", {"America/Puerto_Rico"}, "US-PR"),
        ("02139-4307", {NEW_YORK}, "US-MA"),
        ("021394307", {NEW_YORK}, "US-MA"),
        (" 90210 ", {LOS_ANGELES}, "US-CA"),
        ("79901", {DENVER}, "US-TX"),
        ("77001", {CHICAGO}, "US-TX"),
        ("83702", {"America/Boise"}, "US-ID"),
        ("83814", {LOS_ANGELES}, "US-ID"),
        ("85001", {PHOENIX}, "US-AZ"),
        ("86503", {PHOENIX, DENVER}, "US-AZ"),
        ("89883", {LOS_ANGELES, DENVER}, "US-NV"),
        ("32499", {NEW_YORK, CHICAGO}, "US-FL"),
        ("96799", {"Pacific/Pago_Pago"}, "US-AS"),
        ("K1A 0B1", {"America/Toronto"}, "CA-ON"),
        ("h2x1y4", {"America/Toronto"}, "CA-QC"),
        ("S4P", {"America/Regina"}, "CA-SK"),
        ("P9N 1S4", {"America/Toronto", "America/Winnipeg"}, "CA-ON"),
    ],
)
def test_a_postal_code_decides(postal_code: str, expected: set[str], region: str) -> None:
    assert zones.candidates(number("212"), postal_code) == expected
    assert zones.candidates(number("800"), postal_code) == expected
    assert zones.regions(number("800"), postal_code) == {region}


def test_the_rules_of_the_area_code_and_of_the_address_both_count() -> None:
    assert zones.regions("+13055551234", "77001") == {"US-FL", "US-TX"}
    assert zones.regions("+14055551234") == {"US-OK"}
    assert zones.regions("+18605551234", "unknown") == {"US-CT"}


@pytest.mark.parametrize(
    "postal_code", [None, "", " ", "2139", "00099", "hello", "SW1A 1AA", "D1A 1A1", "1234-5678", "٣٢٥٠١"]
)
def test_an_unknown_postal_code_leaves_the_area_code(postal_code: str | None) -> None:
    assert zones.candidates("+18505551234", postal_code) == {NEW_YORK, CHICAGO}


@pytest.mark.parametrize(
    ("code", "postal_code", "noted", "expected"),
    [
        ("212", None, LOS_ANGELES, {NEW_YORK, LOS_ANGELES}),
        ("212", None, NEW_YORK, {NEW_YORK}),
        ("212", "90210", CHICAGO, {LOS_ANGELES, CHICAGO}),  # moved on, it may be
        ("800", None, CHICAGO, set()),  # a note opens nothing that was shut for want of a place
        ("212", "09001", CHICAGO, set()),
        ("212", None, "Mars/Olympus", {NEW_YORK}),
        ("212", None, "", {NEW_YORK}),
    ],
)
def test_row_12_what_somebody_noted_is_one_more_place(
    code: str, postal_code: str | None, noted: str, expected: set[str]
) -> None:
    assert zones.reaching(number(code), postal_code, noted) == expected


@pytest.mark.parametrize("postal_code", ["09001", "34001", "96201"])
def test_military_mail_reaches_people_anywhere(postal_code: str) -> None:
    assert zones.candidates("+18505551234", postal_code) == frozenset()
    assert zones.regions("+18505551234", postal_code) == {"US-FL"}


def test_five_digits_abroad_are_no_zip_code() -> None:
    assert zones.candidates("+493012345678", "10115") == {"Europe/Berlin"}
    assert zones.regions("+493012345678", "77001") == frozenset()
    assert zones.candidates("+18095551234", "10101") == {"America/Santo_Domingo", NEW_YORK}


@given(st.text(), st.none() | st.text())
def test_nothing_is_too_strange_to_be_asked(phone: str, postal_code: str | None) -> None:
    assert zones.candidates(phone, postal_code) <= ON_THIS_MACHINE


def test_ranges_are_written_and_read_alike() -> None:
    assert scan.ranges(["005", "006", "007", "010"]) == ["005-007", "010"]
    assert zones.located("00601").regions == zones.located("00701").regions == {"US-PR"}
