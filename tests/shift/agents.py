"""The agents of a shift, scripted: each works at one page of the inbox as a browser keeps it, on what it shows."""

import asyncio
import random
import re
from collections.abc import Callable
from contextlib import suppress
from html.parser import HTMLParser
from typing import Any
from uuid import uuid4

import aiohttp

from bench.browsers import Page, Region
from bench.figures import Record, Texts
from tests.faults.load import unique
from tests.shift.people import Shift, now

ROW = re.compile(r'<li id="c-(\d+)">')
MESSAGE = re.compile(r'class="msg msg--(in|out)')
LAST = re.compile(r'data-last="(\d+)"')
SEEN = re.compile(r'data-seen="(\d+)"')
PERSON = re.compile(r"\((\d{3})\) (\d{3})-(\d{4})")
FIELD = re.compile(r'name="(was|was_team)" value="(\d*)"')
TEAM = re.compile(r'value="(team:\d+)"')

# What somebody does with a conversation that they have opened; the rest is answered.
TRANSFERS, SNOOZES, NOTES, JUDGES = 0.04, 0.03, 0.05, 0.02
RESOLVES_AFTER, SENDS_ALL_THE_SAME = 0.5, 0.5
DROPS, GOES = 0.05, 0.02
FIRST_ROWS = 5
PATIENCE = 90
BROKEN = {502, 503}
CROWD = (aiohttp.ClientError, TimeoutError, ConnectionError)


class Screen(Page):
    """A page whose regions hold what they were last given, as its user sees them."""

    def __init__(self, url: str, session: str, *, conversation: int, view: str) -> None:
        super().__init__(Record(Texts(0)), url, session, conversation=conversation, people={})
        self.query = view
        self.shows: dict[str, str] = {}

    def subscription(self) -> dict[str, Any]:
        return super().subscription() | {"active": True, "seen": True}

    def on_page(self, content: bytes) -> None:
        self.thread.etag = self.panel.etag = ""  # whole, once, as the list

    def on_list(self, content: bytes) -> None:
        self.shows["list"] = content.decode()

    def on_thread(self, content: bytes) -> None:
        self.shows["thread"] = content.decode()

    def on_panel(self, content: bytes) -> None:
        self.shows["panel"] = content.decode()

    @property
    def regions(self) -> list[Region]:
        return [self.list, self.thread, self.panel]

    @property
    def is_whole(self) -> bool:
        return self.shows.keys() == {"list", "thread", "panel"}

    @property
    def is_at_rest(self) -> bool:
        return self.is_whole and not any(one.is_in_flight or one.timer for one in self.regions)

    def last(self) -> int:
        found = LAST.search(self.shows["thread"])
        return int(found[1]) if found else 0


class Colleague:
    """One agent. ``answered(person)`` is told of each answer."""

    def __init__(
        self,
        user_id: int,
        session: str,
        url: str,
        dice: random.Random,
        shift: Shift,
        *,
        view: str,
        answered: Callable[[str], None],
    ) -> None:
        self.user_id, self.session, self.url, self.dice, self.shift = user_id, session, url, dice, shift
        self.view, self.answered = view, answered
        self.screen: Screen | None = None

    async def work(self, first: int, is_over: Callable[[], bool]) -> None:
        """Until it is over; whatever was begun is finished."""
        await self.open(first)
        while not is_over():
            try:
                await self.step()
            except CROWD:
                await asyncio.sleep(self.dice.uniform(0.2, 1))  # "the server could not be reached": and tries again

    async def step(self) -> None:
        await asyncio.sleep(self.dice.uniform(0.2, 1.2))
        screen = self.screen
        assert screen
        if self.dice.random() < DROPS:
            self.drop(screen)
        if self.dice.random() < GOES:
            await self.leave_and_return()
        rows = ROW.split(screen.shows.get("list", ""))[1:]
        waiting = [pk for pk, row in zip(rows[::2], rows[1::2], strict=True) if "data-due" in row][:FIRST_ROWS]
        if not waiting:
            return
        pk = int(self.dice.choice(waiting))
        if pk != screen.conversation:
            await self.open(pk)
        await asyncio.sleep(self.dice.uniform(0.3, 1.5))  # reads
        await self.act(pk)

    async def open(self, pk: int) -> None:
        """Another page; as browsers do, however long its server is away."""
        while True:
            screen = Screen(self.url, self.session, conversation=pk, view=self.view)
            try:
                await screen.open()
                async with asyncio.timeout(PATIENCE):
                    while not screen.is_whole:
                        await asyncio.sleep(0.02)
            except (*CROWD, RuntimeError) as error:
                await screen.close()
                if isinstance(error, RuntimeError) and not error.args[0].endswith(tuple(map(str, BROKEN))):
                    self.shift.surprises.append(str(error))
                await asyncio.sleep(self.dice.uniform(0.2, 1))
                continue
            before, self.screen = self.screen, screen
            if before:
                await before.close()
            self.shift.counts["pages"] += 1
            return

    def drop(self, screen: Screen) -> None:
        self.shift.counts["sockets dropped"] += 1
        if screen.socket and (wire := screen.socket.get_extra_info("socket")):
            with suppress(OSError):
                wire.shutdown(2)

    async def leave_and_return(self) -> None:
        self.shift.counts["breaks"] += 1
        for availability in (self.dice.choice(["away", "off"]), "available"):
            await self.post("/inbox/availability/", {"availability": availability, "next": "/inbox/"}, {302})
            await asyncio.sleep(self.dice.uniform(1, 5))

    async def act(self, pk: int) -> None:
        screen = self.screen
        assert screen
        await self.post(f"/inbox/{pk}/read/", {"up_to": str(screen.last())}, {204})
        what = self.dice.random()
        if what < TRANSFERS:
            await self.transfer(pk)
        elif what < TRANSFERS + SNOOZES:
            await self.did("snoozed", f"/inbox/{pk}/snooze/", {"until": "reply"})
        elif what < TRANSFERS + SNOOZES + JUDGES or "data-blocked" in screen.shows["thread"]:
            await self.resolve(pk)
        elif MESSAGE.findall(screen.shows["thread"])[-1:] != ["out"]:  # else an answer is on its way
            if what > 1 - NOTES:
                note = {"body": unique("Seen before:"), "ref": str(uuid4())}
                await self.did("noted", f"/inbox/{pk}/notes/", note, {201, 422})
            if await self.reply(pk) and self.dice.random() < RESOLVES_AFTER:
                await asyncio.sleep(self.dice.uniform(0.1, 0.5))
                await self.resolve(pk)

    async def reply(self, pk: int) -> bool:
        """Sent again under the same id until there is an answer; what came in between is looked at, and then it is sent
        all the same, or not."""
        assert self.screen
        ref, body, seen = str(uuid4()), unique("reply"), self.screen.last()
        found = PERSON.search(self.screen.shows["thread"])
        person = "1" + "".join(found.groups()) if found else ""
        while True:
            begun = now()
            fields = {"body": body, "ref": ref, "seen": str(seen)}
            status, said = await self.post(f"/inbox/{pk}/messages/", fields, {201, 409, 422})
            if status == 201:
                self.shift.replies[ref], self.shift.posted[ref] = person, (begun, now())
                self.shift.seen[ref], self.shift.authors[ref] = seen, self.user_id
                self.answered(person)
                return True
            if status == 422:
                self.shift.counts["replies refused"] += 1
                return False
            self.shift.counts["fence asked"] += 1
            since = SEEN.search(said)
            if self.dice.random() > SENDS_ALL_THE_SAME or not since:
                return False
            seen = int(since[1])

    async def resolve(self, pk: int) -> None:
        assert self.screen
        up_to = self.screen.last()
        if await self.did("resolved", f"/inbox/{pk}/resolve/", {"up_to": str(up_to)}):
            self.shift.closed[pk].append((up_to, now()))

    async def transfer(self, pk: int) -> None:
        assert self.screen
        status, dialog, _ = await self.screen.get(f"/inbox/{pk}/transfer/", {})
        if status != 200:
            return
        text = dialog.decode()
        fields = dict(FIELD.findall(text)) | {"ref": str(uuid4()), "to": self.dice.choice(TEAM.findall(text))}
        await self.did("transferred", f"/inbox/{pk}/transfer/", fields | {"note": unique("For you:")})

    async def did(self, what: str, path: str, fields: dict[str, str], good: set[int] | None = None) -> bool:
        """Whether it was done; what was refused in words is no surprise."""
        status, _ = await self.post(path, fields, good or {204, 422})
        self.shift.counts[what if status < 300 else f"{what}: refused"] += 1
        return status < 300

    async def post(self, path: str, fields: dict[str, str], good: set[int]) -> tuple[int, str]:
        """Tried again while the server is away."""
        loop = asyncio.get_running_loop()
        until = loop.time() + PATIENCE
        while loop.time() < until:
            assert self.screen
            with suppress(*CROWD):
                status, said = await self.screen.post(path, fields)
                if status in good:
                    return status, said
                if status not in BROKEN:
                    self.shift.surprises.append(f"{path} was answered {status}: {said[:200]}")
                    return status, said
            await asyncio.sleep(self.dice.uniform(0.2, 0.6))
        self.shift.surprises.append(f"{path} was not answered for {PATIENCE} s")
        return 503, ""


class Words(HTMLParser):
    """What a fragment shows, without what only the hour of the day changes."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self.passes_over = ""  # until this element ends

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        if self.passes_over:
            return
        if tag == "time" or (known.get("hx-post") or "").endswith("/snooze/"):
            self.passes_over = tag
        elif "data-due" in known:
            known["class"] = ""  # how near it is
        self.words.append(f"<{tag} {known if not self.passes_over else ''}>")

    def handle_endtag(self, tag: str) -> None:
        if tag == self.passes_over:
            self.passes_over = ""

    def handle_data(self, data: str) -> None:
        if data.strip() and not self.passes_over:
            self.words.append(data.strip())


def words(fragment: str) -> list[str]:
    parser = Words()
    parser.feed(fragment)
    return parser.words


async def differences(screen: Screen) -> list[str]:
    """Where this screen is not what a fresh load shows."""
    found = []
    for region in screen.regions:
        status, fresh, _ = await screen.get(region.src, {"Cache-Control": "no-cache"})
        shown, loaded = words(screen.shows[region.name]), words(fresh.decode())
        if status != 200 or shown != loaded:
            first = next((pair for pair in zip(shown, loaded, strict=False) if pair[0] != pair[1]), ("", ""))
            found.append(f"the {region.name} at {region.src} shows {first[0]!r}; a fresh load ({status}): {first[1]!r}")
    return found
