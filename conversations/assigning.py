"""Who answers in a conversation: claimed, assigned, given out by the clock, taken back.

Whoever gives locks first the presence of who gets it, then the conversation: that is how capacity is kept, however many
give at once. Capacity bounds what is given. A person who writes again comes back to their owner, full or not.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from contactcenter.accounts.models import Role, User
from conversations import live, timeline
from conversations.models import OPEN, Conversation, Entry, Membership, Presence, Team
from conversations.shifts import CAPACITY, IDLE_MINUTES, SEEN_FOR, Availability, gets_work, is_on_shift

# Who may own a conversation: whoever may answer in it.
OWNERS = (Role.AGENT, Role.SUPERVISOR)
AT_ONCE = 200
LONG_AGO = datetime.min.replace(tzinfo=UTC)


class CannotAssign(Exception):
    """Says, in words for the person who asked, why nothing was changed."""


@dataclass
class Desk:
    """Somebody who answers, with what they have."""

    user: User
    load: int
    capacity: int
    is_on_shift: bool
    gets_work: bool
    given_at: datetime | None

    @property
    def is_full(self) -> bool:
        return self.load >= self.capacity


# --- By people ---------------------------------------------------------------------------------------------------


def assign(
    *, conversation: Conversation, to_id: int | None, was_id: int | None, by_id: int, now: datetime
) -> list[Entry]:
    """Gives it to somebody, or to nobody. ``was_id`` is the owner that whoever asks has seen.

    Raises ``CannotAssign``: somebody else was quicker, or who should get it has no room, is not here, or does not
    answer here.
    """
    with transaction.atomic():
        lock([to_id] if to_id else [])
        live.changed([conversation.pk])
        shown = Conversation.objects.select_related("owner").get(pk=conversation.pk)
        if shown.owner_id == to_id:
            return []
        if shown.owner_id != was_id:
            raise CannotAssign(whose_it_is(shown.owner))
        if to_id is None:
            return give(shown, None, Entry.Kind.RETURNED, by_id=by_id, now=now)
        kind = Entry.Kind.CLAIMED if to_id == by_id else Entry.Kind.ASSIGNED
        return give(shown, desk_for(to_id, by_id=by_id, now=now), kind, by_id=by_id, now=now)


def desk_for(user_id: int, *, by_id: int, now: datetime) -> Desk:
    """Of somebody who can be given something now. Raises ``CannotAssign``. The caller holds the lock on their
    presence."""
    desk = next(iter(desks(owners().filter(pk=user_id), now=now)), None)
    if problem := objection(desk, is_self=user_id == by_id):
        raise CannotAssign(problem)
    assert desk is not None  # noqa: S101 objection saw to it; this tells mypy
    return desk


def whose_it_is(owner: User | None) -> str:
    if owner is None:
        return _("It was given back to everybody in the meantime. Look again: nothing was changed.")
    return _("%(name)s has it in the meantime. Look again: nothing was changed.") % {"name": owner}


def objection(desk: Desk | None, *, is_self: bool) -> str:
    """Why this person can not be given anything now; empty when they can."""
    if desk is None:
        return _("This person does not answer conversations here, or was switched off.")
    names = {"name": desk.user, "load": desk.load, "capacity": desk.capacity}
    if not is_self and not desk.is_on_shift:
        return _("%(name)s is not here. Choose somebody who is, or leave it in the queue.") % names
    if desk.is_full and is_self:
        return _("You have %(load)d open conversations of %(capacity)d. Resolve or snooze one first.") % names
    if desk.is_full:
        return _("%(name)s has %(load)d open conversations of %(capacity)d already.") % names
    return ""


def owner_for_answer(conversation: Conversation, author_id: int) -> int | None:
    """Who owns it once this person answers: whoever answers first, if they have room. Locks their presence, so call it
    before the conversation is locked."""
    if conversation.owner_id is not None:
        return None
    lock([author_id])
    return author_id if has_room(author_id) else None


def owners() -> QuerySet[User]:
    """Who may own a conversation."""
    return User.objects.filter(role__in=OWNERS, is_active=True).order_by("first_name", "last_name", "username")


# --- By the clock ------------------------------------------------------------------------------------------------


def give_out(*, now: datetime) -> int:
    """Gives what waits in the queues of teams that give out, the most urgent first, to members who are free: whoever
    answered this person last, else whoever has the least, else whoever has waited longest for work. How many."""
    free = free_desks(now)
    if not free:
        return 0
    waiting = Conversation.objects.filter(
        owner=None, snoozed_until=None, due_at__isnull=False, team__in=list(free)
    ).order_by("due_at", "pk")
    given = 0
    for row in waiting[:AT_ONCE]:
        assert row.team_id is not None  # noqa: S101 the filter saw to it; this tells mypy
        desk = chosen([one for one in free[row.team_id] if not one.is_full], row.last_agent_id)
        if desk is not None and gave(row.pk, row.team_id, desk.user.pk, now=now):
            desk.load, desk.given_at = desk.load + 1, now
            given += 1
    return given


def free_desks(now: datetime) -> dict[int, list[Desk]]:
    """By team that gives out: its members who are available, not idle, and have room. A member of two teams is one and
    the same desk."""
    members = Membership.objects.filter(
        team__is_active=True,
        team__gives_out=True,
        user__presence__availability=Availability.AVAILABLE,
        user__presence__seen_at__gte=now - SEEN_FOR,
    )
    pairs = list(members.values_list("team_id", "user_id", "team__idle_after", "user__presence__active_at"))
    if not pairs:
        return {}
    by_user = {one.user.pk: one for one in desks(owners().filter(pk__in={pair[1] for pair in pairs}), now=now)}
    free: dict[int, list[Desk]] = defaultdict(list)
    for team_id, user_id, idle_after, active_at in pairs:
        desk = by_user.get(user_id)
        is_idle = active_at is None or (now - active_at).total_seconds() > idle_after * 60
        if desk is not None and desk.gets_work and not desk.is_full and not is_idle:
            free[team_id].append(desk)
    return free


def chosen(free: list[Desk], last_agent_id: int | None) -> Desk | None:
    known = next((one for one in free if one.user.pk == last_agent_id), None)
    return known or min(
        free, key=lambda one: (one.load / one.capacity, one.given_at or LONG_AGO, one.user.pk), default=None
    )


def gave(conversation_id: int, team_id: int, user_id: int, *, now: datetime) -> bool:
    """One gift, if it is still to be given and they are still free."""
    with transaction.atomic():
        lock([user_id])
        desk = next(iter(desks(owners().filter(pk=user_id), now=now)), None)
        if desk is None or not desk.gets_work or desk.is_full:
            return False
        live.changed([conversation_id])
        shown = Conversation.objects.get(pk=conversation_id)
        if (shown.owner_id, shown.team_id) != (None, team_id) or shown.snoozed_until or not shown.due_at:
            return False
        give(shown, desk, Entry.Kind.GIVEN, by_id=None, now=now)
        return True


# Who is gone, or has not touched anything for too long; never what they were given a moment ago.
ABANDONED = """
SELECT conversation.id, conversation.owner_id,
    CASE WHEN NOT answers.here THEN 'left' WHEN NOT answers.on_shift THEN 'off_shift' ELSE 'idle' END
FROM conversations_conversation conversation
JOIN accounts_user owner ON owner.id = conversation.owner_id
LEFT JOIN conversations_presence presence ON presence.user_id = conversation.owner_id
LEFT JOIN conversations_team team ON team.id = conversation.team_id
CROSS JOIN LATERAL (
    SELECT owner.is_active AND owner.role = ANY(%(roles)s) AS here,
        coalesce(presence.availability <> 'off' AND presence.seen_at >= %(gone)s, false) AS on_shift,
        %(now)s - make_interval(mins => coalesce(team.idle_after, %(idle)s)) AS idle_since
) answers
WHERE conversation.due_at IS NOT NULL AND conversation.snoozed_until IS NULL
    AND (NOT answers.here OR NOT answers.on_shift
        OR (presence.active_at < answers.idle_since
            AND coalesce(conversation.owned_since < answers.idle_since, true)))
ORDER BY conversation.due_at, conversation.id LIMIT 500
"""


def take_back(*, now: datetime) -> int:
    """Returns to the queue who waits for somebody that is not here, does not answer here any more, or has been idle for
    too long. How many."""
    with connection.cursor() as cursor:
        cursor.execute(
            ABANDONED, {"now": now, "gone": now - SEEN_FOR, "idle": IDLE_MINUTES, "roles": [*map(str, OWNERS)]}
        )
        abandoned = {pk: (owner_id, why) for pk, owner_id, why in cursor.fetchall()}
    return returned(abandoned, now=now)


def release(*, now: datetime) -> int:
    """Gives back to everybody what is open and owned by somebody who no longer answers here. How many."""
    gone = User.objects.exclude(role__in=OWNERS, is_active=True)
    left = Conversation.objects.filter(OPEN, owner__in=gone).values_list("pk", "owner_id")[:500]
    return returned({pk: (owner_id, "left") for pk, owner_id in left}, now=now)


def leave_to_everybody(team: Team, *, now: datetime) -> int:
    """What is open of a team that is no more goes to everybody's queue, with its owners. How many."""
    with transaction.atomic():
        ids = list(Conversation.objects.filter(team=team, resolved_at=None).values_list("pk", flat=True))
        live.changed(ids)
        timeline.record(ids, Entry.Kind.ROUTED, at=now, team="", rule="")
        return Conversation.objects.filter(pk__in=ids, team=team).update(team=None)


def returned(abandoned: dict[int, tuple[int | None, str]], *, now: datetime) -> int:
    if not abandoned:
        return 0
    names = {user.pk: str(user) for user in User.objects.filter(pk__in={owner for owner, _why in abandoned.values()})}
    with transaction.atomic():
        live.changed(abandoned)
        rows = Conversation.objects.filter(pk__in=abandoned, owner__isnull=False)
        still = [row for row in rows if row.owner_id == abandoned[row.pk][0]]
        for row in still:
            facts: dict[str, Any] = {"was": names[row.owner_id or 0], "why": abandoned[row.pk][1]}
            timeline.record([row.pk], Entry.Kind.RETURNED, at=now, **facts)
        Conversation.objects.filter(pk__in=[row.pk for row in still]).update(owner=None, owned_since=None)
    return len(still)


# --- What both need ----------------------------------------------------------------------------------------------


def lock(user_ids: Iterable[int]) -> None:
    """These people's presence, made if missing, in order. Nobody else gives to them until this transaction ends."""
    ids = sorted(set(user_ids))
    known = Presence.objects.select_for_update(no_key=True).filter(user__in=ids).order_by("pk")
    if missing := set(ids) - {row.pk for row in known}:
        people = User.objects.filter(pk__in=missing)
        Presence.objects.bulk_create([Presence(user=user) for user in people], ignore_conflicts=True)
        list(Presence.objects.select_for_update(no_key=True).filter(user__in=missing).order_by("pk"))


def desks(people: QuerySet[User], *, now: datetime) -> list[Desk]:
    """These people with their load, in one query."""
    held = Conversation.objects.filter(OPEN, owner=OuterRef("pk")).order_by().values("owner")
    load = Subquery(held.annotate(many=Count("pk")).values("many"))
    rows = people.select_related("presence").annotate(load=Coalesce(load, 0))
    return [desk_of(user, user.load, now) for user in rows]


def desk_of(user: User, load: int, now: datetime) -> Desk:
    presence = getattr(user, "presence", None)
    if presence is None:
        return Desk(user, load, CAPACITY, is_on_shift=False, gets_work=False, given_at=None)
    seen = (presence.availability, presence.seen_at)
    return Desk(
        user,
        load,
        presence.capacity,
        is_on_shift=is_on_shift(*seen, now=now),
        gets_work=gets_work(*seen, now=now),
        given_at=presence.given_at,
    )


def has_room(user_id: int) -> bool:
    """Whether this person answers here and has fewer open conversations than they take; what is snoozed or resolved
    does not count. The caller holds the lock on their presence."""
    capacity = Presence.objects.filter(user__in=owners().filter(pk=user_id)).values_list("capacity", flat=True).first()
    return capacity is not None and Conversation.objects.filter(OPEN, owner=user_id).count() < capacity


def give(
    conversation: Conversation,
    desk: Desk | None,
    kind: Entry.Kind,
    *,
    by_id: int | None,
    now: datetime,
    **facts: Any,
) -> list[Entry]:
    """Writes it down, with further ``facts``. The caller holds the locks and has asked whether it may."""
    to_id = desk.user.pk if desk else None
    Conversation.objects.filter(pk=conversation.pk).update(owner=to_id, owned_since=now if desk else None)
    if desk is not None:
        Presence.objects.filter(user=to_id).update(given_at=now)
    return timeline.record(
        [conversation.pk],
        kind,
        at=now,
        by_id=by_id,
        owner=str(desk.user if desk else ""),
        owner_id=to_id,
        was=str(conversation.owner or ""),
        was_id=conversation.owner_id,
        **facts,
    )
