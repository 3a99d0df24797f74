"""Consent that somebody gave, in whatever way, with what proves it."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import transaction

from consent import ledger, proof, rulebook
from consent.models import ConsentEvent, Program, Standing, Subject
from consent.purposes import Kind, Level, Source

# They come from the very phone that they are about; an agent's note does not.
FROM_THE_PHONE = frozenset({Source.KEYWORD})


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

    With double opt-in it is a request (``requested``) until the phone itself confirms it. Raises ``NotOffered`` and
    ``NotEnoughProof``; see ``proof`` for the names of the evidence.
    """
    level = level or Level(program.consent_level)
    if not program.is_active:
        raise NotOffered(program.name)
    if lacking := proof.missing(level, source, evidence):
        raise NotEnoughProof(lacking)
    return ledger.record(
        now=now,
        report=ledger.Report(
            phone=phone,
            brand_id=program.brand_id,
            program_id=program.pk,
            kind=Kind.REQUESTED if program.is_double_opt_in else Kind.GRANTED,
            source=source,
            level=level,
            occurred_at=occurred_at or now,
            actor_id=actor_id,
            message_ref=message_ref,
            rule=rule,
            evidence={name: value for name, value in evidence.items() if value.strip()},
        ),
    )


def confirm(
    *,
    subject: Subject,
    program: Program,
    source: Source,
    evidence: Mapping[str, str],
    occurred_at: datetime,
    now: datetime,
    message_ref: str = "",
) -> ConsentEvent | None:
    """The second half of a double opt-in: the request that waits becomes a grant of its level. ``None`` when none waits
    or it was too long ago."""
    assert subject.phone is not None  # noqa: S101 an erased number answers no more
    with transaction.atomic():
        pair = (subject.pk, program.brand_id)
        request = Standing.objects.locked([pair])[pair].state.request(program.pk)
        valid = timedelta(hours=int(rulebook.value("confirmation.double_opt_in_hours", now.date())))
        if request is None or not timedelta(0) <= occurred_at - request.since <= valid:
            return None
        return ledger.record(
            now=now,
            report=ledger.Report(
                phone=subject.phone,
                brand_id=program.brand_id,
                program_id=program.pk,
                kind=Kind.CONFIRMED,
                source=source,
                level=request.level,
                occurred_at=occurred_at,
                message_ref=message_ref,
                evidence=evidence,
            ),
        )
