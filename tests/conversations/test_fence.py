"""Never over each other: a reply to what its author has not seen is asked about, once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest
from django.db import connections
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consent.purposes import Purpose
from conversations import outbound
from conversations.models import Conversation, Message
from conversations.states import Status
from tests import factories
from tests.conversations import screens, traffic

pytestmark = pytest.mark.django_db


def say(conversation: Conversation, body: str = "Yes, until five.", **fields: Any) -> Message:
    author = fields.pop("author_id", None) or factories.user().pk
    fields = {"ref": uuid4(), "seen": last(conversation)} | fields
    return outbound.send(conversation=conversation, body=body, author_id=author, now=timezone.now(), **fields)


def last(conversation: Conversation) -> int:
    return conversation.messages.order_by("-pk").values_list("pk", flat=True)[0]


def test_a_stale_screen_makes_a_second_agent_answer() -> None:
    """It does not: whoever answers second is shown the first answer, and may send theirs knowing of it."""
    conversation = screens.thread()
    seen = last(conversation)
    first = say(conversation, "Yes, until five.")
    second = factories.user().pk

    with pytest.raises(outbound.ChangedSince) as since:
        say(conversation, "We are!", seen=seen, author_id=second)
    assert (since.value.messages, since.value.seen) == ([first], first.pk)
    assert conversation.messages.filter(direction="out").count() == 1

    assert say(conversation, "We are!", seen=since.value.seen, author_id=second).status == Status.QUEUED


def test_what_the_person_wrote_meanwhile_is_asked_about_as_well() -> None:
    conversation = screens.thread()
    seen = last(conversation)
    text = factories.text_from(conversation, "Never mind!")

    with pytest.raises(outbound.ChangedSince) as since:
        say(conversation, seen=seen)
    assert since.value.messages == [text]


def test_one_s_own_words_automatic_ones_and_what_was_taken_back_ask_nothing() -> None:
    conversation = screens.thread()
    seen, me = last(conversation), factories.user().pk
    say(conversation, "One moment", author_id=me)
    screens.outgoing(conversation, purpose=Purpose.OUT_OF_OFFICE)
    screens.outgoing(conversation, status=Status.CANCELLED)

    assert say(conversation, "Here it is", seen=seen, author_id=me).status == Status.QUEUED


def test_the_same_reply_again_is_accepted_whatever_came_since() -> None:
    """The answer to the first try was lost; the person has written in between."""
    conversation = screens.thread()
    again = {"author_id": factories.user().pk, "ref": uuid4(), "seen": last(conversation)}
    first = say(conversation, **again)
    factories.text_from(conversation, "Thanks!")

    assert say(conversation, **again) == first


def test_sending_again_what_a_colleague_has_answered_is_refused() -> None:
    conversation = screens.thread()
    failed = screens.outgoing(conversation, status=Status.FAILED)
    say(conversation, "Instead: we are open")

    with pytest.raises(outbound.ChangedSince, match="gone on since"):
        outbound.retry(message=failed, author_id=factories.user().pk, now=timezone.now(), seen=failed.pk)


def test_the_page_is_told_what_came_and_by_whom(client: Client) -> None:
    conversation = screens.thread()
    seen = last(conversation)
    first = say(conversation, "Yes & <until> five", author_id=factories.user(first_name="Dana").pk)
    factories.text_from(conversation, "Never mind!", occurred_at=timezone.now() - timedelta(minutes=3))
    client.force_login(factories.user())

    reply = {"body": "Mine", "ref": str(uuid4()), "seen": str(seen)}
    answer = client.post(reverse("message-send", args=[conversation.pk]), reply)

    html = answer.content.decode()
    assert answer.status_code == 409
    assert "<b>Dana</b> answered" in html
    assert "Yes &amp; &lt;until&gt; five" in html
    assert html.index("Dana") < html.index("Never mind!")
    assert f'data-seen="{last(conversation)}"' in html
    assert conversation.messages.filter(direction="out").get() == first


@pytest.mark.django_db(transaction=True)
def test_of_two_who_answer_at_once_one_is_asked() -> None:
    conversation = traffic.conversation("Are you open?")
    seen, together = last(conversation), Barrier(2)

    def answer(author_id: int) -> bool:
        together.wait()
        try:
            say(conversation, seen=seen, author_id=author_id)
        except outbound.ChangedSince:
            return False
        finally:
            connections.close_all()
        return True

    agents = [factories.user().pk for _ in range(2)]
    with ThreadPoolExecutor(2) as threads:
        for went in range(1, 11):
            sent = list(threads.map(answer, agents))
            assert sorted(sent) == [False, True]
            assert conversation.messages.filter(direction="out").count() == went
            seen = last(conversation)


def test_the_fence_costs_one_query(django_assert_num_queries: Any) -> None:
    conversation, author = screens.thread(), factories.user().pk
    with django_assert_num_queries(1):
        outbound.fence(conversation, ref=uuid4(), author_id=author, seen=last_id(conversation))


def last_id(conversation: Conversation) -> int:
    assert conversation.last_message_id is not None
    return conversation.last_message_id
