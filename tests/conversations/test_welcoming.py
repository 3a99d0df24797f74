"""What a team answers by itself: once, to people only, and to nobody who has just said STOP."""

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consent.purposes import Purpose
from conversations import blocking, welcoming
from conversations.models import Conversation, Message, OpeningHours, RoutingRule, Team, Wait
from tests import factories
from tests.conversations import traffic

pytestmark = pytest.mark.django_db

HELLO = "Hello! Somebody answers within minutes."
AWAY = "We are closed and back {opens}."


@pytest.fixture
def team() -> Team:
    """Everything goes to it; always open."""
    traffic.line()
    made = factories.team(name="Front desk", time_zone="UTC", greeting=HELLO, out_of_office=AWAY)
    factories.routing_rule(team=made)
    return made


def closed(team: Team) -> None:
    """Until tomorrow at nine."""
    day = (timezone.now() + timedelta(days=1)).weekday()
    OpeningHours.objects.create(team=team, weekday=day, opens=time(9), closes=time(17))


def write(body: str = "Are you open?", sender: str = traffic.PERSON, **fields: Any) -> None:
    traffic.arrive(traffic.text(body, sender=sender, **fields))


def told(sender: str = traffic.PERSON) -> list[tuple[str, str]]:
    out = Message.objects.filter(direction="out", conversation__contact__phone=sender).order_by("pk")
    return list(out.values_list("purpose", "body"))


def test_whoever_writes_for_the_first_time_is_greeted_once_and_waits_on(team: Team) -> None:
    write()
    write("And on Sunday?")

    assert told() == [("greeting", HELLO)]
    assert Wait.objects.get().answered_at is None
    assert Conversation.objects.get().due_at is not None


def test_while_it_is_closed_it_says_when_it_is_back_in_place_of_the_greeting(team: Team) -> None:
    closed(team)
    day = (timezone.now() + timedelta(days=1)).strftime("%A")
    write()
    assert told() == [("out_of_office", f"We are closed and back {day} at 9:00 AM.")]


def test_it_is_said_again_when_the_period_is_over_and_not_before(team: Team) -> None:
    closed(team)
    write()
    Message.objects.filter(direction="out").update(occurred_at=timezone.now() - timedelta(minutes=719))
    write("Hello?")
    assert len(told()) == 1
    Message.objects.filter(direction="out").update(occurred_at=timezone.now() - timedelta(minutes=721))
    write("Hello??")
    assert len(told()) == 2


@pytest.mark.parametrize(
    "body",
    [
        "STOP",
        "stop texting me",
        "START",
        "HELP",
        "JOIN",
        "This is an automated message.",
        "Fuera de la oficina hasta el lunes",
    ],
)
def test_never_to_stop_help_a_keyword_or_an_automatic_text(team: Team, body: str) -> None:
    write(body)
    assert not {purpose for purpose, _ in told()} & {"greeting", "out_of_office"}


def test_never_to_a_number_that_is_blocked_nor_to_what_comes_late(team: Team) -> None:
    late = (timezone.now() - timedelta(hours=2)).isoformat().replace("+00:00", "Z")
    write(timestamp=late)
    assert told() == []

    write("Buy now", sender="+12015550199")
    Message.objects.filter(direction="out").delete()
    contact = Conversation.objects.get(contact__phone="+12015550199").contact
    blocking.block(contact=contact, by_id=factories.user().pk, now=timezone.now())
    write("Buy now!", sender="+12015550199")
    assert told("+12015550199") == []


def test_a_team_without_words_and_a_text_without_a_team_get_none(team: Team) -> None:
    Team.objects.update(greeting="", out_of_office="")
    write()
    Team.objects.update(greeting=HELLO)
    RoutingRule.objects.all().delete()
    write(sender="+12015550199")
    assert told() == told("+12015550199") == []


def test_an_auto_reply_ping_pong(team: Team) -> None:
    """Two installations whose machines answer each other: ours has stopped after the first word."""
    closed(team)
    write("Are you open?")
    for number in range(20):
        (_, said), *_ = told()[::-1]
        write(f"{said} ({number})")  # theirs sends back whatever it gets, and reads like a person
    assert len(told()) == 1


def test_nobody_gets_more_than_a_few_a_day_whatever_lines_they_write_to(team: Team) -> None:
    closed(team)
    numbers = [f"+1201555016{place}" for place in range(6)]
    for number in numbers:
        factories.line(number=number, per_second=1000)
        traffic.arrive(traffic.text("Hello?", recipient=number))
    assert len(told()) == welcoming.MOST_A_DAY


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(gaps=st.lists(st.integers(0, 900), min_size=1, max_size=12), period=st.integers(0, 900))
def test_never_twice_in_a_period(gaps: list[int], period: int) -> None:
    """Of the rule alone, over any times."""
    team, now, said = Team(answers_again_after=period), datetime(2026, 3, 1, tzinfo=UTC), []
    for gap in gaps:
        now += timedelta(minutes=gap)
        if not welcoming.is_enough(said, 1, 1, team, now):
            said.append((1, 1, now))
    times = [at for _, _, at in said]
    least = timedelta(minutes=max(60, period))
    assert all(later - earlier >= least for earlier, later in pairwise(times))
    assert all(sum(0 <= (at - one).total_seconds() < 86400 for one in times) <= welcoming.MOST_A_DAY for at in times)


def test_a_batch_takes_as_many_statements_as_one(team: Team) -> None:
    traffic.arrive(traffic.text("Warm", sender="+12015550150"))
    costs = []
    for many in (1, 9):
        texts = [traffic.text("Hello?", sender=f"+120155{many}{place:04}") for place in range(1000, 1000 + many)]
        with CaptureQueriesContext(connection) as queries:
            traffic.arrive(*texts)
        costs.append(len(queries))
    assert costs[0] == costs[1]
    assert Message.objects.filter(purpose=Purpose.GREETING).count() == 11


def test_the_words_of_a_long_holiday_name_the_date(team: Team) -> None:
    closed(team)
    for ahead in range(15):
        team.holidays.create(day=(timezone.now() + timedelta(days=ahead)).date(), name=f"Day {ahead}")
    write()
    ((_, body),) = told()
    later = (timezone.now() + timedelta(days=15)).date()
    while later.weekday() != (timezone.now() + timedelta(days=1)).weekday():
        later += timedelta(days=1)
    assert body == f"We are closed and back {later:%B} {later.day} at 9:00 AM."
