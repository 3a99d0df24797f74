"""One thread of all that happened in a conversation: bubbles, notes and deeds, merged by time. The messages lead: they
page as they always did, and each page has what was noted and done between its first message and the next page's."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.db.models import Prefetch
from django.utils.timezone import localdate

from conversations import deeds, wording
from conversations.models import Conversation, Entry, Mention, Message, Note
from conversations.states import Status

# Of each, within one page of messages; more is a machine's doing, and the newest count.
AT_MOST = 300
# Bubbles of one sender this close together share one line with time and state.
GROUPED = timedelta(minutes=5)
# A longer run of deeds is folded: its last lines say how things stand.
FOLDED_BEYOND, UNFOLDED = 4, 2


@dataclass(frozen=True)
class Bubble:
    """One message as the thread shows it. ``day`` is set on a day's first; ``is_last`` of a group carries the meta."""

    message: Message
    day: date | None
    is_last: bool
    kind: str = field(default="bubble", init=False)

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
class Remark:
    """A note; ``called`` are those it mentions."""

    note: Note
    day: date | None
    kind: str = field(default="note", init=False)

    @property
    def called(self) -> Sequence[Mention]:
        return list(self.note.mentions.all())


@dataclass(frozen=True)
class Deed:
    """One line of the timeline."""

    entry: Entry

    @property
    def words(self) -> str:
        return deeds.sentence(self.entry)


@dataclass(frozen=True)
class Run:
    """Deeds that follow each other on one day, with nothing said in between."""

    deeds: Sequence[Deed]
    day: date | None
    kind: str = field(default="deeds", init=False)

    @property
    def folded(self) -> Sequence[Deed]:
        return self.deeds[:-UNFOLDED] if len(self.deeds) > FOLDED_BEYOND else ()

    @property
    def shown(self) -> Sequence[Deed]:
        return self.deeds[len(self.folded) :]


Item = Bubble | Remark | Run


def of(
    conversation: Conversation, messages: Sequence[Message], *, is_first: bool, before: int | None = None
) -> list[Item]:
    """These messages, the oldest first, with what was noted and done from the first of them on (``is_first``: from the
    beginning) until the message ``before``, if any. The number of queries does not depend on the data."""
    since = None if is_first or not messages else moment(messages[0])
    until = None
    if before is not None:
        following = conversation.messages.filter(pk__gte=before).order_by("pk").first()
        until = moment(following) if following else None
    mentions = Prefetch("mentions", Mention.objects.select_related("user").order_by("user"))
    notes = Note.objects.filter(conversation=conversation).select_related("author").prefetch_related(mentions)
    entries = Entry.objects.filter(conversation=conversation).select_related("by")
    if since:
        notes, entries = notes.filter(created_at__gte=since), entries.filter(at__gte=since)
    if until:
        notes, entries = notes.filter(created_at__lt=until), entries.filter(at__lt=until)
    return list(
        items(
            messages,
            list(notes.order_by("-created_at", "-pk")[:AT_MOST]),
            list(entries.order_by("-at", "-pk")[:AT_MOST]),
        )
    )


def moment(message: Message) -> datetime:
    """When a message came into the thread, which is not always when its sender's clock says."""
    return message.status_at if message.direction == Message.Direction.IN else message.occurred_at


def items(messages: Sequence[Message], notes: Sequence[Note], entries: Sequence[Entry]) -> Iterator[Item]:
    merged = list(in_order(messages, notes, entries))
    day, place = None, 0
    while place < len(merged):
        one = merged[place]
        at = localdate(said_at(one))
        rule = at if at != day else None
        if isinstance(one, Message):
            following = merged[place + 1] if place + 1 < len(merged) else None
            yield Bubble(one, rule, not is_grouped(one, following))
        elif isinstance(one, Note):
            yield Remark(one, rule)
        else:
            run = [one]
            while place + 1 < len(merged) and isinstance(other := merged[place + 1], Entry):
                if localdate(other.at) != at:
                    break
                run.append(other)
                place += 1
            yield Run([Deed(entry) for entry in run], rule)
        day, place = at, place + 1


def said_at(one: Message | Note | Entry) -> datetime:
    if isinstance(one, Message):
        return one.occurred_at
    return one.created_at if isinstance(one, Note) else one.at


def in_order(
    messages: Sequence[Message], notes: Sequence[Note], entries: Sequence[Entry]
) -> Iterator[Message | Note | Entry]:
    """By time; messages stay in the order of their ids, whatever their clocks say. At the same moment somebody begins,
    then something is said, done, and noted."""
    rest: list[tuple[datetime, int, int, Note | Entry]] = [(note.created_at, 3, note.pk, note) for note in notes]
    rest += [(entry.at, 0 if entry.kind == Entry.Kind.STARTED else 2, entry.pk, entry) for entry in entries]
    rest.sort(key=lambda row: row[:3])
    place = 0
    for message in messages:
        while place < len(rest) and rest[place][:2] < (moment(message), 1):
            yield rest[place][-1]
            place += 1
        yield message
    yield from (row[-1] for row in rest[place:])


def is_grouped(message: Message, following: object) -> bool:
    """Whether the next bubble carries this one's meta. Never a failure's: its line says what to do."""
    if not isinstance(following, Message):
        return False
    if message.may_retry or message.status in {Status.QUEUED, Status.HELD, Status.CANCELLED}:
        return False
    return (
        (message.direction, message.author_id, message.purpose, message.status)
        == (following.direction, following.author_id, following.purpose, following.status)
        and following.occurred_at - message.occurred_at < GROUPED
        and localdate(message.occurred_at) == localdate(following.occurred_at)
    )
