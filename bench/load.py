"""The load of ``bench.live``: agents' browsers and the carrier that texts them, in one lean process.

Reads a ``Plan`` as JSON from standard input; writes ``{"phase": …}`` when the load begins and when it ends, and then
what it measured, one JSON object a line.
"""

import asyncio
import json
import random
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import uuid4

import aiohttp
import uvloop

from bench.browsers import CATCH_UP, KEPT_SECONDS, PATIENCE, Agent, Listener
from bench.figures import Record, Texts, clock
from tests.conversations import signing

WEBHOOK = "/webhooks/vonage/inbound"
TEXT = "Text {:07}: are you open this afternoon, and may I bring my brother?"


@dataclass(frozen=True)
class Plan:
    """``people`` are (number, the line's number, their conversation's id); each has sent a text, numbered as they are.

    There is an agent for each of the ``sessions``; they have the first people's conversations open. Without ``fetches``
    they only listen.
    """

    url: str
    sessions: list[str]
    people: list[tuple[str, str, int]]
    per_second: int
    seconds: int
    account: dict[str, str]
    fetches: bool = True
    reads: bool = False


class Load:
    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.texts = Texts(len(plan.people))
        self.record = Record(self.texts)
        people = {conversation: person for person, (_, _, conversation) in enumerate(plan.people)}
        browser = partial(Agent, reads=plan.reads) if plan.fetches else Listener
        self.agents = [
            browser(self.record, plan.url, session, conversation=conversation, people=people)
            for session, (_, _, conversation) in zip(plan.sessions, plan.people, strict=False)
        ]

    async def run(self) -> None:
        for agent in self.agents:  # one after the other, and so are their catch-ups
            await agent.open()
        await asyncio.sleep(2)
        async with aiohttp.ClientSession(
            self.plan.url, connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEPT_SECONDS), timeout=PATIENCE
        ) as carrier:
            meanwhile = [asyncio.create_task(self.probe(carrier)), asyncio.create_task(self.watch_itself())]
            say({"phase": "began"})
            self.record.began = clock()
            await self.text(carrier)
            self.record.ended = clock()
            say({"phase": "ended"})
            for task in meanwhile:
                task.cancel()
        settled_after = await self.settle()
        elapsed = self.record.ended - self.record.began
        say(
            {
                "elapsed": elapsed,
                "texts": len(self.texts.posted),
                "settled_after": settled_after,
                "missing": self.missing(),
                "times": {name: times.summary(elapsed) for name, times in self.record.times.items()},
                "counts": self.record.counts,
                "errors": self.record.errors,
            }
        )
        for agent in self.agents:
            await agent.close()

    async def text(self, carrier: aiohttp.ClientSession) -> None:
        """The texts, at random moments and from random people, each in a request of its own."""
        source = random.Random(2026)
        total = self.plan.per_second * self.plan.seconds
        moments = sorted(source.uniform(0, self.plan.seconds) for _ in range(total))
        began = clock()
        async with asyncio.TaskGroup() as posts:
            for number, moment in enumerate(moments, len(self.plan.people)):
                if (wait := began + moment - clock()) > 0:
                    await asyncio.sleep(wait)
                self.record.note("late", clock() - began - moment)
                posts.create_task(self.post(carrier, number, source.randrange(len(self.plan.people))))
            await asyncio.sleep(max(0.0, began + self.plan.seconds - clock()))

    async def post(self, carrier: aiohttp.ClientSession, number: int, person: int) -> None:
        sender, line, _ = self.plan.people[person]
        raw, headers = webhook(number, sender, line, self.plan.account)
        at = clock()
        self.texts.post(number, person, at)
        try:
            async with carrier.post(WEBHOOK, data=raw, headers=headers) as answer:
                outcome = str(answer.status)
        except (aiohttp.ClientError, TimeoutError) as error:
            outcome = type(error).__name__
        if outcome == "200":
            self.record.visible("acknowledged", at)
        else:
            self.record.failed(f"webhook: {outcome}")
            self.texts.refused(number, person)

    async def probe(self, carrier: aiohttp.ClientSession) -> None:
        """A bare request each second: what any answer takes meanwhile."""
        while True:
            began = clock()
            async with carrier.get("/healthz") as answer:
                await answer.read()
            self.record.note("healthz", clock() - began)
            await asyncio.sleep(1)

    async def watch_itself(self) -> None:
        """How late this process is by itself: no figure can be better than that."""
        while True:
            began = clock()
            await asyncio.sleep(0.05)
            self.record.note("lag", clock() - began - 0.05)

    async def settle(self) -> float | None:
        """Seconds until every screen shows everything; ``None`` when one catch-up was not enough for that."""
        began = clock()
        while self.missing():
            if clock() - began > CATCH_UP + 5:
                return None
            await asyncio.sleep(0.1)
        return clock() - began

    def missing(self) -> int:
        return sum(agent.missing() for agent in self.agents)


def webhook(number: int, sender: str, line: str, account: dict[str, str]) -> tuple[bytes, dict[str, str]]:
    """A text as the carrier posts it: body and headers."""
    body = {
        "channel": "sms",
        "message_type": "text",
        "message_uuid": str(uuid4()),
        "from": sender.removeprefix("+"),
        "to": line.removeprefix("+"),
        "timestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        "text": TEXT.format(number),
        "sms": {"num_messages": "1"},
    }
    raw = json.dumps(body).encode()
    authorization = signing.sign(raw=raw, now=time.time(), jti=str(uuid4()), **account)
    return raw, {"Authorization": authorization, "Content-Type": "application/json"}


def say(what: dict[str, Any]) -> None:
    print(json.dumps(what), flush=True)


async def main(plan: Plan) -> None:
    await Load(plan).run()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(Plan(**json.load(sys.stdin))))
