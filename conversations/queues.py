"""Whose queues somebody answers: agents those of their teams and everybody's, everyone else all of them."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from contactcenter.accounts.models import Role, User
from conversations.kept import kept
from conversations.models import Membership, Team

# The queue of what belongs to no team, in an address.
EVERYBODYS = 0
MOST_TEAMS = 50

Teams = frozenset[int] | None  # None: all


@dataclass(frozen=True)
class Staff:
    """The active teams in the order of their names, and who answers in which."""

    names: Mapping[int, str]
    of: Mapping[int, frozenset[int]]

    def answered_by(self, user: User) -> Teams:
        return self.of.get(user.pk, frozenset()) if user.role == Role.AGENT else None


def staff(*, fresh: bool = False) -> Staff:
    """For all who ask at once, in two queries."""
    return kept.value("staff", lambda _: read(), fresh=fresh)


def read() -> Staff:
    names = dict(Team.objects.filter(is_active=True).values_list("pk", "name"))
    of: dict[int, set[int]] = defaultdict(set)
    if names:
        for user_id, team_id in Membership.objects.filter(team__in=names).values_list("user_id", "team_id"):
            of[user_id].add(team_id)
    return Staff(names, {user_id: frozenset(teams) for user_id, teams in of.items()})
