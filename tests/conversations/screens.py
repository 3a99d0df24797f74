"""Shortcuts for tests about screens."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.utils import timezone

from consent import ledger
from consent.models import Program
from consent.purposes import Kind, Level, Purpose, Source
from conversations import outbound
from conversations.models import Conversation, Line, Message
from tests import factories


def thread(
    *bodies: str, line: Line | None = None, ago: timedelta = timedelta(minutes=5), **fields: Any
) -> Conversation:
    """A conversation in which the person wrote these texts, as threading leaves it."""
    at = timezone.now() - ago
    conversation = factories.conversation(line=line, wrote_at=at, **fields)
    for body in bodies or ("Are you open today?",):
        last = factories.text_from(conversation, body, status_at=at, occurred_at=at)
    conversation.last_message, conversation.last_message_at = last, at
    conversation.unread = len(bodies or [""])
    conversation.save()
    return conversation


def waiting(*bodies: str, minutes: int, **fields: Any) -> Conversation:
    """One that must be answered in so many minutes."""
    return thread(*bodies, due_at=timezone.now() + timedelta(minutes=minutes), **fields)


def outgoing(conversation: Conversation, body: str = "Yes, until five.", **fields: Any) -> Message:
    """A message of ours in any state that needs no decision."""
    message = outbound.queued(
        conversation=conversation,
        body=body,
        purpose=fields.pop("purpose", Purpose.REPLY),
        ref=uuid4(),
        now=timezone.now(),
        author_id=fields.pop("author_id", None) or factories.user().pk,
    )
    for name, value in fields.items():
        setattr(message, name, value)
    message.save(force_insert=True)
    return message


def grant(conversation: Conversation, program: Program, level: Level = Level.EXPRESS) -> None:
    """The person agrees to a program."""
    now = timezone.now()
    report = ledger.Report(
        phone=conversation.contact.phone,
        brand_id=program.brand_id,
        program_id=program.pk,
        kind=Kind.GRANTED,
        level=level,
        source=Source.WEB,
        occurred_at=now,
    )
    ledger.record(now=now, report=report)


def stop(conversation: Conversation, at: datetime | None = None) -> None:
    """The person texts STOP."""
    now = timezone.now()
    report = ledger.Report(
        phone=conversation.contact.phone,
        brand_id=conversation.line.brand_id,
        kind=Kind.REVOKED,
        source=Source.KEYWORD,
        occurred_at=at or now,
        rule="keyword:stop",
    )
    ledger.record(now=now, report=report)
