"""Whether the processes that nobody looks at are alive."""

from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.utils import timezone

from conversations.models import Heartbeat, Message

CLOCK = "clock"
EXPECTED = (CLOCK, *(f"worker-{lane}" for lane in Message.Lane.values))
EVERY = timedelta(seconds=10)
OVERDUE = timedelta(seconds=45)


def since(at: datetime, *, now: datetime) -> QuerySet[Heartbeat]:
    """The signs of life after ``at``. One from the future is of a clock that was wrong, and shows nothing."""
    return Heartbeat.objects.filter(at__gt=at, at__lt=now + EVERY)


def beat(name: str, *, now: datetime) -> None:
    """Shows that ``name`` is alive; writes at most every ten seconds."""
    if is_due(name, now=now):
        Heartbeat.objects.bulk_create(
            [Heartbeat(name=name, at=now)],
            update_conflicts=True,
            unique_fields=["name"],
            update_fields=["at"],
        )


def is_due(name: str, *, now: datetime) -> bool:
    """Whether ``name`` has not shown itself for ten seconds."""
    return not since(now - EVERY, now=now).filter(name=name).exists()


def overdue() -> list[str]:
    """The expected processes that have not shown themselves for 45 seconds."""
    now = timezone.now()
    alive = set(since(now - OVERDUE, now=now).values_list("name", flat=True))
    return [name for name in EXPECTED if name not in alive]
