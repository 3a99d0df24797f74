"""Texts into their threads: contact, conversation, message and wait, for any number of them in a fixed number of
statements."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import connection

from consent.models import Subject
from conversations import automatic, consequences, live, reading, routing, waits, welcoming
from conversations.carriers import webhooks
from conversations.models import CarrierEvent, Contact, Conversation, Line, Message
from conversations.states import Status


class NoSuchLine(ValueError):
    """The text went to a number that is no line."""


def apply(events: Sequence[CarrierEvent], *, now: datetime) -> None:
    """Messages in their conversations, for any number of events with a fixed number of statements.

    Raises ``reading.Unthreadable``, before anything is locked, for those that never can be.
    """
    texts, lines = readable(events)
    contacts = contacts_for(texts)
    conversations = conversations_for({(contacts[text.sender].pk, lines[text.recipient].pk) for text in texts})
    attach(conversations.values(), contacts.values(), lines.values())
    live.changed(conversation.pk for conversation in conversations.values())
    messages = [
        Message(
            conversation=conversations[contacts[text.sender].pk, lines[text.recipient].pk],
            direction=Message.Direction.IN,
            channel=text.channel,
            kind=Message.Kind.TEXT if text.is_supported else Message.Kind.UNSUPPORTED,
            body=text.body,
            status=Status.RECEIVED,
            status_at=event.received_at,
            occurred_at=min(text.occurred_at or event.received_at, event.received_at),
            carrier_id=text.carrier_id,
        )
        for event, text in zip(events, texts, strict=True)
    ]
    insert_texts(messages)
    blocked = note_arrivals(messages)
    did = consequences.of([text.carrier_id for text in texts])
    unsettled = [one for one in messages if one.conversation_id not in blocked and not automatic.is_settled(one, did)]
    routing.route(unsettled, now=now)
    waits.open_for(unsettled)
    automatic.answer(messages, did, now=now)
    welcoming.welcome(unsettled, did, now=now)
    CarrierEvent.objects.filter(pk__in=[event.pk for event in events]).update(
        state=CarrierEvent.State.THREADED, error=""
    )


def readable(events: Sequence[CarrierEvent]) -> tuple[list[webhooks.Text], dict[str, Line]]:
    """The texts, in order, and their lines by number. Raises ``reading.Unthreadable``."""
    texts: dict[int, webhooks.Text] = {}
    errors: dict[int, Exception] = {}
    for event in events:
        try:
            texts[event.pk] = webhooks.read_text(event.payload)
        except webhooks.Malformed as error:
            errors[event.pk] = error
    found = Line.objects.filter(number__in={text.recipient for text in texts.values()}).select_related("brand")
    lines = {line.number: line for line in found}
    for pk, text in texts.items():
        if text.recipient not in lines:
            errors[pk] = NoSuchLine(f"{text.recipient} is no line here. Add it under Lines, then try again.")
    if errors:
        raise reading.Unthreadable(errors)
    return list(texts.values()), lines


def contacts_for(texts: Sequence[webhooks.Text]) -> dict[str, Contact]:
    phones = {text.sender for text in texts}
    known = {contact.phone: contact for contact in Contact.objects.filter(phone__in=phones)}
    if missing := sorted(phones - known.keys()):
        subjects = Subject.objects.for_phones(missing)
        Contact.objects.bulk_create(
            [Contact(phone=number, subject=subjects[number]) for number in missing], ignore_conflicts=True
        )
        known |= {contact.phone: contact for contact in Contact.objects.filter(phone__in=missing)}
    return known


def conversations_for(pairs: set[tuple[int, int]]) -> dict[tuple[int, int], Conversation]:
    found = existing_conversations(pairs)
    if missing := sorted(pairs - found.keys()):
        Conversation.objects.bulk_create(
            [Conversation(contact_id=contact_id, line_id=line_id) for contact_id, line_id in missing],
            ignore_conflicts=True,
        )
        found |= existing_conversations(set(missing))
    return found


def attach(conversations: Iterable[Conversation], contacts: Iterable[Contact], lines: Iterable[Line]) -> None:
    """Known already, so that nobody fetches them again with each conversation."""
    contact_by_id = {contact.pk: contact for contact in contacts}
    line_by_id = {line.pk: line for line in lines}
    for conversation in conversations:
        conversation.contact = contact_by_id[conversation.contact_id]
        conversation.line = line_by_id[conversation.line_id]


def existing_conversations(pairs: set[tuple[int, int]]) -> dict[tuple[int, int], Conversation]:
    rows = Conversation.objects.filter(
        contact__in={contact_id for contact_id, _ in pairs}, line__in={line_id for _, line_id in pairs}
    )
    return {(row.contact_id, row.line_id): row for row in rows if (row.contact_id, row.line_id) in pairs}


# Four times as fast as ``bulk_create``, which spells out placeholders for each text. Ids are given in this order.
TEXTS = """
INSERT INTO conversations_message (conversation_id, ref, direction, kind, channel, body, status, status_at, occurred_at,
    carrier_id, purpose, lane, error_code, error_detail)
SELECT conversation_id, ref, 'in', kind, channel, body, 'received', status_at, occurred_at, carrier_id, '', '', '', ''
FROM unnest(%s::bigint[], %s::uuid[], %s::text[], %s::text[], %s::text[], %s::timestamptz[], %s::timestamptz[],
    %s::text[]) WITH ORDINALITY
    AS text (conversation_id, ref, kind, channel, body, status_at, occurred_at, carrier_id, place)
ORDER BY place
RETURNING ref, id
"""


def insert_texts(messages: Sequence[Message]) -> None:
    columns = [
        [getattr(message, name) for message in messages]
        for name in (
            "conversation_id",
            "ref",
            "kind",
            "channel",
            "body",
            "status_at",
            "occurred_at",
            "carrier_id",
        )
    ]
    with connection.cursor() as cursor:
        cursor.execute(TEXTS, columns)
        ids = dict(cursor.fetchall())
    for message in messages:
        message.pk = ids[message.ref]


ARRIVALS = """
UPDATE conversations_conversation conversation
SET wrote_at = greatest(conversation.wrote_at, arrival.wrote_at),
    last_message_id = greatest(conversation.last_message_id, arrival.message_id),
    last_message_at = greatest(conversation.last_message_at, arrival.arrived_at),
    unread = CASE WHEN contact.blocked_at IS NULL THEN conversation.unread + arrival.texts ELSE 0 END,
    resolved_at = CASE WHEN contact.blocked_at IS NOT NULL
        THEN coalesce(conversation.resolved_at, contact.blocked_at) END,
    disposition_id = CASE WHEN contact.blocked_at IS NOT NULL THEN conversation.disposition_id END,
    snoozed_until = NULL
FROM conversations_contact contact, unnest(%s::bigint[], %s::timestamptz[], %s::bigint[], %s::timestamptz[], %s::int[])
    AS arrival (id, wrote_at, message_id, arrived_at, texts)
WHERE conversation.id = arrival.id AND contact.id = conversation.contact_id
RETURNING conversation.id, contact.blocked_at IS NOT NULL
"""


def note_arrivals(messages: Sequence[Message]) -> set[int]:
    """What the list shows of the conversations that these texts came into: open again, and awake. Those of numbers that
    are blocked, which stay resolved: asked for under their locks, since a colleague may be blocking one now."""
    rows: dict[int, tuple[datetime, int, datetime, int]] = {}
    for message in messages:
        wrote_at, _, _, texts = rows.get(message.conversation_id, (message.occurred_at, 0, None, 0))
        rows[message.conversation_id] = (
            max(wrote_at, message.occurred_at),
            message.pk,
            message.status_at,
            texts + 1,
        )
    columns = [list(column) for column in zip(*rows.values(), strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(ARRIVALS, [list(rows), *columns])
        return {pk for pk, is_blocked in cursor.fetchall() if is_blocked}
