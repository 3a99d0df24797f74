"""Tasks are nudges: what must happen is a row, and a lost nudge costs a second until the clock gives the next one.

Arguments stay plain and few: producers and workers are deployed at different times.
"""

from datetime import datetime

from django.utils import timezone
from django_q.models import OrmQ
from django_q.tasks import async_task

from conversations import heartbeats


def nudge(lane: str) -> None:
    """Asks the lane's cluster to send what is due; takes effect when the current transaction commits."""
    async_task("conversations.tasks.send_due", str(lane), cluster=str(lane), save=False)


def nudge_unless_waiting(lane: str, *, now: datetime) -> None:
    """A nudge, unless one waits to be taken already: while a cluster is down they must not pile up."""
    if not OrmQ.objects.filter(key=lane, lock__lte=now).exists():
        nudge(lane)


def send_due(lane: str) -> None:
    from conversations import dispatch  # a web process that only nudges never loads the carrier's SDK

    heartbeats.beat(f"worker-{lane}", now=timezone.now())
    if dispatch.send_due(lane=lane, clock=timezone.now):
        nudge(lane)
