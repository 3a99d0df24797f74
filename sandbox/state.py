"""What the sandbox remembers: lines, handsets and threads, opted-out pairs, requests. All of it bounded."""

import re
import uuid
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from datetime import datetime

from sandbox.faults import Faults
from sandbox.webhooks import Delivery

KINDS = ("10dlc", "toll_free", "short_code")
DEFAULT_LINES = "12015550100:10dlc,12015550101:10dlc,18005550100:toll_free"
PEOPLE = {"12015550123": "Maria Vega", "12015550124": "Sam Okafor", "12015550125": "Aisha Bello"}

_REQUESTS = 5_000
_REFERENCES = 100_000
_THREADS = 2_000
_TEXTS = 200
_HANDSETS = 50


@dataclass(slots=True)
class Text:
    """One item of a handset's thread; ``side`` is customer, business, network or event (a remark)."""

    side: str
    line: str
    text: str
    at: datetime
    deliveries: tuple[Delivery, ...] = ()
    id: str = field(default_factory=lambda: uuid.uuid4().hex)

    def as_json(self) -> dict[str, object]:
        """Return it for the page; ``state`` is the worst of its webhooks' states, None if it has none."""
        states = {delivery.state for delivery in self.deliveries}
        order = ("dropped", "retrying", "waiting", "accepted")
        return {
            "id": self.id,
            "side": self.side,
            "line": self.line,
            "text": self.text,
            "at": self.at.isoformat(),
            "state": next((state for state in order if state in states), None),
        }


@dataclass(slots=True)
class Received:
    """One request to the Messages API. ``answer`` is the HTTP status; 0 = cut off, None = pending."""

    at: datetime
    body: str
    client_ref: str | None = None
    to: str | None = None
    sender: str | None = None
    text: str | None = None
    answer: int | None = None
    title: str | None = None
    message_uuid: str | None = None


@dataclass(slots=True)
class State:
    """Everything that a reset forgets. ``version`` grows with every change that a page could show."""

    lines: dict[str, str]
    handsets: dict[str, str] = field(default_factory=lambda: dict(PEOPLE))
    threads: OrderedDict[str, deque[Text]] = field(default_factory=OrderedDict)
    opted_out: set[tuple[str, str]] = field(default_factory=set)
    requests: deque[Received] = field(default_factory=lambda: deque(maxlen=_REQUESTS))
    accepted: OrderedDict[str, int] = field(default_factory=OrderedDict)
    faults: Faults = field(default_factory=Faults)
    opt_out_assist: bool = False
    ceiling: int = 30
    ceiling_hits: int = 0
    version: int = 0

    def changed(self) -> None:
        """Tell the pages that they are out of date."""
        self.version += 1

    def add_line(self, number: str, kind: str) -> None:
        """Add or change a line; raises ValueError for a kind or number that cannot be."""
        if kind not in KINDS:
            raise ValueError(f"A line is one of: {', '.join(KINDS)}.")
        self.lines[digits(number, shortest=4)] = kind
        self.changed()

    def add_handset(self, number: str, name: str) -> str:
        """Add a handset or rename one; returns its number. Raises ValueError when there are too many."""
        number = digits(number)
        if number not in self.handsets and len(self.handsets) >= _HANDSETS:
            raise ValueError(f"There are {_HANDSETS} handsets already. Reset the sandbox first.")
        self.handsets[number] = name.strip()[:60] or f"+{number}"
        self.changed()
        return number

    def show(self, handset: str, text: Text) -> None:
        """Add to a handset's thread, forgetting the longest silent one of too many."""
        self.threads.setdefault(handset, deque(maxlen=_TEXTS)).append(text)
        self.threads.move_to_end(handset)
        while len(self.threads) > _THREADS:
            self.threads.popitem(last=False)
        self.changed()

    def count_accepted(self, client_ref: str | None) -> None:
        """Count a message that was accepted, so that a test can prove none was sent twice."""
        if client_ref is None:
            return
        self.accepted[client_ref] = self.accepted.pop(client_ref, 0) + 1
        while len(self.accepted) > _REFERENCES:
            self.accepted.popitem(last=False)

    def set_opted_out(self, line: str, handset: str, opted_out: bool) -> None:
        """Block texts from a line to a handset, or let them pass again."""
        pair = (line, handset)
        self.opted_out.add(pair) if opted_out else self.opted_out.discard(pair)
        self.changed()


def digits(number: str, *, shortest: int = 7) -> str:
    """Return a number as the wire has it: digits only. Raises ValueError with what to write instead."""
    bare = re.sub(r"[\s().+-]", "", number)
    if not re.fullmatch(rf"[1-9][0-9]{{{shortest - 1},14}}", bare):
        raise ValueError(f"“{number[:40]}” is not a number. Write country code and digits: +1 201 555 0123.")
    return bare


def parse_lines(listed: str) -> dict[str, str]:
    """Read ``number:kind,number:kind``. Raises ValueError."""
    state = State({})
    for item in listed.split(","):
        number, _, kind = item.strip().partition(":")
        state.add_line(number, kind or "10dlc")
    return state.lines
