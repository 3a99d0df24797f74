"""Numbers that are a nuisance: their texts are kept and read by nobody.

This is no opt-out, and lifts none: STOP and START of a blocked number do what they always do, and are answered.
"""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models.functions import Coalesce

from consent.purposes import Purpose
from conversations import handling, live, timeline, waits
from conversations.models import Contact, Conversation, Entry, Message
from conversations.states import Status

NOT_YET_GONE = (Status.QUEUED, Status.HELD)


def lock(contact_ids: Iterable[int]) -> None:
    """Before the locks of their conversations."""
    ids = sorted(set(contact_ids))
    if ids:
        list(Contact.objects.filter(pk__in=ids).order_by("pk").select_for_update(no_key=True).values_list("pk"))


def block(*, contact: Contact, by_id: int, now: datetime) -> list[Entry]:
    """From now on nothing that this number writes waits, counts as unread or opens a conversation. What is open is
    resolved, and replies that have not left are called back. The first line of what ``undo`` takes back, as a whole;
    nothing where it was blocked before."""
    with transaction.atomic():
        lock([contact.pk])
        if not Contact.objects.filter(pk=contact.pk, blocked_at=None).update(blocked_at=now, blocked_by=by_id):
            return []
        conversations = Conversation.objects.filter(contact=contact)
        ids = list(conversations.order_by("pk").values_list("pk", flat=True))
        live.changed(ids)
        waiting = Message.objects.filter(conversation__in=ids, purpose=Purpose.REPLY, status__in=NOT_YET_GONE)
        handling.call_back(list(waiting), now=now)
        for conversation in conversations.filter(due_at__isnull=False):
            waits.end(conversation=conversation, by_id=by_id, now=now)
        conversations.update(resolved_at=Coalesce("resolved_at", now), snoozed_until=None, unread=0)
        return timeline.record(ids, Entry.Kind.BLOCKED, at=now, by_id=by_id)[:1]


def unblock(*, contact: Contact, by_id: int, now: datetime) -> None:
    """Their next text waits for an answer again. What was resolved stays so."""
    with transaction.atomic():
        lock([contact.pk])
        if Contact.objects.filter(pk=contact.pk, blocked_at__isnull=False).update(blocked_at=None, blocked_by=None):
            ids = Conversation.objects.filter(contact=contact).values_list("pk", flat=True)
            live.changed(ids)
            timeline.record(ids, Entry.Kind.UNBLOCKED, at=now, by_id=by_id)


def lift(entry: Entry, *, now: datetime) -> bool:
    """Takes ``block`` back, with all that it resolved, but not with what it called back; whether it was still in force.
    The caller holds the contact's lock, and writes the line for the entry's own conversation."""
    contact_id, by_id = entry.conversation.contact_id, entry.by_id
    assert by_id is not None  # noqa: S101 only somebody blocks
    if not Contact.objects.filter(pk=contact_id, blocked_at=entry.at).update(blocked_at=None, blocked_by=None):
        return False
    conversations = Conversation.objects.filter(contact=contact_id)
    ids = list(conversations.values_list("pk", flat=True))
    live.changed(ids)
    resolved = list(conversations.filter(resolved_at=entry.at))
    conversations.filter(resolved_at=entry.at).update(resolved_at=None)
    for conversation in resolved:
        waits.resume(conversation=conversation, ended_at=entry.at, by_id=by_id)
    others = [pk for pk in ids if pk != entry.conversation_id]
    timeline.record(others, Entry.Kind.UNBLOCKED, at=now, by_id=by_id, undoes=entry.pk)
    return True
