"""What the inbox shows: the list, one thread, one contact. Reads only; the number of queries never depends on the data.

Each ``*_key`` says in one or two cheap queries which rendering a fragment would get, so that an unchanged one is never
rendered again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Self
from uuid import uuid4

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.timezone import localdate

from consent import gate
from consent.models import ConsentEvent, Hold, Standing
from consent.policy import Ruling
from consent.purposes import Kind, Purpose, Verdict
from conversations import wording
from conversations.models import Conversation, Message
from conversations.states import Status

ROWS = 50
MESSAGES = 50
EVENTS = 20
# Bubbles of one sender this close together share one line with time and state.
GROUPED = timedelta(minutes=5)


# --- The list ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """Where a page of the list begins: after this row. ``at`` is its deadline if it waits, else its last message."""

    is_waiting: bool
    at: datetime
    id: int

    def __str__(self) -> str:
        return f"{'w' if self.is_waiting else 'r'}_{self.at:%Y%m%dT%H%M%S.%f%z}_{self.id}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The place that ``str`` wrote. Raises ``ValueError`` for anything else."""
        bucket, at, row_id = text.split("_")
        if bucket not in {"w", "r"}:
            raise ValueError(text)
        return cls(bucket == "w", datetime.strptime(at, "%Y%m%dT%H%M%S.%f%z").astimezone(UTC), int(row_id))

    @classmethod
    def of(cls, row: Conversation) -> Self:
        at = row.due_at or row.last_message_at
        if at is None:
            raise ValueError("a conversation without messages has no place in the list")
        return cls(row.due_at is not None, at, row.pk)


@dataclass(frozen=True)
class Rows:
    """One page of the list and, if there is more, where the next begins."""

    rows: Sequence[Conversation]
    next: Place | None


def rows(*, after: Place | None = None, limit: int = ROWS) -> Rows:
    """Who waits, the most urgent first; then the others, the newest first. Two queries at most."""
    found: list[Conversation] = []
    for part in listed(after):
        found += part.select_related("contact", "line", "last_message")[: limit + 1 - len(found)]
        if len(found) > limit:
            break
    return Rows(found[:limit], Place.of(found[limit - 1]) if len(found) > limit else None)


def list_key(*, after: Place | None = None, limit: int = ROWS) -> tuple[object, ...]:
    """Changes when what ``rows`` shows changes."""
    keys: list[tuple[object, ...]] = []
    for part in listed(after):
        keys += part.values_list("pk", "version", "contact__name")[: limit + 1 - len(keys)]
        if len(keys) > limit:
            break
    return (*keys, localdate())


def listed(after: Place | None) -> Iterator[QuerySet[Conversation]]:
    """The list's two parts in order, from a place on."""
    waiting = Conversation.objects.exclude(due_at=None).order_by("due_at", "pk")
    recent = Conversation.objects.filter(due_at=None, last_message_at__isnull=False)
    recent = recent.order_by("-last_message_at", "-pk")
    if after is None:
        yield from (waiting, recent)
    elif after.is_waiting:
        yield waiting.filter(Q(due_at__gt=after.at) | Q(due_at=after.at, pk__gt=after.id))
        yield recent
    else:
        yield recent.filter(Q(last_message_at__lt=after.at) | Q(last_message_at=after.at, pk__lt=after.id))


# --- A thread --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Bubble:
    """One message as the thread shows it. ``day`` is set on a day's first; ``is_last`` of a group carries the meta."""

    message: Message
    day: date | None
    is_last: bool

    @property
    def state(self) -> wording.State:
        return wording.state(self.message)

    @property
    def label(self) -> str:
        return wording.label(self.message)

    @property
    def may_cancel(self) -> bool:
        return self.message.may_cancel


@dataclass(frozen=True)
class Thread:
    """A page of a conversation's messages, oldest first, and what a reply would meet."""

    conversation: Conversation
    bubbles: Sequence[Bubble]
    earlier: int | None
    is_latest: bool
    ruling: Ruling
    standing: Standing

    @property
    def version(self) -> int:
        return version(self.conversation)

    @property
    def last_id(self) -> int:
        return self.bubbles[-1].message.pk if self.bubbles else 0

    @property
    def objection(self) -> str:
        """Why a reply would be blocked; empty when it would not."""
        return wording.reasons(self.ruling.reasons) if self.ruling.verdict == Verdict.BLOCKED else ""

    @property
    def is_suspected(self) -> bool:
        return self.standing.state.is_suspected


def conversations() -> QuerySet[Conversation]:
    """With all that thread and panel say about them besides messages and events."""
    return Conversation.objects.select_related("contact__subject", "line__brand")


def version(conversation: Conversation) -> int:
    """Grows with every visible change: of the conversation, or of what the ledger says about its number."""
    return conversation.version + conversation.contact.subject.head_seq


def thread_key(conversation_id: int, *, now: datetime) -> tuple[object, ...] | None:
    """Changes when thread or panel change; ``None`` when there is no such conversation. What the gate would say also
    changes with time alone: hence the hour."""
    held = Hold.objects.filter(released_at=None, phone_hash=OuterRef("contact__subject__phone_hash"))
    key = (
        Conversation.objects.filter(pk=conversation_id)
        .annotate(is_on_hold=Exists(held))
        .values_list(
            "pk",
            "version",
            "contact__subject__head_seq",
            "is_on_hold",
            "contact__name",
            "line__name",
            "line__paused_at",
            "line__is_active",
        )
        .first()
    )
    return key and (*key, now.replace(minute=0, second=0, microsecond=0), localdate(now))


def thread(conversation: Conversation, *, now: datetime, before: int | None = None, limit: int = MESSAGES) -> Thread:
    """The last messages, or those before an id."""
    messages = conversation.messages.select_related("author", "decision", "retried_as").order_by("-pk")
    if before is not None:
        messages = messages.filter(pk__lt=before)
    found = list(messages[: limit + 1])
    shown = found[:limit][::-1]
    return Thread(
        conversation=conversation,
        bubbles=list(bubbles(shown)),
        earlier=shown[0].pk if len(found) > limit else None,
        is_latest=before is None,
        ruling=ruling(conversation, now=now),
        standing=standing_of(conversation),
    )


def bubbles(messages: Sequence[Message]) -> Iterator[Bubble]:
    day = None
    for message, following in zip(messages, [*messages[1:], None], strict=True):
        at = localdate(message.occurred_at)
        yield Bubble(message, at if at != day else None, not is_grouped(message, following))
        day = at


def is_grouped(message: Message, following: Message | None) -> bool:
    """Whether the next bubble carries this one's meta. Never a failure's: its line says what to do."""
    if following is None or message.may_retry or message.status in {Status.QUEUED, Status.HELD, Status.CANCELLED}:
        return False
    return (
        (message.direction, message.author_id, message.purpose, message.status)
        == (following.direction, following.author_id, following.purpose, following.status)
        and following.occurred_at - message.occurred_at < GROUPED
        and localdate(message.occurred_at) == localdate(following.occurred_at)
    )


def ruling(conversation: Conversation, *, now: datetime) -> Ruling:
    """What the gate would say of an agent's reply now."""
    request = gate.Request(
        message_ref=uuid4(),
        subject_id=conversation.contact.subject_id,
        brand_id=conversation.line.brand_id,
        purpose=Purpose.REPLY,
        wrote_at=conversation.wrote_at,
    )
    return gate.preview(request, now=now)


# --- The contact -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Panel:
    """Who this is and what they agreed to. ``events`` are the latest of number and brand, newest first."""

    conversation: Conversation
    ruling: Ruling
    standing: Standing
    events: Sequence[ConsentEvent]

    @property
    def version(self) -> int:
        return version(self.conversation)

    @property
    def may_be_texted(self) -> bool:
        return self.ruling.verdict == Verdict.ALLOWED

    @property
    def reason(self) -> str:
        return wording.reasons(self.ruling.reasons)

    @property
    def revocation(self) -> ConsentEvent | None:
        """The event that is in force against texting, where it is among those shown."""
        state = self.standing.state
        if not state.is_suppressed:
            return None
        return next(
            (event for event in self.events if event.kind == Kind.REVOKED and event.occurred_at == state.revoked_at),
            None,
        )


def panel(conversation: Conversation, *, now: datetime, limit: int = EVENTS) -> Panel:
    events = ConsentEvent.objects.filter(
        subject=conversation.contact.subject_id, brand=conversation.line.brand_id
    ).order_by("-seq")
    return Panel(
        conversation=conversation,
        ruling=ruling(conversation, now=now),
        standing=standing_of(conversation),
        events=list(events[:limit]),
    )


def standing_of(conversation: Conversation) -> Standing:
    found = Standing.objects.filter(subject=conversation.contact.subject_id, brand=conversation.line.brand_id).first()
    return found or Standing()
