"""What agents say: accepted once, refused in words."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from django.db import connections
from django.utils import timezone

from conversations import handling, outbound, waits
from conversations.carriers.outcomes import Kind, Outcome
from conversations.models import Message, Wait
from conversations.outbound import CannotSend
from tests import factories
from tests.conversations import traffic
from tests.conversations.sending import SENT, handed_over

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ("  \n ", "nothing to send"),
        ("a" * 1531, "11 segments"),
        ("😀" * 400, "13 segments"),
        ("Your card 4111 1111 1111 1111 is charged", "card or social security"),
    ],
)
def test_a_bad_text_is_refused_with_what_to_do(body, complaint):
    conversation = traffic.conversation()
    with pytest.raises(CannotSend, match=complaint):
        outbound.send(conversation=conversation, body=body, author_id=1, ref=uuid4(), now=timezone.now())


def test_the_same_id_sends_once_and_another_text_under_it_is_refused():
    conversation, agent, ref = traffic.conversation(), factories.user(), uuid4()
    send = {"conversation": conversation, "author_id": agent.pk, "ref": ref, "now": timezone.now()}
    first = outbound.send(body="Hi", **send)
    assert outbound.send(body="Hi", **send) == first
    with pytest.raises(CannotSend, match="already has this id"):
        outbound.send(body="Something else", **send)
    assert Message.objects.filter(direction="out").count() == 1


def test_a_failed_message_can_be_tried_again_exactly_once():
    message = handed_over(Outcome(Kind.REFUSED, code="1170", detail="Unreachable"))
    again = outbound.retry(message=message, author_id=message.author_id, now=timezone.now())
    assert (again.body, again.retry_of, again.status) == (message.body, message, "queued")
    with pytest.raises(CannotSend, match="sent again already"):
        outbound.retry(message=message, author_id=message.author_id, now=timezone.now())


def test_what_arrived_is_not_sent_again():
    message = handed_over(SENT)
    with pytest.raises(CannotSend):
        outbound.retry(message=message, author_id=message.author_id, now=timezone.now())


def test_no_answer_needed_ends_the_wait_by_a_person():
    conversation, agent = traffic.conversation("Thanks!"), factories.user()
    assert waits.end(conversation=conversation, by_id=agent.pk, now=timezone.now())
    wait = Wait.objects.get()
    assert (wait.ending, wait.answered_by) == ("no_answer_needed", agent)
    conversation.refresh_from_db()
    assert conversation.due_at is None
    assert not waits.end(conversation=conversation, by_id=agent.pk, now=timezone.now())


@pytest.mark.django_db(transaction=True)
def test_a_double_click_from_eight_threads_makes_one_message():
    conversation, agent, ref = traffic.conversation(), factories.user(), uuid4()

    def send(_):
        try:
            return outbound.send(
                conversation=conversation, body="Hi", author_id=agent.pk, ref=ref, now=timezone.now()
            ).pk
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(send, range(8)))) == 1


def test_an_automatic_text_is_not_sent_again_by_hand():
    traffic.line()
    traffic.arrive(traffic.text("STOP"))
    confirmation = Message.objects.get(purpose="opt_out_confirmation")
    Message.objects.filter(pk=confirmation.pk).update(status="expired")
    with pytest.raises(CannotSend):
        outbound.retry(message=confirmation, author_id=factories.user().pk, now=timezone.now())


def test_an_opt_out_s_confirmation_is_not_an_agent_s_to_cancel():
    traffic.line()
    traffic.arrive(traffic.text("STOP"))
    confirmation = Message.objects.get(purpose="opt_out_confirmation")
    assert not confirmation.may_cancel
    assert not handling.cancel(message=confirmation, now=timezone.now())
