"""What an agent's browser does with an open inbox, as socket.js, region.js, inbox.js and the fetching half of thread.js
have it, so that what is measured is what people would see. A ``Listener`` has the socket alone. Imports no Django.
"""

import asyncio
import json
import random
import re
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import lru_cache
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from typing import Any

import aiohttp

from bench.figures import Record, clock

# As in static/js; tests/bench compares them.
LIST_SPACING, LIST_JITTER, SURELY_NEW = 1.0, 0.3, 1.5
CATCH_UP, CONFIRM, MAX_DELAY = 30.0, 5.0, 15.0
# A browser's connections to one host: six, and the socket. The server closes idle ones after five seconds.
CONNECTIONS, KEPT_SECONDS = 7, 4
# Beyond this a browser's user has reloaded the page.
PATIENCE = aiohttp.ClientTimeout(60)

MARKER = re.compile(rb"Text (\d{7}):")
BODY = re.compile(rb'data-unread="(\d+)" data-last="(\d+)"')


class Elements(HTMLParser):
    """The attributes of a page's elements by their id."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.by_id: dict[str, dict[str, str]] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.by_id.setdefault(attributes.get("id", ""), attributes)


class Region:
    """region.js: one request in flight and one pending."""

    def __init__(
        self,
        agent: "Page",
        name: str,
        element: dict[str, str],
        on_change: Callable[[bytes], None],
        *,
        spacing: float = 0.0,
        jitter: float = 0.0,
    ) -> None:
        self.agent, self.name, self.on_change = agent, name, on_change
        self.src, self.etag = element["data-src"], element.get("data-etag", "")
        self.spacing, self.jitter = spacing, jitter
        self.is_in_flight = self.is_pending = False
        self.timer: asyncio.TimerHandle | None = None
        self.last_start = -1e9

    def refresh(self) -> None:
        if self.is_in_flight:
            self.is_pending = True
        elif self.timer is None:
            wait = self.spacing and self.last_start + self.spacing - clock() + random.random() * self.jitter
            if wait > 0:
                self.timer = asyncio.get_running_loop().call_later(wait, self.begin)
            else:
                self.begin()

    def begin(self) -> None:
        self.timer = None
        self.is_in_flight = True
        self.last_start = clock()
        self.agent.spawn(self.fetch())

    async def fetch(self) -> None:
        record = self.agent.record
        try:
            headers = {"If-None-Match": self.etag} if self.etag else {}
            status, content, answered = await self.agent.get(self.src, headers)
            record.note(f"{self.name} fetched", clock() - self.last_start)
            record.count(self.name)
            record.count(f"{self.name} {status}")
            record.count(f"{self.name} bytes", len(content))
            if status == 200:
                self.etag = answered.get("ETag", "")
                self.on_change(content)
        except (aiohttp.ClientError, TimeoutError) as error:
            record.failed(f"{self.name}: {type(error).__name__}")
        finally:
            self.is_in_flight = False
            if self.is_pending:
                self.is_pending = False
                self.refresh()


class Listener:
    """A browser's socket, with one conversation open. What it is told, it notes and does not fetch."""

    def __init__(self, record: Record, url: str, session: str, *, conversation: int, people: dict[int, int]) -> None:
        self.record, self.url, self.conversation, self.people = record, url, conversation, people
        self.cookies = {"sessionid": session}
        self.http = aiohttp.ClientSession(
            url,
            connector=aiohttp.TCPConnector(limit=CONNECTIONS, keepalive_timeout=KEPT_SECONDS),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=PATIENCE,
        )
        self.signals: dict[int, int] = {}  # the newest text that was signalled, by person
        self.socket: aiohttp.ClientWebSocketResponse | None = None
        self.tasks: set[asyncio.Task[None]] = set()
        self.confirmed = asyncio.Event()
        self.is_subscribed = asyncio.Event()

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.ended)
        return task

    def ended(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self.record.failed(repr(error))

    async def close(self) -> None:
        for task in list(self.tasks):
            task.cancel()
        await self.http.close()

    @property
    def headers(self) -> dict[str, str]:
        return {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}

    def missing(self) -> int:
        """People of whose last text nothing was heard, though they texted during the run."""
        heard = ((person, self.signals.get(person, person)) for person in self.people.values())
        return sum(self.record.texts.last(person) > number for person, number in heard)

    async def open(self) -> None:
        self.spawn(self.stay_connected())
        await asyncio.wait_for(self.is_subscribed.wait(), 30)

    async def stay_connected(self) -> None:
        failures = 0
        while True:
            try:
                async with self.http.ws_connect(
                    "/ws/", headers=self.headers | {"Origin": self.url}, compress=15
                ) as socket:  # compressed, as a browser offers it
                    self.socket = socket
                    catching_up = self.spawn(self.keep_catching_up(socket))
                    async for message in socket:
                        failures = 0
                        self.hear(message.data)
                    catching_up.cancel()
                    self.record.failed(f"socket: closed {socket.close_code}")
            except (aiohttp.ClientError, TimeoutError) as error:
                self.record.failed(f"socket: {type(error).__name__}")
            delay = min(MAX_DELAY, 0.25 * 2**failures) * (0.5 + random.random())
            failures += 1
            await asyncio.sleep(delay)

    async def keep_catching_up(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        while True:
            self.confirmed.clear()
            await socket.send_json(self.subscription())
            try:
                await asyncio.wait_for(self.confirmed.wait(), CONFIRM)
            except TimeoutError:
                self.record.failed("socket: subscription not confirmed")
                await socket.close()
                return
            self.is_subscribed.set()
            await asyncio.sleep(CATCH_UP)

    def subscription(self) -> dict[str, Any]:
        return {"subscribe": ["conversation"], "open": self.conversation}

    def hear(self, text: str) -> None:
        kind, ids = parsed(text)
        if kind == "signals":
            self.on_signals(ids)
            self.record.signalled(self.signals, (self.people[one] for one in ids if one in self.people))
        elif kind == "subscribed":
            self.confirmed.set()
            self.on_catch_up()
        elif kind == "resync":
            self.record.count("resyncs")
            self.on_catch_up()

    def on_signals(self, ids: frozenset[int]) -> None:
        """These conversations have changed."""

    def on_catch_up(self) -> None:
        """Anything may have changed."""


class Page(Listener):
    """One page with one conversation open, which keeps its list, thread and panel as inbox.js does."""

    query = ""  # of its address: the list beside it
    again: asyncio.TimerHandle | None = None

    async def get(self, path: str, headers: dict[str, str]) -> tuple[int, bytes, Any]:
        async with self.http.get(
            path, headers=self.headers | {"HX-Request": "true"} | headers, allow_redirects=False
        ) as answer:
            for text in answer.headers.getall("Set-Cookie", ()):
                self.cookies |= {name: morsel.value for name, morsel in SimpleCookie(text).items()}
            return answer.status, await answer.read(), answer.headers

    async def post(self, path: str, fields: dict[str, str]) -> tuple[int, str]:
        headers = self.headers | {"X-CSRFToken": self.cookies.get("csrftoken", ""), "Referer": self.url}
        async with self.http.post(path, data=fields, headers=headers, allow_redirects=False) as answer:
            return answer.status, await answer.text()

    async def open(self) -> None:
        """The page, and what its script starts."""
        status, page, _ = await self.get(f"/inbox/{self.conversation}/{self.query}", {})
        if status != 200:
            raise RuntimeError(f"the page of conversation {self.conversation} answers {status}")
        elements = Elements(page.decode()).by_id
        self.read_url = elements["composer"]["data-read"]
        self.list = Region(self, "list", elements["list"], self.on_list, spacing=LIST_SPACING, jitter=LIST_JITTER)
        self.thread = Region(self, "thread", elements["thread"], self.on_thread)
        self.panel = Region(self, "panel", elements["panel"], self.on_panel)
        self.list.etag = ""  # whole, once: the page's list and its thread hold the same words
        self.on_page(page)
        await super().open()

    async def close(self) -> None:
        if self.again:
            self.again.cancel()
        await super().close()

    def on_signals(self, ids: frozenset[int]) -> None:
        self.follow_list()
        if self.conversation in ids:
            self.refresh(self.thread, self.panel)

    def on_catch_up(self) -> None:
        self.refresh(self.thread, self.panel)
        self.follow_list()

    def follow_list(self) -> None:
        """At once, and again when no server can have an older answer."""
        self.list.refresh()
        if self.again:
            self.again.cancel()
        self.again = asyncio.get_running_loop().call_later(SURELY_NEW, self.list.refresh)

    @staticmethod
    def refresh(*regions: Region) -> None:
        for region in regions:
            region.refresh()

    # What has become visible

    def on_page(self, content: bytes) -> None:
        """The page has loaded."""

    def on_list(self, content: bytes) -> None:
        """The list has changed."""

    def on_thread(self, content: bytes) -> None:
        """The open conversation has changed."""

    def on_panel(self, content: bytes) -> None:
        """Beside it something has changed."""


class Agent(Page):
    """A page that is measured.

    With ``reads`` it says what somebody who sits before it has read, which is a change that everybody is told of.
    """

    def __init__(
        self, record: Record, url: str, session: str, *, conversation: int, people: dict[int, int], reads: bool
    ) -> None:
        super().__init__(record, url, session, conversation=conversation, people=people)
        self.reads = reads
        self.rows: dict[int, int] = {}  # the newest text seen, by person: in the list, in the thread
        self.bubbles: dict[int, int] = {}
        self.read_up_to = 0

    def missing(self) -> int:
        """Rows, and the open thread, that do not show the person's last text."""
        mine = self.people[self.conversation]
        shown = [*self.rows.items(), (mine, self.bubbles.get(mine, -1))]
        return sum(self.record.texts.last(person) > number for person, number in shown)

    def on_page(self, content: bytes) -> None:
        self.bubbles = self.record.texts.newest(marked(content))

    def on_list(self, content: bytes) -> None:
        numbers = marked(content)
        self.record.seen("row", self.rows, numbers)
        self.rows = self.record.texts.newest(numbers)  # without rows that left the page

    def on_thread(self, content: bytes) -> None:
        self.record.seen("bubble", self.bubbles, marked(content), is_thread=True)
        state = BODY.search(content)
        if self.reads and state and int(state[1]) and int(state[2]) > self.read_up_to:
            self.read_up_to = int(state[2])
            self.spawn(self.mark_read())

    async def mark_read(self) -> None:
        began = clock()
        with suppress(aiohttp.ClientError):
            status, _ = await self.post(self.read_url, {"up_to": str(self.read_up_to)})
            self.record.count(f"read {status}")
            self.record.note("read marked", clock() - began)


@lru_cache(64)
def parsed(text: str) -> tuple[str, frozenset[int]]:
    """A socket's message; all sockets get the same ones."""
    message = json.loads(text)
    return message["type"], frozenset(signal["id"] for signal in message.get("signals", ()))


def marked(content: bytes) -> set[int]:
    """The numbers of the texts in a fragment."""
    return {int(number) for number in MARKER.findall(content)}
