"""The Messages API over TLS: ``POST /v1/messages``."""

import asyncio
import json
import time
import uuid
from collections import deque
from typing import Any

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from sandbox import problems, rules
from sandbox.carrier import Carrier
from sandbox.problems import Problem
from sandbox.state import Received

_REFUSALS = {
    "http_401": problems.CREDENTIALS,
    "http_402": problems.BALANCE,
    "http_422": problems.PARAMETERS,
    "http_429": problems.THROTTLED,
    "http_500": problems.INTERNAL,
    "http_503": problems.UNAVAILABLE,
}
_LONGEST_LIFE = 86_400  # a token without `exp` lives 900 s, one with it at most a day
_LEEWAY = 60


class MessagesApi:
    """The endpoint that the SDK posts to."""

    def __init__(self, carrier: Carrier, application_id: str, key: RSAPublicKey) -> None:
        self._carrier = carrier
        self._application_id = application_id
        self._key = key
        self._recent: deque[float] = deque()

    def application(self) -> web.Application:
        """Return the application to serve over TLS."""
        app = web.Application(client_max_size=1_000_000)
        app.router.add_post("/v1/messages", self.post)
        return app

    async def post(self, request: web.Request) -> web.StreamResponse:
        """Answer one request, and keep what was asked and what was answered."""
        raw = await request.read()
        state = self._carrier.state
        received = Received(self._carrier.now(), raw.decode(errors="replace"))
        state.requests.append(received)
        state.changed()
        body = _decoded(raw)
        if isinstance(body, dict):
            received.client_ref, received.to = _string(body, "client_ref"), _string(body, "to")
            received.sender, received.text = _string(body, "from"), _string(body, "text")
        problem = self._refusal(request.headers.get("Authorization", ""), body)
        if problem is not None or not isinstance(body, dict):
            return self._refuse(received, problem or problems.INVALID_JSON)
        return await self._take(request, received, body)

    def _refusal(self, authorization: str, body: object) -> Problem | None:
        return (
            check_token(authorization, self._key, self._application_id, time.time())
            or self._above_ceiling()
            or self._switched_refusal(body)
            or rules.check(body)
            or self._foreign_sender(body)
        )

    def _above_ceiling(self) -> Problem | None:
        state, now = self._carrier.state, time.monotonic()
        while self._recent and self._recent[0] <= now - 1:
            self._recent.popleft()
        if state.ceiling and len(self._recent) >= state.ceiling:
            state.ceiling_hits += 1
            return problems.THROTTLED
        self._recent.append(now)
        return None

    def _switched_refusal(self, body: object) -> Problem | None:
        to = _string(body, "to") if isinstance(body, dict) else None
        for kind, problem in _REFUSALS.items():
            if self._carrier.state.faults.take(kind, to):
                return problem
        return None

    def _foreign_sender(self, body: object) -> Problem | None:
        if not isinstance(body, dict) or body["channel"] not in ("sms", "mms"):
            return None
        return None if body["from"] in self._carrier.state.lines else problems.SENDER

    def _refuse(self, received: Received, problem: Problem) -> web.Response:
        received.answer, received.title = problem.status, problem.title
        self._carrier.state.changed()
        return web.json_response(problem.body(), status=problem.status)

    async def _take(self, request: web.Request, received: Received, body: dict[str, Any]) -> web.StreamResponse:
        carrier, to = self._carrier, str(body["to"])
        faults = carrier.state.faults
        message, troubles = carrier.accept(body)
        received.message_uuid = message.message_uuid
        early = faults.take("early_receipts", to) is not None
        if early:
            await carrier.report(message, troubles, body.get("webhook_url"), early=True)
        if slow := faults.take("slow", to):
            await asyncio.sleep(slow.value)
        if not early:
            await carrier.report(message, troubles, body.get("webhook_url"))
        cut = faults.take("drop_after_accept", to) is not None
        received.answer = 0 if cut else 202
        carrier.state.changed()
        if cut and request.transport is not None:
            request.transport.abort()
        answer = {"message_uuid": message.message_uuid}
        if "failover" in body:
            answer["workflow_id"] = uuid.uuid4().hex
        return web.json_response(answer, status=202)


def check_token(authorization: str, key: RSAPublicKey, application_id: str, now: float) -> Problem | None:
    """Check the header of a request at ``now`` (Unix seconds); None means that it may pass."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer":
        return problems.CREDENTIALS
    try:
        claims = jwt.decode(token, key, algorithms=["RS256"], options={"verify_exp": False, "verify_iat": False})
    except jwt.PyJWTError:
        return problems.CREDENTIALS
    if claims.get("application_id") != application_id:
        return problems.APPLICATION
    issued, expires = claims.get("iat"), claims.get("exp")
    if not isinstance(issued, int | float) or issued > now + _LEEWAY:
        return problems.CREDENTIALS
    if expires is None:
        expires = issued + 900
    lives = isinstance(expires, int | float) and now < expires <= issued + _LONGEST_LIFE
    return None if lives else problems.CREDENTIALS


def _decoded(raw: bytes) -> object:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def _string(body: dict[str, Any], name: str) -> str | None:
    value = body.get(name)
    return value if isinstance(value, str) else None
