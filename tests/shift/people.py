"""The people of a shift: they write at random moments, some twice, some again once they have an answer, and a few say
STOP. What they did is remembered."""

import asyncio
import random
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import aiohttp

from tests.faults.load import WORD_SPACING, Memory, unique

PREFIX = "1202555"
WRITES_TWICE, SAYS_STOP, COMES_BACK, WRITES_AGAIN = 0.2, 0.03, 0.5, 0.3
WORDS = ("My bill is wrong,", "I need a refill,", "About my appointment,", "Hello,")
WATCHED_EVERY = 0.3
PAGE = 500  # as many as the carrier shows


@dataclass
class Shift(Memory):
    """What happened, as those who did it remember: between which moments a reply was accepted, by whom it was and what
    they had seen; what the carrier took, and how many times; up to which message a conversation was closed, and when.
    """

    posted: dict[str, tuple[datetime, datetime]] = field(default_factory=dict)
    authors: dict[str, int] = field(default_factory=dict)
    seen: dict[str, int] = field(default_factory=dict)
    taken: dict[str, tuple[str, int]] = field(default_factory=dict)
    closed: dict[int, list[tuple[int, datetime]]] = field(default_factory=lambda: defaultdict(list))
    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))


class People:
    def __init__(self, shift: Shift, carrier: str, dice: random.Random, many: int) -> None:
        self.shift, self.carrier, self.dice = shift, carrier, dice
        self.numbers = [f"{PREFIX}{index:04}" for index in range(many)]
        self.answered = {one: asyncio.Event() for one in self.numbers}

    async def live(self, http: aiohttp.ClientSession, seconds: float) -> None:
        """All their stories; nobody begins a new one after so many seconds."""
        until = asyncio.get_running_loop().time() + seconds
        async with asyncio.TaskGroup() as stories:
            for person in self.numbers:
                stories.create_task(self.story(http, person, self.dice.uniform(0, seconds * 0.9), until))

    async def story(self, http: aiohttp.ClientSession, person: str, begins: float, until: float) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(begins)
        await self.write(http, person, unique(self.dice.choice(WORDS)))
        if self.dice.random() < WRITES_TWICE:
            await asyncio.sleep(self.dice.uniform(0.2, 4))
            await self.write(http, person, unique("And one thing more,"))
        while True:
            self.answered[person].clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self.answered[person].wait(), max(until - loop.time(), 0))
            await asyncio.sleep(self.dice.uniform(0.5, 15))
            if loop.time() > until:
                return
            if self.dice.random() < SAYS_STOP:
                await self.write(http, person, "STOP")
                if self.dice.random() < COMES_BACK:
                    await asyncio.sleep(WORD_SPACING.total_seconds() * 2)
                    await self.write(http, person, "START")
                return
            if self.dice.random() > WRITES_AGAIN:
                return
            await self.write(http, person, unique("Thank you, but"))

    async def write(self, http: aiohttp.ClientSession, person: str, body: str) -> None:
        uuid = str(uuid4())
        self.shift.said(person, body, uuid)
        text = {"from": person, "to": "12015550100", "text": body, "message_uuid": uuid}
        async with http.post(f"{self.carrier}/inbound", json=text) as answer:
            if answer.status != 202:
                self.shift.surprises.append(f"the carrier answers {answer.status} to a text")

    async def watch(self, http: aiohttp.ClientSession) -> None:
        """Asks the carrier, again and again, which texts were accepted, and which replies it took."""
        while True:
            await self.look(http)
            await asyncio.sleep(WATCHED_EVERY)

    async def look(self, http: aiohttp.ClientSession) -> None:
        async def asked(path: str) -> Any:
            async with http.get(f"{self.carrier}/{path}&limit={PAGE}") as answer:
                return await answer.json()

        self.shift.accepted((await asked("webhooks?kind=inbound&state=accepted"))["webhooks"])
        for request in (await asked("requests?"))["requests"]:
            if request["accepted_times"]:
                self.shift.taken[request["client_ref"]] = (request["to"], request["accepted_times"])


def now() -> datetime:
    return datetime.now(UTC)
