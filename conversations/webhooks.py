"""The carrier's webhooks: raw ASGI, no Django middleware, because every one of them counts and they come in bursts.

Answers: 200 stored · 401 wrong signature · 413 too large · 503 unsigned, full or the database is away (the carrier
comes again) · 404/405 no such webhook. Nothing is stored for anything but 200.
"""

import logging
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import close_old_connections
from django.utils import timezone

from conversations import heartbeats, reading
from conversations.carriers import signature
from conversations.groupcommit import Full, GroupCommit
from conversations.models import CarrierEvent
from conversations.reading import Arrival

logger = logging.getLogger(__name__)

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

BODY_LIMIT = 64 * 1024
COMPLAINT = timedelta(hours=1)


REFUSED = "refused "


def note_refused(problem: signature.Problem, *, at: datetime) -> None:
    """For all processes to know: a token was refused that was otherwise in order. Most likely our secret is wrong, and
    every text is lost."""
    close_old_connections()
    heartbeats.beat(f"{REFUSED}{problem.name}", now=at)


def signature_health() -> str | None:
    """What is wrong with the signatures of late, or ``None``; a good webhook since then shows that all is well."""
    now = timezone.now()
    refused = heartbeats.since(now - COMPLAINT, now=now).filter(name__startswith=REFUSED).order_by("-at").first()
    if refused is None:
        return None
    last = CarrierEvent.objects.order_by("-pk").values_list("received_at", flat=True).first()
    if last is not None and last > refused.at:
        return None
    problem = signature.Problem[refused.name.removeprefix(REFUSED)]
    is_clock = problem in {signature.Problem.OLD, signature.Problem.FUTURE}
    remedy = (
        "Synchronise this machine's clock."
        if is_clock
        else "Compare VONAGE_SIGNATURE_SECRET and VONAGE_API_KEY with the carrier's dashboard."
    )
    return f"The carrier's last webhook was refused: {problem}. Its texts are being lost. {remedy}"


class TooLarge(Exception):
    pass


class Webhooks:
    """The ASGI application under ``/webhooks/``."""

    def __init__(self, group_commit: GroupCommit) -> None:
        self.group_commit = group_commit
        self.quiet_until = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] not in reading.KINDS:
            return await answer(send, 404, "No such webhook.")
        if scope["method"] != "POST":
            return await answer(send, 405, "Webhooks are posted.", (b"allow", b"POST"))
        try:
            raw = await body(scope, receive)
        except TooLarge:
            return await answer(send, 413, f"At most {BODY_LIMIT} bytes.")
        if raw is None:
            return None
        if not any(settings.VONAGE_SIGNATURE_SECRETS):
            logger.error("A webhook came, and VONAGE_SIGNATURE_SECRET is not set: it can't be trusted.")
            return await answer(send, 503, "Not configured.", (b"retry-after", b"60"))
        verdict = signature.verify(
            raw=raw,
            authorization=header(scope, b"authorization"),
            secrets=settings.VONAGE_SIGNATURE_SECRETS,
            now=time.time(),
            api_key=settings.VONAGE_API_KEY or None,
            application_id=settings.VONAGE_APPLICATION_ID or None,
        )
        if verdict.outcome == signature.Outcome.MISSING:
            return await answer(send, 503, "The signature is missing.", (b"retry-after", b"5"))
        if verdict.outcome != signature.Outcome.OK:
            if verdict.well_formed and verdict.problem:
                self.complain(verdict.problem)
            return await answer(send, 401, "The signature was refused.")
        try:
            is_stored = await self.group_commit.commit(Arrival(scope["path"], raw, datetime.now(UTC)))
        except Full:
            is_stored = False
        if not is_stored:
            return await answer(send, 503, "Come again.", (b"retry-after", b"5"))
        return await answer(send, 200, "")

    def complain(self, problem: signature.Problem) -> None:
        """Once in ten seconds at most: whoever sends forgeries gets no more work out of us."""
        if time.monotonic() < self.quiet_until:
            return
        self.quiet_until = time.monotonic() + heartbeats.EVERY.total_seconds()
        logger.error("A signed webhook was refused (%s): check VONAGE_SIGNATURE_SECRET and VONAGE_API_KEY.", problem)
        self.group_commit.storing.submit(note_refused, problem, at=datetime.now(UTC))


def header(scope: Scope, name: bytes) -> str | None:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), None)


async def body(scope: Scope, receive: Receive) -> bytes | None:
    """The whole body; ``None`` when the client went away. Raises ``TooLarge`` before reading it all."""
    if (header(scope, b"content-length") or "0").isdigit() and int(header(scope, b"content-length") or 0) > BODY_LIMIT:
        raise TooLarge
    chunks, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > BODY_LIMIT:
            raise TooLarge
        if not message.get("more_body"):
            return b"".join(chunks)


async def answer(send: Send, status: int, text: str, *headers: tuple[bytes, bytes]) -> None:
    content = text.encode()
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [
                (b"content-type", b"text/plain; charset=utf-8"),
                (b"content-length", str(len(content)).encode()),
                *headers,
            ],
        }
    )
    await send({"type": "http.response.body", "body": content})
