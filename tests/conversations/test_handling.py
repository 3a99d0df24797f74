"""Taking, putting off and finishing conversations, and taking that back; a text from the person undoes all of it."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from conversations import handling, inbound, outbound, overdue, undoing, unread, waits
from conversations.models import Conversation, Message, Wait
from conversations.states import Status
from tests import factories
from tests.conversations import screens, sending, traffic

pytestmark = pytest.mark.django_db


@pytest.fixture
def waiting() -> Conversation:
    """Somebody has texted and waits."""
    traffic.line()
    inbound.receive([traffic.text("Are you open?", sender="+12025550123")], now=timezone.now())
    inbound.thread(now=timezone.now())
    return Conversation.objects.get()


def fresh(conversation: Conversation) -> Conversation:
    conversation.refresh_from_db()
    return conversation


def texts_again(conversation: Conversation) -> None:
    inbound.receive([traffic.text("Hello?", sender=conversation.contact.phone)], now=timezone.now())
    inbound.thread(now=timezone.now())


def test_resolving_says_by_name_that_no_answer_was_needed(waiting: Conversation) -> None:
    agent = factories.user()

    handling.resolve(conversation=waiting, by_id=agent.pk, now=timezone.now())

    wait = Wait.objects.get()
    assert (wait.ending, wait.answered_by) == (Wait.Ending.NO_ANSWER_NEEDED, agent)
    assert fresh(waiting).resolved_at
    assert (waiting.due_at, waiting.unread) == (None, 0)


def test_undoing_it_brings_back_the_very_same_wait(waiting: Conversation) -> None:
    agent, due_at = factories.user(), waiting.due_at

    handling.resolve(conversation=waiting, by_id=agent.pk, now=timezone.now())
    handling.reopen(conversation=waiting, by_id=agent.pk, now=timezone.now())

    assert fresh(waiting).resolved_at is None
    assert waiting.due_at == due_at
    assert Wait.objects.get().answered_at is None


def test_undoing_later_than_the_person_s_next_text_leaves_their_new_wait(waiting: Conversation) -> None:
    agent = factories.user()
    handling.resolve(conversation=waiting, by_id=agent.pk, now=timezone.now())
    texts_again(waiting)

    handling.reopen(conversation=waiting, by_id=agent.pk, now=timezone.now())

    assert Wait.objects.filter(answered_at=None).count() == 1
    assert Wait.objects.count() == 2


def test_somebody_else_reopening_does_not_take_back_the_judgement(waiting: Conversation) -> None:
    handling.resolve(conversation=waiting, by_id=factories.user().pk, now=timezone.now())

    handling.reopen(conversation=waiting, by_id=factories.user().pk, now=timezone.now())

    assert fresh(waiting).resolved_at is None
    assert waiting.due_at is None


@pytest.mark.parametrize("put_away", ["resolve", "snooze"])
def test_a_text_brings_a_conversation_back(waiting: Conversation, put_away: str) -> None:
    now = timezone.now()
    if put_away == "resolve":
        handling.resolve(conversation=waiting, by_id=factories.user().pk, now=now)
    else:
        handling.snooze(conversation=waiting, until=now + timedelta(days=3), now=now, by_id=factories.user().pk)

    texts_again(waiting)

    assert (fresh(waiting).resolved_at, waiting.snoozed_until) == (None, None)
    assert waiting.due_at


def test_a_snooze_wakes_at_its_time_and_keeps_the_deadline(waiting: Conversation) -> None:
    now = timezone.now()
    due_at = waiting.due_at
    handling.snooze(conversation=waiting, until=now + timedelta(minutes=10), now=now, by_id=factories.user().pk)

    assert handling.wake(now=now + timedelta(minutes=9)) == 0
    assert handling.wake(now=now + timedelta(minutes=10)) == 1
    assert handling.wake(now=now + timedelta(minutes=10)) == 0
    assert fresh(waiting).snoozed_until is None
    assert waiting.due_at == due_at


@pytest.mark.parametrize("hours", [-1, 0, 24 * 400])
def test_a_time_that_makes_no_sense_is_refused(waiting: Conversation, hours: int) -> None:
    now = timezone.now()
    with pytest.raises(handling.Refused, match="still to come"):
        handling.snooze(conversation=waiting, until=now + timedelta(hours=hours), now=now, by_id=factories.user().pk)


def test_what_is_snoozed_and_then_resolved_does_not_wake(waiting: Conversation) -> None:
    now = timezone.now()
    handling.snooze(conversation=waiting, until=now + timedelta(hours=1), now=now, by_id=factories.user().pk)
    handling.resolve(conversation=waiting, by_id=factories.user().pk, now=now)

    assert handling.wake(now=now + timedelta(days=1)) == 0
    assert fresh(waiting).resolved_at


def test_who_waits_can_not_be_resolved_behind_the_wait_s_back(waiting: Conversation) -> None:
    with pytest.raises(IntegrityError, match="neither_waits_nor_sleeps"), transaction.atomic():
        Conversation.objects.filter(pk=waiting.pk).update(resolved_at=timezone.now())


def test_marking_unread_gives_a_read_conversation_its_weight_back(waiting: Conversation) -> None:
    unread.mark_read(conversation=waiting, up_to=waiting.last_message_id or 0)
    unread.mark_unread(conversation=waiting)
    unread.mark_unread(conversation=waiting)

    assert fresh(waiting).unread == 1


@pytest.mark.parametrize("status", [Status.FAILED, Status.UNKNOWN, Status.BLOCKED, Status.EXPIRED])
def test_a_reply_that_did_not_arrive_opens_a_resolved_conversation(status: Status) -> None:
    conversation = screens.thread(resolved_at=timezone.now())
    message = screens.outgoing(conversation, status=Status.QUEUED)
    decision = sending.decision(message)
    Message.objects.filter(pk=message.pk).update(status=status, status_at=timezone.now(), decision=decision)

    waits.follow([message.pk])

    assert fresh(conversation).resolved_at is None


def test_who_has_not_seen_the_last_text_can_not_call_it_done(waiting: Conversation) -> None:
    seen = waiting.last_message_id
    texts_again(waiting)

    with pytest.raises(waits.WrittenSince, match="written since"):
        handling.resolve(conversation=waiting, by_id=factories.user().pk, now=timezone.now(), up_to=seen)

    assert fresh(waiting).due_at
    assert (waiting.resolved_at, waiting.unread) == (None, 2)


@pytest.mark.parametrize(
    ("status", "waits_again"), [(Status.DELIVERED, False), (Status.FAILED, True), (Status.EXPIRED, True)]
)
def test_sending_and_resolving_answers_the_wait_with_that_reply_if_it_arrives(
    waiting: Conversation, status: Status, waits_again: bool
) -> None:
    agent, due_at = factories.user(), waiting.due_at
    reply = screens.outgoing(waiting, author_id=agent.pk)
    handling.resolve(conversation=waiting, by_id=agent.pk, now=timezone.now())
    assert Wait.objects.get().answered_with == reply

    decision = sending.decision(reply)
    Message.objects.filter(pk=reply.pk).update(status=status, status_at=timezone.now(), decision=decision)
    waits.follow([reply.pk])

    assert Wait.objects.get().ending == ("" if waits_again else Wait.Ending.REPLY)
    assert fresh(waiting).due_at == (due_at if waits_again else None)
    assert (waiting.resolved_at is None) is waits_again


def test_an_answer_is_its_author_s_whoever_resolves_while_it_is_on_its_way(waiting: Conversation) -> None:
    author, colleague = factories.user(), factories.user()
    outbound.send(conversation=waiting, body="Until five.", author_id=author.pk, ref=uuid4(), now=timezone.now())
    resolved = handling.resolve(conversation=waiting, by_id=colleague.pk, now=timezone.now())
    assert (Wait.objects.get().ending, Wait.objects.get().answered_by) == (Wait.Ending.REPLY, author)

    undoing.undo(entry_ids=[entry.pk for entry in resolved], by_id=colleague.pk, now=timezone.now())
    assert Wait.objects.get().answered_at is None


def test_a_cancelled_reply_leaves_its_person_waiting_and_the_list_as_it_was(waiting: Conversation) -> None:
    text, agent = waiting.last_message, factories.user()
    reply = outbound.send(conversation=waiting, body="Later", author_id=agent.pk, ref=uuid4(), now=timezone.now())
    handling.resolve(conversation=waiting, by_id=agent.pk, now=timezone.now())

    assert handling.cancel(message=reply, now=timezone.now())

    assert fresh(waiting).due_at
    assert waiting.last_message == text


def test_a_failure_that_is_told_twice_does_not_open_what_was_resolved_in_between() -> None:
    conversation = screens.thread()
    message = screens.outgoing(conversation, status=Status.FAILED, status_at=timezone.now() - timedelta(hours=1))
    Conversation.objects.filter(pk=conversation.pk).update(resolved_at=timezone.now())

    waits.follow([message.pk])

    assert fresh(conversation).resolved_at


def test_a_dead_sender_s_reply_opens_its_resolved_conversation() -> None:
    conversation = screens.thread(resolved_at=timezone.now() - timedelta(minutes=5))
    message = screens.outgoing(conversation)
    long_ago = timezone.now() - timedelta(minutes=3)
    decision = sending.decision(message)
    Message.objects.filter(pk=message.pk).update(status=Status.SENDING, status_at=long_ago, decision=decision)

    assert overdue.sweep(now=timezone.now()) == 1

    assert fresh(conversation).resolved_at is None
