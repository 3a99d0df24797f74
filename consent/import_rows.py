"""What an imported file says, row by row: pure. CSV in the ways that spreadsheets write it.

UTF-8 (with or without a byte order mark), UTF-16 with one, else Windows-1252, of which Latin-1's letters are a part;
commas, semicolons or tabs. Nothing is ever held in memory but the row at hand.
"""

import codecs
import csv
import io
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import BinaryIO

from consent import proof
from consent.purposes import Level, Source
from contactcenter.lib import phone

COLUMNS_AT_MOST = 100
ENCODING_BLOCK = 1 << 16
BOMS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
DELIMITERS = ",;\t"

# What a column may hold, and how its heading is often spelled. ``words`` and what follows are the names of evidence.
HEADINGS: Mapping[str, tuple[str, ...]] = {
    "phone": ("phone", "phone number", "mobile", "mobile number", "mobile phone", "cell", "cell phone", "number", "tel",
              "telephone", "msisdn", "telefono", "movil", "celular", "numero", "telephone portable", "portable"),
    "program": ("program", "programme", "program slug", "list", "campaign", "programa"),
    "occurred_at": ("date", "time", "timestamp", "datetime", "agreed at", "consented at", "consent date",
                    "consent time", "consent timestamp", "opt in date", "opt in time", "opted in at", "signed at",
                    "occurred at", "created at", "opt out date", "opted out at", "unsubscribed at", "fecha"),
    "words": ("words", "wording", "disclosure", "consent text", "consent wording", "consent language",
              "disclosure text", "opt in text", "reason", "texto", "texte"),
    "method": ("method", "how", "source", "consent method", "consent source", "opt in method", "opt in source",
               "channel", "metodo", "methode"),
    "url": ("url", "page", "page url", "web page", "website", "form url", "link", "source url"),
    "ip": ("ip", "ip address", "ipaddress", "remote ip", "direccion ip", "adresse ip"),
    "user_agent": ("user agent", "useragent", "browser", "device"),
    "document": ("document", "document id", "document reference", "form number", "scan", "file", "documento"),
    "name": ("name", "full name", "signed by", "signature", "customer", "customer name", "nombre", "nom"),
}  # fmt: skip
EVIDENCE = ("words", "method", "url", "ip", "user_agent", "document", "name")
# What a consent needs besides its level's proof. Opt-outs need a number, and nothing else.
ALWAYS = frozenset({"phone", "occurred_at"})

DATES = ("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d")
MONTH_FIRST = ("%m/%d/%Y", "%m/%d/%y", "%m-%d-%Y", "%m.%d.%Y")
DAY_FIRST = ("%d/%m/%Y", "%d/%m/%y", "%d-%m-%Y", "%d.%m.%Y")
TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
NOT_BEFORE = datetime(1990, 1, 1, tzinfo=UTC)  # there were no texts: a column of something else
A_DAY = timedelta(days=1) - timedelta(microseconds=1)
SLACK = timedelta(minutes=5)  # another system's clock


class Unreadable(ValueError):
    """The file as a whole cannot be read. ``problem`` is ``empty``, ``binary``, ``quotes``, ``columns``, ``workbook``
    or ``too_large``; ``row`` the one at which it broke off, counted from 1."""

    def __init__(self, problem: str, row: int = 0) -> None:
        super().__init__(problem)
        self.problem, self.row = problem, row


class Refusal(ValueError):
    """Why a row is not taken in: ``reason`` is one of our words, ``detail`` what it is about."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason, self.detail = reason, detail


@dataclass(frozen=True)
class Row:
    """One line of the file. ``number`` counts rows from 1 as spreadsheets do, headings and empty rows included."""

    number: int
    cells: Sequence[str]


@dataclass(frozen=True)
class Claim:
    """What one row says: this number agreed (or said no) then, and this proves it."""

    phone: str
    occurred_at: datetime
    evidence: Mapping[str, str]
    program: str = ""


# --- The file ----------------------------------------------------------------------------------------------------


def encoding(file: BinaryIO) -> str:
    """The encoding of a file's text, left at its beginning."""
    start = file.read(ENCODING_BLOCK)
    file.seek(0)
    for mark, name in BOMS.items():
        if start.startswith(mark):
            return name
    if b"\x00" in start:
        raise Unreadable("binary")  # a spreadsheet's own format, or a picture
    for name in ("utf-8", "cp1252"):
        decoder = codecs.getincrementaldecoder(name)()
        try:
            while block := file.read(ENCODING_BLOCK):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            continue
        else:
            return name
        finally:
            file.seek(0)
    return "latin-1"


def delimiter(line: str) -> str:
    """What separates the cells of a heading: of the usual three the one that is most often outside of quotes."""
    outside = "".join(line.split('"')[::2])
    return max(DELIMITERS, key=outside.count)


def rows(file: BinaryIO) -> Iterator[Row]:
    """The rows that say anything, headings first; raises ``Unreadable``, perhaps only at the end of a long file."""
    text = io.TextIOWrapper(file, encoding(file), errors="replace", newline="")
    try:
        yield from rows_of(text)
    finally:
        text.detach()


def rows_of(text: io.TextIOBase) -> Iterator[Row]:
    first, number = next((line for line in text if line.strip()), ""), 0
    if not first:
        raise Unreadable("empty")
    text.seek(0)
    reader = csv.reader(text, delimiter=delimiter(first), strict=True)
    while True:
        number += 1
        try:
            cells = [clean(cell) for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error:
            raise Unreadable("quotes", number) from None
        if len(cells) > COLUMNS_AT_MOST:
            raise Unreadable("columns", number)
        if any(cells):
            yield Row(number, cells)


def clean(cell: str) -> str:
    """Without what no database keeps, and without the apostrophe by which our own error files disarm formulas."""
    cell = cell.replace("\x00", "").lstrip("\ufeff").strip()
    return cell[1:] if cell.startswith("'") and cell[1:2] in FORMULAS else cell


FORMULAS = frozenset("=+-@")


def disarmed(cell: str) -> str:
    """A cell as an error file may hold it: no spreadsheet takes it for a formula. Phone numbers stay as they are."""
    is_formula = cell[:1] in FORMULAS and not cell[1:].replace(" ", "").isdigit()
    return f"'{cell}" if is_formula and cell else cell


# --- The columns -------------------------------------------------------------------------------------------------


def folded(heading: str) -> str:
    """A heading without case, accents, punctuation: "Opt-In_Date" is "opt in date"."""
    plain = unicodedata.normalize("NFKD", heading).encode("ascii", "ignore").decode().lower()
    return " ".join("".join(letter if letter.isalnum() else " " for letter in plain).split())


def is_heading(cells: Sequence[str]) -> bool:
    """Whether the first row names columns: a list of bare numbers does not."""
    return not any(as_phone(cell) for cell in cells)


def guessed(headings: Sequence[str]) -> dict[str, int]:
    """Which column holds what, by its heading; exact spellings win over those that only begin alike."""
    names = [folded(heading) for heading in headings]
    columns: dict[str, int] = {}
    for field, spellings in HEADINGS.items():
        for spelling in spellings:
            if spelling in names and (place := names.index(spelling)) not in columns.values():
                columns[field] = place
                break
    if "phone" not in columns and len(names) == 1:
        columns["phone"] = 0
    return columns


def is_day_first(dates: Sequence[str]) -> bool:
    """Whether some of these dates can only be read so: 31/03/2026."""
    return any(parsed(date, MONTH_FIRST) is None and parsed(date, DAY_FIRST) is not None for date in dates)


def lacking(level: Level, columns: Mapping[str, int]) -> frozenset[str]:
    """What no row of a file with these columns can prove, so that all would be refused."""
    return proof.missing(level, Source.IMPORT, columns.keys()) | (ALWAYS - columns.keys())


# --- A row -------------------------------------------------------------------------------------------------------


def cells_by_name(row: Row, columns: Mapping[str, int], width: int) -> dict[str, str]:
    """Raises ``Refusal`` for a row that is longer than the headings: its cells are not where they seem to be."""
    if len(row.cells) > width and any(row.cells[width:]):
        raise Refusal("ragged", f"{len(row.cells)}/{width}")
    return {name: row.cells[place] if place < len(row.cells) else "" for name, place in columns.items()}


def consent_in(cells: Mapping[str, str], *, day_first: bool, zone: tzinfo, now: datetime) -> Claim:
    """The consent that a row claims, whether proven or not. Raises ``Refusal``."""
    number = cells.get("phone", "")
    try:
        number = phone.normalize(number)
    except phone.InvalidPhone as error:
        raise Refusal("bad_phone" if number else "no_phone", str(error)) from None
    written = cells.get("occurred_at", "")
    if not written:
        raise Refusal("no_date")
    at = moment(written, day_first=day_first, zone=zone)
    if at is None:
        raise Refusal("bad_date", written)
    if at > now + SLACK:
        raise Refusal("future_date", written)
    evidence = {name: cells[name] for name in EVIDENCE if cells.get(name)}
    return Claim(number, at, evidence, program=cells.get("program", ""))


def opt_out_in(cells: Mapping[str, str], *, day_first: bool, zone: tzinfo, now: datetime) -> Claim:
    """The "no" that a row says. Refused only where there is no number in it: a "no" counts as it is."""
    written = cells.get("phone", "")
    number = as_phone(written)
    if number is None:
        raise Refusal("bad_opt_out" if written else "no_phone", written)
    said = cells.get("occurred_at", "")
    at = moment(said, day_first=day_first, zone=zone) or now
    if ":" not in said:
        at += A_DAY  # at any hour of that day: whatever they agreed to on it may be what they took back
    evidence = {name: cells[name] for name in EVIDENCE if cells.get(name)}
    return Claim(number, min(at, now), evidence)


def as_phone(written: str) -> str | None:
    """The E.164 number that somebody meant, also one that no country has assigned (yet, or any more)."""
    try:
        return phone.normalize(written)
    except phone.InvalidPhone:
        digits = "".join(letter for letter in written if letter in "0123456789")
    if any(letter.isalpha() for letter in written):
        return None
    if not written.lstrip().startswith("+") and len(digits) == 10:
        digits = f"1{digits}"
    stored = phone.from_carrier(digits)
    return stored if phone.is_phone(stored) and len(digits) >= 10 else None


def moment(written: str, *, day_first: bool, zone: tzinfo) -> datetime | None:
    """A date, with or without a time of day and an offset; without one, in this zone. A bare date is its first moment:
    a "no" of the same day then counts for more than a consent. ``None`` for what is no date, or too long ago."""
    written = " ".join(written.split())
    try:
        at: datetime | None = datetime.fromisoformat(written)
    except ValueError:
        at = parsed(written, (*DATES, *(DAY_FIRST if day_first else MONTH_FIRST)))
    if at is None:
        return None
    try:
        at = at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=zone).astimezone(UTC)
    except OverflowError:
        return None
    return at if at >= NOT_BEFORE else None


def parsed(written: str, dates: Sequence[str]) -> datetime | None:
    for date in dates:
        for time in TIMES:
            try:
                return datetime.strptime(written.upper(), date + time)  # noqa: DTZ007 its zone is added above
            except ValueError:
                continue
    return None
