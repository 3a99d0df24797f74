"""What must happen at a time: looked for each second, in any number of processes.

Each duty is its own transaction and skips what another clock is at, so that two clocks do no harm and one that fails
does not stop the others.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

from consent import importing, ledger
from contactcenter.api.models import IdempotencyKey
from conversations import assigning, drafts, escalating, handling, heartbeats, inbound, mailing, nudging, overdue
from conversations.models import Message
from conversations.shifts import SEEN_FOR

logger = logging.getLogger(__name__)

SEAL_EVERY = timedelta(minutes=1)
BEGAN = timezone.now()


def seal(now: datetime) -> None:
    if ledger.is_seal_due(now=now, every=SEAL_EVERY):
        while ledger.seal(now=now):
            pass


def sweep_events(now: datetime) -> None:
    while inbound.thread(now=now):
        pass


def nudge_lanes(now: datetime) -> None:
    """Due messages whose nudge was lost; and each lane now and then, so that its heart beats."""
    for lane in Message.Lane.values:
        if Message.objects.due(lane, now).exists() or heartbeats.is_due(f"worker-{lane}", now=now):
            nudging.nudge_unless_waiting(lane, now=now)


def nudge_imports(now: datetime) -> None:
    """Files that a worker left behind."""
    if importing.are_left_behind(now=now):
        nudging.nudge_imports_unless_waiting(now=now)


def nudge_mail(now: datetime) -> None:
    """Emails that wait for another attempt, or whose nudge was lost."""
    if mailing.are_due(now=now):
        nudging.nudge_mail_unless_waiting(now=now)


def take_back(now: datetime) -> None:
    """What sits with somebody who is not here. Not at first: after an outage all pages are on their way back."""
    if now - BEGAN > 2 * SEEN_FOR:
        assigning.take_back(now=now)


DUTIES: tuple[Callable[[datetime], object], ...] = (
    lambda now: heartbeats.beat(heartbeats.CLOCK, now=now),
    sweep_events,
    lambda now: overdue.promote(now=now),
    lambda now: handling.wake(now=now),
    lambda now: assigning.release(now=now),
    lambda now: escalating.advance(now=now),
    take_back,
    lambda now: assigning.give_out(now=now),
    lambda now: overdue.sweep(now=now),
    nudge_lanes,
    nudge_imports,
    nudge_mail,
    lambda now: importing.forget(now=now),
    lambda now: mailing.forget(now=now),
    lambda now: drafts.forget(now=now),
    seal,
    lambda now: IdempotencyKey.objects.purge(now=now),
)


def tick(now: datetime) -> None:
    """Every duty once."""
    for duty in DUTIES:
        try:
            duty(now)
        except Exception:
            logger.exception("A duty of the clock failed; it is tried again in a second.")
            connection.close()
