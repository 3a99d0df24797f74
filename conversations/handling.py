"""What agents do with a conversation besides answering: put it off, call it done, and take that back."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _

from consent.purposes import Purpose
from conversations import latest, live, timeline, waits
from conversations.models import UNTIL_THEY_REPLY, Conversation, Disposition, Entry, Message
from conversations.states import Status

SNOOZE_AT_MOST = timedelta(days=366)


class Refused(Exception):
    """Says, in words for the person who asked, why nothing was done."""


def resolve(
    *,
    conversation: Conversation,
    by_id: int,
    now: datetime,
    up_to: int | None = None,
    disposition_id: int | None = None,
) -> list[Entry]:
    """It is done. Whoever still waited needs no other answer, says the person who resolves, having seen the messages up
    to that id. Raises ``waits.WrittenSince``, or ``Refused`` for a disposition that is not there."""
    disposition = disposition_id and Disposition.objects.filter(pk=disposition_id, is_active=True).first()
    if disposition_id and not disposition:
        raise Refused(_("This disposition is no longer in use. Choose another one."))
    with transaction.atomic():
        waits.end(conversation=conversation, by_id=by_id, now=now, up_to=up_to)
        was_until = Conversation.objects.values_list("snoozed_until", flat=True).get(pk=conversation.pk)
        resolved = Conversation.objects.filter(pk=conversation.pk, resolved_at=None).update(
            resolved_at=now, snoozed_until=None, disposition=disposition or None
        )
        if not resolved:
            return []
        facts = {"disposition": disposition.name} if disposition else {}
        return timeline.record(
            [conversation.pk], Entry.Kind.RESOLVED, at=now, by_id=by_id, was_until=stamp(was_until), **facts
        )


def reopen(*, conversation: Conversation, by_id: int, now: datetime) -> None:
    """Opens what is resolved again. Who resolved it takes that back, with the wait that it ended."""
    with transaction.atomic():
        live.changed([conversation.pk])
        resolved_at = Conversation.objects.values_list("resolved_at", flat=True).get(pk=conversation.pk)
        if resolved_at is None:
            return
        Conversation.objects.filter(pk=conversation.pk).update(resolved_at=None, disposition=None)
        waits.resume(conversation=conversation, ended_at=resolved_at, by_id=by_id)
        timeline.record([conversation.pk], Entry.Kind.REOPENED, at=now, by_id=by_id)


def no_answer_needed(*, conversation: Conversation, by_id: int, now: datetime, up_to: int | None = None) -> list[Entry]:
    """Who waits needs no answer, says a person. Raises ``waits.WrittenSince``."""
    with transaction.atomic():
        if not waits.end(conversation=conversation, by_id=by_id, now=now, up_to=up_to):
            return []
        return timeline.record([conversation.pk], Entry.Kind.NO_ANSWER_NEEDED, at=now, by_id=by_id)


def snooze(*, conversation: Conversation, until: datetime, by_id: int | None, now: datetime) -> list[Entry]:
    """Out of sight until then (or ``UNTIL_THEY_REPLY``), or until the person writes. The deadline of a wait stays, and
    wakes it when it passes. Raises ``Refused``."""
    if until != UNTIL_THEY_REPLY and not now < until <= now + SNOOZE_AT_MOST:
        raise Refused(_("Choose a time that is still to come, within a year."))
    with transaction.atomic():
        live.changed([conversation.pk])
        was_until, was_resolved_at = Conversation.objects.values_list("snoozed_until", "resolved_at").get(
            pk=conversation.pk
        )
        Conversation.objects.filter(pk=conversation.pk).update(snoozed_until=until, resolved_at=None, disposition=None)
        return timeline.record(
            [conversation.pk],
            Entry.Kind.SNOOZED,
            at=now,
            by_id=by_id,
            until=stamp(until),
            was_until=stamp(was_until),
            was_resolved_at=stamp(was_resolved_at),
        )


def unsnooze(*, conversation: Conversation, by_id: int, now: datetime) -> list[Entry]:
    """Wakes it by hand."""
    with transaction.atomic():
        live.changed([conversation.pk])
        was_until = Conversation.objects.values_list("snoozed_until", flat=True).get(pk=conversation.pk)
        if was_until is None:
            return []
        Conversation.objects.filter(pk=conversation.pk).update(snoozed_until=None)
        return timeline.record([conversation.pk], Entry.Kind.WOKE, at=now, by_id=by_id, was_until=stamp(was_until))


def wake(*, now: datetime) -> int:
    """Brings back what was snoozed until now, also after an outage, and whose wait's deadline has passed since it was
    snoozed: that was put off before anybody knew. How many."""
    known_late = Entry.objects.filter(conversation=OuterRef("pk"), kind=Entry.Kind.SNOOZED, at__gte=OuterRef("due_at"))
    is_up = Q(snoozed_until__lte=now)
    is_late = Q(snoozed_until__isnull=False, due_at__lte=now) & ~Exists(known_late)
    with transaction.atomic():
        due = Conversation.objects.filter(is_up | is_late).order_by("snoozed_until", "pk")
        ids = list(due.values_list("pk", flat=True)[:500])
        if not ids:
            return 0
        live.changed(ids)
        woken = Conversation.objects.filter(is_up | is_late, pk__in=ids)
        asleep_until = {pk: until for pk, until in woken.values_list("pk", "snoozed_until") if until}
        for why, is_so in (("time", True), ("deadline", False)):
            ids = [pk for pk, until in asleep_until.items() if (until <= now) is is_so]
            timeline.record(ids, Entry.Kind.WOKE, at=now, why=why)
        return Conversation.objects.filter(pk__in=asleep_until).update(snoozed_until=None)


def stamp(at: datetime | None) -> str | None:
    """A time among an entry's facts; ``datetime.fromisoformat`` reads it."""
    return at.isoformat() if at else None


def cancel(*, message: Message, now: datetime) -> bool:
    """Takes back a reply that has not left yet; whether it was in time. Who was to be answered by it waits again."""
    with transaction.atomic():
        live.changed([message.conversation_id])
        return call_back([message], now=now) == 1


def call_back(replies: Sequence[Message], *, now: datetime) -> int:
    """Those of these replies that have not left stay here; how many. The caller holds their conversations' locks."""
    ids = [reply.pk for reply in replies]
    cancelled = Message.objects.filter(pk__in=ids, purpose=Purpose.REPLY).move(Status.CANCELLED, now=now)
    waits.follow(ids)
    if cancelled:
        latest.recount({reply.conversation_id for reply in replies})
    return cancelled
