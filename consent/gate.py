"""The one gate that every outbound message passes at the moment of sending. There is no way around it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from consent import policy, rulebook
from consent.models import Decision, Hold, Program, Standing, Subject
from consent.policy import Facts, Ruling
from consent.purposes import Category, Level, Purpose


@dataclass(frozen=True, kw_only=True)
class Request:
    """May this message be sent? ``message_ref`` is its own id; ``wrote_at`` when the person last texted this line."""

    message_ref: UUID
    subject_id: int
    brand_id: int
    purpose: Purpose
    program_id: int | None = None
    wrote_at: datetime | None = None


def decide(requests: Sequence[Request], *, now: datetime) -> dict[UUID, Decision]:
    """Decides and records, by ``message_ref``. Must run in the transaction that acts on the verdicts: the standing rows
    stay locked until it ends, so that no message is allowed after a STOP has committed.

    A fixed number of statements for any number of requests. Raises ``TransactionManagementError`` outside a
    transaction.
    """
    transaction.get_connection().validate_no_broken_transaction()
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("gate.decide belongs in the transaction that sends")
    Hold.objects.lock_out_new_ones()
    standings = Standing.objects.locked((request.subject_id, request.brand_id) for request in requests)
    facts = gathered(requests, standings)
    # Under the standings' locks, so that no event of these brands can be at a later place and yet seen.
    heads = dict(Subject.objects.filter(pk__in={pk for pk, _ in standings}).values_list("pk", "head_seq"))
    rulings = {case: policy.decide(case, now) for case in set(facts)}
    version = rulebook.version()
    decisions = [
        Decision(
            message_ref=request.message_ref,
            subject_id=request.subject_id,
            brand_id=request.brand_id,
            program_id=request.program_id,
            purpose=request.purpose,
            verdict=rulings[case].verdict,
            reasons=list(rulings[case].reasons),
            held_until=rulings[case].held_until,
            facts=as_json(case),
            rules_version=version,
            ledger_seq=heads[request.subject_id],
            decided_at=now,
        )
        for request, case in zip(requests, facts, strict=True)
    ]
    Decision.objects.bulk_create(decisions)
    return {decision.message_ref: decision for decision in decisions}


def preview(request: Request, standing: Standing | None = None, *, now: datetime) -> Ruling:
    """What the gate would say now: no lock, no record. For screens only; sending always asks ``decide``."""
    if standing is None:
        standing = Standing.objects.filter(subject_id=request.subject_id, brand_id=request.brand_id).first()
    standing = standing or Standing()
    return policy.decide(gathered([request], {(request.subject_id, request.brand_id): standing})[0], now)


def gathered(requests: Sequence[Request], standings: dict[tuple[int, int], Standing]) -> list[Facts]:
    """The facts of each request, in order."""
    programs = Program.objects.in_bulk({request.program_id for request in requests if request.program_id})
    held = Hold.objects.filter(released_at=None)
    on_hold = set(
        Subject.objects.filter(
            Q(phone_hash__in=held.values("phone_hash")) | Q(phone__in=held.values("phone")),
            pk__in={request.subject_id for request in requests},
        ).values_list("pk", flat=True)
    )
    facts = []
    for request in requests:
        state = standings[request.subject_id, request.brand_id].state
        program = programs.get(request.program_id or 0)
        category = Category(program.category) if program else None
        facts.append(
            Facts(
                purpose=Purpose(request.purpose),
                is_suppressed=state.is_suppressed_for(category),
                is_suspected=state.is_suspected,
                is_on_hold=request.subject_id in on_hold,
                revoked_at=state.revoked_at,
                wrote_at=request.wrote_at,
                level_needed=Level(program.consent_level) if program else Level.NONE,
                level_held=state.level(request.program_id, category),
                is_awaiting_yes=state.request(request.program_id) is not None,
                is_program_active=program.is_active if program else True,
            )
        )
    return facts


def as_json(facts: Facts) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in asdict(facts).items()}
