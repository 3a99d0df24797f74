"""Handing a conversation on, to another team's queue or to a colleague, with a word on why.

The person goes on waiting since the same moment, and their deadline stays: a transfer buys nobody time.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Count
from django.utils.translation import gettext as _

from contactcenter.accounts.models import User
from conversations import assigning, live, notes, opening
from conversations.assigning import CannotAssign
from conversations.models import OPEN, Conversation, Entry, Team


@dataclass(frozen=True)
class Queue:
    """A team as somebody who hands on sees it."""

    team: Team
    waiting: int
    is_open: bool
    opens_at: datetime | None


def transfer(
    *,
    conversation: Conversation,
    team_id: int | None,
    to_id: int | None,
    was: tuple[int | None, int | None],
    author: User,
    note: str,
    ref: UUID,
    now: datetime,
) -> list[Entry]:
    """To a colleague, or to a team's queue; ``was`` is the team and the owner that the page showed. ``note`` may be
    empty; whoever gets it reads it in the thread.

    Raises ``CannotAssign``: somebody else moved it, or who should get it can not be given anything.
    """
    with transaction.atomic():
        assigning.lock([to_id] if to_id else [])
        live.changed([conversation.pk])
        shown = Conversation.objects.select_related("owner", "team").get(pk=conversation.pk)
        if (shown.team_id, shown.owner_id) != was:
            raise CannotAssign(assigning.whose_it_is(shown.owner))
        if to_id:
            entries = to_colleague(shown, to_id, author=author, now=now)
        else:
            entries = to_team(shown, team_id, author=author, now=now)
        if note.strip():
            notes.write(conversation=shown, author=author, ref=ref, body=note, now=now)
    return entries


def to_colleague(shown: Conversation, to_id: int, *, author: User, now: datetime) -> list[Entry]:
    if to_id == shown.owner_id:
        raise CannotAssign(_("%(name)s has it already.") % {"name": shown.owner})
    desk = assigning.desk_for(to_id, by_id=author.pk, now=now)
    teams = {"team_id": shown.team_id, "was_team_id": shown.team_id}
    return assigning.give(shown, desk, Entry.Kind.TRANSFERRED, by_id=author.pk, now=now, **teams)


def to_team(shown: Conversation, team_id: int | None, *, author: User, now: datetime) -> list[Entry]:
    team = Team.objects.filter(pk=team_id or 0, is_active=True).first()
    if team is None:
        raise CannotAssign(_("Choose a team, or a colleague who is here."))
    if (shown.team_id, shown.owner_id) == (team.pk, None):
        raise CannotAssign(_("It is in the queue of %(team)s already.") % {"team": team})
    Conversation.objects.filter(pk=shown.pk).update(team=team)
    teams = {"team": str(team), "team_id": team.pk, "was_team_id": shown.team_id}
    return assigning.give(shown, None, Entry.Kind.TRANSFERRED, by_id=author.pk, now=now, **teams)


def queues(*, now: datetime) -> list[Queue]:
    """The teams that something can be handed to, with how many wait in each. In five queries."""
    waiting = Conversation.objects.filter(OPEN, owner=None, due_at__isnull=False, team__isnull=False)
    many = dict(waiting.order_by().values_list("team").annotate(many=Count("pk")))
    staffed = opening.staffed(Team.objects.filter(is_active=True).values_list("pk", flat=True))
    found = [
        Queue(one.team, many.get(pk, 0), one.week.is_open(now), one.week.next_opening(now))
        for pk, one in staffed.items()
    ]
    return sorted(found, key=lambda queue: queue.team.name)
