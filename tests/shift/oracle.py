"""What must be true after a shift, from what those who worked remember and what the database has."""

import math
import statistics
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from conversations.states import OUT
from tests.faults import oracle
from tests.faults.oracle import ours
from tests.product import Product
from tests.shift.people import Shift

# Moments are written down by several processes of one machine.
CLOSE_SECONDS = 0.1
# A reply is out by then; until it is, closing its conversation is what ends the wait.
OUT_WITHIN = timedelta(seconds=20)

WAITS = """
    SELECT wait.id, wait.conversation_id, wait.answered_at IS NULL, wait.ending, wait.opened_by_id,
        extract(epoch FROM wait.answered_at - wait.since)::float, answer.id, answer.purpose, answer.status,
        answer.author_id = wait.answered_by_id,
        conversation.resolved_at IS NULL, owner.role IN ('agent', 'supervisor') AND owner.is_active,
        team.is_active
    FROM conversations_wait wait
    JOIN conversations_conversation conversation ON conversation.id = wait.conversation_id
    LEFT JOIN conversations_message answer ON answer.id = wait.answered_with_id
    LEFT JOIN accounts_user owner ON owner.id = conversation.owner_id
    LEFT JOIN conversations_team team ON team.id = conversation.team_id
    ORDER BY wait.id
"""
THREADS = """
    SELECT conversation_id, id, direction, coalesce(carrier_id, ''), ref::text, purpose, status, body, author_id
    FROM conversations_message WHERE direction = 'in' OR purpose = 'reply' ORDER BY conversation_id, id
"""


class Wait(NamedTuple):
    """One row of ``WAITS``."""

    id: int
    conversation_id: int
    is_open: bool
    ending: str
    opened_by_id: int
    took: float | None
    answer_id: int | None
    answer_purpose: str | None
    answer_status: str | None
    is_by_author: bool | None
    conversation_is_open: bool
    owner_answers: bool | None
    team_is_active: bool | None


class Said(NamedTuple):
    """One row of ``THREADS``."""

    conversation_id: int
    id: int
    direction: str
    carrier_id: str
    ref: str
    purpose: str
    status: str
    body: str
    author_id: int | None


def violations(cc: Product, shift: Shift) -> list[str]:
    messages = ours(cc)
    waits = [Wait(*row) for row in cc.rows(WAITS)]
    thread = [Said(*row) for row in cc.rows(THREADS)]
    return [
        *shift.surprises,
        *oracle.wrong_texts(cc, shift),
        *oracle.parked(cc),
        *oracle.wrong_replies(shift, messages),
        *oracle.wrongly_sent(messages, shift.taken),
        *oracle.sent_after_stop(shift, messages, shift.taken),
        *oracle.wrong_standings(cc, shift),
        *unsent(messages, shift),
        *left_alone(waits),
        *dishonest(waits),
        *answered_twice(thread, shift),
        *miscounted(stored(waits), recount(thread, shift)),
    ]  # fmt: skip


def unsent(messages: dict[str, oracle.Ours], shift: Shift) -> Iterator[str]:
    for ref in shift.replies:
        if ref in messages and messages[ref].status in OUT and ref not in shift.taken:
            yield f"reply {ref} is called {messages[ref].status}, and the carrier never had it"


def left_alone(waits: Sequence[Wait]) -> Iterator[str]:
    """Who waits has one owner, who answers here, or is in one queue."""
    seen: set[int] = set()
    for wait in waits:
        if not wait.is_open:
            continue
        if wait.conversation_id in seen:
            yield f"conversation {wait.conversation_id} waits twice"
        seen.add(wait.conversation_id)
        if not wait.conversation_is_open:
            yield f"conversation {wait.conversation_id} is resolved, and somebody waits in it"
        if wait.owner_answers is False:
            yield f"conversation {wait.conversation_id} waits for somebody who does not answer here"
        if wait.owner_answers is None and wait.team_is_active is False:
            yield f"conversation {wait.conversation_id} waits in the queue of a team that is no more"


def dishonest(waits: Sequence[Wait]) -> Iterator[str]:
    """A wait ends by a reply of whoever ended it, written after the text and out; or by a person who said so."""
    for wait in waits:
        if wait.is_open:
            continue
        if wait.took is None or wait.took < 0:
            yield f"wait {wait.id} ended before it began"
        if wait.ending != "reply":
            continue
        is_out = wait.answer_purpose == "reply" and wait.answer_status in OUT
        if not is_out or not wait.is_by_author or (wait.answer_id or 0) < wait.opened_by_id:
            yield f"wait {wait.id} says that {wait.answer_id} answered it ({wait.answer_purpose}, {wait.answer_status})"


def answered_twice(thread: Sequence[Said], shift: Shift) -> Iterator[str]:
    """Nobody answers over a colleague's answer that they have not seen."""
    last: Said | None = None
    for said in thread:
        if said.direction == "in" or said.status == "cancelled":
            last = None if said.direction == "in" else last
            continue
        is_after = last is not None and last.conversation_id == said.conversation_id
        if last and is_after and last.author_id != said.author_id and shift.seen.get(said.ref, 0) < last.id:
            yield f"{said.ref} answers what {last.ref} had answered, which its author had not seen"
        last = said


def stored(waits: Sequence[Wait]) -> dict[int, float]:
    """How long each stretch took that a reply ended, in seconds, by the text that opened it."""
    return {wait.opened_by_id: wait.took for wait in waits if wait.took is not None and wait.ending == "reply"}


def recount(thread: Sequence[Said], shift: Shift) -> dict[int, tuple[float, float]]:
    """The same at least and at most, without the waits: a text came between its sending and its 200, a reply was
    written between its first post and the answer."""
    took: dict[int, tuple[float, float]] = {}
    by_conversation: dict[int, list[Said]] = {}
    for said in thread:
        by_conversation.setdefault(said.conversation_id, []).append(said)
    for pk, every in by_conversation.items():
        since: tuple[int, datetime, datetime] | None = None
        closed = sorted(shift.closed.get(pk, []))
        for said in every:
            before = [one for one in closed if is_before(one, said, shift)]
            if before:
                closed, since = [one for one in closed if one not in before], None
            if said.direction == "in":
                text = shift.texts[said.carrier_id]
                if said.body not in {"STOP", "START"} and since is None:
                    since = said.id, text.sent_at, text.accepted_at or text.sent_at
            elif said.status in OUT and since is not None and said.ref in shift.posted:
                begun, accepted = shift.posted[said.ref]
                ended = max([accepted, *(at for _, at in closed if accepted < at < accepted + OUT_WITHIN)])
                took[since[0]] = (begun - since[2]).total_seconds(), (ended - since[1]).total_seconds()
                since = None
    return took


def is_before(closing: tuple[int, datetime], said: Said, shift: Shift) -> bool:
    """Nobody closes over a text that they have not seen; over a reply of a colleague they may."""
    up_to, at = closing
    if said.direction == "in":
        return said.id > up_to
    return said.ref in shift.posted and at < shift.posted[said.ref][1]


def miscounted(took: dict[int, float], recounted: dict[int, tuple[float, float]]) -> Iterator[str]:
    """Each wait has the length that a recount gives it: then so have their average and their 90th percentile."""
    for pk in took.keys() ^ recounted.keys():
        yield f"text {pk} was answered {'only by a recount' if pk in recounted else 'by no recount'}"
    for pk in took.keys() & recounted.keys():
        low, high = recounted[pk]
        if not low - CLOSE_SECONDS <= took[pk] <= high + CLOSE_SECONDS:
            yield f"text {pk} waited {took[pk]:.2f} s, and a recount finds {low:.2f} to {high:.2f} s"


def figures(took: Sequence[float]) -> tuple[float, float]:
    """The average and the 90th percentile, as the board has them."""
    ordered = sorted(took)
    place = 0.9 * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return statistics.fmean(ordered), ordered[low] + (place - low) * (ordered[high] - ordered[low])


def summary(cc: Product, shift: Shift) -> dict[str, Any]:
    """What is printed of the waits: as stored, and the bounds of a recount."""
    waits = [Wait(*row) for row in cc.rows(WAITS)]
    bounds = list(recount([Said(*row) for row in cc.rows(THREADS)], shift).values())
    every = {
        "stored": list(stored(waits).values()),
        "recounted, at least": [low for low, _ in bounds],
        "recounted, at most": [high for _, high in bounds],
    }
    return {
        "open": sum(wait.is_open for wait in waits),
        "figures": {what: (len(took), *figures(took)) for what, took in every.items() if took},
    }
