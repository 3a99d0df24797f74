"""What nobody has looked at yet."""

from django.db import transaction
from django.db.models import Q

from conversations import live
from conversations.models import Conversation, Message


def mark_read(*, conversation: Conversation, up_to: int) -> bool:
    """Somebody saw this conversation's messages up to that id; whether that changed anything.

    What arrived after the glance stays unread.
    """
    later = Q(conversation=conversation, direction=Message.Direction.IN, pk__gt=up_to)
    with transaction.atomic():
        locked = Conversation.objects.select_for_update(no_key=True).get(pk=conversation.pk)
        left = Message.objects.filter(later).count() if locked.unread else 0
        if left >= locked.unread:
            return False
        Conversation.objects.filter(pk=locked.pk).update(unread=left)
        live.changed([locked.pk])
    return True


def mark_unread(*, conversation: Conversation) -> None:
    """Somebody wants to come back to it: it gets its weight again."""
    with transaction.atomic():
        live.changed([conversation.pk])
        Conversation.objects.filter(pk=conversation.pk, unread=0).update(unread=1)
