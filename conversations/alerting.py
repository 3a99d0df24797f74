"""A text that another system asks for, about one thing and to one person: queued here, decided by the gate."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from consent import hours, zones
from consent.models import Program
from consent.purposes import Category, Purpose
from conversations import joining, live, nudging, outbound
from conversations.models import Contact, Message

# Longer than that nobody means: an alert is about something that is now.
EXPIRES_AT_MOST = timedelta(days=30)


class NotForPromotions(ValueError):
    """The program is promotional, and an alert would go around what campaigns must keep to."""


class RefTaken(ValueError):
    """Another message has this id already."""


class TooLate(ValueError):
    """It would be of no use any more, or is to be kept for too long."""


def send(
    *,
    program: Program,
    phone: str,
    body: str,
    ref: UUID,
    now: datetime,
    expires_at: datetime | None = None,
    waits_for_morning: bool = False,
) -> Message:
    """Queues an alert to this E.164 number from the program's line; the same ``ref`` again answers with the message
    that is already there.

    Raises ``NotForPromotions``, ``RefTaken``, ``TooLate``, ``joining.NoLine`` and ``outbound.CannotSend``, each in
    words. Whether it may be handed over, the gate decides at that moment.
    """
    if program.category == Category.PROMOTIONAL:
        raise NotForPromotions(_("“%(program)s” is for promotions, which are campaigns.") % {"program": program.name})
    body = outbound.sendable(body)
    with transaction.atomic():
        conversation = joining.conversation_with(phone, joining.line_of(program))
        due_at = morning(conversation.contact, now) if waits_for_morning else now
        expires_at = expires_at or due_at + outbound.USEFUL_FOR
        if not due_at < expires_at <= now + EXPIRES_AT_MOST:
            raise TooLate(_("Choose a time that is still to come, within 30 days."))
        live.changed([conversation.pk])
        message = outbound.queued(
            conversation=conversation,
            body=body,
            purpose=Purpose.ALERT,
            ref=ref,
            now=now,
            due_at=due_at,
            expires_at=expires_at,
        )
        message.program = program
        try:
            with transaction.atomic():
                message.save(force_insert=True)
        except IntegrityError:
            return sent_before(message)
        nudging.nudge(message.lane)
    return message


def morning(contact: Contact, now: datetime) -> datetime:
    """The first moment at which this person is not woken, wherever they may be: now, by day."""
    postal_code = contact.postal_code or None
    places = zones.reaching(contact.phone, postal_code, contact.time_zone)
    opening = hours.opening(places, zones.regions(contact.phone, postal_code), Category.INFORMATIONAL, now)
    return opening.opens_at or now


def sent_before(message: Message) -> Message:
    """The very same alert that was asked for before."""
    same = Message.objects.filter(
        ref=message.ref, conversation=message.conversation, program=message.program, body=message.body
    )
    twin = same.select_related("conversation__contact", "conversation__line", "program", "decision").first()
    if twin is None:
        raise RefTaken(_("Another message already has this id. Make a new one for each new message."))
    return twin
