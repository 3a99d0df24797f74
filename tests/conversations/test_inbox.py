"""The inbox's read module: order, pages, constant numbers of queries, keys that change when the screen does."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from consent import policy
from consent.models import Hold
from consent.purposes import Kind, Purpose, Source, Verdict
from conversations import inbox, live, unread, wording
from conversations.models import Conversation, Line
from conversations.states import Status
from tests import factories
from tests.conversations import screens

pytestmark = pytest.mark.django_db


def names(page: inbox.Rows) -> list[str]:
    return [row.contact.name for row in page.rows]


def named(name: str) -> dict[str, object]:
    return {"contact": factories.contact(name=name)}


def test_who_waits_comes_first_by_deadline_and_the_rest_newest_first() -> None:
    screens.thread(ago=timedelta(hours=2), **named("older"))
    screens.waiting(minutes=30, **named("due later"))
    screens.thread(ago=timedelta(hours=1), **named("newer"))
    screens.waiting(minutes=-5, **named("overdue"))

    assert names(inbox.rows()) == ["overdue", "due later", "newer", "older"]


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
def test_pages_together_show_every_row_once_even_when_times_tie(limit: int) -> None:
    line, now = factories.line(), timezone.now()
    for number in range(8):
        screens.thread(line=line, contact=factories.contact(name=str(number)))
    Conversation.objects.update(last_message_at=now)
    Conversation.objects.filter(contact__name__in="0123").update(due_at=now)

    seen: list[str] = []
    page = inbox.rows(limit=limit)
    seen += names(page)
    while page.next is not None:
        page = inbox.rows(after=inbox.Place.parse(str(page.next)), limit=limit)
        seen += names(page)

    assert sorted(seen) == list("01234567")
    assert seen == names(inbox.rows(limit=8))


@pytest.mark.parametrize(
    "text", ["", "x_20260101T000000.000000+0000_1", "w_yesterday_1", "w_20260101T000000.0+0000", "w__1"]
)
def test_a_place_that_nobody_wrote_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        inbox.Place.parse(text)


@pytest.mark.parametrize("count", [3, 60])
def test_the_list_costs_two_queries_however_long_it_is(count: int, django_assert_num_queries) -> None:
    line = factories.line()
    for _ in range(count):
        screens.thread(line=line)

    with django_assert_num_queries(2):
        page = inbox.rows()
        for row in page.rows:
            assert str(row.contact)
            assert row.line.name
            assert row.last_message
            assert row.last_message.body
    with django_assert_num_queries(2):
        inbox.list_key()


@pytest.mark.parametrize("count", [3, 60])
def test_thread_and_panel_cost_a_fixed_number_of_queries(count: int, django_assert_num_queries) -> None:
    conversation = screens.thread()
    for _ in range(count):
        screens.outgoing(conversation, status=Status.FAILED, error_code="1000")
        screens.stop(conversation)

    with django_assert_num_queries(9):
        shown = inbox.conversations().get(pk=conversation.pk)
        thread = inbox.thread(shown, now=timezone.now())
        for bubble in thread.bubbles:
            assert bubble.state
            assert bubble.message.may_retry in {True, False}
        panel = inbox.panel(shown, now=timezone.now())
        assert panel.revocation or thread.objection


def test_a_thread_shows_its_last_messages_and_earlier_ones_before_an_id() -> None:
    conversation = screens.thread(*(f"text {number}" for number in range(7)))
    shown = inbox.conversations().get(pk=conversation.pk)

    latest = inbox.thread(shown, now=timezone.now(), limit=3)
    earlier = inbox.thread(shown, now=timezone.now(), limit=3, before=latest.earlier)
    first = inbox.thread(shown, now=timezone.now(), limit=3, before=earlier.earlier)

    assert [bubble.message.body for bubble in latest.bubbles] == ["text 4", "text 5", "text 6"]
    assert [bubble.message.body for bubble in earlier.bubbles] == ["text 1", "text 2", "text 3"]
    assert [bubble.message.body for bubble in first.bubbles] == ["text 0"]
    assert first.earlier is None


def test_bubbles_of_one_sender_close_together_share_one_line_and_a_day_is_named_once() -> None:
    conversation = screens.thread("one", "two")
    shown = inbox.conversations().get(pk=conversation.pk)

    first, second = inbox.thread(shown, now=timezone.now()).bubbles

    assert (first.day is not None, first.is_last) == (True, False)
    assert (second.day, second.is_last) == (None, True)


def test_a_failed_message_keeps_its_own_line_with_what_to_do() -> None:
    conversation = screens.thread("one")
    for _ in range(2):
        screens.outgoing(conversation, status=Status.FAILED, error_code="1000", author_id=factories.user().pk)
    shown = inbox.conversations().get(pk=conversation.pk)

    assert all(bubble.is_last for bubble in inbox.thread(shown, now=timezone.now()).bubbles)


def a_new_version(conversation: Conversation) -> None:
    live.changed([conversation.pk])


def a_stop(conversation: Conversation) -> None:
    screens.stop(conversation)


def a_paused_line(conversation: Conversation) -> None:
    Line.objects.filter(pk=conversation.line_id).update(paused_at=timezone.now(), paused_reason="401")


def a_hold(conversation: Conversation) -> None:
    subject = conversation.contact.subject
    Hold.objects.create(phone=subject.phone, phone_hash=subject.phone_hash, reason="unreadable")


@pytest.mark.parametrize("change", [a_new_version, a_stop, a_paused_line, a_hold])
def test_the_key_of_a_thread_changes_with(change) -> None:
    conversation, now = screens.thread(), timezone.now()
    before = inbox.thread_key(conversation.pk, now=now)
    assert inbox.thread_key(conversation.pk, now=now) == before

    change(conversation)

    assert inbox.thread_key(conversation.pk, now=now) != before


def test_there_is_no_key_for_a_conversation_that_is_not_there() -> None:
    assert inbox.thread_key(0, now=timezone.now()) is None


def test_the_version_never_falls_when_the_conversation_or_the_standing_changes() -> None:
    conversation = screens.thread()
    versions = [inbox.version(inbox.conversations().get(pk=conversation.pk))]
    for change in (a_stop, a_new_version, a_stop):
        change(conversation)
        versions.append(inbox.version(inbox.conversations().get(pk=conversation.pk)))

    assert versions == sorted(set(versions))


def test_after_a_stop_the_thread_says_why_no_reply_is_possible_and_the_panel_by_what() -> None:
    conversation = screens.thread()
    screens.stop(conversation)
    shown = inbox.conversations().get(pk=conversation.pk)

    panel = inbox.panel(shown, now=timezone.now())

    assert inbox.thread(shown, now=timezone.now()).objection == str(wording.REASONS["opted_out"])
    assert not panel.may_be_texted
    assert panel.revocation is not None
    assert wording.source(panel.revocation) == "STOP"


def test_reading_leaves_unread_what_came_after_the_glance() -> None:
    conversation = screens.thread("one", "two", "three")
    seen = conversation.messages.get(body="two")

    assert unread.mark_read(conversation=conversation, up_to=seen.pk)
    conversation.refresh_from_db()
    assert (conversation.unread, conversation.version) == (1, 1)

    assert not unread.mark_read(conversation=conversation, up_to=seen.pk)
    conversation.refresh_from_db()
    assert (conversation.unread, conversation.version) == (1, 1)


def test_every_reason_of_the_policy_has_words() -> None:
    source = Path(policy.__file__).read_text()
    codes = set(re.findall(r'"([a-z]+(?:_[a-z]+)+)"', source))

    assert len(codes) > 10
    assert codes <= set(wording.REASONS)


@pytest.mark.parametrize("status", [status for status in Status if status != Status.RECEIVED])
def test_every_state_is_said_in_words(status: Status) -> None:
    message = screens.outgoing(screens.thread())
    message.status = status

    state = wording.state(message)

    assert state.words
    assert state.icon


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("source", list(Source))
def test_every_event_is_said_in_words(kind: Kind, source: Source) -> None:
    event = inbox.ConsentEvent(kind=kind, source=source, effect="nothing", body="{}")

    assert "changed nothing" in wording.event(event)
    assert wording.source(event)


@pytest.mark.parametrize("purpose", [purpose for purpose in Purpose if purpose != Purpose.REPLY])
def test_what_the_system_sends_is_labelled_automatic(purpose: Purpose) -> None:
    assert "automatic" in wording.label(screens.outgoing(screens.thread(), purpose=purpose, author_id=None))


def test_somebody_who_never_wrote_may_not_be_answered() -> None:
    conversation = factories.conversation()
    shown = inbox.conversations().get(pk=conversation.pk)

    assert inbox.ruling(shown, now=timezone.now()).verdict == Verdict.BLOCKED


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(59, "due now"), (-59, "due now"), (61, "1 min left"), (-7300, "2 h over"), (90_000, "1 d left")],
)
def test_deadlines_are_said_as_people_say_them(seconds: int, words: str) -> None:
    assert wording.deadline(seconds) == words
