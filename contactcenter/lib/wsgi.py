"""Serves a WSGI application (Django's own handler) from ASGI, in a bounded pool of threads.

Django's ASGI handler takes a thread and a database connection per request, without bound, and costs five to ten
times as much. Here the body is read on the event loop, a client that leaves before its turn costs no thread, and
each thread keeps its connection.
"""

import asyncio
import io
import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from wsgiref.types import WSGIApplication

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Response = tuple[int, list[tuple[bytes, bytes]], bytes]

BODY_LIMIT = 10 * 1024 * 1024


def too_large(scope: Scope) -> Response:
    return 413, [(b"content-type", b"text/plain")], b"This is too large."


class Threads:
    """An ASGI application for ``http`` scopes only. ``threads`` bounds requests (and database connections) at work;
    ``refusal`` answers a body of more than ``body_limit`` bytes."""

    def __init__(
        self,
        application: WSGIApplication,
        *,
        threads: int = 16,
        body_limit: int = BODY_LIMIT,
        refusal: Callable[[Scope], Response] = too_large,
    ) -> None:
        self.application, self.refusal = application, refusal
        self.body_limit = body_limit
        self.pool = ThreadPoolExecutor(threads, thread_name_prefix="http")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await self.body(receive)
        if body is None:
            return
        if len(body) > self.body_limit:
            status, headers, content = self.refusal(scope)
        else:
            turn = self.pool.submit(self.respond, scope, body)
            work = asyncio.wrap_future(turn)
            gone = asyncio.create_task(disconnected(receive))
            either: set[asyncio.Future[Any]] = {work, gone}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if gone.done() and turn.cancel():
                return  # it was still waiting for a thread
            status, headers, content = await work
            gone.cancel()
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    async def body(self, receive: Receive) -> bytes | None:
        """The whole body, or one byte more than the limit; ``None`` when the client went away."""
        content = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            content += message.get("body", b"")[: self.body_limit + 1 - len(content)]
            if not message.get("more_body") or len(content) > self.body_limit:
                return bytes(content)

    def respond(self, scope: Scope, body: bytes) -> Response:
        """In a thread: one request through the WSGI application."""
        started: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[..., Any]:
            started[:] = [int(status.split(" ", 1)[0]), headers]
            return lambda data: None

        chunks = self.application(environ(scope, body), start_response)
        try:
            content = b"".join(chunks)
        finally:
            if hasattr(chunks, "close"):
                chunks.close()
        status, headers = started
        return (
            status,
            [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers],
            content,
        )


async def disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def environ(scope: Scope, body: bytes) -> dict[str, Any]:
    """The WSGI environment of an ASGI request (PEP 3333)."""
    server = scope.get("server") or ("localhost", 80)
    client = scope.get("client") or ("", 0)
    values: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": scope.get("root_path", ""),
        "PATH_INFO": scope["path"].encode().decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1] or 0),
        "REMOTE_ADDR": client[0],
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").upper().replace("-", "_"), raw_value.decode("latin-1")
        if name == "CONTENT_LENGTH" or b"_" in raw_name:
            continue  # an underscore would pass for a dash, and X_Forwarded_Proto for what the proxy says
        key = name if name == "CONTENT_TYPE" else f"HTTP_{name}"
        joint = "; " if name == "COOKIE" else ","
        values[key] = f"{values[key]}{joint}{value}" if key in values else value
    return values
