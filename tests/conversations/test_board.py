"""The live board: its figures equal a recount of the rows, and it costs the same however many wait."""

import math
import random
import statistics
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from contactcenter.accounts.models import Role, User
from conversations import board, queues, waits
from conversations.models import Conversation, Team, Wait
from conversations.shifts import Availability
from conversations.wording import DUE_SOON
from tests import factories
from tests.conversations import screens

pytestmark = pytest.mark.django_db


@pytest.fixture
def supervisor(client: Client) -> User:
    user = factories.user(Role.SUPERVISOR)
    client.force_login(user)
    return user


def waits_since(minutes: float, **fields: Any) -> Conversation:
    """Somebody who has waited for so many minutes; due after ten."""
    now = timezone.now()
    conversation = screens.thread(ago=timedelta(minutes=minutes), **fields)
    waits.open_for([conversation.last_message])
    due_at = now + timedelta(minutes=10 - minutes)
    conversation.waits.update(due_at=due_at)
    Conversation.objects.filter(pk=conversation.pk).update(due_at=due_at)
    return conversation


def answered(conversation: Conversation, *, at: datetime, seconds: float, by: User, ending: str = "reply") -> None:
    Wait.objects.filter(conversation=conversation).update(
        since=at - timedelta(seconds=seconds), answered_at=at, answered_by=by, ending=ending
    )
    Conversation.objects.filter(pk=conversation.pk).update(due_at=None)


def fresh() -> board.Board:
    queues.staff(fresh=True)
    return board.board(fresh=True)


def test_its_figures_equal_a_recount() -> None:
    dice = random.Random(6)
    line = factories.line()
    people = [factories.present(factories.user()) for _ in range(3)]
    teams: list[Team | None] = [factories.team(*people, name="Billing"), factories.team(name="Claims"), None]
    for number in range(60):
        asleep = {"snoozed_until": timezone.now() + timedelta(hours=1)} if number % 10 == 0 else {}
        owner = dice.choice([None, *people])
        waits_since(dice.uniform(1, 25), line=line, team=dice.choice(teams), owner=owner, **asleep)

    seen, now = fresh(), timezone.now()
    rows = list(Conversation.objects.filter(snoozed_until=None, due_at__isnull=False).order_by("due_at", "pk"))
    since = dict(Wait.objects.values_list("conversation", "since"))

    def recount(some: list[Conversation]) -> board.Waiting:
        return board.Waiting(
            many=len(some),
            unassigned=sum(row.owner_id is None for row in some),
            due_soon=sum(now < row.due_at <= now + DUE_SOON for row in some if row.due_at),
            overdue=sum(row.due_at <= now for row in some if row.due_at),
            oldest=min((since[row.pk] for row in some), default=None),
        )

    assert seen.total == recount(rows)
    assert seen.total.many == 54
    assert [queue.name for queue in seen.queues] == ["Billing", "Claims", ""]
    for queue in seen.queues:
        own = [row for row in rows if (row.team_id or 0) == queue.team_id]
        assert queue.waiting == recount(own)
        assert [card.pk for card in queue.cards] == [row.pk for row in own][: board.CARDS]
        assert queue.further == len(own) - len(queue.cards)
    has = Counter(row.owner_id for row in rows)
    assert {one.desk.user.pk: one.waiting.many for one in seen.colleagues} == {one.pk: has[one.pk] for one in people}
    for one in seen.colleagues:
        assert one.waiting == recount([row for row in rows if row.owner_id == one.desk.user.pk])


def test_todays_waits_and_no_others() -> None:
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    by, line = factories.user(), factories.line()
    took = [3, 70, 80, 95, 100, 400, 900, 2000, 2500, 10_000]
    for seconds in took:
        answered(waits_since(1, line=line), at=midnight + timedelta(seconds=1), seconds=seconds, by=by)
    answered(waits_since(1, line=line), at=midnight - timedelta(seconds=1), seconds=50_000, by=by)
    answered(waits_since(1, line=line), at=midnight, seconds=5, by=by, ending=Wait.Ending.NO_ANSWER_NEEDED)

    today = fresh().today
    assert (today.answered, today.unneeded) == (10, 1)
    assert today.average == pytest.approx(statistics.fmean(took))
    place = 0.9 * (len(took) - 1)
    low = math.floor(place)
    assert today.p90 == pytest.approx(took[low] + (place - low) * (took[low + 1] - took[low]))


def test_nothing_happened_today() -> None:
    assert fresh().today == board.Today(0, 0, None, None)
    assert [queue.waiting for queue in fresh().queues] == [board.Waiting()]  # everybody's, the only one


def test_who_is_here_and_who_left_somebody_waiting() -> None:
    now = timezone.now()
    busy = factories.present(factories.user())
    away = factories.present(factories.user(), availability=Availability.AWAY)
    idle = factories.present(factories.user(), active_at=now - timedelta(minutes=30))
    gone, absent = factories.user(), factories.user()
    line = factories.line()
    for owner in (busy, busy, gone):
        waits_since(3, line=line, owner=owner)

    seen = fresh()
    assert seen.colleagues[0].desk.user == busy
    assert seen.colleagues[-1].desk.user == gone  # after all who are here
    by_user = {one.desk.user: one for one in seen.colleagues}
    assert absent not in by_user
    assert seen.absent == 1
    assert by_user[away].availability == Availability.AWAY
    assert by_user[idle].idle_since == idle.presence.active_at
    assert by_user[busy].idle_since is None
    assert (by_user[busy].desk.load, by_user[busy].waiting.many) == (2, 2)


def test_who_waits_for_a_team_that_is_no_more_is_in_everybodys_queue() -> None:
    factories.team(name="Billing")
    waits_since(3, team=factories.team(name="Gone", is_active=False))
    assert [(queue.name, queue.waiting.many) for queue in fresh().queues] == [("Billing", 0), ("", 1)]


def test_it_costs_the_same_however_many_wait(client: Client, supervisor: User) -> None:
    def cost() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert client.get(reverse("board-live"), headers={"Cache-Control": "no-cache"}).status_code == 200
        return len(captured)

    team, line = factories.team(factories.present(factories.user())), factories.line()
    waits_since(3, team=team, line=line)
    first = cost()
    for _ in range(20):
        waits_since(3, team=team, line=line, owner=factories.present(factories.user()))
    assert cost() == first


def test_only_what_changed_is_sent_again(client: Client, supervisor: User) -> None:
    one = waits_since(3)
    address, asked = reverse("board-live"), {"Cache-Control": "no-cache"}
    first = client.get(address, headers=asked)
    assert first.status_code == 200
    asked["If-None-Match"] = first["ETag"]
    assert client.get(address, headers=asked).status_code == 304
    Conversation.objects.filter(pk=one.pk).update(version=one.version + 1)
    assert client.get(address, headers=asked).status_code == 200


def test_an_administrator_looks_and_moves_nothing(client: Client) -> None:
    client.force_login(factories.user(Role.ADMINISTRATOR))
    waits_since(3, team=factories.team())
    page = client.get(reverse("board")).content.decode()
    assert 'class="card-row"' in page
    assert "draggable" not in page.replace('draggable="false"', "")
    assert "data-drop" not in page
