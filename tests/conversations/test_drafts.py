"""What is being written is nobody's but its author's, and an older save never overwrites a newer one."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from random import Random
from uuid import uuid4

import pytest
from django.db import connections
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from contactcenter.accounts.models import User
from conversations import drafts, notes, outbound
from conversations.models import Conversation, Draft
from tests import factories
from tests.conversations import screens

pytestmark = pytest.mark.django_db
REPLY, NOTE = Draft.Kind.REPLY, Draft.Kind.NOTE


@pytest.fixture
def agent() -> User:
    return factories.user()


@pytest.fixture
def shown() -> Conversation:
    return screens.thread("Are you open?")


def save(user: User, shown: Conversation, body: str, version: int = 1, kind: Draft.Kind = REPLY) -> bool:
    return drafts.save(
        user_id=user.pk, conversation_id=shown.pk, kind=kind, body=body, version=version, now=timezone.now()
    )


def kept(user: User) -> list[tuple[int, str, str]]:
    return sorted((one["conversation"], one["kind"], one["body"]) for one in drafts.of(user.pk))


def test_a_draft_is_lost_or_shown_in_another_thread(agent: User, shown: Conversation) -> None:
    other = screens.thread("Somebody else")
    save(agent, shown, "For the first")
    save(agent, shown, "About the first", kind=NOTE)
    save(agent, other, "For the second")
    save(factories.user(), shown, "A colleague's")

    assert kept(agent) == [
        (shown.pk, "note", "About the first"),
        (shown.pk, "reply", "For the first"),
        (other.pk, "reply", "For the second"),
    ]


def test_an_older_save_changes_nothing_however_late_it_comes(agent: User, shown: Conversation) -> None:
    assert save(agent, shown, "Yes, until five", 2)
    assert not save(agent, shown, "Yes", 1)
    assert not save(agent, shown, "Yes, until six", 2)
    assert save(agent, shown, "", 3)
    assert not save(agent, shown, "Yes, until five", 2)
    assert kept(agent) == [(shown.pk, "reply", "")]


@pytest.mark.django_db(transaction=True)
def test_of_many_saves_at_once_the_newest_stays(agent: User, shown: Conversation) -> None:
    versions = list(range(1, 41))
    Random(6).shuffle(versions)

    def one(version: int) -> None:
        try:
            save(agent, shown, f"Version {version}", version)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(one, versions))
    assert kept(agent) == [(shown.pk, "reply", "Version 40")]


def test_what_was_sent_is_no_draft_any_more_and_what_was_typed_on_stays(agent: User, shown: Conversation) -> None:
    save(agent, shown, " Yes, until five ")
    save(agent, shown, "He asks twice", kind=NOTE)
    outbound.send(conversation=shown, body="Yes, until five", author_id=agent.pk, ref=uuid4(), now=timezone.now())
    assert kept(agent) == [(shown.pk, "note", "He asks twice"), (shown.pk, "reply", "")]

    notes.write(conversation=shown, author=agent, ref=uuid4(), body="He asks twice", now=timezone.now())
    save(agent, shown, "Yes, until five. And", 9)
    outbound.send(conversation=shown, body="Yes, until five", author_id=agent.pk, ref=uuid4(), now=timezone.now())
    assert kept(agent) == [(shown.pk, "note", ""), (shown.pk, "reply", "Yes, until five. And")]


def test_nothing_is_kept_of_a_card_number(agent: User, shown: Conversation) -> None:
    save(agent, shown, "Your card")
    save(agent, shown, "Your card 4111 1111 1111 1111", 2)
    assert kept(agent) == [(shown.pk, "reply", "")]


def test_nonsense_is_refused_in_words(client: Client, agent: User, shown: Conversation) -> None:
    client.force_login(agent)
    url = reverse("draft-save", args=[shown.pk])
    far = int((timezone.now() + timedelta(days=2)).timestamp() * 1000)
    good = {"kind": "reply", "body": "Yes", "version": "5"}
    for wrong in ({"kind": "letter"}, {"version": ""}, {"version": "x"}, {"version": far}, {"body": "a" * 10_001}):
        assert client.post(url, good | wrong).status_code == 422
    assert client.post(url, good).status_code == 204
    assert client.post(url, good).status_code == 409
    assert kept(agent) == [(shown.pk, "reply", "Yes")]


def test_the_page_has_them_for_a_browser_that_has_not(client: Client, agent: User, shown: Conversation) -> None:
    save(agent, shown, "Begun </script> elsewhere")
    client.force_login(agent)
    page = client.get(reverse("inbox")).content.decode()
    assert "Begun \\u003C/script\\u003E elsewhere" in page


def test_what_nobody_has_touched_for_a_month_is_forgotten(agent: User, shown: Conversation) -> None:
    save(agent, shown, "Old")
    assert drafts.forget(now=timezone.now() + timedelta(days=29)) == 0
    assert drafts.forget(now=timezone.now() + timedelta(days=31)) == 1
