"""Who did what with a conversation, for whoever opens it next."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from conversations.models import Entry


def record(
    conversation_ids: Iterable[int], kind: Entry.Kind, *, at: datetime, by_id: int | None = None, **facts: Any
) -> list[Entry]:
    """Adds the same line to each of these conversations. The caller holds their locks and signals the change.

    ``facts`` are JSON: names as they are now, since people and teams are renamed.
    """
    return Entry.objects.bulk_create(
        [Entry(conversation_id=pk, kind=kind, by_id=by_id, at=at, facts=facts) for pk in conversation_ids]
    )
