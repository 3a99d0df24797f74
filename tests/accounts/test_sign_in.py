import pytest

from contactcenter.accounts.models import Role
from tests import factories

pytestmark = pytest.mark.django_db


def test_a_new_installation_says_how_to_make_the_first_account(client):
    shown = client.get("/login/").content.decode()
    assert "manage.py createsuperuser" in shown
    assert "make demo" in shown


def test_once_somebody_has_an_account_the_page_only_signs_in(client):
    factories.user()
    shown = client.get("/login/").content.decode()
    assert "createsuperuser" not in shown
    assert "Ask an administrator" in shown


@pytest.mark.parametrize("mistake", [{"password": "wrong"}, {"username": "nobody"}])
def test_a_mistake_keeps_the_name_and_tells_no_more_than_that_they_do_not_match(client, mistake):
    factories.user(username="maria")
    response = client.post("/login/", {"username": "maria", "password": factories.PASSWORD} | mistake)
    shown = response.content.decode()
    assert "do not match" in shown
    assert f'value="{mistake.get("username", "maria")}"' in shown
    assert 'role="alert"' in shown


def test_somebody_switched_off_learns_no_more_than_anybody(client):
    factories.user(username="maria", is_active=False)
    response = client.post("/login/", {"username": "maria", "password": factories.PASSWORD})
    assert "do not match" in response.content.decode()


def test_signing_in_leads_back_to_the_page_that_was_wanted_and_nowhere_else(client):
    factories.user(Role.ADMINISTRATOR, username="ada")
    form = {"username": "ada", "password": factories.PASSWORD}
    assert client.post("/login/", form | {"next": "/admin/"}).url == "/admin/"
    client.logout()
    assert client.post("/login/", form | {"next": "https://evil.example/"}).url == "/"


@pytest.mark.parametrize(("path", "status"), [("/nowhere/", 404), ("/admin/", 403)])
def test_a_page_that_cannot_be_shown_says_so_and_leads_back(client, path, status):
    client.force_login(factories.user(Role.AGENT))
    response = client.get(path)
    assert response.status_code == status
    assert '<a class="btn btn--primary" href="/">' in response.content.decode()
