"""Consent that somebody gave, in whatever way, with what proves it."""

from collections.abc import Mapping
from datetime import datetime

from consent import ledger, proof
from consent.folding import Grant
from consent.models import ConsentEvent, Program, Standing
from consent.purposes import Kind, Level, Source


class NotEnoughProof(ValueError):
    """A consent without what its level needs is no consent. ``missing`` names the evidence."""

    def __init__(self, missing: frozenset[str]) -> None:
        super().__init__(", ".join(sorted(missing)))
        self.missing = missing


class NotOffered(ValueError):
    """The program is not active: nobody can agree to it."""


def acquire(
    *,
    program: Program,
    phone: str,
    source: Source,
    evidence: Mapping[str, str],
    now: datetime,
    occurred_at: datetime | None = None,
    level: Level | None = None,
    actor_id: int | None = None,
    message_ref: str = "",
    rule: str = "",
) -> ConsentEvent:
    """Records that whoever has this E.164 number agreed to a program, at its level or the one given.

    With double opt-in it is a request (``requested``), made now, until the phone itself confirms it; when the person
    agreed is then evidence (``agreed_at``). Raises ``NotOffered`` and
    ``NotEnoughProof``; see ``proof`` for the names of the evidence.
    """
    if program.is_double_opt_in and occurred_at is not None:
        evidence, occurred_at = {"agreed_at": occurred_at.isoformat(), **evidence}, now
    asked = report(
        program=program,
        phone=phone,
        source=source,
        evidence=evidence,
        occurred_at=occurred_at or now,
        level=level,
        actor_id=actor_id,
        message_ref=message_ref,
        rule=rule,
    )
    return ledger.record(report=asked, now=now)


def report(
    *,
    program: Program,
    phone: str,
    source: Source,
    evidence: Mapping[str, str],
    occurred_at: datetime,
    level: Level | None = None,
    actor_id: int | None = None,
    message_ref: str = "",
    rule: str = "",
) -> ledger.Report:
    """What ``acquire`` records, for callers who record many; raises as it does."""
    level = level or Level(program.consent_level)
    if not program.is_active:
        raise NotOffered(program.name)
    if lacking := proof.missing(level, source, evidence):
        raise NotEnoughProof(lacking)
    return ledger.Report(
        phone=phone,
        brand_id=program.brand_id,
        program_id=program.pk,
        kind=Kind.REQUESTED if program.is_double_opt_in else Kind.GRANTED,
        source=source,
        level=level,
        occurred_at=occurred_at,
        actor_id=actor_id,
        message_ref=message_ref,
        rule=rule,
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
