"""Beginning a conversation with somebody who has not written, or not on this line."""

from datetime import datetime

from django.db import transaction

from consent.models import Subject
from conversations import live, timeline
from conversations.models import Contact, Conversation, Entry, Line


def existing(*, number: str, line: Line) -> Conversation | None:
    return Conversation.objects.filter(contact__phone=number, line=line).first()


def imagined(*, number: str, line: Line) -> Conversation:
    """What ``start`` would make, not saved: for whoever asks first what the gate would say."""
    contact = Contact.objects.select_related("subject").filter(phone=number).first()
    if contact is None:
        subject = Subject.objects.filter(phone=number).first() or Subject(pk=0, phone=number)
        contact = Contact(phone=number, subject=subject, postal_code="", time_zone="")
    return Conversation(contact=contact, line=line)


def start(*, number: str, line: Line, by_id: int, now: datetime) -> Conversation:
    """The conversation of this number (E.164) and line; made where there is none. Nobody is texted by that, and no list
    shows it before its first message."""
    with transaction.atomic():
        subject = Subject.objects.for_phone(number)
        contact, _ = Contact.objects.get_or_create(phone=number, defaults={"subject": subject})
        conversation, is_new = Conversation.objects.get_or_create(contact=contact, line=line)
        if is_new:
            live.changed([conversation.pk])
            timeline.record([conversation.pk], Entry.Kind.STARTED, at=now, by_id=by_id)
    return conversation
