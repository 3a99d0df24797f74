"""Somebody joins a program elsewhere than by text: that is recorded, and their phone is told or asked."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Unpack

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from consent import acquiring
from consent.acquiring import Agreed
from consent.models import ConsentEvent, Program, Subject
from consent.purposes import Kind, Purpose
from conversations import automatic, greetings, live, nudging, outbound
from conversations.models import Contact, Conversation, Line, Message
from conversations.states import Status

# More than anybody reads; who has more gives people the address of the one.
LISTED_AT_MOST = 100


# Anybody can type somebody else's number into a form, and systems repeat themselves.
ASKED_AGAIN_AFTER = timedelta(days=1)


class NoLine(ValueError):
    """No line of the program's brand can send; the message says what to do."""


def join(
    *, now: datetime, occurred_at: datetime | None = None, is_asked_by_text: bool = True, **agreed: Unpack[Agreed]
) -> ConsentEvent:
    """Records the consent and queues the confirmation or, with double opt-in, the question: all or nothing.

    Who had it already is told nothing. Without ``is_asked_by_text`` the caller asks in another way. Raises what
    ``acquiring.acquire`` raises, and ``NoLine``.
    """
    with transaction.atomic():
        event = acquiring.acquire(now=now, occurred_at=occurred_at, **agreed)
        tell(event, program=agreed["program"], phone=agreed["phone"], now=now, is_asked_by_text=is_asked_by_text)
    return event


def tell(event: ConsentEvent, *, program: Program, phone: str, now: datetime, is_asked_by_text: bool = True) -> None:
    """Queues what this event calls for. Must run in the transaction that recorded it."""
    purpose = automatic.purpose_of(event)
    if purpose is None or (event.kind == Kind.REQUESTED and not program.is_double_opt_in):
        return  # nothing new; or a "no" is in force, and only the phone itself can lift it
    line = line_of(program)  # without one nobody is asked in another way either
    if purpose == Purpose.DOUBLE_OPT_IN and not is_asked_by_text:
        return
    conversation = conversation_with(phone, line)
    live.changed([conversation.pk])
    if purpose == Purpose.DOUBLE_OPT_IN and asked_lately([(conversation.pk, program.pk)], now=now):
        return  # that question still waits for its YES, whoever claims the same again
    message = outbound.automatic(
        conversation=conversation,
        body=greetings.text_for(
            program, purpose, acquiring.language_seen(subject_id=event.subject_id, program=program)
        ),
        purpose=purpose,
        cause=event.hash,
        program_id=program.pk,
        now=now,
    )
    Message.objects.bulk_create([message], ignore_conflicts=True)
    nudging.nudge(Message.Lane.AGENTS)


def asked_lately(asked: Collection[tuple[int, int]], *, now: datetime) -> set[tuple[int, int]]:
    """Those of these conversations and programs whose question is a day old at most, left us or will, and came after
    their last "no"."""
    no_since = ConsentEvent.objects.filter(
        subject=OuterRef("conversation__contact__subject"), brand=OuterRef("program__brand"), kind=Kind.REVOKED,
        occurred_at__gte=OuterRef("occurred_at"),
    )  # fmt: skip
    questions = Message.objects.filter(
        ~Exists(no_since),
        conversation__in={conversation for conversation, _ in asked},
        program__in={program for _, program in asked},
        purpose=Purpose.DOUBLE_OPT_IN,
        status_at__gt=now - ASKED_AGAIN_AFTER,
    ).exclude(status__in=[Status.BLOCKED, Status.CANCELLED, Status.EXPIRED, Status.FAILED])
    return set(questions.values_list("conversation_id", "program_id")) & set(asked)


def line_of(program: Program) -> Line:
    """The line that a program's texts come from: its own, else its brand's first."""
    lines = list(Line.objects.filter(brand=program.brand_id, is_active=True).order_by("pk"))
    own = [line for line in lines if line.program_id == program.pk]
    if not lines:
        raise NoLine(_("%(brand)s has no line to text from. Add one under Lines.") % {"brand": program.brand})
    return (own or lines)[0]


def open_to_all() -> list[Program]:
    """The programs that anybody may join by the public form, by brand: active, with words to agree to and a line."""
    carried = Line.objects.filter(is_active=True).values("brand")
    active = Program.objects.filter(is_active=True, brand__in=carried, disclosures__isnull=False)
    return list(active.select_related("brand").distinct()[:LISTED_AT_MOST])


def conversation_with(phone: str, line: Line) -> Conversation:
    """The conversation of an E.164 number with a line, made where missing."""
    subject = Subject.objects.for_phone(phone)
    contact, _created = Contact.objects.get_or_create(phone=phone, defaults={"subject": subject})
    conversation, _created = Conversation.objects.get_or_create(contact=contact, line=line)
    conversation.contact, conversation.line = contact, line
    return conversation
