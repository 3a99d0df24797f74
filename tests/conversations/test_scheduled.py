"""What is written for later: one's own and everybody's, next first; moved and called back until it has left."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from contactcenter.accounts.models import User
from conversations import scheduled
from conversations.models import Message
from conversations.outbound import CannotSend
from conversations.states import Status
from tests import factories
from tests.conversations import screens

pytestmark = pytest.mark.django_db
URL = "/inbox/scheduled/"


@pytest.fixture
def me() -> User:
    return factories.user()


@pytest.fixture
def agent(client: Client, me: User) -> Client:
    client.force_login(me)
    return client


def later(author: User, hours: float, **fields: Any) -> Message:
    due_at = timezone.now() + timedelta(hours=hours)
    return screens.outgoing(screens.thread(), f"In {hours} hours", author_id=author.pk, due_at=due_at, **fields)


def bodies(**asked: Any) -> list[str]:
    return [message.body for message in scheduled.find(now=timezone.now(), **asked)[0]]


def local(at: datetime) -> str:
    return f"{timezone.localtime(at):%Y-%m-%dT%H:%M}"


def test_the_next_is_first_and_what_is_not_for_later_is_not_there(me: User) -> None:
    later(me, 2)
    later(factories.user(), 1)
    later(me, 3, status=Status.CANCELLED)
    screens.outgoing(screens.thread(), "Now")
    screens.outgoing(screens.thread(), "In 30 seconds", due_at=timezone.now() + timedelta(seconds=30))

    assert bodies() == ["In 1 hours", "In 2 hours"]
    assert bodies(author_id=me.pk) == ["In 2 hours"]


def test_pages_follow_each_other_without_a_gap(me: User, django_assert_num_queries: Any) -> None:
    for hours in (3, 1, 2, 4, 5):
        later(me, hours)
    seen: list[str] = []
    after = None
    for _ in range(3):
        with django_assert_num_queries(1):
            rows, after = scheduled.find(now=timezone.now(), after=after, limit=2)
        seen += [message.body for message in rows]
        after = scheduled.Place.parse(str(after)) if after else None
    assert seen == [f"In {hours} hours" for hours in range(1, 6)]
    assert after is None


def test_a_reply_is_moved_and_called_back(agent: Client, me: User) -> None:
    message = later(me, 2)
    at = timezone.localtime().replace(second=0, microsecond=0) + timedelta(days=2)

    words = agent.post(f"{URL}{message.pk}/", {"due_at": local(at)}, follow=True).content.decode()
    message.refresh_from_db()
    assert "It will be sent on" in words
    assert message.due_at == at
    assert message.expires_at > at

    words = agent.post(f"{URL}{message.pk}/?of=all", follow=True).content.decode()
    message.refresh_from_db()
    assert "Its text stays" in words
    assert message.status == Status.CANCELLED


def test_what_can_not_be_says_why(agent: Client, me: User) -> None:
    message = later(me, 2)
    past = agent.post(f"{URL}{message.pk}/", {"due_at": "2020-01-01T10:00"})
    assert (past.status_code, "still to come" in past.content.decode()) == (422, True)

    Message.objects.filter(pk=message.pk).update(status=Status.FAILED)
    for data in ({"due_at": local(timezone.now() + timedelta(days=1))}, {}):
        gone = agent.post(f"{URL}{message.pk}/", data)
        assert (gone.status_code, "has left already" in gone.content.decode()) == (422, True)
    assert agent.get(URL, {"after": "nonsense"}).status_code == 404


def test_what_is_due_is_no_longer_moved(me: User) -> None:
    message = later(me, 1)
    now = timezone.now() + timedelta(hours=1)
    with pytest.raises(CannotSend, match="has left already"):
        scheduled.move(message=message, due_at=now + timedelta(hours=1), now=now)


def test_the_list_names_whom_and_when(agent: Client, me: User) -> None:
    later(me, 2)
    other = later(factories.user(), 1)

    mine, everybody = (agent.get(URL, {"of": of}).content.decode() for of in ("", "all"))

    assert "In 2 hours" in mine
    assert other.body not in mine
    assert everybody.index("In 1 hours") < everybody.index("In 2 hours")
    assert f'href="/inbox/{other.conversation_id}/"' in everybody
