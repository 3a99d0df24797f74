"""Mixed load that remembers what was promised: people text, some say STOP and START, agents reply, lists are read."""

import random
import string
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import requests

from tests.product import Browserless, Product

PEOPLE = tuple(f"1201555{number:04}" for number in range(4000, 4012))
# Seconds between two steps of a flow.
TEXTS_EVERY, REPLIES_EVERY, LISTS_EVERY, LOOKS_EVERY = 0.1, 0.25, 0.4, 0.4
REPLY_SECONDS = 90
# The carrier's timestamps are whole seconds and ties revoke: a START must be surely later than the STOP before it.
WORD_SPACING = timedelta(seconds=2.5)
RECENT = 100
# What a person may see while something is broken: the page, "come again in a moment", or that their browser can't
# reach us. Anything else is a surprise.
EXPECTED = {"text": {200, 503}, "reply": {201, 503}, "list": {200, 503}, "thread": {200, 503}}


def unique(word: str) -> str:
    """Never said before; in letters, because some digits look like a card number, which nobody may text."""
    return f"{word} {''.join(random.choices(string.ascii_lowercase, k=24))}"


@dataclass
class Text:
    """One text; ``accepted_at`` is when we first knew that its webhook had got a 200, if it did."""

    person: str
    body: str
    sent_at: datetime
    accepted_at: datetime | None = None


@dataclass
class OptOut:
    """From a STOP to the START after it, if there was one."""

    person: str
    stop: Text
    start: Text | None = None


@dataclass
class Memory:
    """What was promised: texts by the carrier's id, replies by ours with whom they are for."""

    texts: dict[str, Text] = field(default_factory=dict)
    opt_outs: dict[str, OptOut] = field(default_factory=dict)
    past_opt_outs: list[OptOut] = field(default_factory=list)
    replies: dict[str, str] = field(default_factory=dict)
    others: dict[str, bool] = field(default_factory=dict)  # texts of others, by id: whether they got their 200
    surprises: list[str] = field(default_factory=list)

    def all_opt_outs(self) -> list[OptOut]:
        return [*self.past_opt_outs, *self.opt_outs.values()]

    def said(self, person: str, body: str, uuid: str) -> Text:
        """Notes a text that is about to be sent."""
        text = self.texts[uuid] = Text(person, body, datetime.now(UTC))
        if body == "STOP":
            if ended := self.opt_outs.get(person):
                self.past_opt_outs.append(ended)
            self.opt_outs[person] = OptOut(person, text)
        elif body == "START":
            self.opt_outs[person].start = text
        return text

    def accepted(self, webhooks: Iterable[dict[str, Any]]) -> None:
        """The carrier says that these have got their 200."""
        now = datetime.now(UTC)
        for webhook in webhooks:
            text = self.texts.get(webhook["body"]["message_uuid"])
            if text is not None and text.accepted_at is None:
                text.accepted_at = now


class Load(Memory):
    """The people and agents of one product. ``dice`` decides who does what."""

    def __init__(self, cc: Product, dice: random.Random) -> None:
        super().__init__()
        self.cc, self.dice = cc, dice
        self.complaints: set[str] = set()  # what has been reported
        self.over = threading.Event()
        self.agents = [cc.sign_in(username) for username in ("agent", "agent2", "agent")]
        self.onlooker = cc.sign_in("agent2")  # for whoever looks at the product meanwhile
        for person in PEOPLE:
            self.send(person, unique("text"))
        self.conversations = {person: cc.conversation(person) for person in PEOPLE}

    @contextmanager
    def flowing(self) -> Iterator[None]:
        """The load, for the length of the block; what had begun is finished, however long that takes."""
        one, other, reader = self.agents
        flows = [
            threading.Thread(target=self.repeat, args=flow, daemon=True)
            for flow in (
                (self.text, TEXTS_EVERY),
                (lambda: self.reply(one), REPLIES_EVERY * 2),
                (lambda: self.reply(other), REPLIES_EVERY * 2),
                (lambda: self.read(reader), LISTS_EVERY),
                (self.look, LOOKS_EVERY),
            )
        ]
        self.over.clear()
        for flow in flows:
            flow.start()
        try:
            yield
        finally:
            self.over.set()
            for flow in flows:
                flow.join(REPLY_SECONDS + 30)
                if flow.is_alive():
                    self.surprises.append("a request never came back")

    def repeat(self, step: Callable[[], object], pause: float) -> None:
        while not self.over.wait(pause):
            try:
                step()
            except Exception as error:  # noqa: BLE001 a flow that dies silently would prove nothing
                self.surprises.append(f"the load itself failed: {error!r}")
                return

    # --- People

    def text(self) -> None:
        person = self.dice.choice(PEOPLE)
        self.send(person, self.word_of(person) or unique("text"))

    def word_of(self, person: str) -> str:
        """STOP now and then, START some texts later; "" for an ordinary text."""
        current = self.opt_outs.get(person)
        if current is None:
            return "STOP" if self.dice.random() < 0.08 else ""
        last = current.start or current.stop
        if datetime.now(UTC) - last.sent_at < WORD_SPACING:
            return ""
        if current.start is None:
            return "START" if self.dice.random() < 0.3 else ""
        return "STOP" if self.dice.random() < 0.08 else ""

    def send(self, person: str, body: str) -> str:
        """Texts in through the sandbox; the carrier's id of the text."""
        uuid = str(uuid4())
        self.said(person, body, uuid)
        self.cc.text(body, sender=person, message_uuid=uuid)
        return uuid

    def look(self, most: int = RECENT) -> None:
        """Notes which texts have got their 200."""
        self.accepted(self.cc.sandbox(f"webhooks?kind=inbound&state=accepted&limit={most}")["webhooks"])

    # --- Agents

    def reply(self, agent: Browserless, person: str = "") -> str:
        """A reply, sent again under the same id until the server takes it, as the browser does; that id."""
        person, ref, body = person or self.dice.choice(PEOPLE), str(uuid4()), unique("reply")
        deadline = time.monotonic() + REPLY_SECONDS
        while time.monotonic() < deadline:
            with suppress(requests.RequestException):
                answer = agent.post(f"/inbox/{self.conversations[person]}/messages/", body=body, ref=ref)
                self.judge("reply", answer)
                if answer.status_code == 201:
                    self.replies[ref] = person
                    return ref
            time.sleep(0.2)
        self.surprises.append(f"no reply was taken for {REPLY_SECONDS} s")
        return ""

    def read(self, agent: Browserless) -> None:
        pk = self.conversations[self.dice.choice(PEOPLE)]
        for what, path in (("list", "/inbox/list/?view=all"), ("thread", f"/inbox/{pk}/thread/")):
            with suppress(requests.RequestException):
                self.judge(what, agent.get(path))

    def judge(self, what: str, answer: requests.Response) -> None:
        if answer.history or answer.status_code not in EXPECTED[what]:
            self.surprises.append(f"a {what} was answered {answer.status_code} at {answer.url}")
