"""Where a person may be, judged by postal code or number: every place that is possible, never the likeliest.

A library's first answer is wrong for whole regions (most of 270 is Central, it says New York), numbers move
with their owners, and area codes and ZIP codes straddle boundaries. So a place is a *set* of time zones and a
set of states, and the rules must allow a text in all of them. The tables are in ``consent/data``: what
``phonenumbers`` says about every prefix of an area code, joined with a list kept by hand. Pure dictionary
look-ups, a microsecond each, since every decision of the gate asks.
"""

import re
import tomllib
import zoneinfo
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data"

_ZIP = re.compile(r"([0-9]{5})(?:[ -]?[0-9]{4})?")
_CANADIAN = re.compile(r"([A-Z][0-9][A-Z])(?:[ -]?[0-9][A-Z][0-9])?")


@dataclass(frozen=True, slots=True)
class Place:
    """Zones in which somebody may be, and states or provinces whose rules may apply."""

    zones: frozenset[str] = frozenset()
    regions: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Tables:
    """Places by area code, by calling code, and by the beginning of a postal code."""

    areas: dict[str, Place]
    countries: dict[str, Place]
    postal: dict[str, Place]


NOWHERE = Place()


def candidates(phone: str, postal_code: str | None = None) -> frozenset[str]:
    """Return the IANA zones in which the owner of a number may be; empty means that nobody knows.

    ``phone`` is E.164. ``postal_code`` is a ZIP code (``32501``, ``32501-1234``) or a Canadian postal code
    (``K1A 0B1`` or ``K1A``); it decides alone beside a US or Canadian number, toll-free ones included. One
    that is not understood is ignored, so that all zones of the area code remain. Beside an island's +1 number
    its zones are added, because other countries have five-digit codes too; for that reason it counts for
    nothing beside any other country's number, which stands for all zones of its country. Military mail
    (APO, FPO, DPO) reaches people anywhere: empty.
    """
    home, area = located(postal_code) if postal_code else None, of_number(phone)
    if home is None or phone[:2] != "+1":
        return area.zones
    if area.regions or not area.zones:
        return home.zones
    return area.zones | home.zones


def reaching(phone: str, postal_code: str | None, noted: str) -> frozenset[str]:
    """``candidates``, and the zone that somebody noted of a person as one more.

    A note can only narrow the hours, never widen them: it may be a guess, or old, so it neither takes a place of a
    number away nor is it an address. Where nothing else is known it changes nothing, nor
    does one that is no zone.
    """
    places = candidates(phone, postal_code)
    return places | {noted} if noted and places and noted in known_zones() else places


@cache
def known_zones() -> frozenset[str]:
    """Return what this machine has a clock for; a note is only a text."""
    return frozenset(zoneinfo.available_timezones())


def without_a_clock() -> set[str]:
    """Return zones of the tables that this machine's time zone data does not have."""
    known = tables()
    places = (place for table in (known.areas, known.countries, known.postal) for place in table.values())
    return {zone for place in places for zone in place.zones} - known_zones()


def edition() -> str:
    """Return the release of the time zone data that clocks here go by, such as ``2026b``; empty if nobody says."""
    for directory in zoneinfo.TZPATH:
        for name in ("tzdata.zi", "+VERSION"):
            with suppress(OSError), (Path(directory) / name).open() as file:
                return file.readline().removeprefix("# version ").strip()
    with suppress(metadata.PackageNotFoundError):
        return metadata.version("tzdata")
    return ""


def regions(phone: str, postal_code: str | None = None) -> frozenset[str]:
    """Return states and provinces (``US-FL``, ``CA-ON``) whose rules may apply: by area code and by address.

    Both count, because Florida, Oklahoma and Connecticut presume that who has their area code lives there.
    """
    home, area = located(postal_code) if postal_code else None, of_number(phone)
    if home is None or phone[:2] != "+1":
        return area.regions
    return area.regions | home.regions


def of_number(phone: str) -> Place:
    """Return what a number alone says. Toll-free, personal (5xx), unassigned and short codes say nothing."""
    if phone[:2] == "+1":
        return tables().areas.get(phone[2:5], NOWHERE) if len(phone) == 12 else NOWHERE
    return _abroad(phone[:4])


@lru_cache(1024)
def _abroad(start: str) -> Place:
    """The place of a plus and three digits; calling codes are one to three digits, none begins another."""
    known = (tables().countries.get(start[1:end]) for end in (2, 3, 4) if start[:1] == "+")
    return next((place for place in known if place), NOWHERE)


@lru_cache(65_536)
def located(postal_code: str) -> Place | None:
    """Return what a US or Canadian postal code says; None if it is neither or not in use."""
    written = postal_code.strip().upper()
    if found := _ZIP.fullmatch(written):
        lengths = (5, 3)
    elif found := _CANADIAN.fullmatch(written):
        lengths = (3, 1)
    else:
        return None
    known = (tables().postal.get(found[1][:length]) for length in lengths)
    return next((place for place in known if place), None)


@cache
def tables() -> Tables:
    """Return the tables shipped with the product, read once per process."""
    areas, postal = dict(_read("areacodes.txt")), dict(_read("zips.txt"))
    curated = tomllib.loads((DATA / "curated.toml").read_text())
    for entry in curated["area"]:
        for code in entry["codes"]:
            known, added = areas.get(code, NOWHERE), _place(entry)
            areas[code] = Place(known.zones | added.zones, known.regions | added.regions)
    postal |= {prefix: _place(entry) for entry in curated["postal"] for prefix in entry["prefixes"]}
    return Tables(areas, dict(_read("countries.txt")), postal)


def _place(entry: dict[str, Any]) -> Place:
    return Place(frozenset(entry["zones"]), frozenset({entry["region"]}))


def _read(name: str) -> Iterator[tuple[str, Place]]:
    """Yield codes and places; a line is ``codes regions zones…`` (how they are written: consent/data/__main__.py)."""
    for line in (DATA / name).read_text().splitlines():
        if line.startswith("#"):
            continue
        codes, states, *zones = line.split(" ")
        place = Place(frozenset(zones), frozenset(states.split(",")) - {"-"})
        for run in codes.split(","):
            first, _, last = run.partition("-")
            for code in range(int(first), int(last or first) + 1):
                yield f"{code:0{len(first)}}", place
