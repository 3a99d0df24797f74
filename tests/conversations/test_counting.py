"""Who needs a reply, and the queues: what each person sees of them, and that every number is what its view shows."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from contactcenter.accounts.models import Role, User
from conversations import counting, listing, menus, queues
from conversations.listing import Listing, View
from conversations.models import Team
from tests import factories
from tests.conversations import screens

pytestmark = pytest.mark.django_db


@pytest.fixture
def agent() -> User:
    return factories.user()


@pytest.fixture
def teams(agent: User) -> tuple[Team, Team]:
    """His own and another, and one of each kind of conversation."""
    own, other = factories.team(agent, name="Billing"), factories.team(name="Claims")
    line, now = factories.line(), timezone.now()

    def made(name: str, *, minutes: int = 5, **fields: Any) -> None:
        contact = factories.contact(name=name)
        screens.waiting(minutes=minutes, line=line, contact=contact, **fields)

    made("mine", owner=agent, team=other)
    made("my team's", team=own)
    made("my team's, late", team=own, minutes=-10)
    made("another's", team=other)
    made("everybody's", minutes=30)
    made("a colleague's", owner=factories.user(), team=own)
    made("put off", owner=agent, snoozed_until=now + timedelta(hours=1))
    screens.thread(line=line, owner=agent, contact=factories.contact(name="answered"))
    return own, other


def asked(user: User, **fields: Any) -> Listing:
    return Listing(user.pk, teams=queues.staff(fresh=True).answered_by(user), **fields)


def names(one: Listing) -> list[str]:
    return [row.contact.name for row in listing.rows(listing.find(one))]


def counts(user: User) -> counting.Counts:
    staff = queues.staff(fresh=True)
    return counting.count(user.pk, staff.answered_by(user), staff, fresh=True)


def test_who_needs_a_reply_is_mine_and_my_teams_the_most_urgent_first(agent: User, teams: tuple[Team, Team]) -> None:
    assert names(asked(agent)) == ["my team's, late", "mine", "my team's", "everybody's"]


def test_a_supervisor_sees_every_queue(teams: tuple[Team, Team]) -> None:
    seen = names(asked(factories.user(Role.SUPERVISOR)))
    assert seen == ["my team's, late", "my team's", "another's", "everybody's"]


def test_a_queue_is_who_waits_for_anybody_in_it(agent: User, teams: tuple[Team, Team]) -> None:
    own, other = teams
    assert names(asked(agent, view=View.QUEUE, team_id=own.pk)) == ["my team's, late", "my team's"]
    assert names(asked(agent, view=View.QUEUE, team_id=other.pk)) == ["another's"]
    assert names(asked(agent, view=View.QUEUE, team_id=queues.EVERYBODYS)) == ["everybody's"]
    assert names(asked(agent, view=View.QUEUE, team_id=10**12)) == []


@pytest.mark.parametrize("role", Role)
def test_every_number_is_what_its_view_shows(agent: User, teams: tuple[Team, Team], role: Role) -> None:
    for user in (agent, factories.user(role)):
        found = counts(user)
        for view in menus.VIEWS:
            assert found.of(view) == str(len(names(asked(user, view=view)))), view
        for queue in found.queues:
            assert queue.waiting == len(names(asked(user, view=View.QUEUE, team_id=queue.team_id)))


def test_the_queues_of_an_agent_are_those_they_answer_with_the_most_urgent_deadline(
    agent: User, teams: tuple[Team, Team]
) -> None:
    mine, everybodys = counts(agent).queues
    assert (mine.name, mine.waiting, mine.due_at is not None and mine.due_at < timezone.now()) == ("Billing", 2, True)
    assert (everybodys.team_id, everybodys.waiting) == (queues.EVERYBODYS, 1)
    assert [queue.name for queue in counts(factories.user(Role.SUPERVISOR)).queues] == ["Billing", "Claims", ""]


def test_what_is_unread_of_ones_own_is_counted_without_what_is_put_off(agent: User, teams: tuple[Team, Team]) -> None:
    assert counts(agent).mine_unread == 2


def test_counting_stops_where_nobody_counts_any_more() -> None:
    assert counting.shown(counting.COUNTED_TO) == "999"
    assert counting.shown(counting.COUNTED_TO + 1) == "999+"


def test_without_teams_there_are_no_queues(agent: User) -> None:
    assert counts(agent).queues == ()


def test_the_home_view_is_who_needs_a_reply_and_can_reach_zero(client: Client, agent: User) -> None:
    client.force_login(agent)
    shown = screens.waiting(minutes=5, contact=factories.contact(name="Marisol Vega"))
    page = client.get(reverse("inbox")).content.decode()
    assert "Marisol Vega" in page
    assert 'data-waiting="1"' in page

    shown.due_at = None
    shown.save()
    page = client.get(reverse("inbox")).content.decode()
    assert "Nobody waits for an answer." in page
    assert 'data-waiting="0"' in page


def test_many_teams_cost_no_more_queries(client: Client, agent: User, teams: tuple[Team, Team]) -> None:
    client.force_login(agent)
    costs = []
    for many in (1, 5):
        for number in range(many):
            screens.waiting(minutes=5, team=factories.team(agent, name=f"Team {number} of {many}"))
        with CaptureQueriesContext(connection) as queries:
            client.get(reverse("inbox-list"), headers={"Cache-Control": "no-cache"})
        costs.append(len(queries))
    assert costs[0] == costs[1]


def test_the_queues_are_a_menu_with_their_deadlines(client: Client, agent: User, teams: tuple[Team, Team]) -> None:
    client.force_login(agent)
    own, other = teams
    page = client.get(reverse("inbox")).content.decode()
    assert f"?view=queue&amp;team={own.pk}" in page
    assert f"?view=queue&amp;team={other.pk}" not in page
    queue = client.get(reverse("inbox") + f"?view=queue&team={own.pk}").content.decode()
    assert '<h1 id="view">Billing</h1>' in queue
