"""The lean client: what it sends, when an answer is whole, and against a real server."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bench import client

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


def test_a_request_goes_over_the_wire_with_its_length() -> None:
    sent = client.post("/webhooks/x", b'{"a":1}', {"Authorization": "Bearer t"})

    head, _, body = sent.partition(b"\r\n\r\n")
    assert head.split(b"\r\n") == [
        b"POST /webhooks/x HTTP/1.1",
        b"Host: 127.0.0.1",
        b"Content-Length: 7",
        b"Authorization: Bearer t",
    ]
    assert body == b'{"a":1}'


@pytest.mark.parametrize("end", range(len(OK)))
def test_an_answer_is_not_whole_before_its_last_byte(end: int) -> None:
    assert client.answered(OK[:end]) is None


def test_a_whole_answer_tells_its_status() -> None:
    assert client.answered(OK) == 200
    assert client.answered(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n") == 503


def test_an_answer_that_does_not_say_how_long_it_is_would_hang_and_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown length"):
        client.answered(b"HTTP/1.1 200 OK\r\n\r\n")


@contextmanager
def server(*answers: bytes) -> Iterator[str]:
    """Gives each request on a connection the next of these answers, then closes it."""
    loop = asyncio.new_event_loop()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            if not await reader.read(1000):
                break
            for part in (answer[:20], answer[20:]):
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(0.001)
        writer.close()

    listening = loop.run_until_complete(asyncio.start_server(serve, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        listening.close()
        for task in (left := asyncio.all_tasks(loop)):
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.wait(left))
        loop.close()


def test_each_connection_asks_again_when_it_was_answered_until_there_is_nothing_left() -> None:
    busy = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"
    with server(OK, busy, OK, OK, OK, OK) as url:
        answers = client.send(url, [client.post("/", b"", {})] * 5, connections=2)

    assert sum(answers.statuses.values()) == len(answers.took) == 5
    assert answers.statuses[503] in {1, 2}
    assert answers.per_second == 5 / answers.elapsed


def test_a_connection_that_closes_instead_of_answering_is_an_error() -> None:
    with server(OK) as url, pytest.raises(ConnectionError):
        client.send(url, [client.post("/", b"", {})] * 3, connections=1)


def test_no_request_begins_after_the_time_is_over() -> None:
    with server(OK) as url:
        answers = client.send(url, [client.post("/", b"", {})] * 3, connections=1, seconds=0)

    assert not answers.took
