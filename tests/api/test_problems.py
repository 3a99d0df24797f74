"""Every refusal is problem+json, and says what to do."""

import asyncio
import json

import pytest
from django.db import OperationalError

from contactcenter import asgi
from contactcenter.api import consents, problems

pytestmark = pytest.mark.django_db


def problem(response, status):
    assert response.status_code == status, response.content
    assert response.headers["Content-Type"] == "application/problem+json"
    told = response.json()
    assert {"type", "title", "status", "detail"} <= told.keys()
    assert told["status"] == status
    return told


@pytest.mark.parametrize("path", ["", "nowhere/", "consents", "messages/not-a-uuid/", "schema"])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "OPTIONS"])
def test_an_address_that_is_none(bank, path, method):
    assert "/api/v1/schema/" in problem(bank.send(method, path), 404)["detail"]


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS"])
def test_a_method_that_an_address_does_not_take(bank, method):
    response = bank.send(method, "consents/")
    assert "“Allow”" in problem(response, 405)["detail"]
    assert response.headers["Allow"] == "GET, HEAD, POST"


def test_a_body_that_is_not_json(bank):
    form = bank.client.post(
        "/api/v1/consents/", {"phone": "x"}, headers={"Authorization": f"Bearer {bank.secret}", "Idempotency-Key": "1"}
    )
    assert "application/json" in problem(form, 415)["detail"]


def test_a_body_that_is_too_large_is_not_even_parsed(bank):
    body = '{"words": "' + "x" * problems.BODY_LIMIT + '"'  # and broken
    assert "1 MB" in problem(bank.post("consents/", body), 413)["detail"]
    bank.secret = "cc_nobody"
    problem(bank.post("consents/", body), 401)


def test_nor_is_what_nobody_reads_to_its_end():
    sent = []

    async def receive():
        return {"type": "http.request", "body": b"x" * (1 << 20), "more_body": True}

    async def send(message):
        sent.append(message)

    for path in ("/api/v1/consents/", "/inbox/"):
        scope = {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": []}
        asyncio.run(asgi.application(scope, receive, send))
    api, body, page, _ = sent
    assert (api["status"], page["status"]) == (413, 413)
    assert dict(api["headers"])[b"content-type"] == b"application/problem+json"
    assert json.loads(body["body"])["status"] == 413
    assert dict(page["headers"])[b"content-type"] == b"text/plain"


@pytest.mark.parametrize("body", ["{", "", '{"phone": NaN}', "[" * 100_000])
def test_json_that_is_broken(bank, body):
    told = problem(bank.post("consents/", body), 422 if not body else 400)
    assert told["title"]


@pytest.mark.parametrize("body", [[], '"words"', 7, None])
def test_json_that_is_no_object(bank, body):
    problem(bank.post("consents/", body), 422)


def test_a_format_that_there_is_not(bank):
    problem(bank.send("GET", "consents/?phone=1", Accept="text/html"), 406)


def test_each_error_names_its_place_and_what_to_do(bank):
    body = {"phone": "12", "program": "a b", "ip": "here", "occured_at": "x", "occurred_at": "2026-01-01T00:00:00"}
    told = problem(bank.post("consents/", body), 422)
    # A member that nobody knows is told first: what was meant by it may be the rest.
    assert [error["pointer"] for error in told["errors"]] == ["#/occured_at"]
    assert "There are: phone, program, level, words," in told["errors"][0]["detail"]
    del body["occured_at"]
    told = problem(bank.post("consents/", body), 422)
    errors = {error["pointer"]: error["detail"] for error in told["errors"]}
    assert errors.keys() == {"#/phone", "#/program", "#/ip", "#/occurred_at"}
    assert "Check the digits" in errors["#/phone"]
    assert "offset" in errors["#/occurred_at"]


def test_an_error_in_the_address_names_its_parameter(bank):
    told = problem(bank.get("consents/", phone="12"), 422)
    assert told["errors"][0]["parameter"] == "phone"


def test_what_the_database_cannot_hold_is_refused_in_words(bank, program):
    body = {"phone": "+12015550123", "program": program.slug, "method": "on paper", "words": "I agree\x00"}
    assert problem(bank.post("consents/", body), 422)["errors"][0]["pointer"] == "#/words"


@pytest.mark.parametrize("body", [{"words": "\ud800"}, {"phone": "\ud800"}, {"\ud800": 1}, {"x": [{"y": "\udfff"}]}])
def test_half_a_character_is_refused_wherever_it_stands(bank, body):
    assert "half a character" in problem(bank.post("consents/", body), 400)["detail"]


def test_a_mistake_of_ours_says_nothing_of_its_insides_and_is_logged(bank, program, monkeypatch, caplog):
    def broken(*_args, **_kwargs):
        raise RuntimeError("the secret of the house")

    monkeypatch.setattr(consents, "record", broken)
    response = bank.post("consents/", {"phone": "+12015550123", "program": program.slug})
    assert "Idempotency-Key" in problem(response, 500)["detail"]
    assert "secret of the house" not in response.content.decode()
    assert "secret of the house" in caplog.text


def test_while_the_database_is_away_one_is_told_when_to_come_back(bank, monkeypatch):
    def away(*_args, **_kwargs):
        raise OperationalError("connection refused")

    monkeypatch.setattr(consents, "on_record", away)
    response = bank.get("consents/", phone="+12015550123")
    problem(response, 503)
    assert response.headers["Retry-After"] == "5"
