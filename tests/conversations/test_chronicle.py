"""One thread of what was said, noted and done: in order, each on one page, in words, with a fixed number of queries."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from contactcenter.accounts.models import User
from conversations import chronicle, deeds, inbox, notes, timeline
from conversations.models import UNTIL_THEY_REPLY, Conversation, Entry, Note
from tests import factories
from tests.conversations import screens

pytestmark = pytest.mark.django_db
BEGAN = factories.NOON


@pytest.fixture
def ana() -> User:
    return factories.user(username="ana", first_name="Ana", last_name="Ruiz")


@pytest.fixture
def conversation() -> Conversation:
    return factories.conversation()


def after(minutes: float) -> datetime:
    return BEGAN + timedelta(minutes=minutes)


def text(conversation: Conversation, body: str, minutes: float, **fields: Any) -> None:
    at = after(minutes)
    factories.text_from(conversation, body, **{"status_at": at, "occurred_at": at} | fields)


def done(conversation: Conversation, kind: Entry.Kind, minutes: float, by: User | None = None, **facts: Any) -> Entry:
    (entry,) = timeline.record([conversation.pk], kind, at=after(minutes), by_id=by.pk if by else None, **facts)
    return entry


def note(conversation: Conversation, author: User, body: str, minutes: float) -> Note:
    return notes.write(conversation=conversation, author=author, ref=uuid4(), body=body, now=after(minutes))


def told(conversation: Conversation, **asked: Any) -> list[str]:
    """The thread in brief: what was said, (noted), [done]."""
    shown = inbox.conversations().get(pk=conversation.pk)
    lines: list[str] = []
    for item in inbox.thread(shown, now=timezone.now(), **asked).items:
        if isinstance(item, chronicle.Bubble):
            lines.append(item.message.body)
        elif isinstance(item, chronicle.Remark):
            lines.append(f"({item.note.body})")
        else:
            lines += [f"[{deed.entry.kind}]" for deed in item.deeds]
    return lines


# --- In order ----------------------------------------------------------------------------------------------------


def test_what_was_said_noted_and_done_is_one_thread_by_time(conversation: Conversation, ana: User) -> None:
    text(conversation, "Hello?", 0)
    done(conversation, Entry.Kind.ROUTED, 0, team="Billing", rule="Money")
    done(conversation, Entry.Kind.CLAIMED, 2, ana)
    text(conversation, "Are you there?", 3)
    note(conversation, ana, "A regular", 4)
    text(conversation, "Hello??", 5)
    done(conversation, Entry.Kind.RESOLVED, 6, ana)

    assert told(conversation) == [
        "Hello?", "[routed]", "[claimed]", "Are you there?", "(A regular)", "Hello??", "[resolved]"
    ]  # fmt: skip


def test_a_text_that_came_late_stands_where_people_first_saw_it(conversation: Conversation, ana: User) -> None:
    text(conversation, "Hello?", 0)
    note(conversation, ana, "Still no answer", 10)
    text(conversation, "I am here", 12, occurred_at=after(5))

    assert told(conversation) == ["Hello?", "(Still no answer)", "I am here"]


def test_what_begins_a_conversation_stands_before_its_first_message(conversation: Conversation, ana: User) -> None:
    text(conversation, "Hello", 0)
    done(conversation, Entry.Kind.STARTED, 0, ana)

    assert told(conversation) == ["[started]", "Hello"]


def test_a_conversation_without_messages_has_its_notes_and_deeds(conversation: Conversation, ana: User) -> None:
    done(conversation, Entry.Kind.BLOCKED, 0, ana)
    note(conversation, ana, "Call them instead", 1)

    assert told(conversation) == ["[blocked]", "(Call them instead)"]


def test_each_note_and_deed_is_on_exactly_one_page(conversation: Conversation, ana: User, monkeypatch) -> None:
    monkeypatch.setattr(inbox, "MESSAGES", 2)
    monkeypatch.setattr(inbox, "MESSAGES_AT_MOST", 4)
    note(conversation, ana, "before all", -1)
    for n in range(8):
        text(conversation, f"text {n}", 10 * n)
        note(conversation, ana, f"note {n}", 10 * n)
        done(conversation, Entry.Kind.SNOOZED, 10 * n + 5, ana)
    shown, now = inbox.conversations().get(pk=conversation.pk), timezone.now()

    latest = inbox.thread(shown, now=now)
    grown = inbox.thread(shown, now=now, since=latest.earlier)
    older = inbox.thread(shown, now=now, before=grown.earlier)
    oldest = inbox.thread(shown, now=now, before=older.earlier)

    expected = ["(before all)"]
    for n in range(8):
        expected += [f"text {n}", f"(note {n})", "[snoozed]"]
    assert told(conversation) == expected[-6:]
    assert told(conversation, since=latest.earlier) == expected[-12:]
    assert grown.is_full
    pages = [told(conversation, before=page) for page in (older.earlier, grown.earlier)]
    assert pages[0] + pages[1] + expected[-12:] == expected
    assert oldest.earlier is None


def test_a_day_is_named_once_whatever_begins_it(conversation: Conversation, ana: User) -> None:
    with timezone.override("America/New_York"):
        text(conversation, "Hello?", 0)
        done(conversation, Entry.Kind.CLAIMED, 1, ana)
        done(conversation, Entry.Kind.RETURNED, 60 * 24, why="off_shift", was="Ana Ruiz")
        text(conversation, "Hello??", 60 * 24 + 1)
        items = inbox.thread(inbox.conversations().get(pk=conversation.pk), now=timezone.now()).items

    assert [(item.kind, bool(item.day)) for item in items] == [
        ("bubble", True), ("deeds", False), ("deeds", True), ("bubble", False)
    ]  # fmt: skip


def test_bubbles_share_a_line_only_where_nothing_stands_between_them(conversation: Conversation, ana: User) -> None:
    for n in range(4):
        text(conversation, str(n), n)
    note(conversation, ana, "In between", 1.5)
    shown = inbox.conversations().get(pk=conversation.pk)

    assert [bubble.is_last for bubble in inbox.thread(shown, now=timezone.now()).bubbles] == [False, True, False, True]


def test_a_long_run_of_deeds_is_folded_to_its_last_two(client: Client, conversation: Conversation, ana: User) -> None:
    for n in range(6):
        done(conversation, Entry.Kind.SNOOZED if n % 2 == 0 else Entry.Kind.WOKE, n, ana)
    client.force_login(ana)

    (run,) = inbox.thread(inbox.conversations().get(pk=conversation.pk), now=timezone.now()).items
    assert isinstance(run, chronicle.Run)
    assert (len(run.folded), len(run.shown)) == (4, 2)
    page = client.get(reverse("conversation-thread", args=[conversation.pk])).content.decode()
    assert "4 earlier steps" in page
    assert page.count('class="evt"') == 6


@pytest.mark.parametrize("count", [0, 1, 40])
def test_the_thread_costs_the_same_for_any_number_of_notes_and_deeds(
    conversation: Conversation, ana: User, count: int, django_assert_max_num_queries
) -> None:
    text(conversation, "Hello?", 0)
    colleagues = [factories.user(username=f"colleague{n}") for n in range(count)]
    for n, colleague in enumerate(colleagues):
        note(conversation, colleague, f"@ana @colleague{(n + 1) % count} look", n)
        done(conversation, Entry.Kind.CLAIMED, n, colleague)
    shown = inbox.conversations().get(pk=conversation.pk)

    with django_assert_max_num_queries(9):
        for item in inbox.thread(shown, now=timezone.now(), reader_id=ana.pk).items:
            if isinstance(item, chronicle.Remark):
                assert all(mention.user.username for mention in item.called)
            if isinstance(item, chronicle.Run):
                assert all(deed.words for deed in item.deeds)


def test_a_machine_s_deeds_do_not_grow_a_thread_without_end(conversation: Conversation, monkeypatch) -> None:
    monkeypatch.setattr(chronicle, "AT_MOST", 3)
    text(conversation, "Hello?", 0)
    for n in range(5):
        done(conversation, Entry.Kind.SNOOZED, n, owner=str(n))

    (_, run) = inbox.thread(inbox.conversations().get(pk=conversation.pk), now=timezone.now()).items
    assert isinstance(run, chronicle.Run)
    assert [deed.entry.facts["owner"] for deed in run.deeds] == ["2", "3", "4"], "the newest"


# --- In words ----------------------------------------------------------------------------------------------------

BEN = {"owner": "Ben Tal", "owner_id": 1}
WORDS: list[tuple[Entry.Kind, bool, dict[str, Any], str]] = [
    (Entry.Kind.ROUTED, False, {"team": "Billing", "rule": "Money"}, "Routed to Billing by “Money”"),
    (Entry.Kind.ROUTED, False, {"team": "Billing"}, "Routed to Billing"),
    (Entry.Kind.ROUTED, False, {"team": "", "rule": ""}, "Left to everybody: its team is no more"),
    (Entry.Kind.GIVEN, False, BEN, "Given to Ben Tal"),
    (Entry.Kind.CLAIMED, True, {"owner": "Ana Ruiz"}, "Ana Ruiz claimed this"),
    (Entry.Kind.CLAIMED, True, {"was": "Ben Tal"}, "Ana Ruiz took this over from Ben Tal"),
    (Entry.Kind.ASSIGNED, True, BEN, "Ana Ruiz assigned this to Ben Tal"),
    (Entry.Kind.ASSIGNED, False, BEN, "Assigned to Ben Tal"),
    (
        Entry.Kind.ASSIGNED, True, BEN | {"was": "Cleo Day"},
        "Ana Ruiz assigned this to Ben Tal, who takes over from Cleo Day",
    ),
    (Entry.Kind.ASSIGNED, True, {"undoes": 7}, "Ana Ruiz undid the change of owner"),
    (Entry.Kind.TRANSFERRED, True, BEN, "Ana Ruiz transferred this to Ben Tal"),
    (Entry.Kind.TRANSFERRED, True, {"team": "Billing"}, "Ana Ruiz transferred this to Billing"),
    (Entry.Kind.TRANSFERRED, True, BEN | {"team": "Billing"}, "Ana Ruiz transferred this to Ben Tal (Billing)"),
    (Entry.Kind.TRANSFERRED, True, {}, "Ana Ruiz transferred this to everybody"),
    (Entry.Kind.TRANSFERRED, True, {"undoes": 7}, "Ana Ruiz undid the transfer"),
    (Entry.Kind.RETURNED, True, {"was": "Ana Ruiz"}, "Ana Ruiz returned this to the queue"),
    (Entry.Kind.RETURNED, True, {"was": "Ben Tal"}, "Ana Ruiz returned this from Ben Tal to the queue"),
    (
        Entry.Kind.RETURNED, False, {"was": "Ben Tal", "why": "off_shift"},
        "Returned to the queue: Ben Tal went off shift",
    ),
    (Entry.Kind.RETURNED, False, {"was": "Ben Tal", "why": "idle"}, "Returned to the queue: Ben Tal was idle"),
    (
        Entry.Kind.RETURNED, False, {"was": "Ben Tal", "why": "left"},
        "Returned to the queue: Ben Tal no longer answers here",
    ),
    (Entry.Kind.RETURNED, False, {}, "Returned to the queue"),
    (Entry.Kind.RETURNED, True, {"undoes": 7}, "Ana Ruiz undid the claim"),
    (Entry.Kind.SNOOZED, True, {"until": UNTIL_THEY_REPLY.isoformat()}, "Ana Ruiz snoozed this until they reply"),
    (Entry.Kind.SNOOZED, False, {"until": "2024-11-20T13:00:00+00:00"}, "Snoozed until Nov 20, 2024, 8:00 AM"),
    (Entry.Kind.SNOOZED, True, {"undoes": 7}, "Ana Ruiz undid the waking: snoozed again"),
    (Entry.Kind.WOKE, True, {}, "Ana Ruiz woke this"),
    (Entry.Kind.WOKE, False, {"why": "time"}, "Awake again: the snooze is over"),
    (Entry.Kind.WOKE, False, {"why": "deadline"}, "Awake again: its deadline passed"),
    (Entry.Kind.WOKE, True, {"undoes": 7}, "Ana Ruiz undid the snooze"),
    (Entry.Kind.RESOLVED, True, {}, "Ana Ruiz resolved this"),
    (Entry.Kind.RESOLVED, True, {"disposition": "Sale"}, "Ana Ruiz resolved this as “Sale”"),
    (Entry.Kind.RESOLVED, False, {"disposition": "Sale"}, "Resolved as “Sale”"),
    (Entry.Kind.REOPENED, True, {}, "Ana Ruiz reopened this"),
    (Entry.Kind.REOPENED, True, {"undoes": 7}, "Ana Ruiz undid that: open again"),
    (Entry.Kind.NO_ANSWER_NEEDED, True, {}, "Ana Ruiz: no answer needed"),
    (Entry.Kind.TAGGED, True, {"added": "100% Vip", "tag_id": 1}, "Ana Ruiz added the tag 100% Vip"),
    (Entry.Kind.TAGGED, True, {}, "Ana Ruiz changed the tags"),
    (Entry.Kind.TAGGED, True, {"undoes": 7}, "Ana Ruiz undid the tag"),
    (Entry.Kind.BREACHED, False, {"due": "2024-11-20T13:00:00+00:00"}, "The deadline passed without an answer"),
    (Entry.Kind.ESCALATED, False, {"due": "2024-11-20T13:00:00+00:00"}, "Escalated: still without an answer"),
    (Entry.Kind.BLOCKED, True, {}, "Ana Ruiz blocked this number"),
    (Entry.Kind.UNBLOCKED, True, {}, "Ana Ruiz unblocked this number"),
    (Entry.Kind.UNBLOCKED, True, {"undoes": 7}, "Ana Ruiz undid the block"),
    (Entry.Kind.STARTED, True, {}, "Ana Ruiz began this conversation"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "by_ana", "facts", "words"), WORDS)
def test_a_deed_in_words(ana: User, kind: Entry.Kind, by_ana: bool, facts: dict[str, Any], words: str) -> None:
    entry = Entry(kind=kind, by=ana if by_ana else None, at=BEGAN, facts=facts)

    with timezone.override("America/New_York"):
        assert deeds.sentence(entry) == words


@pytest.mark.parametrize("kind", Entry.Kind)
@pytest.mark.parametrize("undoes", [{}, {"undoes": 1}])
def test_every_kind_of_deed_has_words_whatever_is_known_of_it(kind: Entry.Kind, undoes: dict[str, Any]) -> None:
    words = deeds.sentence(Entry(kind=kind, at=BEGAN, facts=undoes))

    assert words
    assert "None" not in words
    assert words == words.strip()


def test_what_people_do_is_told_in_the_thread(client: Client, ana: User) -> None:
    factories.present(ana)
    client.force_login(ana)
    conversation = screens.thread()
    for name, data in (
        ("conversation-assign", {"owner": ana.pk, "was": ""}),
        ("conversation-snooze", {"until": "reply"}),
        ("conversation-snooze", {}),
        ("conversation-resolve", {"up_to": "9" * 18}),
        ("conversation-reopen", {}),
    ):
        assert client.post(reverse(name, args=[conversation.pk]), data).status_code == 204

    thread = client.get(reverse("conversation-thread", args=[conversation.pk])).content.decode()
    lines = ["claimed this", "snoozed this until they reply", "woke this", "resolved this", "reopened this"]
    places = [thread.find(f"Ana Ruiz {line} ·") for line in lines]
    assert places == sorted(places)
    assert places[0] > 0
