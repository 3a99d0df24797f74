"""Write the tables that ``consent.zones`` reads; run after every upgrade of ``phonenumbers``.

    python -m consent.data                               areacodes.txt and countries.txt
    python -m consent.data zipcodes-1.3.0-py2….whl       zips.txt as well, from a downloaded wheel

Every prefix of every area code is asked, because the library answers for prefixes and its first answer for
an area code is wrong where zones meet. A table's line is: codes, then regions (``US-FL``; ``-`` for none),
then IANA zones; codes are comma-separated, and a range stands for every code in it.
"""

import bz2
import json
import re
import sys
import zipfile
from collections import defaultdict
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

import phonenumbers
from phonenumbers import PhoneNumber, timezone

Place = tuple[frozenset[str], frozenset[str]]  # regions, zones

HERE = Path(__file__).parent
PREFIXES = range(200, 1000)
STATES = {
    "alabama": "AL", "alaska": "AK", "alberta": "AB", "american samoa": "AS", "arizona": "AZ", "arkansas": "AR",
    "british columbia": "BC", "california": "CA", "colorado": "CO", "connecticut": "CT", "delaware": "DE",
    "district of columbia": "DC", "florida": "FL", "georgia": "GA", "guam": "GU", "hawaii": "HI", "idaho": "ID",
    "illinois": "IL", "indiana": "IN", "iowa": "IA", "kansas": "KS", "kentucky": "KY", "louisiana": "LA",
    "maine": "ME", "manitoba": "MB", "maryland": "MD", "massachusetts": "MA", "michigan": "MI", "minnesota": "MN",
    "mississippi": "MS", "missouri": "MO", "montana": "MT", "nebraska": "NE", "nevada": "NV",
    "new brunswick": "NB", "new hampshire": "NH", "new jersey": "NJ", "new mexico": "NM", "new york": "NY",
    "newfoundland and labrador": "NL", "north carolina": "NC", "north dakota": "ND",
    "northern mariana islands": "MP", "northwest territories": "NT", "nova scotia": "NS", "nunavut": "NU",
    "ohio": "OH", "oklahoma": "OK", "ontario": "ON", "oregon": "OR", "pennsylvania": "PA",
    "prince edward island": "PE", "puerto rico": "PR", "quebec": "QC", "rhode island": "RI",
    "saskatchewan": "SK", "south carolina": "SC", "south dakota": "SD", "tennessee": "TN", "texas": "TX",
    "u.s. virgin islands": "VI", "utah": "UT", "vermont": "VT", "virginia": "VA", "washington": "WA",
    "washington d.c.": "DC", "washington state": "WA", "west virginia": "WV", "wisconsin": "WI", "wyoming": "WY",
    "yukon": "YT",
}  # fmt: skip
PROVINCES = frozenset({"AB", "BC", "MB", "NB", "NL", "NS", "NT", "NU", "ON", "PE", "QC", "SK", "YT"})
# Mail for forces abroad: the person may be anywhere.
MILITARY = frozenset({"AA", "AE", "AP"})


def scan_area_code(code: str) -> frozenset[str]:
    """Return every zone the library has for a North American area code; empty for toll-free and unassigned ones."""
    found: set[str] = set()
    for prefix in PREFIXES:
        zones = timezone.time_zones_for_geographical_number(number(code, prefix))
        if zones != everywhere():
            found.update(zones)
    return frozenset(found)


def everywhere() -> tuple[str, ...]:
    """Return the library's answer for +1 when it knows no better: some forty zones from Guam to Bermuda."""
    zones: tuple[str, ...] = timezone.time_zones_for_geographical_number(number("800", 200))
    return zones


def number(code: str, prefix: int) -> PhoneNumber:
    return PhoneNumber(country_code=1, national_number=int(f"{code}{prefix}0000"))


def scan_states(code: str) -> frozenset[str]:
    """Return the states and provinces that the library's place names for an area code mention."""
    from phonenumbers import geocoder  # a second and a hundred megabytes, which the product never pays

    names = {geocoder.description_for_valid_number(number(code, prefix), "en") for prefix in PREFIXES}
    states = {STATES.get(part.lower()) for name in names for part in name.split("/")}
    states |= {found[1] for name in names if (found := re.search(r", ([A-Z]{2})$", name))}
    return frozenset(region(state) for state in states if state in STATES.values())


def region(state: str | None) -> str:
    return f"{'CA' if state in PROVINCES else 'US'}-{state}"


def area_codes() -> dict[str, Place]:
    scanned = {code: scan_area_code(code) for code in map(str, PREFIXES)}
    return {code: (scan_states(code), zones) for code, zones in scanned.items() if zones}


def countries() -> dict[str, Place]:
    """Return the zones of every calling code that belongs to a country, but for +1."""
    places = {}
    for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items():
        zones = timezone.time_zones_for_geographical_number(PhoneNumber(country_code=code, national_number=0))
        if code != 1 and regions != ("001",) and zones != (timezone.UNKNOWN_TIMEZONE,):
            places[str(code)] = frozenset[str](), frozenset(zones)
    return places


def zips(wheel: Path) -> dict[str, Place]:
    """Return a place for each three-digit prefix, and for five digits where a prefix has several places."""
    with zipfile.ZipFile(wheel) as archive:
        rows = json.loads(bz2.decompress(archive.read("zipcodes/zips.json.bz2")))
    places: dict[str, Place] = {}
    for prefix, group in groupby(sorted(rows, key=lambda row: row["zip_code"]), lambda row: row["zip_code"][:3]):
        exact: dict[str, Place] = {}
        for row in group:
            if row["state"] in MILITARY:
                exact[row["zip_code"]] = frozenset(), frozenset()
            elif "/" in row["timezone"]:  # one row has a town's name there
                exact[row["zip_code"]] = frozenset({region(row["state"])}), frozenset({row["timezone"]})
        regions, zones = zip(*exact.values(), strict=True)
        places[prefix] = frozenset().union(*regions), frozenset().union(*zones)
        places |= {code: place for code, place in exact.items() if place != places[prefix]}
    return places


def write(path: Path, source: str, places: dict[str, Place]) -> None:
    """Write a table: one line for each prefix length and place, in the order of the codes."""
    several: dict[tuple[int, str, Place], list[str]] = defaultdict(list)
    for code, place in sorted(places.items()):
        # Five digits stay on the line of their first three, so that a change is seen where it is.
        several[len(code), code[:3] if len(code) > 3 else "", place].append(code)
    lines = [
        " ".join([",".join(ranges(codes)), ",".join(sorted(regions)) or "-", *sorted(zones)])
        for (_, _, (regions, zones)), codes in sorted(several.items(), key=lambda entry: (entry[1][0], len(entry[1])))
    ]
    header = [f"# Generated by python -m consent.data from {source}.", "# Codes, regions, zones. Do not edit:"]
    header[-1] += " corrections go to curated.toml."
    path.write_text("\n".join([*header, *lines]) + "\n")


def ranges(codes: Iterable[str]) -> list[str]:
    """Return sorted codes of one length with neighbours joined: ``010-013``."""
    runs: list[list[str]] = []
    for code in codes:
        if runs and int(runs[-1][-1]) + 1 == int(code):
            runs[-1].append(code)
        else:
            runs.append([code])
    return [run[0] if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs]


def main(arguments: list[str]) -> None:
    library = f"phonenumbers {phonenumbers.__version__} (Apache-2.0)"
    write(HERE / "areacodes.txt", library, area_codes())
    write(HERE / "countries.txt", library, countries())
    for wheel in map(Path, arguments):
        name, version = wheel.name.split("-")[:2]
        write(HERE / "zips.txt", f"{name} {version} (MIT; only prefix, state and zone are kept)", zips(wheel))


if __name__ == "__main__":
    main(sys.argv[1:])
