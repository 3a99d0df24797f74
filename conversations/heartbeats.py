"""Whether the processes that nobody looks at are alive."""

from datetime import datetime, timedelta

from django.utils import timezone

from conversations.models import Heartbeat, Message

CLOCK = "clock"
EXPECTED = (CLOCK, *(f"worker-{lane}" for lane in Message.Lane.values))
EVERY = timedelta(seconds=10)
OVERDUE = timedelta(seconds=45)


def beat(name: str, *, now: datetime) -> None:
    """Shows that ``name`` is alive; writes at most every ten seconds."""
    if not Heartbeat.objects.filter(name=name, at__gt=now - EVERY).exists():
        Heartbeat.objects.bulk_create(
            [Heartbeat(name=name, at=now)],
            update_conflicts=True,
            unique_fields=["name"],
            update_fields=["at"],
        )


def is_due(name: str, *, now: datetime) -> bool:
    """Whether ``name`` has not shown itself for ten seconds."""
    return not Heartbeat.objects.filter(name=name, at__gt=now - EVERY).exists()


def overdue() -> list[str]:
    """The expected processes that have not shown themselves for 45 seconds."""
    alive = set(Heartbeat.objects.filter(at__gt=timezone.now() - OVERDUE).values_list("name", flat=True))
    return [name for name in EXPECTED if name not in alive]
