"""Imported files, as far as they make texts: with double opt-in, each row puts its question on its way.

The question and the request that it is about are one transaction. Here and not in ``consent``, which sends nothing and
knows nobody above it.
"""

import logging
from collections.abc import Sequence
from datetime import datetime

from django.db import InterfaceError, OperationalError, transaction
from django.utils.translation import gettext as _

from consent import importing
from consent.import_claims import Plan
from consent.models import ConsentEvent, ConsentImport, Program
from consent.purposes import Purpose
from contactcenter.lib import uptime
from conversations import automatic, greetings, joining, live, nudging, outbound, threads
from conversations.models import Contact, Message
from conversations.settling import Clock

logger = logging.getLogger(__name__)

TASK_SECONDS = 5.0


def start(*, draft: ConsentImport, plan: Plan, now: datetime) -> None:
    """Puts a file in the queue. Raises what ``importing.start`` raises, and ``joining.NoLine`` where no line could
    ask people."""
    with transaction.atomic():
        if plan.program is not None and plan.program.is_double_opt_in:
            joining.line_of(plan.program)
        importing.start(draft=draft, plan=plan, now=now)
        nudging.nudge_imports()


def go_on(*, of: ConsentImport, now: datetime) -> None:
    """Once more, from where an error stopped it. Raises ``importing.TooLate``."""
    with transaction.atomic():
        importing.go_on(of=of, now=now)
        nudging.nudge_imports()


def take_in(*, clock: Clock) -> bool:
    """Takes in parts, the oldest file first, for a few seconds; whether any may be left.

    A part that fails stops its file, where a person sees it; a database that is away stops nothing.
    """
    deadline = uptime.seconds() + TASK_SECONDS
    for pk in importing.under_way():
        while uptime.seconds() < deadline:
            try:
                if not take_in_part(pk, now=clock()):
                    break
            except (OperationalError, InterfaceError):
                raise
            except Exception as error:
                logger.exception("A part of import %d cannot be taken in.", pk)
                importing.fail(pk=pk, error=str(error) if isinstance(error, joining.NoLine) else "", now=clock())
                break
    return bool(importing.under_way())


def take_in_part(pk: int, *, now: datetime) -> bool:
    """One part, with its questions; whether there was one."""
    with transaction.atomic():
        taken = importing.take_in(pk=pk, now=now)
        if taken is None:
            return False
        live.consent_changed(taken.events)
        if asked := ask(taken.events, now=now):
            importing.count_asked(pk=pk, number=asked)
    return True


def ask(events: Sequence[ConsentEvent], *, now: datetime) -> int:
    """Queues the question of each request that is new, a fixed number of statements for any number; how many.

    Behind everything that people wait for, and of use for a day: at night it is held until morning.
    """
    asking = [event for event in events if automatic.purpose_of(event) == Purpose.DOUBLE_OPT_IN]
    if not asking:
        return 0
    programs = Program.objects.select_related("brand").in_bulk({event.program_id for event in asking})
    lines = {pk: joining.line_of(program) for pk, program in programs.items()}
    contacts = contacts_of(asking)
    pairs = {event: (contacts[event.subject_id].pk, lines[event.program_id or 0].pk) for event in asking}
    conversations = threads.conversations_for(set(pairs.values()))
    threads.attach(conversations.values(), contacts.values(), lines.values())
    live.changed(conversation.pk for conversation in conversations.values())
    asked = {event: (conversations[pairs[event]].pk, event.program_id or 0) for event in asking}
    known = joining.asked_lately(asked.values(), now=now)
    messages = []
    for event in asking:
        if asked[event] in known:
            continue
        known.add(asked[event])  # one row may repeat another
        program = programs[event.program_id or 0]
        message = outbound.automatic(
            conversation=conversations[pairs[event]],
            body=greetings.text_for(program, Purpose.DOUBLE_OPT_IN),
            purpose=Purpose.DOUBLE_OPT_IN,
            cause=event.hash,
            program_id=program.pk,
            now=now,
        )
        message.lane, message.expires_at = Message.Lane.CAMPAIGNS, now + outbound.USEFUL_FOR
        messages.append(message)
    Message.objects.bulk_create(messages, ignore_conflicts=True)
    nudging.nudge(Message.Lane.CAMPAIGNS)
    return len(messages)


def contacts_of(events: Sequence[ConsentEvent]) -> dict[int, Contact]:
    """By subject id, made where missing."""
    subjects = {event.subject_id: event.subject for event in events}
    known = Contact.objects.filter(subject__in=subjects).in_bulk(field_name="subject_id")
    if missing := sorted(subjects.keys() - known.keys()):
        Contact.objects.bulk_create(
            [Contact(phone=subjects[pk].phone or "", subject_id=pk) for pk in missing], ignore_conflicts=True
        )
        known |= Contact.objects.filter(subject__in=missing).in_bulk(field_name="subject_id")
    return known


def consequence(kind: str, program: Program | None) -> str:
    """What will be sent because of a file, in words for whoever is about to start it."""
    if kind == ConsentImport.Kind.OPT_OUTS:
        return _("Nobody is texted. From the moment a row is taken in, nothing is sent to its number any more.")
    if program is None:
        return _(
            "Where a row's program has double opt-in, its number is asked by text and counts only after a YES. Nobody "
            "else is texted now."
        )
    if program.is_double_opt_in:
        return _(
            "Each number that is taken in is asked by text, in permitted hours: “%(question)s” It may be texted only "
            "after a YES."
        ) % {"question": greetings.text_for(program, Purpose.DOUBLE_OPT_IN)}
    return _("Nobody is texted now: no confirmation goes out for imported consents.")
