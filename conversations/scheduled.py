"""Replies that somebody has written for later: which, next first, and at another time."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from django.db import transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _

from consent.purposes import Purpose
from conversations import live
from conversations.models import Message
from conversations.outbound import SCHEDULED_AT_MOST, USEFUL_FOR, CannotSend
from conversations.states import Status

ROWS = 50
# What leaves sooner only waits for its author to change their mind (``User.undo_seconds``).
AT_LEAST = timedelta(minutes=1)


@dataclass(frozen=True)
class Place:
    """Where a page begins: after this message."""

    due_at: datetime
    id: int

    def __str__(self) -> str:
        return f"{self.due_at.astimezone(UTC):%Y%m%dT%H%M%S.%f}_{self.id}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The place that ``str`` wrote. Raises ``ValueError`` for anything else."""
        at, _, pk = text.partition("_")
        if len(pk) > 18:
            raise ValueError(text)
        return cls(datetime.strptime(at, "%Y%m%dT%H%M%S.%f").replace(tzinfo=UTC), int(pk))


def find(
    *, now: datetime, author_id: int | None = None, after: Place | None = None, limit: int = ROWS
) -> tuple[list[Message], Place | None]:
    """A page of what is to leave after now, of one author or of all, and where the next begins. One query."""
    rows = Message.objects.filter(
        lane=Message.Lane.AGENTS,
        status=Status.QUEUED,
        purpose=Purpose.REPLY,
        due_at__gt=now,
    ).filter(due_at__gt=F("occurred_at") + AT_LEAST, error_detail="")
    if author_id is not None:
        rows = rows.filter(author=author_id)
    if after is not None:
        rows = rows.filter(Q(due_at__gt=after.due_at) | Q(due_at=after.due_at, pk__gt=after.id))
    found = list(
        rows.select_related("author", "conversation__contact", "conversation__line").order_by("due_at", "pk")[
            : limit + 1
        ]
    )
    if len(found) <= limit or (last := found[limit - 1]).due_at is None:
        return found, None
    return found[:limit], Place(last.due_at, last.pk)


def move(*, message: Message, due_at: datetime, now: datetime) -> None:
    """Lets it leave at another time. Raises ``CannotSend`` for a time that is no good, or when it has left."""
    if not now < due_at <= now + SCHEDULED_AT_MOST:
        raise CannotSend(_("Choose a time to send that is still to come, within 90 days."))
    with transaction.atomic():
        live.changed([message.conversation_id])
        # What is not due has not been taken by anybody, nor will be under this statement's lock.
        waiting = Message.objects.filter(pk=message.pk, purpose=Purpose.REPLY, status=Status.QUEUED, due_at__gt=now)
        if not waiting.update(due_at=due_at, expires_at=due_at + USEFUL_FOR):
            raise CannotSend(_("Too late: this message has left already, or was cancelled."))
