"""An HTTP client that costs next to nothing, so that what is measured is the server.

Requests are bytes made beforehand, and each of a few connections asks again as soon as it was answered."""

import asyncio
import re
import ssl
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import urlsplit

import uvloop

from bench.figures import clock

LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")


@dataclass
class Answers:
    """``took`` are seconds, one per answer; ``elapsed`` is from the first request to the last answer."""

    statuses: Counter[int] = field(default_factory=Counter)
    took: list[float] = field(default_factory=list)
    elapsed: float = 0.0

    @property
    def per_second(self) -> float:
        return len(self.took) / self.elapsed


def post(path: str, body: bytes, headers: dict[str, str]) -> bytes:
    """A request as it goes over the wire."""
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def send(
    url: str, requests: Iterable[bytes], *, connections: int, seconds: float = 600, tls: ssl.SSLContext | None = None
) -> Answers:
    """Sends the requests over so many connections, and no new ones after ``seconds``. Raises ``ConnectionError`` when
    the server closes a connection that waits for its answer."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(sending(url, iter(requests), connections, seconds, tls))


async def sending(
    url: str, requests: Iterator[bytes], connections: int, seconds: float, tls: ssl.SSLContext | None
) -> Answers:
    loop, at, answers = asyncio.get_running_loop(), urlsplit(url), Answers()
    host, port = at.hostname or "", at.port or 80
    opened = [
        (await loop.create_connection(lambda: Connection(requests, answers), host, port, ssl=tls))[1]
        for _ in range(connections)
    ]
    began = clock()
    for connection in opened:
        connection.begin(until=began + seconds)
    await asyncio.gather(*(connection.done for connection in opened))
    answers.elapsed = clock() - began
    return answers


class Connection(asyncio.Protocol):
    """One kept-alive connection, one request at a time."""

    def __init__(self, requests: Iterator[bytes], answers: Answers) -> None:
        self.requests, self.answers = requests, answers
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.received = b""
        self.asked_at = self.until = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.WriteTransport, transport)  # uvloop's is no subclass

    def begin(self, *, until: float) -> None:
        self.until = until
        self.ask()

    def ask(self) -> None:
        request = next(self.requests, None) if clock() < self.until else None
        if request is None:
            self.done.set_result(None)
            self.transport.close()
            return
        self.asked_at = clock()
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self.received += data
        if (status := answered(self.received)) is not None:
            self.received = b""
            self.answers.took.append(clock() - self.asked_at)
            self.answers.statuses[status] += 1
            self.ask()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(ConnectionError(f"closed before the answer: {error}"))


def answered(received: bytes) -> int | None:
    """The status of an answer that is there to its last byte; it must say how long it is."""
    head, end, body = received.partition(b"\r\n\r\n")
    if not end:
        return None
    length = LENGTH.search(head)
    if length is None:
        raise ValueError(f"an answer of unknown length: {head!r}")
    return int(head[9:12]) if len(body) >= int(length[1]) else None
