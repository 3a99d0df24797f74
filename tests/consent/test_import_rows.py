import codecs
import csv
import io
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from consent import import_rows
from consent.import_rows import Refusal, Row, Unreadable
from consent.purposes import Level

NOON = datetime(2026, 3, 2, 17, 0, tzinfo=UTC)
NEW_YORK = ZoneInfo("America/New_York")
# What a spreadsheet may hold: anything, but for the letters that we drop and the spaces around.
WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufeff'"), max_size=20).map(
    str.strip
)
TABLES = st.integers(1, 6).flatmap(
    lambda width: st.lists(st.lists(WORDS, min_size=width, max_size=width), min_size=1, max_size=8)
)


def read(content: bytes) -> list[Row]:
    return list(import_rows.rows(io.BytesIO(content)))


def cells(content: bytes) -> list[list[str]]:
    return [list(row.cells) for row in read(content)]


@given(
    TABLES,
    st.sampled_from(",;\t"),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC]),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
@example([["Name", "Words"], ["Ünal", 'She said "yes; please", twice']], ";", csv.QUOTE_MINIMAL, "\r\n", "utf-8-sig")
def test_a_table_comes_back_however_it_was_written(table, delimiter, quoting, end, encoding):
    headings = [f"Column {place}" for place, _ in enumerate(table[0])]
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, quoting=quoting, lineterminator=end)
    writer.writerows([headings, *table])
    expected = [row for row in table if any(row)]
    if len(headings) == 1 and delimiter != ",":
        return  # one column has no separator to find
    assert cells(out.getvalue().encode(encoding))[1:] == expected


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
def test_what_is_not_utf_8_is_read_as_windows_writes_it(encoding):
    assert cells("Name;Wort\nJosé;für".encode(encoding)) == [["Name", "Wort"], ["José", "für"]]


def test_a_byte_that_windows_does_not_know_is_no_obstacle():
    assert cells(b"Name\nJos\xe9 \x81!")[1][0].startswith("José")


def test_a_long_file_that_turns_out_not_to_be_utf_8_is_read_from_its_beginning():
    content = b"Name\n" + b"a\n" * import_rows.ENCODING_BLOCK + "José".encode("latin-1")
    rows = read(content)
    assert (rows[0].cells, rows[-1].cells) == (["Name"], ["José"])


def test_rows_are_counted_as_spreadsheets_count_them():
    assert [row.number for row in read(b"Phone\n\n1\n,,\n2\n")] == [1, 3, 5]


@pytest.mark.parametrize(
    ("content", "problem", "row"),
    [
        (b"", "empty", 0),
        (codecs.BOM_UTF8 + b"\n \n", "empty", 0),
        (b"PK\x03\x04\x00\x00", "binary", 0),
        (b'Phone,Words\n1,"never closed\n2,x\n', "quotes", 2),
        (b"a," * 101 + b"\n", "columns", 1),
    ],
)
def test_what_cannot_be_read_says_why_and_where(content, problem, row):
    with pytest.raises(Unreadable) as error:
        read(content)
    assert (error.value.problem, error.value.row) == (problem, row)


@pytest.mark.parametrize(
    ("heading", "field"),
    [
        ("Phone Number", "phone"),
        ("MOBILE", "phone"),
        ("Teléfono", "phone"),
        ("opt_in_date", "occurred_at"),
        ("Consent-Text", "words"),
        ("IP-Address", "ip"),
        ("UserAgent", "user_agent"),
    ],
)
def test_headings_are_understood_as_people_write_them(heading, field):
    assert import_rows.guessed(["Customer id", heading])[field] == 1


def test_a_column_is_guessed_for_one_thing_only():
    columns = import_rows.guessed(["Phone", "Mobile", "Date", "Timestamp"])
    assert columns == {"phone": 0, "occurred_at": 2}


def test_a_bare_list_of_numbers_has_no_headings():
    assert not import_rows.is_heading(["(212) 555-0123"])
    assert import_rows.is_heading(["Phone", "Name"])


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2026-02-01T10:30:00Z", "2026-02-01T10:30:00+00:00"),
        ("2026-02-01 10:30", "2026-02-01T15:30:00+00:00"),
        ("2026-02-01 10:30:05-08:00", "2026-02-01T18:30:05+00:00"),
        ("2026-02-01", "2026-02-01T05:00:00+00:00"),
        ("2/1/2026 10:30 pm", "2026-02-02T03:30:00+00:00"),
        ("02/01/26", "2026-02-01T05:00:00+00:00"),
    ],
)
def test_dates_are_read_as_people_write_them(written, expected):
    at = import_rows.moment(written, day_first=False, zone=NEW_YORK)
    assert at == datetime.fromisoformat(expected)


@pytest.mark.parametrize("written", ["", "yesterday", "31/31/2026", "0001-01-01", "1969-12-31", "9999-99-99"])
def test_what_is_no_date_is_none(written):
    assert import_rows.moment(written, day_first=False, zone=NEW_YORK) is None


def test_days_come_first_where_no_other_reading_is_possible():
    assert import_rows.is_day_first(["03/04/2026", "31/03/2026"])
    assert not import_rows.is_day_first(["03/04/2026", "2026-03-31", "", "soon"])
    at = import_rows.moment("03/04/2026", day_first=True, zone=UTC)
    assert at == datetime(2026, 4, 3, tzinfo=UTC)


def consent(**said):
    row = {"phone": "(212) 555-0123", "occurred_at": "2026-02-01"} | said
    return import_rows.consent_in(row, day_first=False, zone=UTC, now=NOON)


def test_a_consent_is_read_with_its_evidence():
    claim = consent(words="I agree", ip="192.0.2.1", url="", program="harbor-care")
    assert (claim.phone, claim.program) == ("+12125550123", "harbor-care")
    assert claim.evidence == {"words": "I agree", "ip": "192.0.2.1"}


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"phone": ""}, "no_phone"),
        ({"phone": "12"}, "bad_phone"),
        ({"phone": "212 555 0123 ext. 4"}, "bad_phone"),
        ({"occurred_at": ""}, "no_date"),
        ({"occurred_at": "last week"}, "bad_date"),
        ({"occurred_at": "2026-03-03"}, "future_date"),
    ],
)
def test_a_row_that_says_too_little_is_refused(said, reason):
    with pytest.raises(Refusal) as refused:
        consent(**said)
    assert refused.value.reason == reason


def test_a_row_whose_cells_have_moved_is_refused():
    with pytest.raises(Refusal, match="ragged"):
        import_rows.cells_by_name(Row(2, ["1", "I agree", " and more"]), {"phone": 0}, width=2)
    assert import_rows.cells_by_name(Row(2, ["1"]), {"phone": 0, "words": 1}, width=2) == {"phone": "1", "words": ""}


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("(212) 555-0123", "+12125550123"),
        ("555 123 4567", "+15551234567"),  # no area code that is in use: somebody said no all the same
        ("15551234567", "+15551234567"),
        ("+999 12345678901", "+99912345678901"),
    ],
)
def test_an_opt_out_counts_for_any_number(written, number):
    claim = import_rows.opt_out_in({"phone": written, "occurred_at": "nonsense"}, day_first=False, zone=UTC, now=NOON)
    assert (claim.phone, claim.occurred_at) == (number, NOON)


def test_an_opt_out_with_a_bare_date_covers_all_of_that_day():
    told = {"phone": "2125550123", "occurred_at": "2026-02-01"}
    claim = import_rows.opt_out_in(told, day_first=False, zone=UTC, now=NOON)
    assert claim.occurred_at == datetime(2026, 2, 1, 23, 59, 59, 999999, tzinfo=UTC)
    assert consent(occurred_at="2026-02-01 22:00").occurred_at < claim.occurred_at


@pytest.mark.parametrize("written", ["", "n/a", "12345", "ask Peter"])
def test_what_holds_no_number_is_no_opt_out(written):
    with pytest.raises(Refusal):
        import_rows.opt_out_in({"phone": written}, day_first=False, zone=UTC, now=NOON)


@pytest.mark.parametrize("level", list(Level))
def test_what_no_row_can_prove_is_said_before_the_first(level):
    assert "occurred_at" in import_rows.lacking(level, {"phone": 0, "words": 1, "method": 2})
    everything = dict.fromkeys([*import_rows.EVIDENCE, "phone", "occurred_at"], 0)
    assert import_rows.lacking(level, everything) == frozenset()


@given(st.text(max_size=10))
def test_no_cell_of_an_error_file_is_a_formula_and_all_come_back(cell):
    cell = import_rows.clean(cell)
    disarmed = import_rows.disarmed(cell)
    assert disarmed[:1] not in {"=", "@"}
    assert disarmed[:1] not in {"+", "-"} or disarmed[1:].replace(" ", "").isdigit()
    assert import_rows.clean(disarmed) == cell or cell.startswith("'")
