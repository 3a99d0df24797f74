"""Somebody's "no" that came elsewhere than by text: recorded, and seen at once where their conversation is open."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NotRequired, TypedDict, Unpack

from django.db import transaction

from consent import revoking
from consent.models import ConsentEvent
from consent.purposes import Category, Source
from conversations import live


class Said(TypedDict):
    """As ``revoking.revoke`` takes it."""

    phone: str
    source: Source
    evidence: Mapping[str, str]
    now: datetime
    brand_ids: Iterable[int] | None
    scope: NotRequired[Category | None]
    occurred_at: NotRequired[datetime | None]
    actor_id: NotRequired[int | None]


def leave(**said: Unpack[Said]) -> list[ConsentEvent]:
    """Ends the texts of these brands, or (``None``) of all; one event per brand."""
    with transaction.atomic():
        events = revoking.revoke(**said)
        live.consent_changed(events)
    return events
