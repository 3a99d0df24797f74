"""What agents do with a conversation besides answering: put it off, call it done, and take that back."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from consent.purposes import Purpose
from conversations import latest, live, waits
from conversations.models import Conversation, Message
from conversations.states import Status

SNOOZE_AT_MOST = timedelta(days=366)


class Refused(Exception):
    """Says, in words for the person who asked, why nothing was done."""


def resolve(*, conversation: Conversation, by_id: int, now: datetime, up_to: int | None = None) -> None:
    """It is done. Whoever still waited needs no other answer, says the person who resolves, having seen the messages up
    to that id. Raises ``waits.WrittenSince``."""
    with transaction.atomic():
        waits.end(conversation=conversation, by_id=by_id, now=now, up_to=up_to)
        Conversation.objects.filter(pk=conversation.pk, resolved_at=None).update(resolved_at=now, snoozed_until=None)


def reopen(*, conversation: Conversation, by_id: int) -> None:
    """Takes ``resolve`` back, with the wait that it ended."""
    with transaction.atomic():
        live.changed([conversation.pk])
        resolved_at = Conversation.objects.values_list("resolved_at", flat=True).get(pk=conversation.pk)
        if resolved_at is None:
            return
        Conversation.objects.filter(pk=conversation.pk).update(resolved_at=None)
        waits.resume(conversation=conversation, ended_at=resolved_at, by_id=by_id)


def snooze(*, conversation: Conversation, until: datetime, now: datetime) -> None:
    """Out of sight until then, or until the person writes. The deadline of a wait stays. Raises ``Refused``."""
    if not now < until <= now + SNOOZE_AT_MOST:
        raise Refused(_("Choose a time that is still to come, within a year."))
    with transaction.atomic():
        live.changed([conversation.pk])
        Conversation.objects.filter(pk=conversation.pk).update(snoozed_until=until, resolved_at=None)


def unsnooze(*, conversation: Conversation) -> None:
    with transaction.atomic():
        live.changed([conversation.pk])
        Conversation.objects.filter(pk=conversation.pk).update(snoozed_until=None)


def wake(*, now: datetime) -> int:
    """Brings back what was snoozed until now. How many."""
    with transaction.atomic():
        due = Conversation.objects.filter(snoozed_until__lte=now).order_by("snoozed_until", "pk")
        ids = list(due.values_list("pk", flat=True)[:500])
        live.changed(ids)
        return Conversation.objects.filter(pk__in=ids, snoozed_until__lte=now).update(snoozed_until=None)


def cancel(*, message: Message, now: datetime) -> bool:
    """Takes back a reply that has not left yet; whether it was in time. Who was to be answered by it waits again."""
    with transaction.atomic():
        live.changed([message.conversation_id])
        is_cancelled = Message.objects.filter(pk=message.pk, purpose=Purpose.REPLY).move(Status.CANCELLED, now=now) == 1
        waits.follow([message.pk])
        if is_cancelled:
            latest.recount([message.conversation_id])
    return is_cancelled
