"""Nudges: what must happen is a row, and a task only says "look now". The clock makes up for a lost one in a second.

Arguments stay plain and few: producers and workers are deployed at different times.
"""

from datetime import datetime

from django_q.models import OrmQ
from django_q.tasks import async_task

# The cluster that takes in files and sends emails: a long one, or a slow server, never delays a reply.
IMPORTS = MAIL = "campaigns"


def nudge(lane: str) -> None:
    """Asks the lane's cluster to send what is due; takes effect when the current transaction commits."""
    async_task("conversations.tasks.send_due", str(lane), cluster=str(lane), save=False)


def nudge_unless_waiting(lane: str, *, now: datetime) -> None:
    """A nudge, unless one waits to be taken already: while a cluster is down they must not pile up."""
    if not is_waiting(lane, now=now):
        nudge(lane)


def is_waiting(lane: str, *, now: datetime) -> bool:
    """Whether a task waits to be taken by the lane's cluster."""
    return bool(OrmQ.objects.filter(key=lane, lock__lte=now).exists())


def nudge_imports() -> None:
    """Asks for imported files to be taken in, behind what people wait for; when the current transaction commits."""
    async_task("conversations.tasks.take_in_imports", cluster=IMPORTS, save=False)


def nudge_mail() -> None:
    """Asks for emails to be sent; takes effect when the current transaction commits."""
    async_task("conversations.tasks.send_mail", cluster=MAIL, save=False)


def nudge_mail_unless_waiting(*, now: datetime) -> None:
    if not is_waiting(MAIL, now=now):
        nudge_mail()


def nudge_imports_unless_waiting(*, now: datetime) -> None:
    if not is_waiting(IMPORTS, now=now):
        nudge_imports()
