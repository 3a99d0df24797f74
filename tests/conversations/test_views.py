"""The inbox over HTTP: who may do what, what an unchanged fragment costs, what a refusal says."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from contactcenter.accounts.models import Role
from conversations import inbox, listing, live
from conversations.models import Conversation, Line, Message, Wait
from conversations.states import Status
from tests import factories
from tests.conversations import screens

pytestmark = pytest.mark.django_db


@pytest.fixture
def agent(client: Client) -> Client:
    client.force_login(factories.user(Role.AGENT))
    return client


def send(client: Client, conversation: Conversation, body: str = "Yes, until five.", ref: object = None):
    return client.post(reverse("message-send", args=[conversation.pk]), {"body": body, "ref": str(ref or uuid4())})


def test_the_page_shows_list_thread_and_contact(agent: Client) -> None:
    conversation = screens.thread("Is <b>parking</b> free?", contact=factories.contact(name="Marisol Vega"))

    page = agent.get(reverse("conversation", args=[conversation.pk])).content.decode()

    assert page.count("Marisol Vega") >= 3
    assert "Is &lt;b&gt;parking&lt;/b&gt; free?" in page
    assert "May be texted" in page


def test_the_page_needs_no_inline_script_or_style(agent: Client) -> None:
    conversation = screens.thread()
    screens.outgoing(conversation, status=Status.FAILED, error_code="1000")

    page = agent.get(reverse("conversation", args=[conversation.pk])).content.decode()

    assert "<style" not in page
    assert " style=" not in page
    assert "<script>" not in page
    assert " onclick" not in page


@pytest.mark.parametrize("name", ["inbox-list", "conversation-thread", "conversation-panel"])
def test_an_unchanged_fragment_answers_304_and_a_changed_one_is_sent(agent: Client, name: str) -> None:
    conversation = screens.thread()
    url = reverse(name, args=[conversation.pk]) if name != "inbox-list" else reverse(name) + "?view=all"
    etag = agent.get(url)["ETag"]

    unchanged = agent.get(url, headers={"If-None-Match": etag})
    Conversation.objects.filter(pk=conversation.pk).update(version=1)
    changed = agent.get(url, headers={"If-None-Match": etag})

    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert changed.status_code == 200
    assert "no-store" in changed["Cache-Control"]


def test_an_unchanged_thread_is_never_rendered_nor_are_its_messages_read(agent: Client, monkeypatch) -> None:
    url = reverse("conversation-thread", args=[screens.thread().pk])
    etag = agent.get(url)["ETag"]
    monkeypatch.setattr(inbox, "thread", None)

    assert agent.get(url, headers={"If-None-Match": etag}).status_code == 304


@pytest.mark.parametrize("name", ["inbox-list", "conversation-thread", "conversation-panel"])
def test_the_page_names_the_etag_that_its_fragment_would_get(agent: Client, name: str) -> None:
    conversation = screens.thread()
    page = agent.get(reverse("conversation", args=[conversation.pk])).content.decode()
    url = reverse(name, args=[conversation.pk] if name != "inbox-list" else [])
    if name == "conversation-thread":
        url += f"?since={conversation.messages.earliest('pk').pk}"

    assert agent.get(url)["ETag"].replace('"', "&quot;") in page


def test_readers_and_writers_get_different_etags(client: Client) -> None:
    url = reverse("conversation-thread", args=[screens.thread().pk])
    etags = set()
    for role in (Role.AGENT, Role.COMPLIANCE):
        client.force_login(factories.user(role))
        etags.add(client.get(url)["ETag"])

    assert len(etags) == 2


@pytest.mark.parametrize("count", [3, 60])
def test_the_page_costs_a_fixed_number_of_queries(agent: Client, count: int, django_assert_max_num_queries) -> None:
    line = factories.line()
    conversations = [screens.thread(line=line) for _ in range(count)]
    for _ in range(count):
        screens.outgoing(conversations[0], status=Status.FAILED, error_code="1000")

    with django_assert_max_num_queries(30):
        agent.get(reverse("conversation", args=[conversations[0].pk]))


@pytest.mark.parametrize(("region", "queries"), [("thread", 12), ("panel", 12)])
def test_a_fragment_costs_the_same_queries_for_any_number_of_programs(
    agent: Client, region: str, queries: int, django_assert_num_queries
) -> None:
    conversation = screens.thread()
    for _ in range(4):
        factories.program(brand=conversation.line.brand)
    url = reverse(f"conversation-{region}", args=[conversation.pk])

    with django_assert_num_queries(queries):
        agent.get(url)


def test_of_a_list_only_the_rows_that_changed_are_read_and_rendered(agent: Client, monkeypatch) -> None:
    threads = [screens.thread(f"Text {number}") for number in range(4)]
    read: list[list[int]] = []
    rows = listing.rows

    def noted(found: listing.Found, *, search: str = "") -> list[Conversation]:
        read.append([pk for pk, _ in found.versions])
        return rows(found, search=search)

    monkeypatch.setattr(listing, "rows", noted)
    url = reverse("inbox-list") + "?view=all"
    first = agent.get(url).content.decode()
    factories.text_from(threads[1], "And tomorrow?")
    Conversation.objects.filter(pk=threads[1].pk).update(last_message=Message.objects.latest("pk"))
    live.changed([threads[1].pk])
    second = agent.get(url).content.decode()

    assert sorted(read[0]) == [thread.pk for thread in threads]
    assert read[1:] == [[threads[1].pk]]
    row = f'<li id="c-{threads[1].pk}">.*?</li>'
    assert "And tomorrow?" in re.search(row, second, re.DOTALL)[0]
    assert re.sub(row, "", second, flags=re.DOTALL) == re.sub(row, "", first, flags=re.DOTALL)


def test_a_reply_is_queued_once_however_often_it_is_sent(agent: Client) -> None:
    conversation, ref = screens.thread(), uuid4()

    answers = [send(agent, conversation, ref=ref).status_code for _ in range(3)]

    assert answers == [201, 201, 201]
    assert Message.objects.get(ref=ref).status == Status.QUEUED
    thread = agent.get(reverse("conversation-thread", args=[conversation.pk])).content.decode()
    assert f'id="m-{ref}"' in thread
    assert "Queued" in thread


@pytest.mark.parametrize(
    ("body", "words"),
    [("   ", "nothing to send"), ("x" * 2000, "Shorten it"), ("My card is 4111 1111 1111 1111", "card")],
)
def test_a_text_that_cannot_be_sent_is_refused_with_what_to_do(agent: Client, body: str, words: str) -> None:
    answer = send(agent, screens.thread(), body)

    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not Message.objects.filter(direction="out").exists()


def test_an_id_that_is_none_is_refused(agent: Client) -> None:
    assert send(agent, screens.thread(), ref="not-a-uuid").status_code == 422


@pytest.mark.parametrize("role", [Role.COMPLIANCE, Role.ADMINISTRATOR])
def test_who_only_reads_sees_the_inbox_and_cannot_act(client: Client, role: Role) -> None:
    client.force_login(factories.user(role))
    conversation = screens.waiting(minutes=5)
    message = screens.outgoing(conversation, status=Status.FAILED)
    page = client.get(reverse("conversation", args=[conversation.pk])).content.decode()

    assert 'id="composer"' not in page
    assert "hx-post" not in page
    assert send(client, conversation).status_code == 403
    for name in ("conversation-no-answer-needed", "conversation-read"):
        assert client.post(reverse(name, args=[conversation.pk])).status_code == 403
    for name in ("message-retry", "message-cancel"):
        assert client.post(reverse(name, args=[message.pk])).status_code == 403


def test_posts_need_the_csrf_token() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(factories.user())

    assert send(client, screens.thread()).status_code == 403


def test_a_retry_makes_one_new_attempt_that_the_thread_shows(agent: Client) -> None:
    conversation = screens.thread()
    message = screens.outgoing(conversation, status=Status.FAILED, error_code="1180")
    thread = reverse("conversation-thread", args=[conversation.pk])
    assert "the phone is unreachable (1180)" in agent.get(thread).content.decode()

    first = agent.post(reverse("message-retry", args=[message.pk]))
    second = agent.post(reverse("message-retry", args=[message.pk]))

    assert (first.status_code, second.status_code) == (201, 422)
    assert Message.objects.filter(retry_of=message).count() == 1
    assert reverse("message-retry", args=[message.pk]) not in agent.get(thread).content.decode()


def test_what_is_still_queued_can_be_cancelled_and_what_left_cannot(agent: Client) -> None:
    message = screens.outgoing(screens.thread())
    cancel = reverse("message-cancel", args=[message.pk])

    assert agent.post(cancel).status_code == 204
    again = agent.post(cancel)
    message.refresh_from_db()
    assert message.status == Status.CANCELLED
    assert again.status_code == 422
    assert "Too late" in again.content.decode()


def test_no_answer_needed_ends_the_wait_by_name(agent: Client) -> None:
    conversation = screens.waiting(minutes=5)
    text = factories.text_from(conversation)
    wait = Wait.objects.create(
        conversation=conversation, opened_by=text, since=timezone.now(), due_at=conversation.due_at
    )

    url = reverse("conversation-no-answer-needed", args=[conversation.pk])
    assert agent.post(url).status_code == 422, "not by somebody who has not seen the text"
    agent.post(url, {"up_to": text.pk})

    wait.refresh_from_db()
    conversation.refresh_from_db()
    assert (wait.ending, conversation.due_at) == ("no_answer_needed", None)
    assert wait.answered_by_id == int(agent.session["_auth_user_id"])


@pytest.mark.parametrize(
    ("name", "data", "column"),
    [
        ("conversation-resolve", {"up_to": "9" * 18}, "resolved_at"),
        ("conversation-resolve", {}, None),
        ("conversation-snooze", {"until": "2100-01-01T08:00"}, None),
        ("conversation-snooze", {"until": "tomorrow"}, None),
        ("conversation-assign", {"owner": "0"}, None),
        ("conversation-assign", {"owner": "abc"}, None),
        ("tag-add", {"name": "x"}, "contact"),
    ],
)
def test_what_people_do_is_done_or_refused_in_words(
    agent: Client, name: str, data: dict[str, str], column: str | None
) -> None:
    conversation = screens.waiting(minutes=5)

    answer = agent.post(reverse(name, args=[conversation.pk]), data)

    assert answer.status_code == (204 if column else 422)
    assert bool(answer.content) is (column is None)
    conversation.refresh_from_db()
    assert column is None or getattr(conversation, column)


def test_who_has_just_done_something_gets_the_list_as_the_database_has_it(agent: Client, monkeypatch) -> None:
    """Another web process may not have heard of it yet: nothing tells this one that what it has kept is old."""
    monkeypatch.setattr("conversations.kept.SECONDS", 3600.0)
    monkeypatch.setattr("conversations.kept.kept.entries", {})
    conversation, url = screens.waiting(minutes=5), reverse("inbox-list")
    kept = agent.get(url)
    Conversation.objects.filter(pk=conversation.pk).update(unread=7, version=9)

    assert agent.get(url).content == kept.content
    assert b"7<span" in agent.get(url, headers={"Cache-Control": "no-cache"}).content
    assert b"7<span" in agent.get(url).content


def test_an_open_conversation_is_never_older_than_the_database(agent: Client, monkeypatch) -> None:
    monkeypatch.setattr("conversations.kept.SECONDS", 3600.0)
    conversation = screens.waiting(minutes=5)
    url = reverse("conversation-thread", args=[conversation.pk])
    before = agent.get(url)["ETag"]
    factories.text_from(conversation, "Are you still there?")
    Conversation.objects.filter(pk=conversation.pk).update(version=9)

    after = agent.get(url, headers={"If-None-Match": before})

    assert (after.status_code, b"Are you still there?" in after.content) == (200, True)


def test_the_menu_that_assigns_names_the_colleagues_who_may_answer(agent: Client) -> None:
    conversation = screens.waiting(minutes=5)
    for role in Role:
        factories.user(role, first_name=role.value.title(), last_name="Ruiz")
    factories.user(first_name="Departed", last_name="Ruiz", is_active=False)

    menu = agent.get(reverse("conversation-owners", args=[conversation.pk])).content.decode()

    assert set(re.findall(r"(\w+) Ruiz<span class=\"end\">not here", menu)) == {"Agent", "Supervisor"}
    assert menu.count("<button") == 2  # not oneself: that is the menu's first line


def test_a_snooze_is_in_the_center_s_time_and_without_a_time_it_wakes(agent: Client) -> None:
    conversation = screens.thread()
    url = reverse("conversation-snooze", args=[conversation.pk])
    morning = timezone.localtime().replace(hour=8, minute=0, second=0, microsecond=0) + timedelta(days=1)

    agent.post(url, {"until": f"{morning:%Y-%m-%dT%H:%M}"})
    conversation.refresh_from_db()
    assert conversation.snoozed_until == morning

    agent.post(url)
    conversation.refresh_from_db()
    assert conversation.snoozed_until is None


def test_a_reply_for_later_waits_for_its_time(agent: Client) -> None:
    conversation = screens.thread()
    morning = timezone.localtime().replace(hour=8, minute=0, second=0, microsecond=0) + timedelta(days=1)
    url = reverse("message-send", args=[conversation.pk])
    due = {"body": "Good morning", "due_at": f"{morning:%Y-%m-%dT%H:%M}"}

    assert agent.post(url, due | {"ref": str(uuid4())}).status_code == 201
    assert Message.objects.get(direction="out").due_at == morning
    past = agent.post(url, due | {"ref": str(uuid4()), "due_at": "2020-01-01T08:00"})
    assert (past.status_code, "still to come" in past.content.decode()) == (422, True)


def test_who_answers_first_owns_the_conversation(agent: Client, client: Client) -> None:
    conversation = screens.thread()
    send(agent, conversation)
    conversation.refresh_from_db()
    first = conversation.owner_id
    client.force_login(factories.user())
    send(client, conversation)
    conversation.refresh_from_db()

    assert first is not None
    assert conversation.owner_id == first


def test_details_are_edited_where_they_stand_and_errors_keep_what_was_typed(agent: Client) -> None:
    conversation = screens.thread()
    form = agent.get(reverse("contact-form", args=[conversation.pk])).content.decode()
    assert 'name="reference"' in form

    url = reverse("contact-edit", args=[conversation.pk])
    wrong = agent.post(url, {"name": "Ana", "time_zone": "Mars"})
    right = agent.post(url, {"name": "Ana", "time_zone": "America/Chicago", "language": "es"})

    assert (wrong.status_code, right.status_code) == (422, 204)
    assert 'value="Ana"' in wrong.content.decode()
    assert "America/Chicago" in wrong.content.decode()
    panel = agent.get(reverse("conversation-panel", args=[conversation.pk])).content.decode()
    assert "Spanish" in panel


def test_a_message_s_details_tell_its_life(agent: Client) -> None:
    message = screens.outgoing(screens.thread(), status=Status.FAILED, error_code="1180")

    answer = agent.get(reverse("message-details", args=[message.pk])).content.decode()

    assert "What happened to this message" in answer
    assert str(message.ref) in answer


def test_only_saying_so_marks_read(agent: Client) -> None:
    conversation = screens.thread("one", "two")
    for name in ("conversation", "conversation-thread", "conversation-panel"):
        agent.get(reverse(name, args=[conversation.pk]))
    conversation.refresh_from_db()
    assert conversation.unread == 2

    agent.post(reverse("conversation-read", args=[conversation.pk]), {"up_to": conversation.last_message_id})

    conversation.refresh_from_db()
    assert conversation.unread == 0


def test_a_stop_replaces_the_composer_by_the_reason(agent: Client) -> None:
    conversation = screens.thread()
    screens.stop(conversation)

    thread = agent.get(reverse("conversation-thread", args=[conversation.pk])).content.decode()

    assert "data-blocked" in thread
    assert "This person has opted out" in thread


def test_a_paused_line_is_said_with_its_reason(agent: Client) -> None:
    conversation = screens.thread()
    Line.objects.filter(pk=conversation.line_id).update(paused_at=timezone.now(), paused_reason="Out of money (402)")

    assert (
        "Line paused: Out of money (402)"
        in agent.get(reverse("conversation-thread", args=[conversation.pk])).content.decode()
    )


def test_older_conversations_are_one_link_away(agent: Client, monkeypatch) -> None:
    monkeypatch.setattr(listing.find, "__kwdefaults__", {"limit": 2})
    line = factories.line()
    for number in range(3):
        screens.thread(line=line, contact=factories.contact(name=f"Person {number}"))

    page = agent.get(reverse("inbox") + "?view=all").content.decode()
    link = page.split('href="?view=all&amp;after=')[1].split('"')[0]
    older = agent.get(f"/inbox/?view=all&after={link}").content.decode()

    assert page.count('id="c-') == 2
    assert older.count('id="c-') == 1
    assert "Person 0" in older


@pytest.mark.parametrize("query", ["?after=nonsense", "?after=w_1_1"])
def test_a_place_that_nobody_wrote_is_not_found(agent: Client, query: str) -> None:
    factories.line()
    assert agent.get(reverse("inbox") + query).status_code == 404


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", "Nobody waits for an answer"),
        ("?view=all", "All done"),
        ("?view=queue", "Nobody waits in this queue"),
        ("?view=mine", "Take the next one from Unassigned"),
        ("?view=unassigned", "Everything has an owner"),
        ("?view=snoozed", "Nothing is snoozed"),
        ("?show=failed", "Nothing here with these filters"),
        ("?q=zeppelin", "Nothing found for “zeppelin”"),
    ],
)
def test_an_empty_list_says_what_would_be_here_and_what_to_do(agent: Client, query: str, words: str) -> None:
    factories.line()
    assert words in agent.get(reverse("inbox") + query).content.decode()


def test_before_there_is_a_line_the_inbox_says_how_to_get_one(client: Client) -> None:
    for role, words in ((Role.AGENT, "An administrator adds a line first"), (Role.ADMINISTRATOR, "Add a line")):
        client.force_login(factories.user(role))
        assert words in client.get(reverse("inbox")).content.decode()


def test_a_search_hit_is_shown_where_the_preview_was(agent: Client) -> None:
    screens.thread("A <b> & a garage")

    assert "&lt;b&gt; &amp; a <mark>garage</mark>" in agent.get(reverse("inbox-list") + "?q=garage").content.decode()


@pytest.mark.parametrize("query", ["?before=x", "?before=", "?before=99999999999999999999999", "?before=٣"])
def test_an_id_that_is_none_shows_the_latest(agent: Client, query: str) -> None:
    assert agent.get(reverse("conversation-thread", args=[screens.thread().pk]) + query).status_code == 200


def test_the_theme_is_kept_in_a_cookie_and_leads_nowhere_else(agent: Client) -> None:
    answer = agent.post(reverse("theme"), {"theme": "dark", "next": "https://evil.example/"})

    assert answer["Location"] == reverse("inbox")
    assert 'data-theme="dark"' in agent.get(reverse("inbox")).content.decode()
    assert agent.post(reverse("theme"), {"theme": '"><script>'}).status_code == 400


def test_signing_in_leads_back_to_where_one_was_going(client: Client) -> None:
    user = factories.user(username="priya")
    target = reverse("conversation", args=[screens.thread().pk])
    login = client.get(target)["Location"]

    wrong = client.post(login, {"username": user.username, "password": "wrong"})
    right = client.post(login, {"username": user.username, "password": factories.PASSWORD, "next": target})

    assert "do not match" in wrong.content.decode()
    assert right["Location"] == target
