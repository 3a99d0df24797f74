"""More webhooks at once than the product keeps waiting (`conversations.groupcommit.QUEUE`), while its database is away.

Sent from here and not by the sandbox, which has at most a hundred webhooks under way.
"""

import asyncio
import json
import resource
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple
from uuid import uuid4

from sandbox import credentials
from tests.conversations.signing import sign
from tests.product import Product

if TYPE_CHECKING:
    from tests.faults.faults import Scene

USUAL_FILES = 1024  # that a program may open at once, on most systems, unless it asks for more
FILES = 8192  # a connection for each webhook that waits, here and there
PEOPLE = 200
FIRST, THEN = 4000, 500  # webhooks in a step: two processes keep 2000 waiting each, and write some
ANSWER_SECONDS = 1.5
MOST = 12_000  # were none turned away by then, none would be


class Answered(NamedTuple):
    """One webhook of the flood and its answer: the whole head, in lower case."""

    uuid: str
    head: str

    @property
    def status(self) -> int:
        return int(self.head.split(" ", 2)[1]) if self.head else 0


def may_open(files: int) -> bool:
    """Lets this process, and those that it starts from now on, open so many; whether the system allows it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < files:
        return False
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
    return True


@contextmanager
def full_queue(scene: "Scene") -> Iterator[None]:
    """Every web process turns webhooks away when this yields; those of the sandbox too, which come again."""
    pids = scene.cc.pids("postgres")
    scene.cc.signal(pids, signal.SIGSTOP)
    with asyncio.Runner() as runner:
        flood = Flood(scene.cc)
        try:
            runner.run(flood.rise())
            yield
        finally:
            scene.cc.signal(pids, signal.SIGCONT)
            runner.run(flood.ebb())
            scene.load.others |= {answer.uuid: answer.status == 200 for answer in flood.answers}
            scene.load.surprises += flood.surprises()


class Flood:
    """Texts of many people, each on a connection of its own."""

    def __init__(self, cc: Product) -> None:
        self.port = cc.port
        env = credentials.environment(cc.var_dir, tls_port=1, http_port=1)
        self.account = {
            "secret": env["VONAGE_SIGNATURE_SECRET"],
            "api_key": env["VONAGE_API_KEY"],
            "application_id": env["VONAGE_APPLICATION_ID"],
        }
        self.under_way: set[asyncio.Task[Answered]] = set()
        self.answers: list[Answered] = []

    async def rise(self) -> None:
        """Until of the last step every one was turned away."""
        for size in [FIRST, *[THEN] * ((MOST - FIRST) // THEN)]:
            step = {asyncio.create_task(self.deliver(number)) for number in range(size)}
            answered, waiting = await asyncio.wait(step, timeout=ANSWER_SECONDS)
            self.answers += [task.result() for task in answered]
            self.under_way |= waiting
            if not waiting:
                return

    async def ebb(self) -> None:
        """Waits for the answers that are still to come."""
        self.answers += await asyncio.gather(*self.under_way)

    async def deliver(self, number: int) -> Answered:
        uuid = str(uuid4())
        raw = json.dumps(
            {
                "channel": "sms",
                "message_type": "text",
                "message_uuid": uuid,
                "from": f"1202556{number % PEOPLE:04}",
                "to": "12015550100",
                "timestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
                "text": f"Is anybody there? ({number})",
            }
        ).encode()
        head = [
            "POST /webhooks/vonage/inbound HTTP/1.1",
            "Host: 127.0.0.1",
            "Content-Type: application/json",
            f"Authorization: {sign(raw=raw, now=time.time(), jti=str(uuid4()), **self.account)}",
            f"Content-Length: {len(raw)}",
            "Connection: close",
        ]
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            writer.write("\r\n".join([*head, "", ""]).encode() + raw)
            answer = await reader.read()
            writer.close()
        except OSError:
            return Answered(uuid, "")
        return Answered(uuid, answer.decode("latin-1").partition("\r\n\r\n")[0].lower())

    def surprises(self) -> Iterator[str]:
        refused = [answer for answer in self.answers if answer.status == 503]
        if not refused:
            yield "the queue never was full"
        for answer in self.answers:
            if answer.status not in {200, 503}:
                yield f"a webhook was answered {answer.head[:80] or 'nothing'}"
        if not all("\r\nretry-after:" in answer.head for answer in refused):
            yield "a webhook that was turned away was not told when to come again"
