"""Every deed can be taken back, by whoever did it, and never over what was done since."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from conversations import assigning, blocking, handling, outbound, undoing
from conversations.models import UNTIL_THEY_REPLY, Contact, Conversation, Entry, Message, Wait
from conversations.states import Status
from tests import factories
from tests.conversations import traffic

pytestmark = pytest.mark.django_db
Deed = Callable[[Conversation, int], list[Entry]]


def resolve(conversation: Conversation, by_id: int) -> list[Entry]:
    return handling.resolve(conversation=conversation, by_id=by_id, now=timezone.now())


def no_answer_needed(conversation: Conversation, by_id: int) -> list[Entry]:
    return handling.no_answer_needed(conversation=conversation, by_id=by_id, now=timezone.now())


def snooze(conversation: Conversation, by_id: int) -> list[Entry]:
    return handling.snooze(conversation=conversation, until=UNTIL_THEY_REPLY, by_id=by_id, now=timezone.now())


def assign(conversation: Conversation, by_id: int) -> list[Entry]:
    return assigning.assign(conversation=conversation, to_id=by_id, was_id=None, by_id=by_id, now=timezone.now())


def block(conversation: Conversation, by_id: int) -> list[Entry]:
    return blocking.block(contact=conversation.contact, by_id=by_id, now=timezone.now())


DEEDS = [resolve, no_answer_needed, snooze, assign, block]


def undo(entries: list[Entry], by_id: int, after: timedelta = timedelta()) -> str:
    return undoing.undo(entry_ids=[entry.pk for entry in entries], by_id=by_id, now=timezone.now() + after)


def looks(conversation: Conversation) -> tuple[Any, ...]:
    fields = ("owner", "snoozed_until", "resolved_at", "disposition", "due_at", "contact__blocked_at")
    waits = Wait.objects.filter(conversation=conversation).values_list("opened_by", "answered_at", "ending")
    return (*Conversation.objects.values_list(*fields).get(pk=conversation.pk), *waits)


@pytest.fixture
def waiting() -> Conversation:
    return traffic.conversation("Are you open?")


@pytest.fixture
def agent() -> int:
    return factories.user().pk


@pytest.mark.parametrize("deed", DEEDS)
def test_a_deed_that_is_taken_back_leaves_all_as_it_was(waiting: Conversation, agent: int, deed: Deed) -> None:
    before = looks(waiting)
    entries = deed(waiting, agent)
    assert looks(waiting) != before

    assert undo(entries, agent) == ""

    assert looks(waiting) == before
    assert Entry.objects.latest("pk").facts["undoes"] == entries[0].pk


@pytest.mark.parametrize("deed", DEEDS)
def test_nobody_takes_back_another_s_deed_an_old_one_or_one_twice(
    waiting: Conversation, agent: int, deed: Deed
) -> None:
    entries = deed(waiting, agent)
    for by_id, after in ((factories.user().pk, timedelta()), (agent, timedelta(hours=1))):
        with pytest.raises(handling.Refused, match="nothing was undone"):
            undo(entries, by_id, after)
    undo(entries, agent)
    with pytest.raises(handling.Refused):
        undo(entries, agent)


@pytest.mark.parametrize("deed", [resolve, no_answer_needed, snooze])
def test_what_the_person_has_written_since_stays(waiting: Conversation, agent: int, deed: Deed) -> None:
    entries = deed(waiting, agent)
    traffic.arrive(traffic.text("Hello?"))
    since = looks(waiting)

    with pytest.raises(handling.Refused):
        undo(entries, agent)
    assert looks(waiting) == since


@pytest.mark.parametrize("deed", [resolve, snooze, assign])
def test_what_a_colleague_has_done_since_stays(waiting: Conversation, agent: int, deed: Deed) -> None:
    dana, now = factories.user().pk, timezone.now()
    entries = deed(waiting, agent)
    if deed is assign:
        assigning.assign(conversation=waiting, to_id=dana, was_id=agent, by_id=dana, now=now)
    else:
        handling.snooze(conversation=waiting, until=now + timedelta(days=1), by_id=dana, now=now)
    since = looks(waiting)

    with pytest.raises(handling.Refused):
        undo(entries, agent)
    assert looks(waiting) == since


def test_of_several_those_that_have_changed_are_named(agent: int) -> None:
    one, other = (traffic.conversation(sender=f"+1201555013{n}") for n in range(2))
    Contact.objects.filter(pk=other.contact_id).update(name="Maria")
    entries = resolve(one, agent) + resolve(other, agent)
    traffic.arrive(traffic.text("Wait!", sender=other.contact.phone))

    assert undo(entries, agent) == "Undone, but for 1 that has changed since: Maria"
    one.refresh_from_db()
    assert one.resolved_at is None


def test_waking_by_hand_is_taken_back_unless_they_wrote(waiting: Conversation, agent: int) -> None:
    snooze(waiting, agent)
    undo(handling.unsnooze(conversation=waiting, by_id=agent, now=timezone.now()), agent)
    waiting.refresh_from_db()
    assert waiting.snoozed_until == UNTIL_THEY_REPLY

    woke = handling.unsnooze(conversation=waiting, by_id=agent, now=timezone.now())
    traffic.arrive(traffic.text("Hello?"))
    with pytest.raises(handling.Refused):
        undo(woke, agent)


def test_the_page_is_told_what_it_may_take_back(waiting: Conversation, client: Client) -> None:
    client.force_login(factories.user())
    done = client.post(reverse("conversation-resolve", args=[waiting.pk]), {"up_to": waiting.last_message_id})
    url, named = reverse("undo"), {"entries": done["X-Undo"]}

    assert client.post(url, named).status_code == 204
    waiting.refresh_from_db()
    assert waiting.resolved_at is None
    assert client.post(url, named).status_code == 422
    assert client.post(url, {"entries": "x,,9999999999999999999"}).status_code == 422


# --- A reply -----------------------------------------------------------------------------------------------------


def reply(conversation: Conversation, agent: int) -> Message:
    return outbound.send(
        conversation=conversation,
        body="Yes",
        author_id=agent,
        ref=factories.uuid4(),
        now=timezone.now(),
        delay=timedelta(seconds=5),
    )


def test_a_reply_waits_as_long_as_its_author_may_take_it_back(waiting: Conversation, agent: int) -> None:
    message, now = reply(waiting, agent), timezone.now()

    assert not Message.objects.due("agents", now).exists()
    assert Message.objects.due("agents", now + timedelta(seconds=5)).get() == message
    assert handling.cancel(message=message, now=now)
    assert Wait.objects.get().answered_at is None


def test_undo_that_comes_too_late(waiting: Conversation, agent: int, client: Client) -> None:
    """It says that the reply has left, and leaves it and everything else as it is."""
    message = reply(waiting, agent)
    Message.objects.filter(pk=message.pk).update(status=Status.FAILED)
    client.force_login(factories.user())

    answer = client.post(reverse("message-cancel", args=[message.pk]))

    assert (answer.status_code, "has left already" in answer.content.decode()) == (422, True)
    message.refresh_from_db()
    assert (message.status, message.body) == (Status.FAILED, "Yes")


# --- Numbers that are a nuisance ---------------------------------------------------------------------------------


def test_what_a_blocked_number_writes_is_kept_and_waits_for_nobody(waiting: Conversation, agent: int) -> None:
    block(waiting, agent)
    traffic.arrive(traffic.text("Buy our oil!"), traffic.text("Cheap!"))

    waiting.refresh_from_db()
    assert waiting.messages.filter(direction="in").count() == 3
    assert (waiting.unread, waiting.due_at) == (0, None)
    assert waiting.resolved_at
    assert not Wait.objects.filter(answered_at=None).exists()


def test_what_was_written_to_a_number_for_later_is_not_sent_once_it_is_blocked(
    waiting: Conversation, agent: int
) -> None:
    now = timezone.now()
    outbound.send(
        conversation=waiting,
        body="See you then",
        author_id=agent,
        ref=uuid4(),
        now=now,
        due_at=now + timedelta(hours=1),
    )
    blocked = blocking.block(contact=waiting.contact, by_id=agent, now=now)
    reply = Message.objects.get(author=agent)
    assert reply.status == Status.CANCELLED
    assert Wait.objects.get().ending == Wait.Ending.NO_ANSWER_NEEDED

    undoing.undo(entry_ids=[entry.pk for entry in blocked], by_id=agent, now=now)
    reply.refresh_from_db()
    assert reply.status == Status.CANCELLED
    assert Wait.objects.get().answered_at is None


def test_a_blocked_number_s_stop_is_a_stop(waiting: Conversation, agent: int) -> None:
    block(waiting, agent)
    traffic.arrive(traffic.text("STOP"))

    assert waiting.contact.subject.standings.get().state.is_suppressed
    assert Message.objects.filter(purpose="opt_out_confirmation").exists()


def test_blocking_is_no_opt_out_and_ends_with_unblocking(waiting: Conversation, agent: int) -> None:
    block(waiting, agent)
    assert block(waiting, agent) == []
    assert not waiting.contact.subject.events.filter(kind="revoked").exists()

    blocking.unblock(contact=waiting.contact, by_id=agent, now=timezone.now())
    traffic.arrive(traffic.text("A real question?"))

    waiting.refresh_from_db()
    assert (waiting.resolved_at, waiting.unread) == (None, 1)
    assert waiting.due_at


def test_all_of_a_person_s_conversations_are_blocked_and_taken_back_at_once(waiting: Conversation, agent: int) -> None:
    other = traffic.conversation("And here?", recipient="+12015550199")
    entries = block(other, agent)
    assert Conversation.objects.filter(resolved_at=None).count() == 0

    undo(entries, agent)

    assert Conversation.objects.filter(resolved_at=None, due_at__isnull=False).count() == 2
    assert Entry.objects.filter(kind=Entry.Kind.UNBLOCKED).count() == 2


# --- Out of sight ------------------------------------------------------------------------------------------------


def test_a_snooze_that_never_wakes(waiting: Conversation, agent: int) -> None:
    """There is none: a text wakes, the clock wakes also after an outage, and so does a deadline that passes."""
    now = timezone.now()

    snooze(waiting, agent)
    traffic.arrive(traffic.text("Hello?"))
    assert awake(waiting)

    handling.snooze(conversation=waiting, until=now + timedelta(minutes=5), by_id=agent, now=now)
    assert handling.wake(now=now + timedelta(days=30)) == 1
    assert awake(waiting)
    assert Entry.objects.latest("pk").facts == {"why": "time"}

    snooze(waiting, agent)
    assert handling.wake(now=now) == 0
    assert handling.wake(now=now + timedelta(hours=1)) == 1
    assert awake(waiting)
    assert Entry.objects.latest("pk").facts == {"why": "deadline"}


def test_who_is_late_already_may_be_put_off_and_does_not_wake_at_once(waiting: Conversation, agent: int) -> None:
    later = timezone.now() + timedelta(hours=1)
    handling.snooze(conversation=waiting, until=UNTIL_THEY_REPLY, by_id=agent, now=later)

    assert handling.wake(now=later + timedelta(hours=1)) == 0


def awake(conversation: Conversation) -> bool:
    conversation.refresh_from_db()
    return conversation.snoozed_until is None


def test_waking_nobody_costs_one_query(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(3):  # with its savepoint
        handling.wake(now=timezone.now())


# --- How it ended ------------------------------------------------------------------------------------------------


def test_a_disposition_is_kept_while_it_is_resolved_and_its_name_for_ever(waiting: Conversation, agent: int) -> None:
    about = factories.disposition(name="Billing")
    handling.resolve(conversation=waiting, by_id=agent, now=timezone.now(), disposition_id=about.pk)
    waiting.refresh_from_db()
    assert waiting.disposition == about
    assert Entry.objects.latest("pk").facts["disposition"] == "Billing"

    traffic.arrive(traffic.text("One more thing"))
    waiting.refresh_from_db()
    assert waiting.disposition is None

    handling.resolve(conversation=waiting, by_id=agent, now=timezone.now(), disposition_id=about.pk)
    handling.reopen(conversation=waiting, by_id=agent, now=timezone.now())
    waiting.refresh_from_db()
    assert waiting.disposition is None


def test_a_disposition_that_is_no_longer_offered_is_refused(waiting: Conversation, agent: int) -> None:
    gone = factories.disposition(is_active=False)
    with pytest.raises(handling.Refused, match="no longer in use"):
        handling.resolve(conversation=waiting, by_id=agent, now=timezone.now(), disposition_id=gone.pk)
    waiting.refresh_from_db()
    assert waiting.due_at
