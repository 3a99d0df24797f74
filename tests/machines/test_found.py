"""What the machines have found, told as short stories."""

from datetime import timedelta

import pytest
from django.utils import timezone

from conversations import dispatch, handling, settling
from conversations.carriers.outcomes import Kind, Outcome
from conversations.models import Conversation, Message, Wait
from conversations.states import Status
from tests import factories
from tests.conversations import traffic
from tests.conversations.sending import handed_over, reply
from tests.machines.examples import REPORTS

pytestmark = pytest.mark.django_db

TURNED_AWAY = Outcome(Kind.NOT_SENT, code="503")


def report(message, name):
    word, error = REPORTS[name]
    traffic.arrive(traffic.receipt(message, word, error=error))


def test_of_two_replies_that_left_together_the_first_still_answers_when_the_second_fails():
    conversation = traffic.conversation()
    first, second = reply(conversation=conversation), reply(conversation=conversation)
    hand_overs, _ = dispatch.allowed(lane="agents", limit=2, clock=timezone.now)
    results = [settling.Result(one, Outcome(Kind.SENT, carrier_id=one.ref), timezone.now()) for one in hand_overs]
    settling.settle(results, clock=timezone.now)
    report(second, "rejected")
    assert Wait.objects.get().answered_with == first


def test_a_wait_does_not_come_back_with_its_conversation_once_a_reply_has_gone_out():
    conversation, agent = traffic.conversation(), factories.user()
    handling.resolve(conversation=conversation, by_id=agent.pk, now=timezone.now())
    answer = handed_over(conversation=conversation, author=agent)
    assert answer.status == Status.SENT
    handling.reopen(conversation=conversation, by_id=agent.pk, now=timezone.now())
    assert not Wait.objects.filter(answered_at=None).exists()


def test_a_reply_taken_back_leaves_the_person_s_text_in_the_list_and_not_our_automatic_answer():
    conversation = traffic.conversation("HELP")
    handling.cancel(message=reply(conversation=conversation), now=timezone.now())
    conversation.refresh_from_db()
    assert conversation.last_message.body == "HELP"


def test_a_reply_taken_back_never_makes_its_conversation_older_than_it_was():
    conversation, now = traffic.conversation(), timezone.now()
    late = traffic.text("Left for later")
    written = reply(conversation=conversation)
    Message.objects.filter(pk=written.pk).update(occurred_at=now + timedelta(minutes=1))
    Conversation.objects.update(last_message_at=now + timedelta(minutes=1))
    traffic.arrive(late)
    handling.cancel(message=reply(conversation=conversation), now=now)
    conversation.refresh_from_db()
    assert conversation.last_message.body == "Left for later"
    assert conversation.last_message_at == now + timedelta(minutes=1)


@pytest.mark.parametrize("order", [("rejected", "submitted"), ("submitted", "rejected")])
def test_receipts_for_what_we_took_back_end_alike_in_any_order(order):
    message = handed_over(TURNED_AWAY)
    handling.cancel(message=message, now=timezone.now())
    for name in order:
        report(message, name)
    message.refresh_from_db()
    assert message.status == Status.CANCELLED


def test_when_two_replies_fail_one_after_the_other_the_oldest_wait_comes_back():
    conversation = traffic.conversation()
    first = handed_over(Outcome(Kind.SENT, carrier_id="one"), conversation=conversation)
    traffic.arrive(traffic.text("And tomorrow?"))
    second = handed_over(Outcome(Kind.SENT, carrier_id="two"), conversation=conversation)
    report(first, "rejected")
    Wait.objects.filter(pk=Wait.objects.earliest("pk").pk).update(due_at=timezone.now())  # moves it on the disk
    report(second, "rejected")
    wait = Wait.objects.get(answered_at=None)
    assert wait.opened_by == conversation.messages.earliest("pk")


def test_a_reply_that_was_taken_back_and_arrives_all_the_same_is_what_the_list_shows():
    message = handed_over(TURNED_AWAY)
    handling.cancel(message=message, now=timezone.now())
    report(message, "delivered")
    message.conversation.refresh_from_db()
    assert message.conversation.last_message == message
