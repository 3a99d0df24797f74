"""Who may use the API: whoever has a token in force with the right scope. Cookies are nothing to it."""

import re
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from contactcenter.accounts.models import Role
from contactcenter.api import tokens, urls
from contactcenter.api.models import ApiToken, Scope
from tests import factories

pytestmark = pytest.mark.django_db

ADDRESSES = [
    (method, pattern.name, scope)
    for pattern in urls.urlpatterns
    for method, scope in getattr(getattr(pattern.callback, "cls", None), "scopes", {}).items()
]


def url(name):
    args = ["8c0f3f0e-54f5-4be1-9c4b-2f4f0d1d9a11"] if name == "api-message" else []
    return reverse(name, args=args).removeprefix("/api/v1/")


def test_every_address_but_the_schema_names_its_scopes():
    named = {name for _, name, _ in ADDRESSES}
    assert {pattern.name for pattern in urls.urlpatterns} - named == {"api-schema", "api-nowhere"}
    assert {scope for _, _, scope in ADDRESSES} == set(Scope)


@pytest.mark.parametrize(("method", "name", "scope"), ADDRESSES)
def test_each_address_opens_for_its_scope_and_for_no_other(a_caller, method, name, scope):
    others = a_caller(scopes=[other for other in Scope if other != scope])
    refused = others.send(method, url(name), {})
    assert refused.status_code == 403
    assert scope in refused.json()["detail"]
    assert a_caller(scopes=[scope]).send(method, url(name), {}).status_code in {400, 404, 422}


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer cc_wrong", "Basic YTpi", "Token cc_x", "Bearer \x00"])
@pytest.mark.parametrize(("method", "name", "scope"), ADDRESSES)
def test_no_token_and_a_wrong_token_get_401_and_are_told_what_to_send(bank, method, name, scope, header):
    response = bank.send(method, url(name), {}, Authorization=header)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="api"'
    assert response.headers["Content-Type"] == "application/problem+json"
    assert "Authorization: Bearer cc_…" in response.json()["detail"]


def test_being_signed_in_opens_nothing():
    client = Client()
    client.force_login(factories.user(Role.ADMINISTRATOR))
    response = client.get(reverse("api-consents"), {"phone": "+12015550123"})
    assert response.status_code == 401
    assert not response.cookies
    assert response.headers["Cache-Control"] == "no-store"


def test_a_post_needs_no_csrf_token_because_it_has_no_cookie(bank):
    bank.client = Client(enforce_csrf_checks=True)
    assert bank.post("consents/", {}).status_code == 422


@pytest.mark.parametrize("change", [{"revoked_at": timezone.now()}, {"expires_at": timezone.now()}])
def test_a_revoked_or_expired_token_opens_nothing(bank, change):
    assert bank.get("consents/", phone="+12015550123").status_code == 200
    ApiToken.objects.filter(pk=bank.token.pk).update(**change)
    assert bank.get("consents/", phone="+12015550123").status_code == 401


def test_only_the_hash_of_a_secret_is_kept(bank):
    assert re.fullmatch(r"cc_[\w-]{43}", bank.secret)
    row = ApiToken.objects.values().get()
    assert bank.secret not in str(row)
    assert row["sha256"] == tokens.hashed(bank.secret)
    assert bank.secret.startswith(row["prefix"])


def test_last_use_is_noted_once_a_minute(bank):
    now = timezone.now()
    with CaptureQueriesContext(connection) as first:
        tokens.find(secret=bank.secret, now=now)
    with CaptureQueriesContext(connection) as second:
        tokens.find(secret=bank.secret, now=now + timedelta(seconds=59))
    assert (len(first), len(second)) == (2, 1)
    tokens.find(secret=bank.secret, now=now + timedelta(seconds=60))
    bank.token.refresh_from_db()
    assert bank.token.last_used_at == now + timedelta(seconds=60)


@pytest.mark.parametrize("scopes", [[], ["everything"], [Scope.CONSENTS_READ, "everything"]])
def test_the_database_knows_the_scopes(a_caller, scopes):
    with pytest.raises(IntegrityError, match="api_token_has_known_scopes"):
        a_caller(scopes=scopes)


def test_the_database_refuses_two_tokens_of_one_name(a_caller):
    a_caller(name="Core banking")
    with pytest.raises(IntegrityError, match="api_token_names_differ_by_more_than_case"):
        a_caller(name="core BANKING")


def test_a_token_has_so_many_requests_a_minute_and_is_told_when_to_come_back(bank, a_caller, settings):
    settings.API_REQUESTS_PER_MINUTE = 3
    answers = [bank.get("consents/", phone="+12015550123") for _ in range(8)]  # a minute may end in between
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert [answer.status_code for answer in answers[:3]] == [200, 200, 200]
    assert 1 <= int(refused[0].headers["Retry-After"]) <= 60
    assert refused[0].json()["title"] == "Too many requests."
    assert a_caller().get("consents/", phone="+12015550123").status_code == 200


def test_without_redis_nobody_is_turned_away(bank, settings):
    settings.API_REQUESTS_PER_MINUTE = 1
    settings.CACHES = settings.CACHES | {
        "shared": settings.CACHES["shared"] | {"LOCATION": "redis://127.0.0.1:1/0"},
    }
    assert {bank.get("consents/", phone="+12015550123").status_code for _ in range(3)} == {200}
