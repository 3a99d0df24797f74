"""What our own carrier module makes of everything the carrier can do, over TLS with the unmodified SDK."""

from pathlib import Path
from uuid import uuid4

import pytest
from django.test import override_settings

from conversations.carriers import vonage
from conversations.carriers.outcomes import Kind
from tests.sandbox.conftest import LINE, MARIA, eventually


@pytest.fixture(autouse=True)
def configured(sandbox):
    environment = sandbox.environment
    with override_settings(
        VONAGE_APPLICATION_ID=environment["VONAGE_APPLICATION_ID"],
        VONAGE_PRIVATE_KEY=Path(environment["VONAGE_PRIVATE_KEY_FILE"]).read_text(),
        VONAGE_API_HOST=environment["VONAGE_API_HOST"],
        VONAGE_TIMEOUT_SECONDS=2,
    ):
        vonage.clients.__dict__.clear()
        vonage.CachedAuth.tokens.clear()
        yield
        vonage.clients.__dict__.clear()
        vonage.CachedAuth.tokens.clear()


def send(**changes):
    ref = str(uuid4())
    return ref, vonage.send(**{"to": f"+{MARIA}", "sender": f"+{LINE}", "body": "Hëllo", "ref": ref, **changes})


def accepted(sandbox, ref):
    return [request["accepted_times"] for request in sandbox.get(f"api/requests?client_ref={ref}")["requests"]]


def test_a_taken_text_has_the_carrier_s_id(sandbox, receiver):
    ref, outcome = send()
    assert outcome.kind == Kind.SENT
    assert eventually(lambda: receiver.statuses(ref) == ["submitted", "delivered"])
    assert {hook.body["message_uuid"] for hook in receiver.of(ref)} == {outcome.carrier_id}


@pytest.mark.parametrize(
    ("fault", "kind", "taken"),
    [
        ("http_429", Kind.NOT_SENT, []),
        ("http_503", Kind.NOT_SENT, []),
        ("http_401", Kind.ACCOUNT, []),
        ("http_402", Kind.ACCOUNT, []),
        ("http_422", Kind.REFUSED, []),
        ("http_500", Kind.UNKNOWN, []),
        ("drop_after_accept", Kind.UNKNOWN, [1]),
    ],
)
def test_each_fault_has_its_outcome_and_nothing_is_taken_twice(sandbox, receiver, fault, kind, taken):
    sandbox.fault(fault, times=1)
    ref, outcome = send()
    assert outcome.kind == kind
    assert outcome.detail
    assert [times for times in accepted(sandbox, ref) if times] == taken
    assert outcome.is_throttled == (fault == "http_429")
    _, after = send()
    assert after.kind == Kind.SENT, "the same thread's client still works"


def test_no_answer_in_time_is_unknown_and_its_receipt_still_comes(sandbox, receiver):
    sandbox.fault("slow", value=4, times=1)
    ref, outcome = send()
    assert outcome.kind == Kind.UNKNOWN
    assert eventually(lambda: "delivered" in receiver.statuses(ref))


def test_no_connection_is_surely_not_sent():
    with override_settings(VONAGE_API_HOST="127.0.0.1:1"):
        assert send()[1].kind == Kind.NOT_SENT


def test_a_certificate_that_nobody_vouches_for_is_surely_not_sent(monkeypatch):
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    assert send()[1].kind == Kind.NOT_SENT


def test_a_number_that_is_no_number_is_refused_before_anything_leaves(sandbox):
    _, outcome = send(to="PIZZA")
    assert outcome.kind == Kind.REFUSED
    assert sandbox.get("api/requests")["requests"] == []


@pytest.mark.parametrize("key", ["", "no key at all", "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n"])
def test_without_a_key_the_account_is_at_fault(key):
    with override_settings(VONAGE_PRIVATE_KEY=key):
        outcome = send()[1]
    assert outcome.kind == Kind.ACCOUNT
    assert "VONAGE_PRIVATE_KEY" in outcome.detail


def test_the_token_is_made_once_for_many_texts(monkeypatch):
    made = []
    monkeypatch.setattr(
        "vonage.Auth.create_jwt_auth_string",
        lambda self, original=vonage.Auth.create_jwt_auth_string: made.append(1) or original(self),
    )
    assert [send()[1].kind for _ in range(5)] == [Kind.SENT] * 5
    assert len(made) == 1
