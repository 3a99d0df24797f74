"""Excel workbooks: what people type is what is read, and what only harms is refused before it is unpacked."""

import io
import zipfile
from datetime import date, datetime

import openpyxl
import pytest

from consent import import_sheets
from consent.import_rows import Row, Unreadable
from consent.models import ConsentEvent
from tests.consent import imports
from tests.consent.imports import SIGNED_UP

PHONE = SIGNED_UP["Phone"]


def workbook(*rows) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.create_sheet("Notes").append(["not of this list"])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def read(content: bytes) -> list[Row]:
    return list(import_sheets.rows(io.BytesIO(content)))


def with_member(content: bytes, name: str, change) -> bytes:
    """The archive with one of its files rewritten."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.namelist():
            text = old.read(member)
            new.writestr(member, change(text) if member == name else text)
    return out.getvalue()


SHEET = "xl/worksheets/sheet1.xml"


def test_cells_are_read_as_somebody_would_have_typed_them():
    content = workbook(
        ["Phone", "Date", "Name", "Words"],
        [12125550123, datetime(2026, 2, 1, 10, 30), None, "I agree"],
        [],
        [12125550124.0, date(2026, 2, 1), " José ", None],
    )
    assert read(content) == [
        Row(1, ["Phone", "Date", "Name", "Words"]),
        Row(2, ["12125550123", "2026-02-01 10:30:00", "", "I agree"]),
        Row(4, ["12125550124", "2026-02-01", "José"]),
    ]


def test_a_formula_is_the_text_that_it_is():
    assert read(workbook(["Phone"], ["=HYPERLINK(1)"]))[1] == Row(2, ["=HYPERLINK(1)"])


def test_more_columns_than_any_list_of_people_has_are_refused():
    assert len(read(workbook(["x"] * 100))[0].cells) == 100
    with pytest.raises(Unreadable, match="columns"):
        read(workbook(["Phone"], ["x"] * 101))


@pytest.mark.parametrize("limit", ["UNPACKED_AT_MOST", "MEMBERS_AT_MOST"])
def test_what_unpacks_to_too_much_is_refused_before_it_is_opened(limit, monkeypatch):
    monkeypatch.setattr(import_sheets, limit, 1)
    monkeypatch.setattr(openpyxl, "load_workbook", lambda *args, **kwargs: pytest.fail("it was opened"))
    with pytest.raises(Unreadable, match="too_large"):
        read(workbook(["Phone"], ["x"]))


def test_a_bomb_is_small_and_refused():
    bomb = with_member(workbook(["Phone"]), SHEET, lambda text: text + b" " * (129 * 1024 * 1024))
    assert len(bomb) < 1024 * 1024
    with pytest.raises(Unreadable, match="too_large"):
        read(bomb)


def test_a_row_beyond_the_last_of_any_sheet_is_refused(monkeypatch):
    monkeypatch.setattr(import_sheets, "ROWS_AT_MOST", 50)
    far = with_member(
        workbook(["Phone"], ["x"]),
        SHEET,
        lambda text: text.replace(b'r="2"', b'r="99999999999"').replace(b'r="A2"', b""),
    )
    with pytest.raises(Unreadable, match="too_large"):
        read(far)


STRINGS = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
SHARED = b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>Telephone</t></si></sst>'
ENTITIES = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>'


def as_excel_saves_it(strings: bytes = SHARED) -> bytes:
    """With a table of texts, of which its first cell holds the first."""
    content = with_member(workbook(["Phone"], ["x"]), SHEET, lambda text: text.replace(
        b'<c r="A1" t="inlineStr"><is><t>Phone</t></is></c>', b'<c r="A1" t="s"><v>0</v></c>'))  # fmt: skip
    part = f'<Override PartName="/xl/sharedStrings.xml" ContentType="{STRINGS}"/></Types>'
    content = with_member(content, "[Content_Types].xml", lambda text: text.replace(b"</Types>", part.encode()))
    out = io.BytesIO(content)
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("xl/sharedStrings.xml", strings)
    return out.getvalue()


def test_texts_that_cells_share_are_read():
    assert read(as_excel_saves_it()) == [Row(1, ["Telephone"]), Row(2, ["x"])]


@pytest.mark.parametrize(
    "bomb",
    [
        as_excel_saves_it(ENTITIES + SHARED),
        with_member(workbook(["Phone"]), SHEET, lambda text: ENTITIES + text),
        with_member(workbook(["Phone"]), "xl/workbook.xml", lambda text: ENTITIES + text),
    ],
)
def test_xml_that_declares_entities_is_refused(bomb):
    with pytest.raises(Unreadable, match="workbook"):
        read(bomb)


def test_a_sheet_that_says_it_is_shorter_is_read_to_its_end():
    lies = with_member(workbook(*[["x"]] * 5), SHEET, lambda text: text.replace(b'ref="A1:A5"', b'ref="A1:A2"'))
    assert len(read(lies)) == 5


@pytest.mark.parametrize(
    "content",
    [
        b"PK\x03\x04",
        b"PK\x03\x04" + b"\x00" * 500,
        workbook(["Phone"])[:-30],
        with_member(workbook(["Phone"]), SHEET, lambda text: text[:100]),
        with_member(workbook(["Phone"]), "xl/workbook.xml", lambda text: b""),
    ],
)
def test_a_broken_workbook_is_told_as_one(content):
    assert import_sheets.is_workbook(io.BytesIO(content))
    with pytest.raises(Unreadable, match="workbook"):
        read(content)


def test_any_other_archive_is_no_workbook():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("people.csv", "Phone\n+12125550123")
    with pytest.raises(Unreadable, match="workbook"):
        read(out.getvalue())


@pytest.mark.django_db
def test_a_workbook_is_imported_like_any_list():
    program = imports.program()
    done = imports.taken_in(
        workbook(list(SIGNED_UP), list(SIGNED_UP.values()), ["=A2", *SIGNED_UP.values()][:7]), program
    )
    assert (done.taken, done.refused) == (1, 1)
    event = ConsentEvent.objects.get()
    assert event.subject.phone == PHONE
    assert event.occurred_at.isoformat() == "2026-02-01T15:30:00+00:00"
