"""What we say to people: queued here, handed over by ``dispatch``."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid4, uuid5

from django.db import IntegrityError, transaction
from django.db.models import Q, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from consent import rulebook
from consent.purposes import Purpose
from contactcenter.lib import redact, segments
from conversations import assigning, drafts, footing, live, nudging
from conversations.models import Conversation, Draft, Message
from conversations.states import Status

# The carrier's limit is 3,200 characters; ten segments is already more than anybody reads.
MAX_SEGMENTS = 10
# A reply that a paused line has kept for longer surprises people more than it helps them.
USEFUL_FOR = timedelta(days=1)
# Plans older than a season are somebody else's.
SCHEDULED_AT_MOST = timedelta(days=90)
# The same cause always makes the same answer's id, so that no crash or duplicate answers it twice.
NAMESPACE = UUID("6f1d9a5c-7f0e-4b53-9c0e-0b8f6f3a2d11")


# As much of what has come since as anybody reads before they decide.
SHOWN_SINCE = 10


class CannotSend(Exception):
    """Says, in words for the person who typed, why a message was not accepted and what to do."""


class ChangedSince(Exception):
    """What somebody answers is no longer the last word: these ``messages``, the oldest first, came after what they saw.

    Nothing was sent. They are asked once, and send again having ``seen`` these.
    """

    def __init__(self, messages: Sequence[Message]) -> None:
        super().__init__(_("The conversation has gone on since. Read it first: nothing was sent."))
        self.messages = messages

    @property
    def seen(self) -> int:
        return self.messages[-1].pk


def send(
    *,
    conversation: Conversation,
    body: str,
    author_id: int,
    ref: UUID,
    now: datetime,
    due_at: datetime | None = None,
    retry_of: Message | None = None,
    seen: int | None = None,
    delay: timedelta = timedelta(),
) -> Message:
    """Queues an agent's reply. Sending the same ``ref`` again answers with the message that is already there.

    ``seen`` is the last message, in or out, that its author's page showed; only what has no page leaves it out.
    ``delay`` is for how long its author may take it back, where it is not for later anyway. Raises ``CannotSend``, or
    ``ChangedSince`` where the person or a colleague has written after what was seen. Whether it may be handed over, the
    gate decides at that moment.
    """
    body = sendable(body)
    is_later = due_at is None or now < due_at <= now + SCHEDULED_AT_MOST
    if not is_later and not Message.objects.filter(ref=ref).exists():
        raise CannotSend(_("Choose a time to send that is still to come, within 90 days."))
    with transaction.atomic():
        owner_id = assigning.owner_for_answer(conversation, author_id)
        live.changed([conversation.pk])
        if seen is not None:
            fence(conversation, ref=ref, author_id=author_id, seen=seen)
        if retry_of is not None:
            retry_of = retryable(retry_of.pk)
        message = queued(
            conversation=conversation,
            body=body,
            purpose=Purpose.REPLY,
            ref=ref,
            now=now,
            author_id=author_id,
            due_at=due_at or now + delay,
            expires_at=(due_at or now) + USEFUL_FOR,
            retry_of=retry_of,
        )
        message.program = footing.program_of(conversation)
        try:
            with transaction.atomic():
                message.save(force_insert=True)
        except IntegrityError:
            return sent_before(message)
        drafts.sent(user_id=author_id, conversation_id=conversation.pk, kind=Draft.Kind.REPLY, body=body)
        Conversation.objects.filter(pk=conversation.pk).update(
            last_message=message,
            last_message_at=now,
            last_agent=author_id,
            **owned(owner_id, now),
        )
        if not (due_at or delay):  # what is for later, the clock sees to
            nudging.nudge(message.lane)
    return message


def owned(owner_id: int | None, now: datetime) -> dict[str, Coalesce]:
    """Who answers first, owns it."""
    if owner_id is None:
        return {}
    return {"owner": Coalesce("owner", Value(owner_id)), "owned_since": Coalesce("owned_since", Value(now))}


def fence(conversation: Conversation, *, ref: UUID, author_id: int, seen: int) -> None:
    """Nobody answers over what they have not seen. What is there already under this ``ref`` was asked about before.

    The caller holds the conversation's lock, under which its messages get their ids: so of two who answer at once one
    is asked. Raises ``ChangedSince``.
    """
    by_a_colleague = Q(purpose=Purpose.REPLY) & ~Q(author=author_id) & ~Q(status=Status.CANCELLED)
    since = Message.objects.filter(
        Q(direction=Message.Direction.IN) | by_a_colleague, conversation=conversation, pk__gt=seen
    ).select_related("author", "conversation__contact")
    newest = list(since.order_by("-pk")[:SHOWN_SINCE])
    if newest and not Message.objects.filter(ref=ref).exists():
        raise ChangedSince(newest[::-1])


def sendable(body: str) -> str:
    """The text as it will be sent. Raises ``CannotSend``."""
    body = body.replace("\x00", "").strip()
    if not body:
        raise CannotSend(_("There is nothing to send yet: write a message first."))
    if (length := segments.count(body).segments) > MAX_SEGMENTS:
        raise CannotSend(
            _("This takes %(length)d segments; a text may take %(limit)d. Shorten it or send it in two.")
            % {"length": length, "limit": MAX_SEGMENTS}
        )
    if redact.redact(body) != body:
        raise CannotSend(_("This holds a card or social security number, and texts are not private. Take it out."))
    return body


def sent_before(message: Message) -> Message:
    """The very same message that a double click or a lost answer already brought us."""
    twin = Message.objects.filter(ref=message.ref).first()
    if twin is None or (twin.conversation_id, twin.body) != (message.conversation_id, message.body):
        raise CannotSend(_("Another message already has this id. Reload the page and send again."))
    return twin


def retry(*, message: Message, author_id: int, now: datetime, seen: int | None = None) -> Message:
    """A new attempt at a message that did not arrive, once. Raises as ``send``."""
    return send(
        conversation=message.conversation,
        body=message.body,
        author_id=author_id,
        ref=uuid4(),
        now=now,
        retry_of=message,
        seen=seen,
    )


def retryable(message_id: int) -> Message:
    message = Message.objects.select_for_update(no_key=True).get(pk=message_id)
    if not message.may_retry:
        raise CannotSend(_("This message has been sent again already, or has arrived."))
    return message


def automatic(
    *, conversation: Conversation, body: str, purpose: Purpose, cause: str, program_id: int | None, now: datetime
) -> Message:
    """What the system itself says, once for each ``cause``, and soon or never. Not yet saved."""
    within = int(rulebook.value("confirmation.within_seconds", now.date()))
    message = queued(
        conversation=conversation,
        body=body,
        purpose=purpose,
        ref=uuid5(NAMESPACE, f"{purpose}:{cause}"),
        now=now,
        expires_at=now + timedelta(seconds=within),
    )
    message.program_id = program_id
    return message


def queued(
    *,
    conversation: Conversation,
    body: str,
    purpose: Purpose,
    ref: UUID,
    now: datetime,
    author_id: int | None = None,
    due_at: datetime | None = None,
    expires_at: datetime | None = None,
    retry_of: Message | None = None,
) -> Message:
    """A message about to be queued, not yet saved."""
    return Message(
        conversation=conversation,
        ref=ref,
        direction=Message.Direction.OUT,
        body=body,
        purpose=purpose,
        lane=Message.Lane.CAMPAIGNS if purpose == Purpose.CAMPAIGN else Message.Lane.AGENTS,
        author_id=author_id,
        status=Status.QUEUED,
        status_at=now,
        occurred_at=now,
        due_at=due_at or now,
        expires_at=expires_at,
        retry_of=retry_of,
    )
