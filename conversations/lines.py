"""Our own numbers, and those that were paused because our account or configuration was at fault."""

from django.db import transaction

from conversations import live, nudging
from conversations.models import Conversation, Line, Message

# As many open screens as are told at once; the rest see it with their next refetch.
TOLD = 200


def is_ours(number: str) -> bool:
    """Whether an E.164 number is one that we send from, or did."""
    return Line.objects.filter(number=number).exists()


def resume(*, line: Line) -> bool:
    """Lets a paused line send again, what is queued at once; whether it was paused."""
    with transaction.atomic():
        paused = Line.objects.filter(pk=line.pk, paused_at__isnull=False)
        if not paused.update(paused_at=None, paused_reason=""):
            return False
        recent = Conversation.objects.filter(line=line).order_by("-last_message_at", "-id")
        live.changed(recent.values_list("pk", flat=True)[:TOLD])
        for lane in Message.Lane.values:
            nudging.nudge(lane)
    return True
