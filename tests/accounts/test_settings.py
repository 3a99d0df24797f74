import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from contactcenter.accounts.models import Role, User
from tests import factories

pytestmark = pytest.mark.django_db

CHOSEN = {
    "send_key": "ctrl_enter",
    "plays_sound": "on",
    "counts_in_title": "on",
    "notifies": "on",
    "undo_seconds": "10",
    "theme": "dark",
}


@pytest.fixture
def agent(client):
    client.user = factories.user(Role.AGENT, first_name="Priya", last_name="Nair")
    client.force_login(client.user)
    return client


def test_somebody_new_has_shortcuts_sends_with_enter_and_is_not_disturbed():
    user = factories.user()
    assert (user.single_keys, user.send_key, user.plays_sound, user.counts_in_title) == (True, "enter", False, False)
    assert (user.notifies, user.undo_seconds) == (False, 0)


def test_settings_are_saved_and_said_to_be(agent):
    response = agent.post("/settings/", CHOSEN, follow=True)
    assert response.redirect_chain == [("/settings/", 302)]
    assert "Saved." in response.content.decode()
    user = User.objects.get(pk=agent.user.pk)
    assert (user.single_keys, user.send_key, user.plays_sound, user.counts_in_title) == (
        False,
        "ctrl_enter",
        True,
        True,
    )


def test_the_page_shows_what_was_chosen(agent):
    agent.post("/settings/", CHOSEN)
    form = agent.get("/settings/").context["form"]
    assert {name: form[name].value() for name in form.fields} == {
        "single_keys": False,
        "send_key": "ctrl_enter",
        "plays_sound": True,
        "counts_in_title": True,
        "notifies": True,
        "undo_seconds": 10,
        "theme": "dark",
    }


def test_the_theme_is_the_same_cookie_as_everywhere_else(agent):
    agent.post("/settings/", CHOSEN)
    assert agent.cookies["theme"].value == "dark"
    for page in ("/settings/", "/settings/password/", "/nowhere/"):
        assert 'data-theme="dark"' in agent.get(page).content.decode()
    agent.post(reverse("theme"), {"theme": "auto"})
    assert "data-theme" not in agent.get("/settings/").content.decode()
    assert agent.get("/settings/").context["form"]["theme"].value() == "auto"


@pytest.mark.parametrize(
    "wrong", [{"send_key": "space"}, {"undo_seconds": "7"}, {"send_key": ""}, {"theme": "pink"}, {"theme": ""}]
)
def test_what_is_not_offered_changes_nothing(agent, wrong):
    response = agent.post("/settings/", CHOSEN | wrong)
    assert response.status_code == 422
    assert "Nothing was saved" in response.content.decode()
    assert User.objects.get(pk=agent.user.pk).send_key == "enter"
    assert "theme" not in agent.cookies


def test_nobody_gives_themselves_more_than_settings(agent):
    agent.post("/settings/", CHOSEN | {"role": "administrator", "username": "root", "is_active": ""})
    user = User.objects.get(pk=agent.user.pk)
    assert (user.role, user.username, user.is_active) == (Role.AGENT, agent.user.username, True)


def test_saving_leaves_alone_what_an_administrator_changes_meanwhile(agent, monkeypatch):
    """The row is read when the request begins; whatever else was written to it since must stay."""
    from contactcenter.accounts.forms import SettingsForm

    clean = SettingsForm.full_clean

    def while_somebody_else_writes(form):
        User.objects.filter(pk=agent.user.pk).update(role=Role.SUPERVISOR)
        clean(form)

    monkeypatch.setattr(SettingsForm, "full_clean", while_somebody_else_writes)
    agent.post("/settings/", CHOSEN)
    user = User.objects.get(pk=agent.user.pk)
    assert (user.role, user.send_key) == (Role.SUPERVISOR, "ctrl_enter")


def test_settings_cannot_be_forged(agent):
    forger = Client(enforce_csrf_checks=True)
    forger.force_login(agent.user)
    assert forger.post("/settings/", CHOSEN).status_code == 403
    assert forger.post("/settings/password/", {}).status_code == 403


def test_the_database_refuses_a_send_key_that_no_browser_knows():
    user = factories.user()
    with pytest.raises(IntegrityError, match="user_sends_with_a_known_key"), transaction.atomic():
        User.objects.filter(pk=user.pk).update(send_key="space")


# --- The password ----------------------------------------------------------------------------------------------

FRESH = "a long enough secret 1"


def change(client, old=factories.PASSWORD, fresh=FRESH, again=FRESH):
    form = {"old_password": old, "new_password1": fresh, "new_password2": again}
    return client.post("/settings/password/", form, follow=True)


def test_a_changed_password_signs_in_and_the_old_one_does_not(agent):
    assert "Your password is changed." in change(agent).content.decode()
    assert Client().login(username=agent.user.username, password=FRESH)
    assert not Client().login(username=agent.user.username, password=factories.PASSWORD)
    assert agent.get("/settings/").status_code == 200, "whoever changed it stays signed in"


def test_other_machines_are_signed_out_by_a_new_password(agent):
    elsewhere = Client()
    elsewhere.force_login(agent.user)
    change(agent)
    assert elsewhere.get("/settings/").status_code == 302


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"old": "wrong"}, "entered incorrectly"),
        ({"fresh": "12345678", "again": "12345678"}, "too common"),
        ({"again": "another secret 2"}, "match"),
    ],
)
def test_a_password_that_cannot_be_changed_says_why_beside_the_field(agent, form, words):
    shown = change(agent, **form).content.decode()
    assert words in shown
    assert 'aria-invalid="true"' in shown
    assert Client().login(username=agent.user.username, password=factories.PASSWORD)


def test_the_admin_sends_people_to_the_one_place_for_passwords(client):
    client.force_login(factories.user(Role.ADMINISTRATOR))
    assert client.get(reverse("admin:password_change")).url == "/settings/password/"
