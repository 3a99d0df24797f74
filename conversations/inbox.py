"""What the inbox shows of one conversation: its thread and its contact. Reads only; the number of queries never
depends on the data.

``key`` says in one cheap query which rendering a fragment would get, so that an unchanged one is never rendered again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import NamedTuple
from uuid import uuid4

from django.db.models import Exists, Max, OuterRef, QuerySet

from consent import gate, reasons
from consent.folding import State
from consent.models import ConsentEvent, Hold, Program, Standing
from consent.policy import Ruling
from consent.purposes import Category, Kind, Level, Purpose, Verdict
from conversations import chronicle, footing, live, notes, wording
from conversations.kept import kept
from conversations.models import Conversation, Tag

MESSAGES = 50
# As far back as a thread grows in place; what is older has pages of its own.
MESSAGES_AT_MOST = 500
EVENTS = 20
PROGRAMS = LINES = 10


# --- A thread --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Thread:
    """A page of a conversation's messages, oldest first, with what was noted and done, and what a reply would meet.
    ``called`` is the last note in the conversation that calls its reader and that they have not seen."""

    conversation: Conversation
    items: Sequence[chronicle.Item]
    earlier: int | None
    is_latest: bool
    is_full: bool
    ruling: Ruling
    standing: Standing
    called: int | None

    @property
    def version(self) -> int:
        return version(self.conversation)

    @cached_property
    def bubbles(self) -> Sequence[chronicle.Bubble]:
        return [item for item in self.items if isinstance(item, chronicle.Bubble)]

    @property
    def first_id(self) -> int:
        return self.bubbles[0].message.pk if self.bubbles else 0

    @property
    def last_id(self) -> int:
        return self.bubbles[-1].message.pk if self.bubbles else 0

    @property
    def objection(self) -> str:
        """Why a reply would be blocked; empty when it would not."""
        return reasons.sentences(self.ruling.reasons) if self.ruling.verdict == Verdict.BLOCKED else ""

    @property
    def is_suspected(self) -> bool:
        return self.standing.state.is_suspected


def conversations() -> QuerySet[Conversation]:
    """With all that thread and panel say about them besides messages and events."""
    related = ("contact__subject", "line__brand", "owner", "team", "disposition")
    return Conversation.objects.select_related(*related)


def version(conversation: Conversation) -> int:
    """Grows with every visible change: of the conversation, or of what the ledger says about its number."""
    return conversation.version + conversation.contact.subject.head_seq


def key(conversation_id: int, *, now: datetime) -> tuple[object, ...] | None:
    """Changes when thread or panel change; ``None`` when there is no such conversation. What the gate would say also
    changes with time alone."""
    held = Hold.objects.filter(released_at=None, phone_hash=OuterRef("contact__subject__phone_hash"))
    found = (
        Conversation.objects.filter(pk=conversation_id)
        .annotate(is_on_hold=Exists(held))
        .values_list(
            "pk",
            "version",
            "contact__subject__head_seq",
            "is_on_hold",
            "line__name",
            "line__paused_at",
            "line__is_active",
        )
        .first()
    )
    return found and (*found, live.moment(now))


class Consent(NamedTuple):
    """What a reply would meet, what the ledger says, and what each program's planned texts would meet."""

    ruling: Ruling
    standing: Standing
    programs: Sequence[tuple[Program, Ruling]]


class Opened(NamedTuple):
    """What thread and panel, which are fetched together, both need. ``key`` was read first: what came in between is
    then fetched once too often, and never missed."""

    key: tuple[object, ...]
    conversation: Conversation
    consent: Consent


def opened(conversation_id: int, *, now: datetime) -> Opened | None:
    """``None`` when there is no such conversation. Shared: nobody may change it."""

    fresh = key(conversation_id, now=now)
    if fresh is None:
        return None

    def read(before: Opened | None) -> Opened:
        if before is not None:
            return before
        conversation = conversations().get(pk=conversation_id)
        return Opened(fresh, conversation, consent_of(conversation, now=now))

    return kept.value(("opened", fresh), read)


def thread(
    conversation: Conversation,
    *,
    now: datetime,
    before: int | None = None,
    since: int | None = None,
    consent: Consent | None = None,
    reader_id: int | None = None,
) -> Thread:
    """The last messages; or, for somebody who reads back, all from ``since`` on; or a page of those before an id.

    ``earlier`` is where it would begin with one page more: as ``since`` while it ``is_full`` not, else as ``before``.
    """
    messages = conversation.messages.select_related("author", "decision", "retried_as").order_by("-pk")
    limit = MESSAGES
    if before is not None:
        messages = messages.filter(pk__lt=before)
    elif since is not None:
        messages, limit = messages.filter(pk__gte=since), MESSAGES_AT_MOST
    shown = list(messages[:limit])[::-1]
    consent = consent or consent_of(conversation, now=now)
    is_full = before is not None or len(shown) >= MESSAGES_AT_MOST
    older = earlier(conversation, shown[0].pk, is_full=is_full) if shown else None
    return Thread(
        conversation=conversation,
        items=chronicle.of(conversation, shown, is_first=older is None, before=before),
        earlier=older,
        is_latest=before is None,
        is_full=is_full,
        ruling=consent.ruling,
        standing=consent.standing,
        called=notes.calling(reader_id, conversation.pk).aggregate(last=Max("note"))["last"] if reader_id else None,
    )


def earlier(conversation: Conversation, first_id: int, *, is_full: bool) -> int | None:
    older = conversation.messages.filter(pk__lt=first_id).order_by("-pk").values_list("pk", flat=True)
    ids = list(older[: 1 if is_full else MESSAGES])
    return None if not ids else first_id if is_full else ids[-1]


def consent_of(conversation: Conversation, *, now: datetime) -> Consent:
    """What the gate would say now, and the standing that it looked at."""
    subject_id, brand_id = conversation.contact.subject_id, conversation.line.brand_id
    standing = Standing.objects.filter(subject=subject_id, brand=brand_id).first() or Standing()
    programs = list(Program.objects.filter(brand=brand_id, is_active=True).order_by("name")[:PROGRAMS])
    about = footing.agreed(programs, standing.state, conversation)
    reply = gate.Request(
        message_ref=uuid4(),
        subject_id=subject_id,
        brand_id=brand_id,
        purpose=Purpose.REPLY,
        program_id=about.pk if about else None,
        wrote_at=conversation.wrote_at,
        postal_code=conversation.contact.postal_code or None,
        time_zone=conversation.contact.time_zone,
    )
    planned = [replace(reply, purpose=Purpose.CAMPAIGN, program_id=program.pk) for program in programs]
    ruling, *rulings = gate.previews(
        [reply, *planned],
        standing,
        now=now,
        programs={program.pk: program for program in programs},
        phones={subject_id: conversation.contact.subject.phone},
    )
    return Consent(ruling, standing, list(zip(programs, rulings, strict=True)))


# --- The contact -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Panel:
    """Who this is and what they agreed to. ``events`` are the latest of number and brand, newest first."""

    conversation: Conversation
    ruling: Ruling
    standing: Standing
    events: Sequence[ConsentEvent]
    programs: Sequence[tuple[Program, Ruling]]
    tags: Sequence[Tag]
    others: Sequence[Conversation]
    first_seen: datetime | None

    @property
    def version(self) -> int:
        return version(self.conversation)

    @property
    def may_be_texted(self) -> bool:
        return self.ruling.verdict == Verdict.ALLOWED

    @property
    def reason(self) -> str:
        return reasons.sentences(self.ruling.reasons)

    @cached_property
    def permissions(self) -> Sequence[tuple[str, str, str]]:
        """What each program of the brand may send: its name, how that stands, and until or from when."""
        state = self.standing.state
        return [
            (program.name, permission(program, state), wording.hours(ruling, self.conversation.contact))
            for program, ruling in self.programs
        ]

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


def permission(program: Program, state: State) -> str:
    """``opted_out``, ``paused``, ``opted_in``, ``asked``, ``when_they_write``, or ``no_consent``."""
    category = Category(program.category)
    if state.is_suppressed_for(category):
        return "opted_out"
    if state.is_suspected:
        return "paused"
    if state.request(program.pk):
        return "asked"
    level = Level(program.consent_level)
    if level != Level.CONVERSATIONAL and state.level(program.pk, category).rank >= level.rank:
        return "opted_in"
    return "when_they_write" if level == Level.CONVERSATIONAL else "no_consent"


def panel(conversation: Conversation, *, now: datetime, limit: int = EVENTS, consent: Consent | None = None) -> Panel:
    consent = consent or consent_of(conversation, now=now)
    contact, brand_id = conversation.contact, conversation.line.brand_id
    events = ConsentEvent.objects.filter(subject=contact.subject_id, brand=brand_id).order_by("-seq")
    others = contact.conversations.exclude(pk=conversation.pk).filter(last_message_at__isnull=False)
    return Panel(
        conversation=conversation,
        ruling=consent.ruling,
        standing=consent.standing,
        events=list(events[:limit]),
        programs=consent.programs,
        tags=list(contact.tags.all()),
        first_seen=conversation.messages.order_by("pk").values_list("occurred_at", flat=True).first(),
        others=list(others.select_related("line").order_by("-last_message_at")[:LINES]),
    )
