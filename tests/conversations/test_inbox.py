"""What the inbox reads of one conversation: pages, fixed numbers of queries, keys that change when the screen does."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from consent import ledger, policy, reasons, telling
from consent.models import Hold
from consent.purposes import Category, Kind, Level, Purpose, Source, Verdict
from conversations import inbox, live, unread, wording
from conversations.models import Conversation, Line
from conversations.states import Status
from tests import factories
from tests.conversations import screens

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("count", [3, 60])
def test_thread_and_panel_cost_a_fixed_number_of_queries(count: int, django_assert_num_queries) -> None:
    conversation = screens.thread()
    for _ in range(count):
        screens.outgoing(conversation, status=Status.FAILED, error_code="1000")
        screens.stop(conversation)

    with django_assert_num_queries(15):
        shown = inbox.conversations().get(pk=conversation.pk)
        thread = inbox.thread(shown, now=timezone.now())
        for bubble in thread.bubbles:
            assert bubble.state
            assert bubble.message.may_retry in {True, False}
        panel = inbox.panel(shown, now=timezone.now())
        assert panel.revocation or thread.objection


@pytest.fixture
def short_pages(monkeypatch) -> None:
    monkeypatch.setattr(inbox, "MESSAGES", 3)
    monkeypatch.setattr(inbox, "MESSAGES_AT_MOST", 5)


def said(thread: inbox.Thread) -> list[str]:
    return [bubble.message.body for bubble in thread.bubbles]


def test_a_thread_shows_its_last_messages_and_grows_backwards(short_pages) -> None:
    conversation = screens.thread(*"abcdefgh")
    shown, now = inbox.conversations().get(pk=conversation.pk), timezone.now()

    latest = inbox.thread(shown, now=now)
    longer = inbox.thread(shown, now=now, since=latest.earlier)

    assert said(latest) == ["f", "g", "h"]
    assert said(longer) == ["d", "e", "f", "g", "h"], "as many as a thread may grow to"
    assert (latest.is_full, longer.is_full) == (False, True)


def test_what_is_older_than_a_full_thread_has_pages_of_its_own(short_pages) -> None:
    conversation = screens.thread(*"abcdefgh")
    shown, now = inbox.conversations().get(pk=conversation.pk), timezone.now()
    full = inbox.thread(shown, now=now, since=inbox.thread(shown, now=now).earlier)

    earlier = inbox.thread(shown, now=now, before=full.earlier)

    assert said(earlier) == ["a", "b", "c"]
    assert earlier.earlier is None
    assert not earlier.is_latest


def test_a_page_that_asks_from_its_first_message_on_loses_none_when_one_arrives(short_pages) -> None:
    conversation = screens.thread(*"abc")
    shown, now = inbox.conversations().get(pk=conversation.pk), timezone.now()
    first = inbox.thread(shown, now=now).first_id

    factories.text_from(conversation, "d")

    assert said(inbox.thread(shown, now=now, since=first)) == ["a", "b", "c", "d"]


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
    before = inbox.key(conversation.pk, now=now)
    assert inbox.key(conversation.pk, now=now) == before

    change(conversation)

    assert inbox.key(conversation.pk, now=now) != before


def test_there_is_no_key_for_a_conversation_that_is_not_there() -> None:
    assert inbox.key(0, now=timezone.now()) is None


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

    assert inbox.thread(shown, now=timezone.now()).objection == str(reasons.REASONS["opted_out"])
    assert not panel.may_be_texted
    assert panel.revocation is not None
    assert telling.source(panel.revocation) == "STOP"


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
    assert codes <= set(reasons.REASONS)


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

    changed_nothing = "email" if (kind, source) == (Kind.CONFIRMED, Source.EMAIL) else "changed nothing"
    assert changed_nothing in telling.event(event)
    assert telling.source(event)


@pytest.mark.parametrize("purpose", [purpose for purpose in Purpose if purpose != Purpose.REPLY])
def test_what_the_system_sends_is_labelled_automatic(purpose: Purpose) -> None:
    assert "automatic" in wording.label(screens.outgoing(screens.thread(), purpose=purpose, author_id=None))


def test_somebody_who_never_wrote_may_not_be_answered() -> None:
    conversation = factories.conversation()
    shown = inbox.conversations().get(pk=conversation.pk)

    assert inbox.consent_of(shown, now=timezone.now()).ruling.verdict == Verdict.BLOCKED


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(59, "due now"), (-59, "due now"), (61, "1 min left"), (-7300, "2 h over"), (90_000, "1 d left")],
)
def test_deadlines_are_said_as_people_say_them(seconds: int, words: str) -> None:
    assert wording.deadline(seconds) == words


def test_the_panel_says_of_each_program_whether_they_agreed() -> None:
    conversation = screens.thread()
    brand = conversation.line.brand
    reminders = factories.program(brand=brand, name="Reminders")
    factories.program(brand=brand, name="Offers", consent_level=Level.WRITTEN)
    factories.program(brand=brand, name="Talk", consent_level=Level.CONVERSATIONAL)
    factories.program(brand=brand, name="Retired", is_active=False)
    screens.grant(conversation, reminders)

    def permissions() -> dict[str, str]:
        shown = inbox.conversations().get(pk=conversation.pk)
        return {name: permission for name, permission, _ in inbox.panel(shown, now=timezone.now()).permissions}

    assert permissions() == {"Reminders": "opted_in", "Offers": "no_consent", "Talk": "when_they_write"}
    screens.stop(conversation)
    assert set(permissions().values()) == {"opted_out"}


def test_the_panel_leads_to_the_person_s_conversations_on_other_lines() -> None:
    conversation = screens.thread()
    other = screens.thread(contact=conversation.contact)

    shown = inbox.conversations().get(pk=conversation.pk)

    assert [one.pk for one in inbox.panel(shown, now=timezone.now()).others] == [other.pk]


@pytest.mark.parametrize(
    ("phone", "zone", "clocks"),
    [
        ("+12125550100", "", [("America/New_York", "12:00 PM")]),
        ("+12125550100", "Europe/Paris", [("Europe/Paris", "6:00 PM")]),
        ("+18005550100", "", []),  # from anywhere
        ("24273", "", []),
    ],
)
def test_the_clock_where_a_person_is_goes_by_what_is_known_of_them(phone: str, zone: str, clocks: list[str]) -> None:
    contact = factories.contact(phone=phone, time_zone=zone)

    assert wording.clocks(contact, factories.NOON) == clocks


def test_a_message_for_later_says_when_and_one_that_is_tried_again_says_why() -> None:
    conversation = screens.thread()
    later = screens.outgoing(conversation, due_at=timezone.now() + timedelta(hours=3))
    again = screens.outgoing(conversation, due_at=timezone.now() + timedelta(minutes=3), error_detail="Too busy")

    assert wording.state(later).words.startswith("Scheduled for")
    assert wording.state(again).words == "Queued, trying again: Too busy"


NOON_THERE = factories.NOON  # a Monday; noon in New York


@pytest.mark.parametrize(
    ("hours_later", "postal_code", "noted", "words"),
    [
        (0, "10001", "", "until Mon 8:00 PM there"),
        (10, "10001", "", "from Tue 9:00 AM there"),
        (8, "", "", "from Tue 10:00 AM"),  # Eastern or Central, so on the center's clock: closed where it is 8 PM first
        (-1, "10001", "America/Los_Angeles", "from Mon 9:00 AM there"),  # though it is 11 AM where they live
        (0, "10001", "America/Los_Angeles", "until Mon 5:00 PM there"),  # when it is 8 PM where they live
    ],
)
def test_the_panel_says_until_or_from_when_an_offer_may_go(
    hours_later: int, postal_code: str, noted: str, words: str
) -> None:
    contact = factories.contact("+18505550123", postal_code=postal_code, time_zone=noted)
    shown = factories.conversation(contact=contact)
    offers = factories.program(
        brand=shown.line.brand, category=Category.PROMOTIONAL, consent_level=Level.WRITTEN, name="Offers"
    )
    report = ledger.Report(
        phone=contact.phone, brand_id=offers.brand_id, program_id=offers.pk, kind=Kind.GRANTED, source=Source.PAPER,
        occurred_at=NOON_THERE - timedelta(days=1), level=Level.WRITTEN,
    )  # fmt: skip
    ledger.record(report=report, now=NOON_THERE)
    with timezone.override("America/New_York"):
        panel = inbox.panel(shown, now=NOON_THERE + timedelta(hours=hours_later))
        assert panel.permissions == [("Offers", "opted_in", words)]
