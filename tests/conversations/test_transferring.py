"""A conversation is handed on with a word on why; the person waits no longer for it, and nobody hands it on twice."""

from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from contactcenter.accounts.models import Role, User
from conversations import routing, transferring, undoing
from conversations.assigning import CannotAssign
from conversations.models import Conversation, Entry, Message, Note, Presence, Team, Wait
from conversations.notes import CannotNote
from tests import factories
from tests.conversations import traffic

pytestmark = pytest.mark.django_db


@pytest.fixture
def agent() -> User:
    return factories.present(factories.user(first_name="Dana", last_name="Ruiz"))


@pytest.fixture
def owned(agent: User) -> Conversation:
    made = traffic.conversation("My bill is wrong", sender=factories.phone_number())
    Conversation.objects.filter(pk=made.pk).update(owner=agent, team=factories.team(agent, name="Front desk"))
    made.refresh_from_db()
    return made


def hand_on(shown: Conversation, by: User, **changes: Any) -> list[Entry]:
    asked: dict[str, Any] = {
        "conversation": shown, "team_id": None, "to_id": None, "was": (shown.team_id, shown.owner_id), "author": by,
        "note": "", "ref": uuid4(), "now": timezone.now(),
    }  # fmt: skip
    return transferring.transfer(**asked | changes)


def where(shown: Conversation) -> tuple[Team | None, User | None]:
    shown.refresh_from_db()
    return shown.team, shown.owner


def test_a_team_gets_it_in_its_queue_with_the_note_and_the_old_deadline(owned: Conversation, agent: User) -> None:
    billing = factories.team(name="Billing")
    due_at = Wait.objects.get(conversation=owned).due_at

    (entry,) = hand_on(owned, agent, team_id=billing.pk, note="  Refund promised by Friday ")

    assert where(owned) == (billing, None)
    assert owned.due_at == due_at
    assert Note.objects.get(conversation=owned).body == "Refund promised by Friday"
    assert entry.kind == "transferred"
    assert (entry.facts["team"], entry.facts["was"]) == ("Billing", "Dana Ruiz")


def test_a_colleague_gets_it_in_the_same_team(owned: Conversation, agent: User) -> None:
    ben = factories.present(factories.user(first_name="Ben"))

    hand_on(owned, agent, to_id=ben.pk, note="Yours?")

    assert where(owned) == (owned.team, ben)
    assert owned.owned_since is not None


def test_whoever_hands_on_what_somebody_has_moved_is_told_and_nothing_is_noted(
    owned: Conversation, agent: User
) -> None:
    billing, claims = factories.team(name="Billing"), factories.team(name="Claims")
    seen = (owned.team_id, owned.owner_id)
    hand_on(owned, agent, team_id=billing.pk)

    with pytest.raises(CannotAssign, match="Look again"):
        hand_on(owned, factories.user(), team_id=claims.pk, was=seen, note="For you")

    assert where(owned) == (billing, None)
    assert not Note.objects.exists()


def test_nobody_gets_it_who_can_not_take_it(owned: Conversation, agent: User) -> None:
    full, away = factories.present(factories.user()), factories.user()
    Presence.objects.filter(user=full).update(capacity=0)
    closed = factories.team(name="Gone", is_active=False)
    wrong: list[dict[str, Any]] = [
        {"to_id": full.pk}, {"to_id": away.pk}, {"to_id": factories.present(factories.user(Role.COMPLIANCE)).pk},
        {"to_id": agent.pk}, {"team_id": closed.pk}, {"team_id": 10**9}, {},
    ]  # fmt: skip
    for to in wrong:
        with pytest.raises(CannotAssign):
            hand_on(owned, agent, **to)
    assert where(owned)[1] == agent


def test_a_note_that_can_not_be_written_leaves_everything_where_it_was(owned: Conversation, agent: User) -> None:
    billing = factories.team(name="Billing")

    with pytest.raises(CannotNote):
        hand_on(owned, agent, team_id=billing.pk, note="@nobody-here, please look")

    assert where(owned)[1] == agent
    assert not Entry.objects.filter(kind="transferred").exists()


def test_a_rule_does_not_take_back_what_a_person_has_handed_on(owned: Conversation, agent: User) -> None:
    front, billing = owned.team, factories.team(name="Billing")
    factories.routing_rule(team=front)
    hand_on(owned, agent, team_id=billing.pk)

    again = factories.text_from(owned, "Hello?")
    routing.route([Message.objects.select_related("conversation__contact").get(pk=again.pk)], now=timezone.now())
    assert where(owned) == (billing, None)

    Wait.objects.filter(conversation=owned).delete()
    routing.route([Message.objects.select_related("conversation__contact").get(pk=again.pk)], now=timezone.now())
    assert where(owned) == (front, None)


def test_it_can_be_undone_until_somebody_has_taken_it(owned: Conversation, agent: User) -> None:
    front, billing = owned.team, factories.team(name="Billing")
    entries = hand_on(owned, agent, team_id=billing.pk)
    undoing.undo(entry_ids=[entry.pk for entry in entries], by_id=agent.pk, now=timezone.now())
    assert where(owned) == (front, agent)

    entries = hand_on(owned, agent, team_id=billing.pk)
    Conversation.objects.filter(pk=owned.pk).update(owner=factories.user())
    with pytest.raises(undoing.Refused):
        undoing.undo(entry_ids=[entry.pk for entry in entries], by_id=agent.pk, now=timezone.now())


def test_over_http(client: Client, owned: Conversation, agent: User) -> None:
    ben, billing = factories.present(factories.user(first_name="Ben")), factories.team(name="Billing")
    client.force_login(agent)
    url = reverse("conversation-transfer", args=[owned.pk])
    page = client.get(url).content.decode()
    assert "Billing · 0 waiting" in page
    assert f'value="user:{ben.pk}"' in page

    form = {"ref": uuid4(), "was": agent.pk, "was_team": owned.team_id, "note": "Please"}
    for nonsense in ("", "team:", "user:x", f"team:{'9' * 30}", "nobody:1"):
        refused = client.post(url, form | {"to": nonsense})
        assert refused.status_code == 422
        assert "Choose a team" in refused.content.decode()
    answer = client.post(url, form | {"to": f"team:{billing.pk}"})

    assert (answer.status_code, bool(answer["X-Undo"])) == (204, True)
    assert where(owned) == (billing, None)


def test_its_choices_take_as_many_queries_for_many_teams(client: Client, owned: Conversation, agent: User) -> None:
    client.force_login(agent)
    url = reverse("conversation-transfer", args=[owned.pk])
    client.get(url)
    with CaptureQueriesContext(
        connection,
    ) as few:
        client.get(url)
    for number in range(5):
        factories.team(factories.present(factories.user()), name=f"Team {number}")
    with CaptureQueriesContext(connection) as many:
        client.get(url)
    assert len(many) == len(few)
