"""Notes: what colleagues say to each other, whom they call, and that nobody is called in vain."""

from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from contactcenter.accounts.models import Role, User
from conversations import live, marking, notes
from conversations.models import Conversation, Mention, Message, Note
from tests import factories
from tests.conversations import screens, traffic

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana() -> User:
    return factories.user(username="ana", first_name="Ana", last_name="Ruiz")


@pytest.fixture
def ben() -> User:
    return factories.user(username="ben.t", first_name="Ben", last_name="Tal")


def write(conversation: Conversation, author: User, body: str, **fields: Any) -> Note:
    return notes.write(
        conversation=conversation, author=author, body=body, **{"ref": uuid4(), "now": timezone.now()} | fields
    )


def called(note: Note) -> set[str]:
    return set(note.mentions.values_list("user__username", flat=True))


# --- Complaints --------------------------------------------------------------------------------------------------


def test_a_mention_nobody_sees(client: Client, ana: User, ben: User) -> None:
    """Called while elsewhere or at home: it is counted and listed until they have opened the conversation."""
    conversation = screens.thread("Can my insurance pay for this?")
    write(conversation, ana, "@ben.t you know their insurer, what do you think?")
    client.force_login(ben)

    elsewhere = client.get(reverse("inbox")).content.decode()
    listed = client.get(reverse("mentions")).content.decode()
    assert 'data-called="1"' in elsewhere
    assert "you know their insurer" in listed.split("Seen")[0]

    client.get(reverse("conversation", args=[conversation.pk]))
    assert notes.unseen(ben.pk, fresh=True) == 1, "no page that is merely fetched says that somebody looked"
    client.post(reverse("notes-seen", args=[conversation.pk]), {"up_to": Note.objects.latest("pk").pk})

    assert notes.unseen(ben.pk, fresh=True) == 0
    assert 'data-called="0"' in client.get(reverse("inbox")).content.decode()
    listed = client.get(reverse("mentions")).content.decode()
    assert "you know their insurer" in listed, "what was seen can be found again"


def test_a_mention_nobody_sees_of_somebody_who_is_switched_off_is_refused(ana: User) -> None:
    factories.user(username="cleo", first_name="Cleo", last_name="Gone", is_active=False)

    for name in ("@cleo", "@Cleo Gone"):
        with pytest.raises(notes.CannotNote, match="Cleo Gone was switched off"):
            write(screens.thread(), ana, f"{name}, please look")
    assert not Note.objects.exists()


@pytest.mark.parametrize("body", ["@bne please look", "Ask @ben.t2", "(@Anna)"])
def test_a_mention_nobody_sees_of_somebody_who_is_not_there_is_refused(ana: User, ben: User, body: str) -> None:
    with pytest.raises(notes.CannotNote, match="Nobody here is called @"):
        write(screens.thread(), ana, body)


def test_a_mention_nobody_sees_of_one_of_two_with_the_same_name_is_asked_about(ana: User, ben: User) -> None:
    factories.user(username="ana2", first_name="Ana", last_name="Ruiz")

    with pytest.raises(notes.CannotNote, match=r"@ana2?, @ana2?"):
        write(screens.thread(), ben, "@Ana Ruiz please look")
    assert called(write(screens.thread(), ben, "@ana2 please look")) == {"ana2"}


# --- Writing -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ("@ana and @ben.t: look", {"ana", "ben.t"}),
        ("@BEN.T. And @Ana Ruiz!", {"ana", "ben.t"}),
        ("@ana @ana (@ana)", {"ana"}),
        ("@ana's idea", {"ana"}),
        ("@ana  ruiz", {"ana"}),
        ("@cleo is me", set()),
        ("Write to ana@ana or https://chat.example/@ana", set()),
        ("Meet @ 5pm, or @9", set()),
    ],
)
def test_whom_a_note_calls(ana: User, ben: User, body: str, names: set[str]) -> None:
    author = factories.user(username="cleo")

    assert called(write(screens.thread(), author, body)) == names


@pytest.mark.parametrize("role", Role)
def test_everybody_who_opens_the_inbox_can_be_called(ana: User, role: Role) -> None:
    colleague = factories.user(role, username="somebody")

    write(screens.thread(), ana, "@somebody look")

    assert notes.unseen(colleague.pk, fresh=True) == 1


def test_a_note_is_never_sent_and_answers_nobody(ana: User) -> None:
    conversation = traffic.conversation()
    Conversation.objects.filter(pk=conversation.pk).update(snoozed_until=timezone.now())
    conversation.refresh_from_db()
    before = {name: getattr(conversation, name) for name in WHAT_THE_PERSON_SEES_TO}
    assert before["due_at"]

    write(conversation, ana, "They are right, I think.")

    conversation.refresh_from_db()
    assert {name: getattr(conversation, name) for name in WHAT_THE_PERSON_SEES_TO} == before
    assert not Message.objects.filter(direction="out").exists()
    assert conversation.waits.get().answered_at is None


WHAT_THE_PERSON_SEES_TO = (
    "due_at",
    "unread",
    "owner_id",
    "last_message_id",
    "last_message_at",
    "snoozed_until",
    "resolved_at",
    "wrote_at",
)


def test_a_note_is_written_once_however_often_it_is_sent(ana: User, ben: User) -> None:
    conversation, ref = screens.thread(), uuid4()

    first, second = (write(conversation, ana, " @ben.t look ", ref=ref) for _ in range(2))

    assert first == second
    assert Mention.objects.count() == 1
    for other in ({"body": "Something else"}, {"conversation": screens.thread()}, {"author": ben}):
        with pytest.raises(notes.CannotNote, match="Another note"):
            write(**{"conversation": conversation, "author": ana, "body": "@ben.t look", "ref": ref} | other)


@pytest.mark.parametrize(
    ("body", "words"), [(" \n\x00", "write something first"), ("x" * 4001, "4001 characters; a note may have 4000")]
)
def test_what_can_be_no_note_is_refused_with_what_to_do(ana: User, body: str, words: str) -> None:
    with pytest.raises(notes.CannotNote, match=words):
        write(screens.thread(), ana, body)


def test_card_and_social_security_numbers_never_reach_the_disk(ana: User) -> None:
    note = write(screens.thread(), ana, "Gave 4111 1111 1111 1111 by phone")

    assert note.body == "Gave [card ending 1111] by phone"
    assert Note.objects.get().body == note.body


def test_a_note_may_be_written_within_another_deed(ana: User, ben: User) -> None:
    """As a transfer does: refused, it takes the deed back with it."""
    conversation = screens.thread()
    with pytest.raises(notes.CannotNote), transaction.atomic():
        live.changed([conversation.pk])
        write(conversation, ana, "@nobody")
    with transaction.atomic():
        live.changed([conversation.pk])
        write(conversation, ana, "@ben.t")

    conversation.refresh_from_db()
    assert conversation.version == 2
    assert Note.objects.count() == 1


# --- Seeing ------------------------------------------------------------------------------------------------------


def test_what_calls_somebody_after_their_glance_still_waits(ana: User, ben: User) -> None:
    conversation = screens.thread()
    first, _second = (write(conversation, ana, f"@ben.t {n}") for n in range(2))
    elsewhere = write(screens.thread(), ana, "@ben.t elsewhere")
    now = timezone.now()

    assert notes.seen(user_id=ben.pk, conversation=conversation, now=now, up_to=first.pk) == 1
    assert notes.unseen(ben.pk, fresh=True) == 2
    assert notes.seen(user_id=ben.pk, conversation=conversation, now=now) == 1
    assert [mention.note for mention in Mention.objects.filter(seen_at=None)] == [elsewhere]


def test_looking_again_changes_nothing_and_tells_nobody(ana: User, ben: User) -> None:
    conversation = screens.thread()
    write(conversation, ana, "@ben.t look")

    for user, version in ((ana, 1), (ben, 2), (ben, 2)):
        notes.seen(user_id=user.pk, conversation=conversation, now=timezone.now())
        conversation.refresh_from_db()
        assert conversation.version == version


def test_the_thread_says_what_calls_its_reader(client: Client, ana: User, ben: User) -> None:
    conversation = screens.thread()
    note = write(conversation, ana, "@ben.t look")

    for user, is_called in ((ben, True), (ana, False)):
        client.force_login(user)
        thread = client.get(reverse("conversation-thread", args=[conversation.pk])).content.decode()
        assert (f'data-called="{note.pk}"' in thread) is is_called
        assert ('<b class="called called--me">@Ben Tal</b>' in thread) is is_called


# --- Over HTTP ---------------------------------------------------------------------------------------------------


def test_a_note_is_written_shown_and_refused_in_words(client: Client, ana: User) -> None:
    client.force_login(ana)
    conversation, ref = screens.thread(), uuid4()
    url = reverse("note-write", args=[conversation.pk])

    answers = [client.post(url, {"body": "Is <b>new</b>\r\nhere", "ref": ref}).status_code for _ in range(2)]
    refused = client.post(url, {"body": "@nobody", "ref": uuid4()})

    assert answers == [201, 201]
    assert (refused.status_code, "Nobody here is called @nobody" in refused.content.decode()) == (422, True)
    assert client.post(url, {"body": "x", "ref": "?"}).status_code == 422
    thread = client.get(reverse("conversation-thread", args=[conversation.pk])).content.decode()
    assert f'id="n-{ref}"' in thread
    assert "Is &lt;b&gt;new&lt;/b&gt;\nhere" in thread


@pytest.mark.parametrize("role", [Role.COMPLIANCE, Role.ADMINISTRATOR])
def test_who_only_reads_is_called_but_writes_none(client: Client, ana: User, role: Role) -> None:
    reader = factories.user(role, username="celia")
    client.force_login(reader)
    conversation = screens.thread()
    write(conversation, ana, "@celia is this a no?")

    page = client.get(reverse("conversation", args=[conversation.pk])).content.decode()
    answer = client.post(reverse("note-write", args=[conversation.pk]), {"body": "It is", "ref": uuid4()})

    assert "is this a no?" in page
    assert 'id="note-form"' not in page
    assert answer.status_code == 403
    assert client.post(reverse("notes-seen", args=[conversation.pk]), {"up_to": "9" * 18}).status_code == 204
    assert notes.unseen(reader.pk, fresh=True) == 0


def test_the_list_of_colleagues_has_who_can_be_called_and_not_oneself(client: Client, ana: User, ben: User) -> None:
    factories.user(username="gone", is_active=False)
    client.force_login(ana)

    assert client.get(reverse("colleagues")).json() == {
        "people": [{"username": "ben.t", "name": "Ben Tal", "role": "Agent"}]
    }


def test_the_page_of_mentions_has_the_unseen_first_and_pages_of_the_others(
    client: Client, monkeypatch, ana: User, ben: User
) -> None:
    monkeypatch.setattr(notes, "ROWS", 2)
    for name in ("Old", "Older", "Oldest"):
        conversation = screens.thread(contact=factories.contact(name=name))
        write(conversation, ana, "@ben.t done")
        notes.seen(user_id=ben.pk, conversation=conversation, now=timezone.now())
    unseen = write(screens.thread(contact=factories.contact(name="New")), ana, "@ben.t do")
    client.force_login(ben)

    first = client.get(reverse("mentions")).content.decode()
    assert f"/inbox/{unseen.conversation_id}/#n-{unseen.ref}" in first
    assert [name for name in ("New", "Oldest", "Older", ">Old<") if name in first] == ["New", "Oldest", "Older"]
    following = first.split('rel="next" href="')[1].split('"')[0]
    second = client.get(reverse("mentions") + following).content.decode()
    assert ("Old<" in second, "Older" in second, "New" in second) == (True, False, False)


def test_nobody_called_is_said(client: Client, ana: User) -> None:
    client.force_login(ana)

    assert "Nobody has called you" in client.get(reverse("mentions")).content.decode()


@pytest.mark.parametrize("count", [1, 20])
def test_the_page_of_mentions_costs_a_fixed_number_of_queries(
    client: Client, ana: User, ben: User, count: int, django_assert_max_num_queries
) -> None:
    for n in range(count):
        conversation = screens.thread()
        write(conversation, ana, "@ben.t look")
        if n % 2:
            notes.seen(user_id=ben.pk, conversation=conversation, now=timezone.now())
    client.force_login(ben)

    with django_assert_max_num_queries(8):
        client.get(reverse("mentions"))


# --- As readers see it -------------------------------------------------------------------------------------------


def test_names_stand_out_addresses_are_links_and_nothing_is_markup(ana: User, ben: User) -> None:
    body = 'See https://a.example/?a=1&b="2". <i>@ana</i>, @ben.t and @Ana Ruiz?'

    assert marking.marked(body, [ana, ben], reader_id=ben.pk) == (
        'See <a href="https://a.example/?a=1&amp;b=" target="_blank" rel="noopener noreferrer">'
        "https://a.example/?a=1&amp;b=</a>&quot;2&quot;. &lt;i&gt;"
        '<b class="called">@Ana Ruiz</b>&lt;/i&gt;, <b class="called called--me">@Ben Tal</b> and '
        '<b class="called">@Ana Ruiz</b>?'
    )
