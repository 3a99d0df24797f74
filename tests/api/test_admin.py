"""Administrators make tokens, see their secret once, and revoke them."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from contactcenter.accounts.models import Role
from contactcenter.api.models import ApiToken, Scope
from tests import factories
from tests.admin.test_admin import page, press, signed_in, told
from tests.api.conftest import Caller

pytestmark = pytest.mark.django_db

ADD = "/admin/api/apitoken/add/"


@pytest.fixture
def administrator():
    return signed_in(Role.ADMINISTRATOR)


def make(client: Client, **fields):
    return client.post(ADD, {"name": "Core banking", "scopes": [Scope.CONSENTS_READ]} | fields)


def test_a_token_s_secret_is_shown_once_and_opens_what_was_ticked(administrator):
    response = make(administrator)
    assert response.status_code == 200
    assert "no-store" in response.headers["Cache-Control"]
    (secret,) = re.findall(r'value="(cc_[\w-]+)"', response.content.decode())
    token = ApiToken.objects.get()
    assert (token.name, token.scopes, token.created_by) == ("Core banking", ["consents:read"], administrator.user)
    caller = Caller(token, secret)
    assert caller.get("consents/", phone="+12015550123").status_code == 200
    assert caller.post("consents/", {}).status_code == 403
    for url in (reverse("admin:api_apitoken_changelist"), reverse("admin:api_apitoken_change", args=[token.pk])):
        assert secret not in administrator.get(url).content.decode()
    assert secret not in str(administrator.cookies)


def test_sending_the_form_twice_makes_one_token(administrator):
    make(administrator)
    assert "already has this name" in make(administrator).content.decode()
    assert ApiToken.objects.count() == 1


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"scopes": []}, "required"),
        ({"scopes": ["everything"]}, "Select a valid choice"),
        ({"name": ""}, "required"),
        ({"expires_at_0": "2020-01-01", "expires_at_1": "00:00"}, "still to come"),
    ],
)
def test_a_token_that_would_be_of_no_use_is_not_made(administrator, fields, complaint):
    assert complaint in make(administrator, **fields).content.decode()
    assert not ApiToken.objects.exists()


def test_a_revoked_token_opens_nothing_and_its_button_is_gone(administrator):
    make(administrator)
    token = ApiToken.objects.get()
    assert "Revoke" in page(administrator, token)
    assert told(press(administrator, ApiToken, "revoke", token)) == ["1 token opens nothing any more."]
    token.refresh_from_db()
    assert not token.is_in_force(timezone.now())
    assert "Revoke<" not in page(administrator, token)


def test_what_a_token_may_do_never_changes(administrator):
    make(administrator)
    token = ApiToken.objects.get()
    url = reverse("admin:api_apitoken_change", args=[token.pk])
    assert administrator.post(url, {"name": "Other", "scopes": Scope.values}).status_code == 403
    token.refresh_from_db()
    assert token.scopes == ["consents:read"]


def test_the_list_shows_the_last_use(administrator):
    make(administrator)
    ApiToken.objects.update(last_used_at=timezone.now() - timedelta(days=400))
    year = str((timezone.localtime() - timedelta(days=400)).year)
    assert year in administrator.get(reverse("admin:api_apitoken_changelist")).content.decode()


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.COMPLIANCE])
def test_tokens_are_for_administrators(role):
    client = signed_in(role)
    assert client.get(ADD).status_code == 403
    assert "apitoken" not in client.get("/admin/").content.decode()


def test_a_token_may_be_for_one_brand_only(administrator):
    brand = factories.brand()
    make(administrator, brand=brand.pk)
    assert ApiToken.objects.get().brand == brand
