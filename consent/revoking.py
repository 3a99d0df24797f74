"""A "no" that came in any other way than by text: said to an agent, on a page, by email, on paper, by telephone."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from consent import ledger
from consent.models import Brand, ConsentEvent
from consent.purposes import Category, Kind, Source


def revoke(
    *,
    phone: str,
    source: Source,
    evidence: Mapping[str, str],
    now: datetime,
    brand_ids: Iterable[int] | None = None,
    scope: Category | None = None,
    occurred_at: datetime | None = None,
    actor_id: int | None = None,
    rule: str = "",
) -> list[ConsentEvent]:
    """Records that whoever has this E.164 number wants no more texts, of these brands or (``None``) of any.

    In force when the transaction commits, before the next gate decides. Never asks for proof: a "no" counts as it is.
    """
    if brand_ids is None:
        brand_ids = Brand.objects.order_by("pk").values_list("pk", flat=True)
    return ledger.record_many(
        [
            ledger.Report(
                phone=phone,
                brand_id=brand_id,
                kind=Kind.REVOKED,
                source=source,
                scope=scope,
                occurred_at=occurred_at or now,
                actor_id=actor_id,
                rule=rule or f"{source}:said",
                evidence={name: value for name, value in evidence.items() if value.strip()},
            )
            for brand_id in brand_ids
        ],
        now=now,
    )
