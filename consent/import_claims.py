"""What the rows of a file prove, and what the ledger lets in of it.

A row without its own proof is refused, and so is one about a number that has said "no": a file never lifts that,
whatever date it gives. Only the person does, with their own START or JOIN.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Protocol

from django.utils import timezone

from consent import acquiring, import_rows, ledger
from consent.folding import State
from consent.import_rows import Claim, Refusal, Row
from consent.models import Brand, ConsentEvent, ConsentImport, Program, Standing, Subject
from consent.purposes import Category, Kind, Source


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What somebody says that a file holds. ``program`` for all rows, or ``None``: a column names it; ``brand`` for a
    list of opt-outs, or ``None``: all brands."""

    columns: Mapping[str, int]
    is_day_first: bool = False
    program: Program | None = None
    brand: Brand | None = None


@dataclass(frozen=True)
class Proven:
    """A consent with all that its level needs. ``agreed_at`` is when the person did, by the file."""

    row: Row
    program: Program
    report: ledger.Report
    agreed_at: datetime


@dataclass
class Read:
    """What rows say, before the ledger is asked: consents that are proven, the reports of opt-outs, and refusals."""

    proven: list[Proven] = field(default_factory=list)
    opt_outs: list[ledger.Report] = field(default_factory=list)
    refused: list[tuple[Row, Refusal]] = field(default_factory=list)


class Parser(Protocol):
    """``import_rows.consent_in`` or ``opt_out_in``."""

    def __call__(self, cells: Mapping[str, str], *, day_first: bool, zone: tzinfo, now: datetime) -> Claim: ...


# --- Reading ---------------------------------------------------------------------------------------------------------


def read(rows: Sequence[Row], *, of: ConsentImport, plan: Plan, now: datetime) -> Read:
    """Which of these rows say what they must. A few queries for any number of them."""
    reading = Read()
    take = opt_outs(of, plan, reading, now) if of.kind == of.Kind.OPT_OUTS else consents(of, plan, reading, now)
    for row in rows:
        try:
            take(row)
        except Refusal as refusal:
            reading.refused.append((row, refusal))
        except acquiring.NotEnoughProof as error:
            reading.refused.append((row, Refusal("no_proof", " ".join(sorted(error.missing)))))
        except acquiring.NotOffered as error:
            reading.refused.append((row, Refusal("not_offered", str(error))))
    return reading


def consents(of: ConsentImport, plan: Plan, reading: Read, now: datetime) -> Callable[[Row], None]:
    programs = named_programs() if plan.program is None else {}

    def take(row: Row) -> None:
        claim = claimed(import_rows.consent_in, row, of, plan, now)
        program = plan.program or programs.get(claim.program.casefold())
        if program is None:
            raise Refusal("unknown_program" if claim.program else "no_program", claim.program)
        report = acquiring.report(
            program=program,
            phone=claim.phone,
            source=Source.IMPORT,
            evidence={**evidence(of, row, claim), "agreed_at": claim.occurred_at.isoformat()},
            # The phone is asked now: its YES answers today's question, not one of the day it signed.
            occurred_at=now if program.is_double_opt_in else claim.occurred_at,
            actor_id=of.created_by_id,
            rule=rule(of),
        )
        reading.proven.append(Proven(row, program, report, claim.occurred_at))

    return take


def opt_outs(of: ConsentImport, plan: Plan, reading: Read, now: datetime) -> Callable[[Row], None]:
    brand_ids = [plan.brand.pk] if plan.brand else list(Brand.objects.order_by("pk").values_list("pk", flat=True))

    def take(row: Row) -> None:
        claim = claimed(import_rows.opt_out_in, row, of, plan, now)
        reading.opt_outs += [
            ledger.Report(
                phone=claim.phone,
                brand_id=brand_id,
                kind=Kind.REVOKED,
                source=Source.IMPORT,
                occurred_at=claim.occurred_at,
                actor_id=of.created_by_id,
                rule=rule(of),
                evidence=evidence(of, row, claim),
            )
            for brand_id in brand_ids
        ]

    return take


def named_programs() -> dict[str, Program]:
    """By what a column may call them: slug, name, brand and name. A name that two brands use names neither."""
    programs: dict[str, Program] = {}
    ambiguous: set[str] = set()
    for program in Program.objects.select_related("brand"):
        for name in (program.slug, str(program), program.name):
            known = programs.setdefault(name.casefold(), program)
            if known != program:
                ambiguous.add(name.casefold())
    return {name: program for name, program in programs.items() if name not in ambiguous}


def claimed(parse: Parser, row: Row, of: ConsentImport, plan: Plan, now: datetime) -> Claim:
    cells = import_rows.cells_by_name(row, plan.columns, len(of.headings))
    return parse(cells, day_first=plan.is_day_first, zone=timezone.get_default_timezone(), now=now)


def evidence(of: ConsentImport, row: Row, claim: Claim) -> dict[str, str]:
    """The row's proof, and where it stood."""
    return {**claim.evidence, "file": f"{of.file_name}, row {row.number}"}


def rule(of: ConsentImport) -> str:
    return f"import:{of.pk}"


# --- Recording -------------------------------------------------------------------------------------------------------


def record(reading: Read, *, of: ConsentImport, now: datetime) -> Sequence[ConsentEvent]:
    """Writes what the ledger lets in; the rest joins the refusals. Must run in a transaction: whether a number has said
    "no" is looked up under its lock. A fixed number of statements."""
    subjects = Subject.objects.for_phones(proven.report.phone for proven in reading.proven)
    pairs = [(subjects[proven.report.phone].pk, proven.program.brand_id) for proven in reading.proven]
    standings = Standing.objects.locked(pairs)
    taken = taken_before(of, {subject_id for subject_id, _ in pairs})
    accepted = []
    for proven, pair in zip(reading.proven, pairs, strict=True):
        place = pair[0], proven.program.pk
        objection = objection_to(standings[pair].state, proven)
        if place in taken:
            objection = Refusal("duplicate")
        if objection is None:
            taken.add(place)
            accepted.append(proven.report)
        else:
            reading.refused.append((proven.row, objection))
    return ledger.record_many([*accepted, *reading.opt_outs], now=now)


def objection_to(state: State, proven: Proven) -> Refusal | None:
    """What the person has said themselves counts for more than somebody's file."""
    category = Category(proven.program.category)
    said = state.no_to(category)
    if said is not None and state.is_suppressed_for(category):
        return Refusal("opted_out", said.isoformat())
    if said is not None and proven.agreed_at <= said:
        return Refusal("said_no_since", said.isoformat())
    return Refusal("may_have_opted_out") if state.is_suspected else None


def taken_before(of: ConsentImport, subject_ids: set[int]) -> set[tuple[int, int | None]]:
    """Number and program of what this very file has brought already, as far as these numbers go."""
    events = ConsentEvent.objects.filter(
        subject__in=subject_ids,
        source=Source.IMPORT,
        recorded_at__gte=of.created_at,
        body__contains=f'"rule":{ledger.canonical(rule(of))}',
    )
    return set(events.values_list("subject_id", "program_id"))
