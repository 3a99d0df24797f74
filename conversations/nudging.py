"""Nudges: what must happen is a row, and a task only says "look now". The clock makes up for a lost one in a second.

Arguments stay plain and few: producers and workers are deployed at different times.
"""

from datetime import datetime

from django_q.models import OrmQ
from django_q.tasks import async_task


def nudge(lane: str) -> None:
    """Asks the lane's cluster to send what is due; takes effect when the current transaction commits."""
    async_task("conversations.tasks.send_due", str(lane), cluster=str(lane), save=False)


def nudge_unless_waiting(lane: str, *, now: datetime) -> None:
    """A nudge, unless one waits to be taken already: while a cluster is down they must not pile up."""
    if not OrmQ.objects.filter(key=lane, lock__lte=now).exists():
        nudge(lane)
