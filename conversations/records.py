"""What somebody said or signed elsewhere, written down by one of us: consent on paper or by telephone, and a "no" that
came by letter, telephone or email.

Nothing of it is ever undone: the ledger only grows, and what was written down by mistake is put right by the opposite.
"""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from consent.folding import State
from consent.models import Brand, ConsentEvent, Program, Standing, Subject
from consent.purposes import Category, Source
from conversations import joining, leaving


class OptedOut(Exception):
    """The person has said no, at ``said_at``. What one of us writes down never lifts that; their own phone does."""

    def __init__(self, said_at: datetime) -> None:
        super().__init__(said_at)
        self.said_at = said_at


def gave(
    *,
    program: Program,
    phone: str,
    source: Source,
    evidence: Mapping[str, str],
    occurred_at: datetime,
    actor_id: int,
    now: datetime,
) -> ConsentEvent:
    """A consent that one of us saw or heard, with the confirmation or the question that follows.

    Raises ``OptedOut``, and what ``joining.join`` raises.
    """
    with transaction.atomic():
        pair = (Subject.objects.for_phone(phone).pk, program.brand_id)
        state, category = Standing.objects.locked([pair])[pair].state, Category(program.category)
        said_at = state.no_to(category)
        if said_at is not None and state.is_suppressed_for(category):
            raise OptedOut(said_at)
        return joining.join(
            program=program,
            phone=phone,
            source=source,
            evidence=evidence,
            occurred_at=occurred_at,
            actor_id=actor_id,
            now=now,
        )


def took_back(
    *,
    phone: str,
    brand: Brand | None,
    source: Source,
    evidence: Mapping[str, str],
    occurred_at: datetime,
    actor_id: int,
    now: datetime,
) -> list[ConsentEvent]:
    """A "no" to a brand, or (``None``) to all, that one of us read or heard; one event per brand."""
    return leaving.leave(
        phone=phone,
        brand_ids=[brand.pk] if brand else None,
        source=source,
        evidence=evidence,
        occurred_at=occurred_at,
        actor_id=actor_id,
        now=now,
    )


def standing_after(event: ConsentEvent) -> State:
    """What the ledger says of number and brand now."""
    return Standing.objects.get(subject=event.subject_id, brand=event.brand_id).state
