"""Django's WSGI handler behind ASGI: bounded threads, whole bodies, nobody's turn wasted."""

import asyncio
import threading
from typing import Any

import pytest

from contactcenter.lib.wsgi import Threads

pytestmark = pytest.mark.asyncio


def echo(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("201 Created", [("X-Path", environ["PATH_INFO"]), ("X-Custom", environ.get("HTTP_X_CUSTOM", ""))])
    return [environ["REQUEST_METHOD"].encode(), b" ", environ["wsgi.input"].read()]


async def request(app: Threads, parts: list[dict[str, Any]], **scope: Any) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []
    hanging = asyncio.Event()

    async def receive():
        if not parts:
            await hanging.wait()
        return parts.pop(0)

    async def send(message):
        sent.append(message)

    defaults = {
        "type": "http",
        "method": "POST",
        "path": "/a b/é",
        "query_string": b"q=1",
        "http_version": "1.1",
        "headers": [],
    }
    await app({**defaults, **scope}, receive, send)
    return sent


def body(*chunks: bytes) -> list[dict[str, Any]]:
    return [{"type": "http.request", "body": chunk, "more_body": chunk is not chunks[-1]} for chunk in chunks]


async def test_a_request_arrives_whole_and_its_answer_comes_back():
    headers = [(b"x-custom", b"one"), (b"x-custom", b"two"), (b"content-length", b"999")]
    start, content = await request(Threads(echo), body(b"hel", b"lo"), headers=headers)
    assert start["status"] == 201
    assert (b"x-custom", b"one,two") in start["headers"]
    assert content["body"] == b"POST hello"


async def test_what_is_too_large_never_reaches_a_thread():
    start, _ = await request(Threads(lambda *_: 1 / 0, body_limit=4), body(b"hel", b"lo!"))
    assert start["status"] == 413


async def test_no_more_threads_than_allowed_and_who_leaves_the_queue_costs_none():
    release, seen = threading.Event(), []

    def slow(environ, start_response):
        seen.append(environ["QUERY_STRING"])
        release.wait(5)
        start_response("200 OK", [])
        return [b""]

    app = Threads(slow, threads=1)
    first = asyncio.create_task(request(app, body(b""), query_string=b"first"))
    await asyncio.sleep(0.05)
    second = await request(app, [*body(b""), {"type": "http.disconnect"}], query_string=b"second")
    release.set()
    await first
    assert second == []
    assert seen == ["first"]


async def test_a_client_that_leaves_while_sending_is_forgotten():
    parts = [{"type": "http.request", "body": b"x", "more_body": True}, {"type": "http.disconnect"}]
    assert await request(Threads(lambda *_: 1 / 0), parts) == []


async def test_an_underscore_does_not_pass_for_a_dash_and_cookies_stay_apart():
    seen = {}

    def application(environ, start_response):
        seen.update(environ)
        start_response("200 OK", [])
        return [b""]

    headers = [
        (b"x_forwarded_proto", b"https"),
        (b"x-forwarded-proto", b"http"),
        (b"cookie", b"a=1"),
        (b"cookie", b"b=2"),
    ]
    await request(Threads(application), body(b""), headers=headers)
    assert (seen["HTTP_X_FORWARDED_PROTO"], seen["HTTP_COOKIE"]) == ("http", "a=1; b=2")
