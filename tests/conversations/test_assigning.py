"""Work finds the agent, and nobody is dropped: claims, assignments, what the clock gives out and takes back."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from random import Random
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest
from django.db import connections
from django.utils import timezone

from contactcenter.accounts.models import Role, User
from conversations import assigning, outbound, presence
from conversations.models import OPEN, Conversation, Entry, Presence, Team
from conversations.shifts import Availability
from tests import factories
from tests.conversations import traffic

pytestmark = pytest.mark.django_db


@pytest.fixture
def agent() -> User:
    return factories.present(factories.user(first_name="Dana", last_name="Ruiz"))


def waiting(team: Team | None = None, **fields: Any) -> Conversation:
    """Somebody has texted this team and waits."""
    number = factories.phone_number()
    made = traffic.conversation("Are you open?", sender=number)
    Conversation.objects.filter(pk=made.pk).update(team=team, **fields)
    made.refresh_from_db()
    return made


def assign(conversation: Conversation, to: User | None, *, by: User, was: User | None = None) -> None:
    assigning.assign(
        conversation=conversation,
        to_id=to.pk if to else None,
        was_id=was.pk if was else None,
        by_id=by.pk,
        now=timezone.now(),
    )


def owner(conversation: Conversation) -> User | None:
    conversation.refresh_from_db()
    return conversation.owner


def told(conversation: Conversation) -> list[tuple[str, dict[str, str]]]:
    return list(Entry.objects.filter(conversation=conversation).order_by("pk").values_list("kind", "facts"))


# --- By people ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [Role.AGENT, Role.SUPERVISOR])
def test_a_conversation_is_given_to_whoever_may_answer_and_is_here(role: Role) -> None:
    shown, by, to = waiting(), factories.user(), factories.present(factories.user(role))

    assign(shown, to, by=by)
    assert owner(shown) == to

    assign(shown, None, by=by, was=to)
    assert owner(shown) is None
    assert [kind for kind, _ in told(shown)] == ["assigned", "returned"]


def test_and_to_nobody_else() -> None:
    shown, by = waiting(), factories.user()
    for to in (factories.user(Role.COMPLIANCE), factories.user(is_active=False)):
        with pytest.raises(assigning.CannotAssign, match="does not answer"):
            assign(shown, factories.present(to), by=by)


def test_work_assigned_to_someone_who_went_home(agent: User) -> None:
    """It can not be: nobody gets work off shift, by whomever."""
    shown, by = waiting(), factories.user()
    away = factories.user()  # never opened the inbox
    gone = factories.present(factories.user(), seen_at=timezone.now() - timedelta(minutes=3))
    off = factories.present(factories.user(), availability=Availability.OFF)

    for to in (away, gone, off):
        with pytest.raises(assigning.CannotAssign, match="is not here"):
            assign(shown, to, by=by)
    assert owner(shown) is None

    assign(shown, away, by=away)  # whoever takes it is there
    assert owner(shown) == away


def test_who_is_full_gets_no_more_and_the_words_say_so(agent: User) -> None:
    Presence.objects.filter(user=agent).update(capacity=1)
    assign(waiting(), agent, by=agent)
    shown = waiting()

    with pytest.raises(assigning.CannotAssign, match="You have 1 open conversations of 1"):
        assign(shown, agent, by=agent)
    with pytest.raises(assigning.CannotAssign, match="Dana Ruiz has 1 open conversations of 1 already"):
        assign(shown, agent, by=factories.user())


def test_of_two_who_take_it_at_once_the_second_is_told_who_has_it(agent: User) -> None:
    shown, other = waiting(), factories.user()
    assign(shown, agent, by=agent)

    with pytest.raises(assigning.CannotAssign, match="Dana Ruiz has it in the meantime"):
        assign(shown, other, by=other)
    with pytest.raises(assigning.CannotAssign, match="given back to everybody"):
        assign(waiting(), other, by=other, was=agent)
    assert owner(shown) == agent


def test_asking_twice_changes_nothing(agent: User) -> None:
    shown = waiting()
    assign(shown, agent, by=agent)
    assign(shown, agent, by=agent)

    assert [(kind, facts["owner"]) for kind, facts in told(shown)] == [("claimed", "Dana Ruiz")]


def test_whoever_answers_first_owns_it_if_they_have_room(agent: User) -> None:
    shown, other = waiting(), waiting()
    Presence.objects.filter(user=agent).update(capacity=1)
    for one in (shown, other):
        outbound.send(conversation=one, body="Hi", author_id=agent.pk, ref=uuid4(), now=timezone.now())

    assert owner(shown) == agent
    assert owner(other) is None
    assert other.last_agent == agent


@pytest.mark.django_db(transaction=True)
def test_fifty_agents_claim_at_once_each_goes_to_exactly_one_and_nobody_gets_too_much() -> None:
    """A hundred conversations and room for two each: with claims, gifts of the clock and answers all at once."""
    team = factories.team()
    agents = [factories.present(factories.user(), capacity=2) for _ in range(50)]
    for one in agents[:10]:
        team.members.add(one)
    shown = [waiting(team if place % 3 else None) for place in range(100)]
    ready = Barrier(10)
    at_most: list[int] = []

    def shift(number: int) -> None:
        rng = Random(number)
        ready.wait()
        for agent in agents[number::10]:
            for one in rng.sample(shown, 25):
                try:
                    if rng.random() < 0.2:
                        assigning.give_out(now=timezone.now())
                    elif rng.random() < 0.2:
                        stale = Conversation.objects.get(pk=one.pk)
                        outbound.send(
                            conversation=stale, body="Hi", author_id=agent.pk, ref=uuid4(), now=timezone.now()
                        )
                    else:
                        assign(one, agent, by=agent)
                except assigning.CannotAssign:
                    pass
            at_most.append(Conversation.objects.filter(OPEN, owner=agent).count())
        connections.close_all()

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(shift, range(10)))

    load = Counter(Conversation.objects.exclude(owner=None).values_list("owner", flat=True))
    assert max(load.values()) <= 2
    assert max(at_most) <= 2
    taken = Entry.objects.filter(kind__in=["claimed", "given"]).values_list("conversation", flat=True)
    assert max(Counter(taken).values()) == 1
    assert sum(load.values()) > 60


# --- By the clock ------------------------------------------------------------------------------------------------


def test_the_backlog_stays_unassigned_though_someone_is_free(agent: User) -> None:
    """It does not: the most urgent first, as far as there is room, and the rest when there is again."""
    team = factories.team(agent)
    Presence.objects.filter(user=agent).update(capacity=2)
    first, second, third = (waiting(team) for _ in range(3))
    Conversation.objects.filter(pk=third.pk).update(due_at=timezone.now() - timedelta(hours=1))

    assert assigning.give_out(now=timezone.now()) == 2
    assert (owner(third), owner(first), owner(second)) == (agent, agent, None)
    assert [(kind, facts["owner"]) for kind, facts in told(first)] == [("given", "Dana Ruiz")]
    assert assigning.give_out(now=timezone.now()) == 0

    Conversation.objects.filter(pk=first.pk).update(due_at=None, resolved_at=timezone.now())
    assert assigning.give_out(now=timezone.now()) == 1
    assert owner(second) == agent


def test_who_answered_them_last_gets_them_again_and_else_whoever_has_the_least(agent: User) -> None:
    other = factories.present(factories.user())
    team = factories.team(agent, other)
    known, new, newer = waiting(team, last_agent=agent), waiting(team), waiting(team)

    assigning.give_out(now=timezone.now())

    assert owner(known) == agent
    assert {owner(new), owner(newer)} == {agent, other}
    assert owner(new) == other


@pytest.mark.parametrize(
    "there",
    [
        {"availability": Availability.AWAY},
        {"availability": Availability.OFF},
        {"seen_at": timedelta(minutes=-3)},
        {"active_at": timedelta(minutes=-11)},
        {"capacity": 0},
    ],
)
def test_nobody_gets_work_who_is_not_at_it(agent: User, there: dict[str, Any]) -> None:
    now = timezone.now()
    fields = {name: now + value if isinstance(value, timedelta) else value for name, value in there.items()}
    Presence.objects.filter(user=agent).update(**fields)
    shown = waiting(factories.team(agent))

    assert assigning.give_out(now=now) == 0
    assert owner(shown) is None


def test_a_team_that_does_not_give_out_and_everybody_s_queue_are_claimed_from(agent: User) -> None:
    quiet = factories.team(agent, gives_out=False)
    closed = factories.team(agent, is_active=False)
    shown = [waiting(quiet), waiting(closed), waiting()]

    assert assigning.give_out(now=timezone.now()) == 0
    assert [owner(one) for one in shown] == [None, None, None]


def test_a_queue_of_a_team_with_nobody_here_does_not_stand_in_the_way(agent: User, monkeypatch: Any) -> None:
    monkeypatch.setattr(assigning, "AT_ONCE", 2)
    nobody = factories.team()
    for _ in range(3):
        waiting(nobody, due_at=timezone.now() - timedelta(hours=1))
    shown = waiting(factories.team(agent))

    assigning.give_out(now=timezone.now())

    assert owner(shown) == agent


def test_giving_out_costs_one_query_while_nobody_is_free(django_assert_num_queries: Any) -> None:
    waiting(factories.team(factories.user()))
    with django_assert_num_queries(1):
        assigning.give_out(now=timezone.now())


@pytest.mark.parametrize(
    ("there", "why"),
    [
        ({"seen_at": timedelta(minutes=-3)}, "off_shift"),
        ({"availability": Availability.OFF}, "off_shift"),
        ({"active_at": timedelta(minutes=-11)}, "idle"),
    ],
)
def test_idle_replies_never_come_back(agent: User, there: dict[str, Any], why: str) -> None:
    """They do: to the queue, from which somebody else gets them."""
    other = factories.present(factories.user())
    now = timezone.now()
    shown = waiting(factories.team(agent, other), owner=agent, owned_since=now - timedelta(minutes=12))
    assert assigning.take_back(now=now) == 0

    fields = {name: now + value if isinstance(value, timedelta) else value for name, value in there.items()}
    Presence.objects.filter(user=agent).update(**fields)

    assert assigning.take_back(now=now) == 1
    assert owner(shown) is None
    assert told(shown) == [("returned", {"was": "Dana Ruiz", "why": why})]
    assert assigning.give_out(now=now) == 1
    assert owner(shown) == other


def test_what_was_given_a_moment_ago_stays_and_so_does_what_waits_for_nobody(agent: User) -> None:
    now = timezone.now()
    Presence.objects.filter(user=agent).update(active_at=now - timedelta(minutes=11))
    fresh = waiting(owner=agent, owned_since=now - timedelta(minutes=2))
    answered = waiting(owner=agent)
    Conversation.objects.filter(pk=answered.pk).update(due_at=None)

    assert assigning.take_back(now=now) == 0
    assert owner(fresh) == owner(answered) == agent


def test_what_somebody_owns_who_no_longer_answers_is_everybody_s_again(agent: User) -> None:
    shown = waiting(owner=agent)
    assert assigning.release(now=timezone.now()) == 0

    User.objects.filter(pk=agent.pk).update(is_active=False)

    assert assigning.release(now=timezone.now()) == 1
    assert owner(shown) is None


# --- Who is here -------------------------------------------------------------------------------------------------


def test_a_page_says_that_somebody_is_here_and_keys_say_that_they_are_at_it() -> None:
    user, now = factories.user(), timezone.now()

    def row() -> tuple[datetime | None, datetime | None]:
        return Presence.objects.values_list("seen_at", "active_at").get(user=user)

    presence.seen(user.pk, now=now)
    assert row() == (now, now)
    presence.seen(user.pk, now=now + timedelta(minutes=1))
    assert row() == (now + timedelta(minutes=1), now)
    presence.seen(user.pk, now=now + timedelta(minutes=2), is_active=True)
    assert row() == (now + timedelta(minutes=2),) * 2
    presence.seen(user.pk, now=now + timedelta(hours=1))  # back at the desk
    assert row() == (now + timedelta(hours=1),) * 2


def test_a_choice_lasts_until_the_next() -> None:
    user, now = factories.user(), timezone.now()
    assert presence.availability(user.pk) == Availability.AVAILABLE
    presence.choose(user.pk, Availability.AWAY, now=now)
    presence.seen(user.pk, now=now + timedelta(hours=9))
    assert presence.availability(user.pk) == Availability.AWAY
