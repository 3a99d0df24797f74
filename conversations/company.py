"""Who is in a conversation besides oneself, and who is writing there. Pure: no Django, and no clock of its own.

Everything expires by itself, so nobody is shown for ever whose laptop was shut. ``now`` is in seconds and only grows.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

# A page says each half minute that it is there, and while somebody types every few seconds.
VIEWING_SECONDS = 45.0
WRITING_SECONDS = 6.0


class Doing(StrEnum):
    GONE = ""
    VIEWING = "viewing"
    WRITING = "writing"
    NOTING = "noting"


FIRST = (Doing.WRITING, Doing.NOTING, Doing.VIEWING)


@dataclass(frozen=True)
class Person:
    id: int
    name: str
    initials: str


@dataclass(frozen=True)
class Seen:
    """Somebody as others see them: for so many seconds what they are doing, and in all so long that they are there."""

    person: Person
    doing: Doing
    seconds: float
    here: float


@dataclass
class Page:
    """One open page of somebody."""

    person: Person
    viewing_until: float
    doing: Doing = Doing.VIEWING
    doing_until: float = 0.0

    def is_there(self, now: float) -> bool:
        return max(self.viewing_until, self.doing_until) > now


class Company:
    """Of all conversations, by what their pages say."""

    def __init__(self) -> None:
        self.pages: dict[int, dict[str, Page]] = {}
        self.swept_at = 0.0

    def hear(self, conversation: int, page: str, person: Person, doing: Doing, *, now: float) -> None:
        """``page`` names one open page. Whoever writes is there too; ``VIEWING`` ends their writing."""
        self.sweep(now)
        pages = self.pages.setdefault(conversation, {})
        if doing == Doing.GONE:
            pages.pop(page, None)
        elif doing == Doing.VIEWING:
            pages[page] = Page(person, now + VIEWING_SECONDS)
        else:
            pages[page] = Page(person, now + VIEWING_SECONDS, doing, now + WRITING_SECONDS)
        if not pages:
            del self.pages[conversation]

    def renew(self, conversation: int, page: str, person: Person, *, now: float) -> None:
        """Still there; what they are writing goes on."""
        known = self.pages.get(conversation, {}).get(page)
        if known is None:
            self.hear(conversation, page, person, Doing.VIEWING, now=now)
        else:
            known.person, known.viewing_until = person, now + VIEWING_SECONDS

    def besides(self, user_id: int, conversation: int, *, now: float) -> list[Seen]:
        """Everybody else who is there, once however many pages they have; who writes comes first, then by name."""
        by_person: dict[int, list[Page]] = {}
        for page in self.pages.get(conversation, {}).values():
            if page.is_there(now) and page.person.id != user_id:
                by_person.setdefault(page.person.id, []).append(page)
        return sorted((seen(pages, now) for pages in by_person.values()), key=order)

    def sweep(self, now: float) -> None:
        """Forgets who has left without a word, now and then."""
        if now - self.swept_at < VIEWING_SECONDS:
            return
        self.swept_at = now
        for conversation, pages in list(self.pages.items()):
            there = {name: page for name, page in pages.items() if page.is_there(now)}
            if there:
                self.pages[conversation] = there
            else:
                del self.pages[conversation]


def seen(pages: Iterable[Page], now: float) -> Seen:
    """One person, by all their pages: what they say to the customer goes before a note, and that before looking on."""
    pages = list(pages)
    here = max(max(page.viewing_until, page.doing_until) for page in pages) - now
    for doing in FIRST[:-1]:
        until = max((page.doing_until for page in pages if page.doing == doing), default=0.0)
        if until > now:
            return Seen(pages[0].person, doing, until - now, here)
    return Seen(pages[0].person, Doing.VIEWING, here, here)


def order(one: Seen) -> tuple[int, str, int]:
    return FIRST.index(one.doing), one.person.name, one.person.id
