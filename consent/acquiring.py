"""Consent that somebody gave, in whatever way, with what proves it."""

from collections.abc import Mapping
from datetime import datetime
from typing import NotRequired, TypedDict, Unpack

from consent import ledger, proof
from consent.folding import Grant
from consent.models import ConsentEvent, Evidence, Program, Standing
from consent.purposes import Kind, Level, Source


class NotEnoughProof(ValueError):
    """A consent without what its level needs is no consent. ``missing`` names the evidence."""

    def __init__(self, missing: frozenset[str]) -> None:
        super().__init__(", ".join(sorted(missing)))
        self.missing = missing


class NotOffered(ValueError):
    """The program is not active: nobody can agree to it."""


class Agreed(TypedDict):
    """Whoever has this E.164 number agreed to a program: through what, and what shows it (``proof`` has the names)."""

    program: Program
    phone: str
    source: Source
    evidence: Mapping[str, str]
    level: NotRequired[Level | None]  # the program's, if none is given
    actor_id: NotRequired[int | None]
    message_ref: NotRequired[str]
    rule: NotRequired[str]


def acquire(*, now: datetime, occurred_at: datetime | None = None, **agreed: Unpack[Agreed]) -> ConsentEvent:
    """Records that somebody agreed, now or at ``occurred_at``.

    With double opt-in it is a request (``requested``), made now, until the phone itself confirms it; when the person
    agreed is then evidence (``agreed_at``). Raises ``NotOffered`` and ``NotEnoughProof``.
    """
    # The phone is asked now: its YES answers today's question, not one of the day that somebody signed.
    if agreed["program"].is_double_opt_in and occurred_at is not None:
        agreed["evidence"] = {"agreed_at": occurred_at.isoformat(), **agreed["evidence"]}
        occurred_at = now
    return ledger.record(report=report(occurred_at=occurred_at or now, **agreed), now=now)


def report(*, occurred_at: datetime, **agreed: Unpack[Agreed]) -> ledger.Report:
    """What ``acquire`` records, for callers who record many; raises as it does."""
    program, evidence = agreed["program"], agreed["evidence"]
    level = agreed.get("level") or Level(program.consent_level)
    if not program.is_active:
        raise NotOffered(program.name)
    if lacking := proof.missing(level, agreed["source"], evidence):
        raise NotEnoughProof(lacking)
    return ledger.Report(
        phone=agreed["phone"],
        brand_id=program.brand_id,
        program_id=program.pk,
        kind=Kind.REQUESTED if program.is_double_opt_in else Kind.GRANTED,
        source=agreed["source"],
        level=level,
        occurred_at=occurred_at,
        actor_id=agreed.get("actor_id"),
        message_ref=agreed.get("message_ref", ""),
        rule=agreed.get("rule", ""),
        evidence={name: value for name, value in evidence.items() if value.strip()},
    )


def confirm(
    *,
    phone: str,
    program: Program,
    source: Source,
    evidence: Mapping[str, str],
    occurred_at: datetime,
    now: datetime,
    message_ref: str = "",
    only_proves: bool = False,
) -> ConsentEvent:
    """The second half of a double opt-in: the request that waits becomes a grant of its level.

    The event's effect is ``nothing`` when none waits, or the request was too long ago; also with ``only_proves``, which
    keeps one thing more that proves what was said, and while a "no" is in force that this source can't lift.
    """
    return ledger.record(
        now=now,
        report=ledger.Report(
            phone=phone,
            brand_id=program.brand_id,
            program_id=program.pk,
            kind=Kind.CONFIRMED,
            source=source,
            occurred_at=occurred_at,
            message_ref=message_ref,
            only_proves=only_proves,
            evidence=evidence,
        ),
    )


def language_seen(*, subject_id: int, program: Program) -> str:
    """The language of the words that a number agreed to last; the program's where nobody knows (any more)."""
    seen = (
        Evidence.objects.filter(event__subject=subject_id, event__program=program, name="disclosure")
        .order_by("-event__seq")
        .values_list("value", flat=True)
        .first()
    )
    number = (seen or "").partition(" ")[0]
    shown = program.disclosures.filter(pk=number).first() if number.isdecimal() else None
    return shown.language if shown else program.language


def ended_by_the_last_no(standing: Standing) -> dict[int, Grant]:
    """What a number had agreed to until it said the "no" in force, by program."""
    if standing.revoked_at is None:
        return {}
    earlier = (
        standing.subject.events.filter(brand=standing.brand_id, kind=Kind.REVOKED, occurred_at__lt=standing.revoked_at)
        .order_by("-occurred_at")
        .values_list("occurred_at", flat=True)
        .first()
    )
    return {
        program_id: grant
        for program_id, grant in standing.state.grants.items()
        if grant.since <= standing.revoked_at and (earlier is None or grant.since > earlier)
    }
