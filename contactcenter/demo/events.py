"""What happens in the demo, one thing at a time, in words that need no database.

A *thread* is a person's number and a line's. ``at`` is when it happens; an author is a user name.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from consent.purposes import Kind, Source

Thread = tuple[str, str]


class Fate(StrEnum):
    """What the carrier makes of a reply; digits are its code in a receipt."""

    DELIVERED = "delivered"
    SENT = "sent"  # no word of its delivery
    REFUSED = "refused"  # turned away at once
    UNKNOWN = "unknown"  # no answer
    THROTTLED = "throttled"  # "slow down", then delivered
    UNREACHABLE = "1180"
    SPAM = "1210"
    OPTED_OUT = "1240"
    NO_SUCH_NUMBER = "1250"
    REJECTED = "1260"


@dataclass(frozen=True, kw_only=True)
class Event:
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Text(Event):
    """A text from the person; ``body`` is empty for a picture."""

    thread: Thread
    body: str
    carrier_id: str
    is_picture: bool = False


@dataclass(frozen=True, kw_only=True)
class Garbled(Event):
    """Something from the person that cannot be read."""

    thread: Thread


@dataclass(frozen=True, kw_only=True)
class Stray(Event):
    """A text to a number that is no line."""

    text: Text


@dataclass(frozen=True, kw_only=True)
class Reply(Event):
    """An agent presses "send"."""

    thread: Thread
    body: str
    author: str
    ref: UUID
    fate: Fate = Fate.DELIVERED
    due_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Retry(Event):
    """An agent sends a reply again that did not arrive."""

    ref: UUID
    author: str


@dataclass(frozen=True, kw_only=True)
class Cancel(Event):
    """An agent takes a reply back that has not left yet."""

    ref: UUID


@dataclass(frozen=True, kw_only=True)
class Leave(Event):
    """What is due leaves, and the carrier says what became of it. ``thread``: it must be up to date before."""

    thread: Thread | None = None


@dataclass(frozen=True, kw_only=True)
class Act(Event):
    """An agent does something with a conversation; ``author`` is whom ``ASSIGN`` gives it to, or empty."""

    class Kind(StrEnum):
        RESOLVE = "resolve"
        NO_ANSWER_NEEDED = "no answer needed"
        SNOOZE = "snooze"
        ASSIGN = "assign"
        READ = "read"

    thread: Thread
    kind: Kind
    author: str = ""
    until: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Note(Event):
    """An agent notes who somebody is."""

    thread: Thread
    details: Mapping[str, str]
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Remark(Event):
    """Somebody writes a note for colleagues, and calls those whom it names with an @."""

    thread: Thread
    body: str
    author: str
    ref: UUID


@dataclass(frozen=True, kw_only=True)
class Said(Event):
    """Something about consent that no text of its own tells the ledger; ``at`` is when it is recorded."""

    thread: Thread
    kind: Kind
    source: Source
    occurred_at: datetime
    program: str = ""
    author: str = ""
    message_ref: str = ""
    evidence: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Judge(Event):
    """An officer finds whether what might have been a "no" was one."""

    thread: Thread
    judged_by: str
    is_revocation: bool


@dataclass(frozen=True, kw_only=True)
class Hold(Event):
    """A number is held by hand, and released again by ``released_by``."""

    thread: Thread
    reason: str
    released_by: str


@dataclass(frozen=True, kw_only=True)
class Seal(Event):
    """The day's end: the ledger is sealed."""
