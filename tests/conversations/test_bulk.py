"""Several conversations at once: each as the page showed it, all in one request, and taken back together."""

from typing import Any

import pytest
from django.test import Client

from conversations.models import UNTIL_THEY_REPLY, Conversation, Entry
from tests import factories
from tests.conversations import traffic

pytestmark = pytest.mark.django_db
URL = "/inbox/bulk/"


@pytest.fixture
def agent(client: Client) -> Client:
    client.force_login(factories.user(username="dana"))
    return client


@pytest.fixture
def three() -> list[Conversation]:
    return [traffic.conversation(sender=f"+1201555013{n}") for n in range(3)]


def do(agent: Client, deed: str, value: Any, conversations: list[Conversation]) -> Any:
    seen = ",".join(f"{one.pk}:{one.version}" for one in conversations)
    return agent.post(URL, {"deed": deed, "value": value, "seen": seen})


def all_of(field: str) -> set[Any]:
    return set(Conversation.objects.values_list(field, flat=True))


def test_each_deed_is_done_to_all_and_taken_back_from_all(agent: Client, three: list[Conversation]) -> None:
    dana, about = factories.present(factories.user()), factories.disposition()
    for deed, value, field, expected in (
        ("assign", dana.pk, "owner", dana.pk),
        ("snooze", "reply", "snoozed_until", UNTIL_THEY_REPLY),
        ("tag", "Vip", "contact__tags__name", "Vip"),
        ("resolve", about.pk, "disposition", about.pk),
    ):
        before = all_of(field)
        done = do(agent, deed, value, three)
        assert (done.status_code, done.content.decode()) == (200, "3 done.")
        assert all_of(field) == {expected}
        assert agent.post("/inbox/undo/", {"entries": done["X-Undo"]}).status_code == 204
        assert all_of(field) == before
        three = list(Conversation.objects.order_by("pk"))


def test_what_has_changed_since_is_left_alone_and_named(agent: Client, three: list[Conversation]) -> None:
    traffic.arrive(traffic.text("Wait!", sender="+12015550131"))

    words = do(agent, "resolve", "", three).content.decode()

    assert words == "2 done. 1 left alone, which has changed since: (201) 555-0131."
    assert Conversation.objects.filter(resolved_at=None).get().contact.phone == "+12015550131"


def test_what_is_refused_is_refused_for_all(agent: Client, three: list[Conversation]) -> None:
    officer = factories.user("compliance")
    for deed, value in (("assign", officer.pk), ("snooze", ""), ("snooze", "2020-01-01T10:00"), ("dance", "")):
        assert do(agent, deed, value, three).status_code == 422
    assert do(agent, "resolve", "", []).status_code == 422
    many = ",".join(f"{n}:1" for n in range(1, 202))
    assert agent.post(URL, {"deed": "resolve", "seen": many}).status_code == 422
    assert not Entry.objects.exists()


def test_the_menus_offer_what_there_is(agent: Client) -> None:
    factories.disposition(name="Billing")
    factories.user(first_name="Robin")
    words = agent.get(URL).content.decode()
    assert "Billing" in words
    assert "Robin" in words
