"""The inbox's list: which conversations, in what order, from where on. Reads only; the number of queries never depends
on the data.

``find`` answers, cheaply, which rows a page has and in which version; only a page that changed is read and rendered.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Self
from urllib.parse import urlencode

from django.db import connection
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from consent.models import Standing
from consent.purposes import Purpose
from conversations import live
from conversations.models import OPEN, Contact, Conversation, Line, Message
from conversations.queues import EVERYBODYS, Teams
from conversations.states import UNDELIVERED

ROWS = 50
# Nobody reads further into what a search finds: one says more instead.
HITS = 200
# Words that many texts have are found among the newest of them; only rarer ones are worth the index.
NEWEST = 10_000
WORDS = 8
# Replies that did not arrive and that nobody has sent again: more than a team can have before it.
FAILURES = 1000
SNIPPET = 90


class View(StrEnum):
    NEEDS_REPLY = "needs-reply"
    MINE = "mine"
    UNASSIGNED = "unassigned"
    ALL = "all"
    SNOOZED = "snoozed"
    QUEUE = "queue"


# These show who waits, and nobody else.
OF_WHO_WAITS = frozenset({View.NEEDS_REPLY, View.QUEUE})


class Show(StrEnum):
    """A further choice among a view's rows."""

    EVERYTHING = ""
    WAITING = "waiting"
    UNREAD = "unread"
    FAILED = "failed"
    RESOLVED = "resolved"


@dataclass(frozen=True)
class Place:
    """Where a page of the list begins: after this row. ``at`` is when it wakes, its deadline, or its last message."""

    kind: str
    at: datetime
    id: int

    SNOOZED, WAITING, RECENT = "s", "w", "r"

    def __str__(self) -> str:
        return f"{self.kind}_{self.at:%Y%m%dT%H%M%S.%f%z}_{self.id}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The place that ``str`` wrote. Raises ``ValueError`` or ``OverflowError`` for anything else."""
        kind, at, row_id = text.split("_")
        if kind not in {cls.SNOOZED, cls.WAITING, cls.RECENT}:
            raise ValueError(text)
        return cls(kind, datetime.strptime(at, "%Y%m%dT%H%M%S.%f%z").astimezone(UTC), int(row_id))


@dataclass(frozen=True)
class Listing:
    """What somebody asked to see. ``teams`` are those whose queues they answer; ``team_id`` is whose queue they look
    at."""

    user_id: int
    view: View = View.NEEDS_REPLY
    show: Show = Show.EVERYTHING
    line_id: int | None = None
    search: str = ""
    after: Place | None = None
    team_id: int = EVERYBODYS
    teams: Teams = None

    @classmethod
    def parse(cls, asked: Mapping[str, str], user_id: int) -> Self:
        """From a query string. Raises ``ValueError`` or ``OverflowError`` for a place that nobody wrote."""
        view, show, line, after = (asked.get(name, "") for name in ("view", "show", "line", "after"))
        return cls(
            user_id=user_id,
            view=View(view) if view in set(View) else View.NEEDS_REPLY,
            show=Show(show) if show in set(Show) else Show.EVERYTHING,
            line_id=number(line),
            search=" ".join(asked.get("q", "").replace("\x00", "").split())[:100],
            after=Place.parse(after) if after else None,
            team_id=(number(asked.get("team", "")) or EVERYBODYS) if view == View.QUEUE else EVERYBODYS,
        )

    @property
    def suffix(self) -> str:
        """The query string that asks for this again; empty for who needs a reply, from the top."""
        asked = {
            "view": self.view if self.view != View.NEEDS_REPLY else "",
            "team": self.team_id or "",
            "show": self.show,
            "line": self.line_id or "",
            "q": self.search,
            "after": self.after or "",
        }
        words = urlencode({name: value for name, value in asked.items() if value})
        return f"?{words}" if words else ""

    @property
    def shared(self) -> "Listing":
        """The same for everybody who sees the same rows: only one's own depend on who asks."""
        if self.view == View.NEEDS_REPLY and not self.search:
            return self
        return replace(self, user_id=self.user_id if self.view == View.MINE else 0, teams=None)

    @property
    def is_filtered(self) -> bool:
        return bool(self.show or self.line_id or self.search)

    def but(self, **changes: Any) -> "Listing":
        """The same with something changed, from its top."""
        return replace(self, **{"after": None} | changes)


def number(text: str) -> int | None:
    """An id from a query string; not one that is longer than any id can be."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None


# --- Which rows --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Found:
    """One page: its rows' ids and versions in order, the hits that a search has for them, where the next begins, and
    when it was found (``live.moment``)."""

    versions: Sequence[tuple[int, int]]
    next: Place | None
    hits: Mapping[int, str] = field(default_factory=dict)
    moment: object = field(default_factory=lambda: live.moment(timezone.now()))

    @property
    def key(self) -> tuple[object, ...]:
        """Changes when what the page shows changes."""
        return (*self.versions, *self.hits.items(), self.next, self.moment)

    def only(self, ids: Collection[int]) -> "Found":
        """Some of its rows."""
        return replace(self, versions=[(pk, version) for pk, version in self.versions if pk in ids])


def find(listing: Listing, *, limit: int = ROWS) -> Found:
    """Who waits, the most urgent first; then the others, the newest first. In few and cheap queries."""
    if listing.search:
        return hits(listing, limit)
    rows: list[tuple[int, int, int, Place]] = []
    for kind, column, part in parts(listing):
        values = part.values_list("pk", "version", "contact__subject__head_seq", column)
        rows += [(pk, own, head, Place(kind, at, pk)) for pk, own, head, at in values[: limit + 1 - len(rows)]]
        if len(rows) > limit:
            break
    return Found(
        [(pk, own + head) for pk, own, head, _ in rows[:limit]],
        rows[limit - 1][-1] if len(rows) > limit else None,
    )


def parts(listing: Listing) -> Iterator[tuple[str, str, QuerySet[Conversation]]]:
    """The list's parts in order, from a place on: each with its kind of place and the column that orders it."""
    rows = chosen(listing)
    after = listing.after
    if listing.view == View.SNOOZED and listing.show != Show.RESOLVED:
        snoozed = rows.filter(snoozed_until__isnull=False).order_by("snoozed_until", "pk")
        if listing.show == Show.WAITING:
            snoozed = snoozed.exclude(due_at=None)
        yield Place.SNOOZED, "snoozed_until", beyond(snoozed, "snoozed_until", after)
        return
    if listing.view in OF_WHO_WAITS:
        yield Place.WAITING, "due_at", beyond(rows.order_by("due_at", "pk"), "due_at", after)
        return
    if listing.show == Show.RESOLVED:
        rows = rows.filter(resolved_at__isnull=False)
    elif listing.show != Show.WAITING:  # who waits is shown to whoever asks for them, also when an agent put them off
        rows = rows.filter(OPEN)
    if listing.show != Show.RESOLVED and (after is None or after.kind == Place.WAITING):
        yield Place.WAITING, "due_at", beyond(rows.exclude(due_at=None).order_by("due_at", "pk"), "due_at", after)
    if listing.show != Show.WAITING:
        recent = rows.filter(due_at=None, last_message_at__isnull=False).order_by("-last_message_at", "-pk")
        begin = after if after is not None and after.kind == Place.RECENT else None
        yield Place.RECENT, "last_message_at", beyond(recent, "last_message_at", begin, descending=True)


def beyond(
    rows: QuerySet[Conversation], column: str, after: Place | None, *, descending: bool = False
) -> QuerySet[Conversation]:
    if after is None:
        return rows
    way = "lt" if descending else "gt"
    return rows.filter(Q(**{f"{column}__{way}": after.at}) | Q(**{column: after.at, f"pk__{way}": after.id}))


def chosen(listing: Listing) -> QuerySet[Conversation]:
    """The rows of a view and its filters, in any order."""
    rows = Conversation.objects.all()
    if listing.view == View.MINE:
        rows = rows.filter(owner=listing.user_id)
    elif listing.view == View.UNASSIGNED:
        rows = rows.filter(owner=None)
    elif listing.view == View.QUEUE:
        rows = rows.filter(owner=None, team=listing.team_id or None)
    elif listing.view == View.NEEDS_REPLY:
        queued = Q(owner=None)
        if listing.teams is not None:
            queued &= Q(team=None) | Q(team__in=listing.teams)
        rows = rows.filter(Q(owner=listing.user_id) | queued)
    if listing.view in OF_WHO_WAITS:
        rows = rows.filter(due_at__isnull=False, snoozed_until=None)
    if listing.line_id:
        rows = rows.filter(line=listing.line_id)
    if listing.show == Show.RESOLVED and listing.view in OF_WHO_WAITS:
        return rows.none()
    if listing.show == Show.UNREAD:
        rows = rows.filter(unread__gt=0)
    elif listing.show == Show.FAILED:
        failed = Message.objects.filter(status__in=UNDELIVERED, purpose=Purpose.REPLY, retried_as=None).order_by("-pk")
        rows = rows.filter(pk__in=set(failed.values_list("conversation", flat=True)[:FAILURES]))
    return rows


# --- Search ------------------------------------------------------------------------------------------------------


def hits(listing: Listing, limit: int) -> Found:
    """The newest conversations in which a name, a number, a tag or a text has these words; also resolved and snoozed
    ones."""
    texts = texts_with(listing.search)
    rows = Conversation.objects.filter(last_message_at__isnull=False).order_by("-last_message_at", "-pk")
    if listing.line_id:
        rows = rows.filter(line=listing.line_id)
    values = ("last_message_at", "pk", "version", "contact__subject__head_seq")
    found = {*rows.filter(is_called(listing.search)).values_list(*values)[:limit]}
    found |= {*rows.filter(pk__in=list(texts)).values_list(*values)[:limit]}
    newest = sorted(found, reverse=True)[:limit]
    return Found(
        [(pk, own + head) for _, pk, own, head in newest],
        None,
        {pk: texts[pk] for _, pk, _, _ in newest if pk in texts},
    )


def is_called(words: str) -> Q:
    """Their name or number holds these words, or they have that tag."""
    people = Q(name__icontains=words)
    digits = re.sub(r"\D", "", words)
    if len(digits) >= 3 and not re.search(r"[^\d\s()+.-]", words):
        people |= Q(phone__contains=digits)
    tagged = Contact.tags.through.objects.filter(tag__name__iexact=words).values("contact")
    return Q(contact__in=Contact.objects.filter(people).values("pk").union(tagged))


TEXTS_AMONG_NEWEST = """
SELECT conversation_id, body FROM conversations_message
WHERE id > (SELECT max(id) FROM conversations_message) - %(newest)s
    AND to_tsvector('simple'::regconfig, COALESCE(body, '')) @@ ({query})
ORDER BY id DESC LIMIT %(hits)s
"""
# OFFSET 0 keeps the planner to the index: it takes any word for a common one, and would read the table backwards.
TEXTS_BY_INDEX = """
SELECT conversation_id, body FROM (
    SELECT id, conversation_id, body FROM conversations_message
    WHERE to_tsvector('simple'::regconfig, COALESCE(body, '')) @@ ({query}) OFFSET 0
) AS found
ORDER BY id DESC LIMIT %(hits)s
"""


def texts_with(words: str) -> dict[int, str]:
    """The newest texts with all of these words or beginnings of words, by conversation."""
    said = [word for word in words.split() if re.search(r"\w", word)][:WORDS]
    if not said:
        return {}
    # The index has an address, a price or a date as one word: so each is sought whole, and by the words in it.
    query = " && ".join(
        f"(plainto_tsquery('simple', %(whole{n})s) || to_tsquery('simple', %(parts{n})s))" for n in range(len(said))
    )
    asked: dict[str, str | int] = {"newest": NEWEST, "hits": HITS}
    for n, word in enumerate(said):
        parts = " & ".join(beginning(part) for part in re.findall(r"\w+", word))
        asked |= {f"whole{n}": word, f"parts{n}": parts}
    found: list[tuple[int, str]] = []
    with connection.cursor() as cursor:
        for statement in (TEXTS_AMONG_NEWEST, TEXTS_BY_INDEX):
            cursor.execute(statement.format(query=query), asked)
            found = cursor.fetchall()
            if len(found) == HITS:
                break
    texts: dict[int, str] = {}
    for conversation_id, body in found:
        texts.setdefault(conversation_id, body)
    return texts


def beginning(part: str) -> str:
    """As ``to_tsquery`` asks for it; of “hc-47581” the index has the number with its dash."""
    return f"('{part}':* | '-{part}':*)" if part.isdecimal() else f"'{part}':*"


def snippet(body: str, words: str) -> SafeString:
    """The part of a text around the first of these words, which are marked."""
    terms = [re.escape(term) for term in re.findall(r"\w+", words)]
    pattern = re.compile(rf"\b(?:{'|'.join(terms)})\w*", re.IGNORECASE)
    body = " ".join(body.split())
    first = pattern.search(body)
    begin = max(0, first.start() - SNIPPET // 3) if first else 0
    part = ("…" if begin else "") + body[begin : begin + SNIPPET]
    pieces, last = [], 0
    for hit in pattern.finditer(part):
        pieces += [escape(part[last : hit.start()]), f"<mark>{escape(hit[0])}</mark>"]
        last = hit.end()
    return mark_safe("".join([*pieces, escape(part[last:])]))  # noqa: S308 every piece is escaped


# --- What the rows say -------------------------------------------------------------------------------------------


def rows(found: Found, *, search: str = "") -> list[Conversation]:
    """The rows of a page, with all that they show. Three queries, if there is any."""
    ids = [pk for pk, _ in found.versions]
    if not ids:
        return []
    related = ("contact__subject", "line", "last_message__author", "owner", "team")
    by_id = {
        row.pk: row
        for row in Conversation.objects.filter(pk__in=ids).select_related(*related).prefetch_related("contact__tags")
    }
    listed = [by_id[pk] for pk in ids if pk in by_id]
    suppressed = {
        (standing.subject_id, standing.brand_id)
        for standing in Standing.objects.filter(subject__in=[row.contact.subject_id for row in listed])
        if standing.state.is_suppressed
    }
    for row in listed:
        row.is_opted_out = (row.contact.subject_id, row.line.brand_id) in suppressed
        row.snippet = snippet(found.hits[row.pk], search) if row.pk in found.hits else ""
    return listed


def lines() -> list[Line]:
    return list(Line.objects.order_by("name", "pk"))
