"""No test here may use the database: pytest-django refuses whatever page tries."""

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.db import InterfaceError, OperationalError, ProgrammingError
from django.http import HttpResponse
from django.test import Client
from django.urls import path

from contactcenter.accounts import access

PAGE = {"HTTP_ACCEPT": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture
def client():
    return Client(raise_request_exception=False)


@access.public
def loses_its_database(request):
    raise {"away": OperationalError, "closed": InterfaceError, "mistaken": ProgrammingError}[request.GET["as"]]("no")


@access.public
def needs_nothing(request):
    return HttpResponse("hello")


@access.allow(*access.EVERYONE)
def asks_who_it_is(request):
    return HttpResponse("never")


urlpatterns = [
    path("view/", loses_its_database),
    path("asleep/", needs_nothing),
    path("login/", needs_nothing, name="login"),
    path("inside/", asks_who_it_is),
]
pytestmark = pytest.mark.urls(__name__)


@pytest.fixture
def no_sessions(monkeypatch):
    def away(store):
        raise OperationalError("connection refused")

    monkeypatch.setattr(SessionStore, "load", away)


@pytest.mark.parametrize("how", ["away", "closed"])
def test_a_page_that_loses_the_database_says_back_in_a_moment_and_comes_back_by_itself(client, how):
    response = client.get("/view/", {"as": how}, **PAGE)
    shown = response.content.decode()
    assert response.status_code == 503
    assert response["Retry-After"] == "5"
    assert response["Cache-Control"] == "no-store"
    assert "Back in a moment" in shown
    assert "Texts are kept" in shown
    assert response["Refresh"] == "5"


def test_sessions_that_cannot_be_read_are_no_error_of_ours_either(client, no_sessions):
    client.cookies["sessionid"] = "a" * 32
    response = client.get("/inside/", **PAGE)
    assert response.status_code == 503
    assert "Back in a moment" in response.content.decode()


def test_a_page_that_needs_no_database_works_without_one(client, no_sessions):
    assert client.get("/asleep/", **PAGE).content == b"hello"


def test_the_page_keeps_the_policy_and_the_theme(client):
    client.cookies["theme"] = "dark"
    response = client.get("/view/", {"as": "away"}, **PAGE)
    assert "script-src 'self'" in response["Content-Security-Policy"]
    assert 'data-theme="dark"' in response.content.decode()


@pytest.mark.parametrize("headers", [{"HTTP_HX_REQUEST": "true", **PAGE}, {"HTTP_ACCEPT": "*/*"}, {}])
def test_a_fragment_or_a_program_gets_one_line_of_text(client, headers):
    response = client.get("/view/", {"as": "away"}, **headers)
    assert response.status_code == 503
    assert response["Content-Type"].startswith("text/plain")
    assert response["Retry-After"] == "5"
    assert b"<" not in response.content


def test_what_was_sent_is_not_sent_again_by_reloading(client):
    response = client.post("/view/?as=away", **PAGE)
    assert "Refresh" not in response
    assert "was not saved" in response.content.decode()


def test_a_mistake_of_ours_stays_a_mistake(client):
    assert client.get("/view/", {"as": "mistaken"}, **PAGE).status_code == 500
