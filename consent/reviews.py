"""A person judges texts that may have been a "no"."""

from datetime import datetime, timedelta

from django.db import transaction

from consent import ledger
from consent.models import ConsentEvent, Review, Standing
from consent.purposes import Kind, Source


class HasChanged(Exception):
    """Another text came, or somebody else has judged, since the officer looked."""


def decide(*, review: Review, is_revocation: bool, up_to: int, actor_id: int, now: datetime) -> ConsentEvent:
    """Ends a review: the texts were a "no", said when they were sent; or they were not.

    ``up_to`` is the last event that the officer has read. Raises ``HasChanged``.
    """
    with transaction.atomic():
        pair = (review.subject_id, review.brand_id)
        standing = Standing.objects.locked([pair])[pair]
        review = Review.objects.select_for_update(no_key=True, of=("self",)).select_related("subject").get(pk=review.pk)
        if review.decided_at is not None or review.last_event_id != up_to or review.subject.phone is None:
            raise HasChanged
        suspected_at = standing.suspected_at or review.last_event.occurred_at
        # Cleared is what was read and nothing later: a tie stays suspect.
        occurred_at = suspected_at if is_revocation else suspected_at + timedelta(microseconds=1)
        event = ledger.record(
            now=now,
            report=ledger.Report(
                phone=review.subject.phone,
                brand_id=review.brand_id,
                kind=Kind.REVOKED if is_revocation else Kind.CLEARED,
                source=Source.FREE_TEXT if is_revocation else Source.AGENT,
                occurred_at=occurred_at,
                actor_id=actor_id,
                rule=f"review:{review.last_event.facts.get('rule', '')}",
                message_ref=review.last_event.message_ref if is_revocation else "",
            ),
        )
        if is_revocation:
            clear(review, suspected_at=suspected_at, actor_id=actor_id, now=now)
        review.decided_at, review.decided_by_id, review.decision = now, actor_id, event
        review.save(update_fields=["decided_at", "decided_by", "decision"])
    return event


def clear(review: Review, *, suspected_at: datetime, actor_id: int, now: datetime) -> None:
    """Judged is judged: a START after this "no" must not find the suspicion still there."""
    assert review.subject.phone is not None  # noqa: S101 asked for above
    ledger.record(
        now=now,
        report=ledger.Report(
            phone=review.subject.phone,
            brand_id=review.brand_id,
            kind=Kind.CLEARED,
            source=Source.AGENT,
            occurred_at=suspected_at + timedelta(microseconds=1),
            actor_id=actor_id,
            rule="review:revoked",
        ),
    )
