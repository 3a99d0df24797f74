"""The last word of a conversation, as the list shows it: what a person said to another, and has not taken back."""

from collections.abc import Iterable

from django.db.models import Case, Max, Q, When

from consent.purposes import Purpose
from conversations.models import Conversation, Message
from conversations.states import Status

SAID = Q(direction=Message.Direction.IN) | Q(purpose=Purpose.REPLY)


def recount(conversation_ids: Iterable[int]) -> None:
    """After something was taken back, or turned out to have gone out all the same. The caller holds the locks."""
    for pk in conversation_ids:
        said = Message.objects.filter(SAID, conversation=pk)
        kept = said.exclude(status=Status.CANCELLED)
        last = kept.order_by("-pk").first() or said.order_by("-pk").first()
        at = Case(When(direction=Message.Direction.IN, then="status_at"), default="occurred_at")
        moment = (kept if last and last.status != Status.CANCELLED else said).aggregate(at=Max(at))["at"]
        Conversation.objects.filter(pk=pk).update(last_message=last, last_message_at=moment)
