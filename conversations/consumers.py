"""The socket of one open page. It forwards hints; what they point at is fetched over HTTP, with its permission check.

It has no channel of its own: the hub has one for the whole process. So every message it dispatches is ``websocket.*``,
and nothing that is fanned out costs a database thread.
"""

import asyncio
import contextlib
import json
from typing import Any

from channels.auth import get_user
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import DatabaseError
from django.utils import timezone

from conversations import presence
from conversations.company import Doing, Person
from conversations.hub import Outbox, hub

TOPICS = frozenset({"conversation"})
SIGNED_OUT, BAD_MESSAGE = 4401, 4400
# A session that ended elsewhere, or a user who was deactivated, is noticed this much later at most.
RECHECK_SECONDS = 60.0
MAX_MESSAGE = 1000
# Between two words on the same.
MIN_SECONDS = 1.0


class LiveConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """Client says ``{"subscribe": [topic, …], "open": id or null, "active": bool, "seen": bool}``, again each half
    minute, and gets ``{"type": "subscribed"}``; from then on it gets ``{"type": "resync"}``, ``{"type": "signals",
    "signals": [{topic, id, version}, …]}`` and ``{"type": "company", "id", "people": [{name, initials, doing, seconds,
    here}, …]}``. While somebody types it says ``{"doing": "writing" or "noting"}``, and ``"viewing"`` when they are
    done."""

    channel_layer_alias = "none"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.outbox = Outbox()
        self.tasks: list[asyncio.Task[None]] = []
        self.said, self.said_at = Doing.GONE, 0.0

    async def connect(self) -> None:
        await self.accept()  # before closing: browsers hide the code of a refused handshake
        if not self.is_allowed(self.scope["user"]):
            await self.close(SIGNED_OUT)
            return
        user = self.scope["user"]
        self.outbox.person = Person(user.pk, str(user), user.initials)
        await hub.start()
        self.tasks = [asyncio.create_task(self.forward()), asyncio.create_task(self.recheck())]

    async def disconnect(self, code: int) -> None:
        hub.discard(self.outbox)
        for task in self.tasks:
            task.cancel()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        try:
            message = said(text_data)
            asked = wanted(message) if "doing" not in message else None
            doing = Doing(message.get("doing", ""))
        except ValueError:
            await self.close(BAD_MESSAGE)
            return
        if not self.tasks:
            return  # closing
        if asked is None:
            self.do(doing)
            return
        topics, opened, is_active, is_seen = asked
        hub.subscribe(self.outbox, topics, opened, is_seen=is_seen)
        self.outbox.put(json.dumps({"type": "subscribed"}))
        with contextlib.suppress(DatabaseError):  # said again in half a minute
            await database_sync_to_async(presence.seen)(self.scope["user"].pk, now=timezone.now(), is_active=is_active)

    def do(self, doing: Doing) -> None:
        """Passes on what somebody does, as often as anybody can tell a difference."""
        now = asyncio.get_running_loop().time()
        if doing != self.said or now - self.said_at >= MIN_SECONDS:
            self.said, self.said_at = doing, now
            hub.say(self.outbox, doing)

    async def forward(self) -> None:
        with contextlib.suppress(Exception):  # the socket is gone; its disconnect is on the way
            while True:
                for text in await self.outbox.take():
                    await self.send(text_data=text)

    async def recheck(self) -> None:
        while True:
            await asyncio.sleep(RECHECK_SECONDS)
            session = self.scope["session"]
            fresh = session.__class__(session.session_key)  # type() would be of the lazy wrapper
            try:
                user = await get_user({**self.scope, "session": fresh})
            except DatabaseError:
                continue  # asked again in a moment; nothing but signals goes out meanwhile
            if not self.is_allowed(user):
                await self.close(SIGNED_OUT)
                return

    @staticmethod
    def is_allowed(user: Any) -> bool:
        return bool(user.is_authenticated and user.is_active)


def said(text: str | None) -> dict[str, Any]:
    """A message of a page. Raises ``ValueError`` when it is none."""
    if text is None or len(text) > MAX_MESSAGE:
        raise ValueError("no message")
    message = json.loads(text)
    if not isinstance(message, dict):
        raise ValueError("no message")
    return message


def wanted(message: dict[str, Any]) -> tuple[frozenset[str], int | None, bool, bool]:
    """The topics of a subscription, the conversation that is open, whether somebody has touched the page lately and
    whether anybody can see it. Raises ``ValueError`` when it is none."""
    topics = message.get("subscribe")
    if not isinstance(topics, list) or not TOPICS.issuperset(map(str, topics)):
        raise ValueError("no subscription")
    opened = message.get("open")
    opened = opened if type(opened) is int else None
    return frozenset(map(str, topics)), opened, message.get("active") is True, message.get("seen") is True
