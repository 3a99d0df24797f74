"""What somebody has begun to write, on the server: no crash, reload or other machine loses it, and nobody else sees it.

The browser keeps the same first (static/js/drafts.js); whichever is newer by its version counts.
"""

from datetime import datetime, timedelta
from typing import TypedDict

from django.db import connection
from django.db.models import F
from django.utils.translation import gettext as _

from contactcenter.lib import redact
from conversations.models import Draft

LONGEST = 10_000
SHOWN = 100
KEPT = timedelta(days=30)
# A browser's clock may be ahead; one that is further ahead would keep every other machine from saving.
AHEAD = timedelta(days=1)


class CannotKeep(Exception):
    """Says why in words."""


class Kept(TypedDict):
    """As the browser is given it. An empty body says that it was sent or given up."""

    conversation: int
    kind: str
    body: str
    version: int


SAVED = """
INSERT INTO conversations_draft AS draft (user_id, conversation_id, kind, body, version, updated_at)
VALUES (%(user)s, %(conversation)s, %(kind)s, %(body)s, %(version)s, %(now)s)
ON CONFLICT (user_id, conversation_id, kind) DO UPDATE
SET body = excluded.body, version = excluded.version, updated_at = excluded.updated_at
WHERE draft.version < excluded.version
"""


def save(*, user_id: int, conversation_id: int, kind: Draft.Kind, body: str, version: int, now: datetime) -> bool:
    """Whether this is the newest now; an older save that comes late changes nothing. ``version`` is in milliseconds, as
    the browser's clock has them. Nothing is kept of a text with a card or social security number. Raises
    ``CannotKeep``."""
    body = body.replace("\x00", "")
    if len(body) > LONGEST or version > (now + AHEAD).timestamp() * 1000:
        raise CannotKeep(_("This draft cannot be kept: it is too long, or this machine’s clock is wrong."))
    if not body.strip() or redact.redact(body) != body:
        body = ""
    with connection.cursor() as cursor:
        asked: dict[str, int | str | datetime] = {"user": user_id, "conversation": conversation_id, "kind": kind}
        cursor.execute(SAVED, asked | {"body": body, "version": version, "now": now})
        return bool(cursor.rowcount)


def sent(*, user_id: int | None, conversation_id: int, kind: Draft.Kind, body: str) -> None:
    """What was written is no draft any more, which is news to every machine that has it; what was typed on meanwhile
    stays. Belongs in the transaction that takes it."""
    mine = Draft.objects.filter(user=user_id, conversation=conversation_id, kind=kind)
    for draft in mine.exclude(body=""):
        if draft.body.strip() == body:
            mine.filter(pk=draft.pk, version=draft.version).update(body="", version=F("version") + 1)


def of(user_id: int) -> list[Kept]:
    """The newest of somebody's, also those that are sent or given up: so that no browser shows them again."""
    rows = Draft.objects.filter(user=user_id).order_by("-updated_at")[:SHOWN]
    return [Kept(conversation=row.conversation_id, kind=row.kind, body=row.body, version=row.version) for row in rows]


def forget(*, now: datetime) -> int:
    """Drops what nobody has touched for a month. How many."""
    return Draft.objects.filter(updated_at__lt=now - KEPT).delete()[0]
