"""Files of consents, or of opt-outs, into the ledger: row by row, each with its own proof. You can't buy a list.

An upload is cut into parts at once (``upload``), looked at (``preview``), started, and taken in part by part, each in
one transaction with its counts and refusals. What is left to do is what is still there: any crash is harmless.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, BinaryIO

from django.db import transaction
from django.db.models import F

from consent import acquiring, import_claims, import_rows, import_sheets
from consent.import_claims import Plan as Plan
from consent.import_rows import Refusal, Row
from consent.models import ConsentEvent, ConsentImport, ImportPart, ImportRefusal
from consent.purposes import Level

ROWS_PER_PART = 500
BYTES_AT_MOST = 20 * 1024 * 1024
LEFT_BEHIND_AFTER = timedelta(seconds=10)
# What was never started is forgotten after a day, what was refused after a month: both hold numbers and names.
DRAFTS_KEPT_FOR = timedelta(days=1)
REFUSALS_KEPT_FOR = timedelta(days=30)


class CannotStart(ValueError):
    """No row of this file could be taken in. ``missing`` names what no column holds, as ``import_rows.lacking``."""

    def __init__(self, missing: frozenset[str]) -> None:
        super().__init__(", ".join(sorted(missing)))
        self.missing = missing


class TooLate(Exception):
    """Somebody has started, cancelled or finished it meanwhile."""


@dataclass(frozen=True)
class Taken:
    """One part that was taken in, and what it wrote into the ledger."""

    of: ConsentImport
    events: Sequence[ConsentEvent]


# --- Before --------------------------------------------------------------------------------------------------------


def upload(
    *, file: BinaryIO, file_name: str, kind: ConsentImport.Kind, created_by_id: int, now: datetime
) -> ConsentImport:
    """Keeps a file's rows as a draft; ``columns`` are guessed. Raises ``import_rows.Unreadable``."""
    sha256 = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
    file.seek(0)
    rows = import_sheets.rows(file) if import_sheets.is_workbook(file) else import_rows.rows(file)
    first = next(rows, None)
    if first is None:
        raise import_rows.Unreadable("empty")
    has_headings = import_rows.is_heading(first.cells)
    with transaction.atomic():
        draft = ConsentImport.objects.create(
            kind=kind,
            state_at=now,
            file_name=file_name[:255],
            sha256=sha256,
            headings=list(first.cells) if has_headings else [""] * len(first.cells),
            created_by_id=created_by_id,
            created_at=now,
        )
        draft.rows = keep(draft, rows if has_headings else with_first(first, rows))
        if not draft.rows:
            raise import_rows.Unreadable("empty")
        draft.columns = import_rows.guessed(draft.headings)
        if not has_headings:
            draft.columns = {"phone": place_of_phones(first)}
        dates = [row.cells for row in sample(draft, ROWS_PER_PART)]
        place = draft.columns.get("occurred_at", -1)
        draft.is_day_first = import_rows.is_day_first([cells[place] for cells in dates if 0 <= place < len(cells)])
        draft.save(update_fields=["rows", "columns", "is_day_first"])
    return draft


def with_first(first: Row, rows: Iterator[Row]) -> Iterator[Row]:
    yield first
    yield from rows


def keep(draft: ConsentImport, rows: Iterator[Row]) -> int:
    """Writes the parts; how many rows there are."""
    count = number = 0
    while batch := list(islice(rows, ROWS_PER_PART)):
        ImportPart.objects.create(of=draft, number=number, rows=[[row.number, list(row.cells)] for row in batch])
        count, number = count + len(batch), number + 1
    return count


def place_of_phones(row: Row) -> int:
    return next(place for place, cell in enumerate(row.cells) if import_rows.as_phone(cell))


def rows_of(part: ImportPart) -> list[Row]:
    return [Row(number, cells) for number, cells in part.rows]


def sample(draft: ConsentImport, number: int) -> list[Row]:
    """The first rows that are still to be taken in."""
    part = draft.parts.order_by("number").first()
    return rows_of(part)[:number] if part else []


def preview(draft: ConsentImport, plan: Plan, *, now: datetime, rows: int = 5) -> list[tuple[Row, Refusal | None]]:
    """What would become of the first rows, but for what the ledger says of their numbers at that moment."""
    shown = sample(draft, rows)
    read = import_claims.read(shown, of=draft, plan=plan, now=now)
    refused = {row.number: refusal for row, refusal in read.refused}
    return [(row, refused.get(row.number)) for row in shown]


def start(*, draft: ConsentImport, plan: Plan, now: datetime) -> None:
    """Puts a file in the queue. Raises ``CannotStart``, ``acquiring.NotOffered`` and ``TooLate``."""
    if draft.kind == ConsentImport.Kind.OPT_OUTS:
        missing = frozenset({"phone"} - plan.columns.keys())
    elif plan.program is None:
        missing = import_rows.lacking(Level.CONVERSATIONAL, plan.columns) | ({"program"} - plan.columns.keys())
    else:
        missing = import_rows.lacking(Level(plan.program.consent_level), plan.columns)
    if missing:
        raise CannotStart(missing)
    if plan.program is not None and not plan.program.is_active:
        raise acquiring.NotOffered(plan.program.name)
    is_opt_outs = draft.kind == ConsentImport.Kind.OPT_OUTS
    changes: dict[str, Any] = {
        "columns": dict(plan.columns),
        "is_day_first": plan.is_day_first,
        "program": None if is_opt_outs else plan.program,
        "brand": plan.brand if is_opt_outs else None,
    }
    drafts = ConsentImport.objects.filter(pk=draft.pk, state=ConsentImport.State.DRAFT)
    if not drafts.move(ConsentImport.State.QUEUED, now=now, **changes):
        raise TooLate


def cancel(*, of: ConsentImport, now: datetime) -> None:
    """Nothing more is taken in; what was, stays. Waits for the part under way. Raises ``TooLate``."""
    with transaction.atomic():
        if not ConsentImport.objects.filter(pk=of.pk).move(ConsentImport.State.CANCELLED, now=now):
            raise TooLate
        ImportPart.objects.filter(of=of.pk).delete()


def go_on(*, of: ConsentImport, now: datetime) -> None:
    """Once more, from where an error stopped it. Raises ``TooLate``."""
    failed = ConsentImport.objects.filter(pk=of.pk, state=ConsentImport.State.FAILED)
    if not failed.move(ConsentImport.State.QUEUED, now=now, error=""):
        raise TooLate


def fail(*, pk: int, error: str, now: datetime) -> None:
    """Stops at a part that cannot be taken in for a reason of ours, until a person lets it go on."""
    ConsentImport.objects.filter(pk=pk).move(ConsentImport.State.FAILED, now=now, error=error)


def forget(*, now: datetime) -> None:
    """Deletes what is of no more use and holds numbers and names: old drafts, old refusals. A bounded number."""
    drafts = ConsentImport.objects.filter(state=ConsentImport.State.DRAFT, created_at__lt=now - DRAFTS_KEPT_FOR)
    if ids := list(drafts.values_list("pk", flat=True)[:10]):
        ConsentImport.objects.filter(pk__in=ids, state=ConsentImport.State.DRAFT).delete()
    over = ConsentImport.objects.exclude(state=ConsentImport.State.DRAFT).exclude(pk__in=under_way())
    old = ImportRefusal.objects.filter(of__in=over, of__state_at__lt=now - REFUSALS_KEPT_FOR)
    if ids := list(old.values_list("pk", flat=True)[:5000]):
        ImportRefusal.objects.filter(pk__in=ids).delete()


# --- Taking in -------------------------------------------------------------------------------------------------------


def under_way() -> list[int]:
    """The files in the queue, the oldest first."""
    return list(ConsentImport.objects.under_way().order_by("pk").values_list("pk", flat=True)[:100])


def are_left_behind(*, now: datetime) -> bool:
    """Whether a file is under way and nobody has been at it for a while."""
    return ConsentImport.objects.under_way().filter(state_at__lt=now - LEFT_BEHIND_AFTER).exists()


def take_in(*, pk: int, now: datetime) -> Taken | None:
    """The next part of a file into the ledger. ``None`` when there is none, or somebody else is at it.

    All or nothing; its locks are held until the caller's transaction ends. The statements do not grow in number with
    the rows.
    """
    with transaction.atomic():
        files = ConsentImport.objects.under_way().filter(pk=pk).select_related("program__brand", "brand")
        of = files.select_for_update(no_key=True, skip_locked=True, of=("self",)).first()
        if of is None:
            return None
        part = of.parts.order_by("number").first()
        events: Sequence[ConsentEvent] = []
        if part is not None:
            plan = Plan(columns=of.columns, is_day_first=of.is_day_first, program=of.program, brand=of.brand)
            rows = rows_of(part)
            read = import_claims.read(rows, of=of, plan=plan, now=now)
            events = import_claims.record(read, of=of, now=now)
            ImportRefusal.objects.bulk_create(
                ImportRefusal(of=of, row=row.number, reason=why.reason, detail=why.detail, cells=list(row.cells))
                for row, why in read.refused
            )
            part.delete()
            refused = len(read.refused)
            of.taken, of.refused = of.taken + len(rows) - refused, of.refused + refused
            ConsentImport.objects.filter(pk=pk).update(taken=of.taken, refused=of.refused)
        is_over = not of.parts.exists()
        ConsentImport.objects.filter(pk=pk).move(
            ConsentImport.State.DONE if is_over else ConsentImport.State.RUNNING, now=now
        )
    return Taken(of, events)


def count_asked(*, pk: int, number: int) -> None:
    """Notes how many were sent the question of a double opt-in."""
    ConsentImport.objects.filter(pk=pk).update(asked=F("asked") + number)
