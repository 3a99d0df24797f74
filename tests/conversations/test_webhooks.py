"""The webhooks as the carrier meets them: ASGI in, status out."""

import asyncio
import json
import time
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from django.test import override_settings

from conversations import groupcommit, webhooks
from conversations.groupcommit import GroupCommit
from conversations.models import CarrierEvent, Heartbeat, Message
from conversations.webhooks import Webhooks
from tests.conversations import traffic
from tests.conversations.signing import sign

SECRET = "a-signature-secret-of-sufficient-length"
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.asyncio]


@pytest.fixture(autouse=True)
def carrier_settings():
    with override_settings(
        VONAGE_SIGNATURE_SECRETS=[SECRET], VONAGE_API_KEY="key", VONAGE_APPLICATION_ID="application"
    ):
        yield


async def post(
    app: Webhooks, raw: bytes, authorization: str | None, path: str = "/webhooks/vonage/inbound", **scope: Any
):
    """Status and headers of the answer to one POST."""
    headers = [
        (b"content-type", b"application/json"),
        *([(b"authorization", authorization.encode())] if authorization else []),
    ]
    parts = [{"type": "http.request", "body": raw[:10], "more_body": True}, {"type": "http.request", "body": raw[10:]}]
    sent: list[dict[str, Any]] = []

    async def receive():
        return parts.pop(0)

    async def send(message):
        sent.append(message)

    await app({"type": "http", "method": "POST", "path": path, "headers": headers, **scope}, receive, send)
    return sent[0]["status"], dict(sent[0]["headers"])


def bearer(raw: bytes, secret: str = SECRET, **claims: Any) -> str:
    return sign(raw=raw, secret=secret, api_key="key", application_id="application", now=time.time(), **claims)


def body(text: str = "Hello", **fields: Any) -> bytes:
    return json.dumps(traffic.payload(text, **fields)).encode()


class Running:
    """A group commit at work, for ``async with``."""

    async def __aenter__(self) -> Webhooks:
        await sync_to_async(traffic.line)()
        self.group_commit = GroupCommit()
        self.group_commit.start()
        return Webhooks(self.group_commit)

    async def __aexit__(self, *exc: object) -> None:
        await self.group_commit.stop()


async def stored() -> int:
    return await CarrierEvent.objects.acount()


async def test_fifty_concurrent_copies_are_all_acknowledged_and_make_one_message():
    raw = body(message_uuid="the-same")
    async with Running() as app:
        answers = await asyncio.gather(*(post(app, raw, bearer(raw)) for _ in range(50)))
        for _ in range(100):
            if await Message.objects.aexists():
                break
            await asyncio.sleep(0.05)
    assert [status for status, _ in answers] == [200] * 50
    assert await Message.objects.acount() == 1
    assert await stored() == 1


async def test_forged_replayed_unsigned_and_oversized_posts_store_nothing():
    raw = body()
    async with Running() as app:
        forged, _ = await post(app, raw, bearer(raw, secret="somebody-else-s-secret-of-sufficient-length"))
        replayed, _ = await post(app, body("something else"), bearer(raw))
        unsigned, headers = await post(app, raw, None)
        huge = body("x" * 70_000)
        oversized, _ = await post(app, huge, bearer(huge))
        announced, _ = await post(app, raw, bearer(raw), headers=[(b"content-length", b"999999")])
    assert (forged, replayed, unsigned, oversized, announced) == (401, 401, 503, 413, 413)
    assert headers[b"retry-after"] == b"5"
    assert await stored() == 0


async def test_a_wrong_secret_is_complained_about_until_a_good_webhook_comes():
    raw = body()
    async with Running() as app:
        await post(app, raw, bearer(raw, secret="the-old-secret-that-nobody-told-us-about"))
        await post(app, raw, bearer(raw, secret="the-old-secret-that-nobody-told-us-about"))
        app.group_commit.storing.submit(connections.close_all).result()
        assert await sync_to_async(Heartbeat.objects.count)() == 1
        assert "VONAGE_SIGNATURE_SECRET" in await sync_to_async(webhooks.signature_health)()
        await post(app, raw, bearer(raw))
        assert await sync_to_async(webhooks.signature_health)() is None


async def test_a_token_that_is_none_is_nobody_s_complaint():
    async with Running() as app:
        await post(app, body(), "Bearer what.ever.this")
        app.group_commit.storing.submit(connections.close_all).result()
        assert await sync_to_async(webhooks.signature_health)() is None


async def test_both_secrets_work_while_one_replaces_the_other():
    old, new = body("old"), body("new")
    with override_settings(VONAGE_SIGNATURE_SECRETS=["the-new-secret-which-is-long-enough-too", SECRET]):
        async with Running() as app:
            assert (await post(app, old, bearer(old)))[0] == 200
            assert (await post(app, new, bearer(new, secret="the-new-secret-which-is-long-enough-too")))[0] == 200
    assert await stored() == 2


async def test_without_any_secret_the_carrier_is_asked_to_come_again():
    raw = body()
    with override_settings(VONAGE_SIGNATURE_SECRETS=[]):
        async with Running() as app:
            assert (await post(app, raw, bearer(raw)))[0] == 503
    assert await stored() == 0


async def test_a_full_queue_asks_the_carrier_to_come_again(monkeypatch):
    monkeypatch.setattr(groupcommit, "QUEUE", 0)
    raw = body()
    async with Running() as app:
        status, headers = await post(app, raw, bearer(raw))
    assert (status, headers[b"retry-after"]) == (503, b"5")
    assert await stored() == 0


async def test_other_paths_and_methods_are_refused():
    async with Running() as app:
        assert (await post(app, b"{}", None, path="/webhooks/vonage/other"))[0] == 404
        assert (await post(app, b"{}", None, method="GET"))[0] == 405


async def test_a_carrier_that_hangs_up_half_way_stores_nothing():
    async with Running() as app:
        sent = []

        async def receive():
            return {"type": "http.disconnect"}

        async def send(message):
            sent.append(message)

        await app({"type": "http", "method": "POST", "path": "/webhooks/vonage/status", "headers": []}, receive, send)
    assert sent == []
