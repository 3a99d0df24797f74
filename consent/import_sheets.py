"""The rows of an Excel workbook (``.xlsx``), of its first sheet, as text: pure.

Such a file is an archive of XML by a stranger. What it unpacks to is bounded before anything is read, rows and columns
while they are; ``defusedxml``, which openpyxl uses wherever it is installed, refuses entities. Formulas are never
computed, and what they last showed is not believed: they are read as the text that they are.
"""

import zipfile
from collections.abc import Iterator
from datetime import datetime, time
from typing import Any, BinaryIO

import openpyxl

from consent.import_rows import COLUMNS_AT_MOST, Row, Unreadable, clean

MAGIC = b"PK\x03\x04"
# Two hundred thousand people with all their proof unpack to less. The texts that cells share are held in memory, where
# they are some three times as large.
UNPACKED_AT_MOST = 128 * 1024 * 1024
MEMBERS_AT_MOST = 1000
ROWS_AT_MOST = 1_048_576  # of any sheet, says Excel; a file may claim more


def is_workbook(file: BinaryIO) -> bool:
    """Whether a file is an archive, left at its beginning."""
    start = file.read(len(MAGIC))
    file.seek(0)
    return start == MAGIC


def rows(file: BinaryIO) -> Iterator[Row]:
    """The rows that say anything, headings first; raises ``Unreadable``, perhaps only at the end of a long file."""
    check_size(file)
    number = 0
    try:
        book = openpyxl.load_workbook(file, read_only=True, data_only=False, keep_links=False)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # its own word on its size, which would cut it off, is often wrong
        # One column more than may be, so that a row that has it is noticed.
        for number, values in enumerate(sheet.iter_rows(max_col=COLUMNS_AT_MOST + 1, values_only=True), 1):
            if number > ROWS_AT_MOST:
                raise Unreadable("too_large")
            cells = [clean(as_text(value)) for value in values]
            if len(cells) > COLUMNS_AT_MOST and cells[COLUMNS_AT_MOST]:
                raise Unreadable("columns", number)
            while cells and not cells[-1]:
                cells.pop()
            if cells:
                yield Row(number, cells)
    except Unreadable:
        raise
    except Exception as error:  # the library has no error of its own: whatever a broken file runs it into
        raise Unreadable("workbook", number) from error


def check_size(file: BinaryIO) -> None:
    """Raises ``Unreadable`` for what unpacks to more than we take. No member is read beyond the size that it claims."""
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
        raise Unreadable("workbook") from error
    file.seek(0)
    if len(members) > MEMBERS_AT_MOST or sum(member.file_size for member in members) > UNPACKED_AT_MOST:
        raise Unreadable("too_large")


def as_text(value: Any) -> str:
    """A cell as somebody would have typed it: whole numbers without a point, dates as 2026-02-01."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d}" if value.time() == time.min else f"{value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
