"""What a supervisor sees of a shift: who waits in each queue, what everybody has, and how fast today's answers came."""

from collections import defaultdict
from collections.abc import Container, Hashable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Self

from django.db import connection
from django.utils import timezone

from conversations import assigning, queues, wording
from conversations.kept import kept
from conversations.models import Conversation
from conversations.queues import EVERYBODYS, MOST_TEAMS
from conversations.shifts import IDLE_MINUTES

# In each queue: what is more urgent than the rest. The rest is one click away, in the inbox.
CARDS = 12
IDLE = timedelta(minutes=IDLE_MINUTES)


@dataclass
class Waiting:
    """Who waits for an answer, in a queue or for one person; who is put off does not count, as everywhere."""

    many: int = 0
    unassigned: int = 0
    due_soon: int = 0
    overdue: int = 0
    oldest: datetime | None = None

    def add(self, other: Self) -> None:
        self.many += other.many
        self.unassigned += other.unassigned
        self.due_soon += other.due_soon
        self.overdue += other.overdue
        self.oldest = min(filter(None, (self.oldest, other.oldest)), default=None)


@dataclass(frozen=True)
class Queue:
    """A team's, with its most urgent conversations; ``team_id`` 0 is everybody's."""

    team_id: int
    name: str
    waiting: Waiting
    cards: list[Conversation]

    @property
    def further(self) -> int:
        return self.waiting.many - len(self.cards)


@dataclass(frozen=True)
class Colleague:
    """Somebody who is here, or who is not and still has somebody waiting. ``idle_since``: when they last touched
    anything, where that is a while ago."""

    desk: assigning.Desk
    waiting: Waiting
    availability: str
    idle_since: datetime | None


@dataclass(frozen=True)
class Today:
    """The waits that a reply ended since midnight, and how long they took, in seconds. Nothing, where there is none."""

    answered: int
    unneeded: int
    average: float | None
    p90: float | None


@dataclass(frozen=True)
class Board:
    queues: list[Queue]
    colleagues: list[Colleague]
    absent: int
    today: Today
    total: Waiting = field(default_factory=Waiting)

    @property
    def key(self) -> Hashable:
        """All that a rendering shows, apart from what its times are told by the clock."""
        return (
            repr(self.total),
            repr(self.today),
            self.absent,
            [(queue.team_id, queue.name, repr(queue.waiting), versions(queue.cards)) for queue in self.queues],
            [
                (one.desk.user.pk, str(one.desk.user), one.desk.load, one.desk.capacity, one.availability,
                 one.desk.is_on_shift, one.idle_since, repr(one.waiting))
                for one in self.colleagues
            ],
        )  # fmt: skip


def versions(cards: Iterable[Conversation]) -> list[tuple[int, int]]:
    return [(card.pk, card.version) for card in cards]


WAITING = """
SELECT conversation.team_id, conversation.owner_id, count(*), min(wait.since),
    count(*) FILTER (WHERE conversation.due_at > %(now)s AND conversation.due_at <= %(soon)s),
    count(*) FILTER (WHERE conversation.due_at <= %(now)s)
FROM conversations_conversation conversation
JOIN conversations_wait wait ON wait.conversation_id = conversation.id AND wait.answered_at IS NULL
WHERE conversation.due_at IS NOT NULL AND conversation.snoozed_until IS NULL
GROUP BY conversation.team_id, conversation.owner_id
"""
MOST_URGENT = """
SELECT id FROM (
    SELECT id, row_number() OVER (PARTITION BY team_id ORDER BY due_at, id) AS place
    FROM conversations_conversation WHERE due_at IS NOT NULL AND snoozed_until IS NULL
) AS waiting WHERE place <= %(cards)s
"""
TODAY = """
SELECT count(*) FILTER (WHERE ending = 'reply'), count(*) FILTER (WHERE ending <> 'reply'),
    avg(extract(epoch FROM answered_at - since)) FILTER (WHERE ending = 'reply'),
    percentile_cont(0.9) WITHIN GROUP (ORDER BY extract(epoch FROM answered_at - since))
        FILTER (WHERE ending = 'reply')
FROM conversations_wait WHERE answered_at >= %(midnight)s
"""


def board(*, fresh: bool = False) -> Board:
    """For all who look at once."""
    return kept.value("board", lambda _: read(now=timezone.now()), fresh=fresh)


def read(*, now: datetime) -> Board:
    named = {**dict([*queues.staff().names.items()][:MOST_TEAMS]), EVERYBODYS: ""}
    by_queue, by_owner, total = waiting(named, now)
    cards = most_urgent(named)
    shown = [pk for pk in named if pk != EVERYBODYS or len(named) == 1 or by_queue[pk].many]
    colleagues, absent = people(by_owner, now)
    return Board(
        queues=[Queue(pk, named[pk], by_queue[pk], cards[pk][:CARDS]) for pk in shown],
        colleagues=colleagues,
        absent=absent,
        today=today(now),
        total=total,
    )


def waiting(
    named: Container[int | None], now: datetime
) -> tuple[dict[int, Waiting], dict[int | None, Waiting], Waiting]:
    """By team (0: none), by owner, and all in all."""
    by_queue: dict[int, Waiting] = defaultdict(Waiting)
    by_owner: dict[int | None, Waiting] = defaultdict(Waiting)
    total = Waiting()
    with connection.cursor() as cursor:
        cursor.execute(WAITING, {"now": now, "soon": now + wording.DUE_SOON})
        for team_id, owner_id, many, oldest, due_soon, overdue in cursor.fetchall():
            group = Waiting(many, many if owner_id is None else 0, due_soon, overdue, oldest)
            for sum_of in (by_queue[queue_of(team_id, named)], by_owner[owner_id], total):
                sum_of.add(group)
    return by_queue, by_owner, total


def most_urgent(named: Container[int | None]) -> dict[int, list[Conversation]]:
    """By team, the most urgent first."""
    with connection.cursor() as cursor:
        cursor.execute(MOST_URGENT, {"cards": CARDS})
        ids = [pk for (pk,) in cursor.fetchall()]
    found: dict[int, list[Conversation]] = defaultdict(list)
    rows = Conversation.objects.filter(pk__in=ids).select_related("contact", "line", "owner", "last_message__author")
    for row in rows.order_by("due_at", "pk"):
        found[queue_of(row.team_id, named)].append(row)
    return found


def queue_of(team_id: int | None, named: Container[int | None]) -> int:
    """What belongs to a team that is no more is everybody's."""
    return team_id if team_id and team_id in named else EVERYBODYS


def people(by_owner: dict[int | None, Waiting], now: datetime) -> tuple[list[Colleague], int]:
    """Who is here, whoever has most to do first; then who is not and has somebody waiting. And how many others there
    are."""
    desks = assigning.desks(assigning.owners(), now=now)
    everybody = [colleague(desk, by_owner[desk.user.pk], now) for desk in desks]
    shown = [one for one in everybody if one.desk.is_on_shift or one.waiting.many]
    shown.sort(key=lambda one: (not one.desk.is_on_shift, -one.waiting.many, -one.desk.load, str(one.desk.user)))
    return shown, len(desks) - len(shown)


def colleague(desk: assigning.Desk, has: Waiting, now: datetime) -> Colleague:
    presence = getattr(desk.user, "presence", None)
    active_at = presence.active_at if presence else None
    is_idle = desk.is_on_shift and active_at is not None and now - active_at > IDLE
    return Colleague(desk, has, presence.availability if presence else "", active_at if is_idle else None)


def today(now: datetime) -> Today:
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    with connection.cursor() as cursor:
        cursor.execute(TODAY, {"midnight": midnight})
        answered, unneeded, average, p90 = cursor.fetchone()
    return Today(answered, unneeded, None if average is None else float(average), p90)
