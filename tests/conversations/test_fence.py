"""Never over each other: an answer to a thread that has changed is shown the change first, and asked about once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import UUID, uuid4

import pytest
from django.db import connections
from django.test import Client
from django.utils import timezone

from contactcenter.accounts.models import User
from conversations import handling, outbound
from conversations.models import Conversation, Message
from tests import factories
from tests.conversations import traffic

pytestmark = pytest.mark.django_db


def answer(
    shown: Conversation, author: User, *, seen: int | None, ref: UUID | None = None, body: str = "Hi"
) -> Message:
    return outbound.send(
        conversation=shown, body=body, author_id=author.pk, ref=ref or uuid4(), now=timezone.now(), seen=seen
    )


def last(shown: Conversation) -> int:
    return Message.objects.filter(conversation=shown).latest("pk").pk


def test_a_stale_screen_makes_a_second_agent_answer() -> None:
    """It does not: the second is shown what the first has said, nothing is sent, and then may send all the same."""
    shown, dana, priya = traffic.conversation(), factories.user(), factories.user()
    seen = last(shown)
    first = answer(shown, dana, seen=seen)

    with pytest.raises(outbound.ChangedSince) as change:
        answer(shown, priya, seen=seen)

    assert change.value.messages == [first]
    assert Message.objects.filter(author=priya).count() == 0
    answer(shown, priya, seen=first.pk)


def test_what_the_person_has_written_since_is_shown_too() -> None:
    shown, dana = traffic.conversation("Can I come at 3?"), factories.user()
    seen = last(shown)
    traffic.arrive(traffic.text("Sorry, at 4"))

    with pytest.raises(outbound.ChangedSince) as change:
        answer(shown, dana, seen=seen)

    assert [message.body for message in change.value.messages] == ["Sorry, at 4"]


def test_one_s_own_words_what_was_taken_back_and_automatic_answers_are_no_change() -> None:
    shown, dana, priya = traffic.conversation(), factories.user(), factories.user()
    seen = last(shown)
    answer(shown, dana, seen=seen)
    taken_back = answer(shown, priya, seen=None)
    handling.cancel(message=taken_back, now=timezone.now())

    answer(shown, dana, seen=seen)


def test_what_was_accepted_is_not_asked_about_again() -> None:
    shown, dana, priya, ref = traffic.conversation(), factories.user(), factories.user(), uuid4()
    seen = last(shown)
    accepted = answer(shown, priya, seen=seen, ref=ref)
    answer(shown, dana, seen=accepted.pk)

    assert answer(shown, priya, seen=seen, ref=ref) == accepted


@pytest.mark.django_db(transaction=True)
def test_of_agents_who_answer_at_once_exactly_one_is_not_asked() -> None:
    shown, agents = traffic.conversation(), [factories.user() for _ in range(8)]
    seen, ready = last(shown), Barrier(8)

    def press(author: User) -> bool:
        ready.wait()
        try:
            answer(shown, author, seen=seen)
        except outbound.ChangedSince:
            return False
        finally:
            connections.close_all()
        return True

    with ThreadPoolExecutor(8) as pool:
        sent = list(pool.map(press, agents))

    assert sum(sent) == 1
    assert Message.objects.filter(direction="out").count() == 1


def test_the_page_gets_the_change_in_words_and_no_markup_of_theirs(client: Client) -> None:
    shown, dana = traffic.conversation(), factories.user(first_name="Dana", last_name="Ruiz")
    seen = last(shown)
    said = answer(shown, dana, seen=seen, body="At <b>noon</b>")
    client.force_login(factories.user())

    refused = client.post(f"/inbox/{shown.pk}/messages/", {"body": "Hi", "ref": str(uuid4()), "seen": str(seen)})

    assert refused.status_code == 409
    words = refused.content.decode()
    assert "Dana Ruiz has answered in the meantime" in words
    assert "At &lt;b&gt;noon" in words
    assert f'data-anyway="{said.pk}"' in words
