"""Unanswered stretches: opened by a text, ended only by a person."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Subquery, When
from django.utils.translation import gettext as _

from consent.purposes import Purpose
from conversations import automatic, live, opening
from conversations.models import Conversation, Message, Wait
from conversations.states import UNDELIVERED, Status

# A reply that its author takes for sent.
ON_ITS_WAY = (Status.QUEUED, Status.HELD, Status.SENDING)

OPENED = """
INSERT INTO conversations_wait (conversation_id, opened_by_id, team_id, is_first, since, due_at, warns_at, escalates_at,
    stage, ending)
SELECT *, '', '' FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::boolean[], %s::timestamptz[],
    %s::timestamptz[], %s::timestamptz[], %s::timestamptz[])
ON CONFLICT DO NOTHING
"""

# Whose they are, and whether nobody has answered since they began, or began again after somebody had resolved them.
BEGUN = """
SELECT conversation.id, conversation.team_id, NOT EXISTS (
    SELECT FROM conversations_wait wait
    WHERE wait.conversation_id = conversation.id AND wait.ending = 'reply'
        AND wait.answered_at > coalesce((
            SELECT max(at) FROM conversations_entry entry
            WHERE entry.conversation_id = conversation.id AND entry.kind = 'resolved'), '-infinity'))
FROM conversations_conversation conversation WHERE conversation.id = ANY(%s)
"""

# A reply answers what was in the thread before it: ids of one conversation are given out under its lock.
ANSWERED = """
UPDATE conversations_wait wait
SET answered_at = greatest(reply.occurred_at, wait.since), answered_by_id = reply.author_id,
    answered_with_id = reply.id, ending = 'reply'
FROM (
    SELECT DISTINCT ON (conversation_id) conversation_id, id, occurred_at, author_id FROM conversations_message
    WHERE id = ANY(%s) AND purpose = 'reply' ORDER BY conversation_id, id DESC
) reply
WHERE wait.conversation_id = reply.conversation_id AND wait.answered_at IS NULL AND wait.opened_by_id < reply.id
RETURNING wait.conversation_id, reply.id
"""


def expects_an_answer(body: str) -> bool:
    """Whether a text opens a wait: the bare words STOP and START are answered by what they do."""
    return automatic.meaning_of(body) not in {"stop", "start"}


def open_for(texts: Sequence[Message]) -> None:
    """Opens a wait for each conversation that has none, from its first text that expects an answer.

    The caller holds the conversations' locks.
    """
    first: dict[int, Message] = {}
    for text in texts:
        if expects_an_answer(text.body):
            first.setdefault(text.conversation_id, text)
    if not first:
        return
    with connection.cursor() as cursor:
        cursor.execute(BEGUN, [list(first)])
        begun = cursor.fetchall()
        teams = opening.staffed(team_id for _, team_id, _ in begun if team_id)
        rows = []
        for conversation_id, team_id, is_first in begun:
            text = first[conversation_id]
            targets = (
                teams[team_id].targets(text.status_at, is_first=is_first)
                if team_id
                else opening.by_the_clock(text.status_at)
            )
            moments = (text.status_at, targets.due_at, targets.warns_at, targets.escalates_at)
            rows.append((conversation_id, text.pk, team_id, is_first, *moments))
        cursor.execute(OPENED, [list(column) for column in zip(*rows, strict=True)])
    refresh_due(first)


def follow(message_ids: Sequence[int]) -> None:
    """Lets the waits follow what is true now of these messages, whatever was said of them in between.

    The caller holds the conversations' locks.
    """
    by_status: dict[str, list[int]] = defaultdict(list)
    for pk, status in Message.objects.filter(pk__in=message_ids).values_list("pk", "status"):
        by_status[status].append(pk)
    answered([*by_status[Status.SENT], *by_status[Status.DELIVERED]])
    undelivered = [pk for status in UNDELIVERED for pk in by_status[status]]
    unanswered([*undelivered, *by_status[Status.CANCELLED]])
    surface(undelivered)


def surface(message_ids: Sequence[int]) -> None:
    """A reply that did not arrive is nobody's secret: its conversation is open again, and awake. Told twice, it leaves
    alone what was resolved in between. The caller holds the locks."""
    if not message_ids:
        return
    news = Q(conversation__resolved_at=None) | Q(status_at__gte=F("conversation__resolved_at"))
    failed = Message.objects.filter(news, pk__in=message_ids, purpose=Purpose.REPLY).values("conversation")
    Conversation.objects.filter(pk__in=failed).update(resolved_at=None, snoozed_until=None, disposition=None)


def answered(message_ids: Iterable[int]) -> None:
    """Ends the waits that these replies answer, and opens new ones for what was written after them.

    The caller holds the conversations' locks; messages that are no replies are passed over.
    """
    with connection.cursor() as cursor:
        cursor.execute(ANSWERED, [sorted(message_ids)])
        ended = dict(cursor.fetchall())
    if not ended:
        return
    later = Message.objects.filter(
        conversation__in=ended, direction=Message.Direction.IN, pk__gt=min(ended.values())
    ).order_by("pk")
    refresh_due(ended)
    open_for([text for text in later if text.pk > ended[text.conversation_id]])


def unanswered(message_ids: Iterable[int]) -> None:
    """These replies did not arrive after all: who waited for them waits again, since the same moment; or has the
    answer of another reply that is out. The caller holds the conversations' locks."""
    ended = Wait.objects.filter(answered_with__in=list(message_ids))
    for wait in ended.order_by("-opened_by"):  # so that of two the older is the one that stays
        Wait.objects.filter(conversation=wait.conversation_id, answered_at=None).delete()  # the older one holds it
        Wait.objects.filter(pk=wait.pk).update(answered_at=None, answered_by=None, answered_with=None, ending="")
        refresh_due([wait.conversation_id])
        answered(Message.objects.out().filter(conversation=wait.conversation_id).values_list("pk", flat=True))


class WrittenSince(Exception):
    """Says, in words for whoever judged, that there is a text which they have not seen."""


def end(*, conversation: Conversation, by_id: int, now: datetime, up_to: int | None = None) -> bool:
    """A person says that no answer is needed, or that the one on its way is enough, which then is its author's answer;
    whether there was a wait to end.

    ``up_to`` is the last message that they saw. Raises ``WrittenSince``: nobody is judged unread.
    """
    with transaction.atomic():
        live.changed([conversation.pk])
        texts = Message.objects.filter(conversation=conversation, direction=Message.Direction.IN)
        if up_to is not None and texts.filter(pk__gt=up_to).exists():
            raise WrittenSince(_("They have written since. Read that first: nothing was changed."))
        on_its_way = (
            Message.objects.filter(conversation=conversation, purpose=Purpose.REPLY, status__in=ON_ITS_WAY)
            .filter(pk__gt=Subquery(open_waits(conversation).values("opened_by")[:1]))
            .order_by("-pk")
            .first()
        )
        was_open = open_waits(conversation).update(
            answered_at=now,
            answered_by_id=on_its_way.author_id if on_its_way else by_id,
            answered_with=on_its_way,
            ending=Wait.Ending.REPLY if on_its_way else Wait.Ending.NO_ANSWER_NEEDED,
        )
        Conversation.objects.filter(pk=conversation.pk).update(unread=0)  # whoever judged it has read it
        refresh_due([conversation.pk])
    return bool(was_open)


def resume(*, conversation: Conversation, ended_at: datetime, by_id: int) -> bool:
    """The person who ended a wait at that moment takes that back; whether there was such a wait.

    Not where an answer has gone out, nor where the person has written since and waits anew. The caller holds the
    conversation's lock.
    """
    if open_waits(conversation).exists():
        return False
    out = Message.objects.out().filter(conversation=conversation, pk__gt=OuterRef("opened_by"))
    own = Q(answered_by=by_id) | Q(answered_with__isnull=False)
    ended = Wait.objects.filter(~Exists(out), own, conversation=conversation, answered_at=ended_at)
    was_ended = ended.update(answered_at=None, answered_by=None, answered_with=None, ending="")
    refresh_due([conversation.pk])
    return bool(was_ended)


def open_waits(conversation: Conversation) -> QuerySet[Wait]:
    return Wait.objects.filter(conversation=conversation, answered_at=None)


def refresh_due(conversation_ids: Iterable[int]) -> None:
    """Brings the list's copy of the deadline up to date. Who waits is not resolved, whoever thought so."""
    open_wait = Wait.objects.filter(conversation=OuterRef("pk"), answered_at=None).values("due_at")[:1]
    Conversation.objects.filter(pk__in=list(conversation_ids)).alias(due=Subquery(open_wait)).update(
        due_at=Subquery(open_wait),
        resolved_at=Case(When(due=None, then="resolved_at")),
        disposition=Case(When(due=None, then="disposition")),
    )
