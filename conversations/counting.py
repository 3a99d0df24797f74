"""How many conversations each view and each queue has. Of everybody at once, because all screens ask for them at once:
then they are read once."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection

from conversations.kept import kept
from conversations.listing import View
from conversations.queues import EVERYBODYS, MOST_TEAMS, Staff, Teams

COUNTED_TO = 999


@dataclass(frozen=True)
class Queue:
    """Who waits for anybody in a team, or in none, and when the most urgent of them is due."""

    team_id: int
    name: str
    waiting: int
    due_at: datetime | None


@dataclass(frozen=True)
class Counts:
    """How many rows each view has; snoozed ones no further than ``COUNTED_TO`` and one."""

    needs_reply: int
    mine: int
    unassigned: int
    all: int
    snoozed: int
    mine_unread: int
    queues: tuple[Queue, ...] = ()

    def of(self, view: View) -> str:
        return shown(getattr(self, view.replace("-", "_")))


@dataclass(frozen=True)
class Counted:
    """Open rows and unread ones by owner; who waits by team and owner, with the most urgent's deadline."""

    by_owner: Mapping[int | None, tuple[int, int]]
    snoozed: int
    waiting: Mapping[tuple[int | None, int | None], tuple[int, datetime]] = field(default_factory=dict)


# Served by the partial indexes of what is open, so what has been resolved costs nothing.
OPEN_ONES = """
SELECT owner_id, count(*), count(*) FILTER (WHERE unread > 0) FROM conversations_conversation
WHERE resolved_at IS NULL AND snoozed_until IS NULL AND last_message_at IS NOT NULL
GROUP BY owner_id
"""
WAITING = """
SELECT team_id, owner_id, count(*), min(due_at) FROM conversations_conversation
WHERE due_at IS NOT NULL AND snoozed_until IS NULL
GROUP BY team_id, owner_id
"""
SNOOZED = """
SELECT count(*) FROM (
    SELECT FROM conversations_conversation WHERE snoozed_until IS NOT NULL LIMIT %(limit)s
) AS snoozed
"""


def count(user_id: int, teams: Teams, staff: Staff, *, fresh: bool = False) -> Counts:
    """What this person sees, who answers for these teams."""
    counted = kept.value("counts", lambda _: read(), fresh=fresh)
    mine, mine_unread = counted.by_owner.get(user_id, (0, 0))
    unassigned, _ = counted.by_owner.get(None, (0, 0))
    queued = own_queues(counted)
    return Counts(
        needs_reply=sum(
            waiting
            for (team_id, owner_id), (waiting, _) in counted.waiting.items()
            if owner_id == user_id or (owner_id is None and (teams is None or team_id is None or team_id in teams))
        ),
        mine=mine,
        unassigned=unassigned,
        all=sum(rows for rows, _ in counted.by_owner.values()),
        snoozed=counted.snoozed,
        mine_unread=mine_unread,
        queues=tuple(
            Queue(team_id, name, *queued[team_id])
            for team_id, name in [*staff.names.items()][:MOST_TEAMS]
            if teams is None or team_id in teams
        )
        + ((Queue(EVERYBODYS, "", *queued[EVERYBODYS]),) if staff.names else ()),
    )


def own_queues(counted: Counted) -> Mapping[int, tuple[int, datetime | None]]:
    found: dict[int, tuple[int, datetime | None]] = defaultdict(lambda: (0, None))
    for (team_id, owner_id), queue in counted.waiting.items():
        if owner_id is None:
            found[team_id or EVERYBODYS] = queue
    return found


def read() -> Counted:
    with connection.cursor() as cursor:
        cursor.execute(OPEN_ONES)
        by_owner = {owner_id: (rows, unread) for owner_id, rows, unread in cursor.fetchall()}
        cursor.execute(WAITING)
        waiting = {(team_id, owner_id): (rows, due_at) for team_id, owner_id, rows, due_at in cursor.fetchall()}
        cursor.execute(SNOOZED, {"limit": COUNTED_TO + 1})
        (snoozed,) = cursor.fetchone()
    return Counted(by_owner, snoozed, waiting)


def shown(number: int) -> str:
    return str(number) if number <= COUNTED_TO else f"{COUNTED_TO}+"
