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
from conversations.hub import Outbox, hub

TOPICS = frozenset({"conversation"})
SIGNED_OUT, BAD_MESSAGE = 4401, 4400
# A session that ended elsewhere, or a user who was deactivated, is noticed this much later at most.
RECHECK_SECONDS = 60.0
MAX_MESSAGE = 1000


class LiveConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """Client says ``{"subscribe": [topic, …], "open": id or null, "active": bool}``, again each half minute, and gets
    ``{"type": "subscribed"}``; from then on it gets ``{"type": "signals", "signals": [{topic, id, version}, …]}`` and
    ``{"type": "resync"}``."""

    channel_layer_alias = "none"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.outbox = Outbox()
        self.tasks: list[asyncio.Task[None]] = []

    async def connect(self) -> None:
        await self.accept()  # before closing: browsers hide the code of a refused handshake
        if not self.is_allowed(self.scope["user"]):
            await self.close(SIGNED_OUT)
            return
        await hub.start()
        self.tasks = [asyncio.create_task(self.forward()), asyncio.create_task(self.recheck())]

    async def disconnect(self, code: int) -> None:
        hub.discard(self.outbox)
        for task in self.tasks:
            task.cancel()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        try:
            topics, opened, is_active = wanted(text_data)
        except ValueError:
            await self.close(BAD_MESSAGE)
            return
        if not self.tasks:
            return  # closing
        self.outbox.topics, self.outbox.open = topics, opened
        hub.add(self.outbox)
        self.outbox.put(json.dumps({"type": "subscribed"}))
        with contextlib.suppress(DatabaseError):  # said again in half a minute
            await database_sync_to_async(presence.seen)(self.scope["user"].pk, now=timezone.now(), is_active=is_active)

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


def wanted(text: str | None) -> tuple[frozenset[str], int | None, bool]:
    """The topics of a subscription, the conversation that is open, and whether somebody has touched the page lately.
    Raises ``ValueError`` when it is none."""
    if text is None or len(text) > MAX_MESSAGE:
        raise ValueError("no subscription")
    message = json.loads(text)
    topics = message.get("subscribe") if isinstance(message, dict) else None
    if not isinstance(topics, list) or not TOPICS.issuperset(map(str, topics)):
        raise ValueError("no subscription")
    opened = message.get("open")
    return frozenset(map(str, topics)), opened if type(opened) is int else None, message.get("active") is True
