"""Messages whose time has come, or is over, with no worker at them: the clock's part of sending, without the SDK."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from conversations import live, settling, waits
from conversations.models import Message
from conversations.states import Status


def sweep(*, now: datetime) -> int:
    """Calls unknown what has been ``sending`` for longer than any hand-over takes: its worker is dead. How many."""
    limit = now - timedelta(seconds=settling.FRESH_SECONDS + settings.VONAGE_TIMEOUT_SECONDS + 10)
    stuck = Message.objects.filter(status=Status.SENDING, status_at__lt=limit)
    with transaction.atomic():
        rows = list(stuck.values_list("pk", "conversation_id")[:500])
        live.changed(conversation_id for _, conversation_id in rows)
        count = Message.objects.filter(pk__in=[pk for pk, _ in rows], status_at__lt=limit).move(
            Status.UNKNOWN,
            now=now,
            error_code="no_answer",
            error_detail="The sender stopped before the carrier answered.",
            lease_until=None,
            lease_token=None,
        )
        waits.follow([pk for pk, _ in rows])
    return count


def promote(*, now: datetime) -> int:
    """Queues what was held until now, to be gated again. How many."""
    with transaction.atomic():
        rows = list(
            Message.objects.filter(status=Status.HELD, due_at__lte=now)
            .select_for_update(skip_locked=True, no_key=True)
            .values_list("pk", "conversation_id")[:500]
        )
        count = Message.objects.filter(pk__in=[pk for pk, _ in rows]).move(Status.QUEUED, now=now)
    if rows:
        with transaction.atomic():
            live.changed(conversation_id for _, conversation_id in rows)
    return count
