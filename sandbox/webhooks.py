"""Delivers signed webhooks as the carrier does: each on its own, retried for a day, in no promised order."""

import asyncio
import hashlib
import json
import time
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import aiohttp
import jwt

from sandbox.credentials import Account

ACCEPTED = range(200, 206)
_FIRST_RETRY = 5.0
_LONGEST_RETRY = 900.0
_GIVE_UP = 86_400.0
_KEPT = 2_000


@dataclass(slots=True)
class Delivery:
    """One webhook. ``state`` is waiting, retrying, accepted or dropped; an attempt is a status or an error."""

    kind: str
    url: str
    body: Mapping[str, object]
    unsigned: bool = False
    forged: bool = False
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    state: str = "waiting"
    tries: int = 0
    attempts: deque[int | str] = field(default_factory=lambda: deque(maxlen=20))
    tried: asyncio.Event = field(default_factory=asyncio.Event)

    def as_json(self) -> dict[str, object]:
        """Return what the control API shows; ``attempts`` holds the last 20 of ``tries``."""
        return {
            "id": self.id,
            "kind": self.kind,
            "url": self.url,
            "body": self.body,
            "state": self.state,
            "tries": self.tries,
            "attempts": list(self.attempts),
        }


class Courier:
    """Sends webhooks in the background. Use as an async context manager; leaving it drops what is under way.

    ``retry_scale`` multiplies every wait between attempts, so that a demo need not take a day.
    """

    def __init__(self, account: Account, *, retry_scale: float, changed: Callable[[], None]) -> None:
        self._account = account
        self._scale = retry_scale
        self._changed = changed
        self._tasks: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None
        self.deliveries: deque[Delivery] = deque(maxlen=_KEPT)

    async def __aenter__(self) -> "Courier":
        timeout = aiohttp.ClientTimeout(total=15, sock_connect=3)
        # A proxy of the environment must not see, or break, what goes to 127.0.0.1.
        self._session = aiohttp.ClientSession(timeout=timeout, trust_env=False)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def send(self, delivery: Delivery, *, after: float = 0) -> Delivery:
        """Start delivering, the first time after so many seconds."""
        self.deliveries.append(delivery)
        task = asyncio.create_task(self._deliver(delivery, after))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return delivery

    def cancel(self) -> None:
        """Forget every webhook that is still on its way."""
        for task in self._tasks:
            task.cancel()

    async def _deliver(self, delivery: Delivery, after: float) -> None:
        await asyncio.sleep(after)
        pause, waited = _FIRST_RETRY, 0.0
        while True:
            outcome = await self._attempt(delivery)
            delivery.tries += 1
            delivery.attempts.append(outcome)
            delivery.state = _verdict(outcome) if waited < _GIVE_UP else "dropped"
            delivery.tried.set()
            self._changed()
            if delivery.state != "retrying":
                return
            await asyncio.sleep(pause * self._scale)
            waited += pause
            pause = min(pause * 2, _LONGEST_RETRY)

    async def _attempt(self, delivery: Delivery) -> int | str:
        if self._session is None:
            raise RuntimeError("The courier has not been entered")
        raw = json.dumps(delivery.body, separators=(",", ":")).encode()
        headers = {"Content-Type": "application/json", "User-Agent": "sandbox-carrier"}
        if not (delivery.unsigned and delivery.tries == 0):
            secret = "not the secret " * 4 if delivery.forged else self._account.signature_secret
            headers["Authorization"] = f"Bearer {sign(raw, self._account, secret)}"
        try:
            async with self._session.post(delivery.url, data=raw, headers=headers, allow_redirects=False) as answer:
                await answer.read()
                return answer.status
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            return type(error).__name__


def sign(raw: bytes, account: Account, secret: str) -> str:
    """Return the token for a webhook with this raw body: HS256, hash of the body in it, no expiry."""
    claims = {
        "iat": int(time.time()),
        "jti": str(uuid.uuid4()),
        "iss": "Vonage",
        "payload_hash": hashlib.sha256(raw).hexdigest(),
        "api_key": account.api_key,
        "application_id": account.application_id,
    }
    return jwt.encode(claims, secret, algorithm="HS256")


def _verdict(outcome: int | str) -> str:
    if outcome in ACCEPTED:
        return "accepted"
    unreachable = isinstance(outcome, str)
    return "retrying" if unreachable or outcome == 429 or int(outcome) >= 500 else "dropped"
