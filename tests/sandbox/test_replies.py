"""Texts from handsets: signed webhooks to the product, and what the network answers by itself."""

import hashlib

import jwt
import pytest

from tests.sandbox.conftest import LINE, MARIA, TOLL_FREE, Receiver, Sandbox, eventually


def text(sandbox: Sandbox, words: str, *, line: str = LINE, **more: object) -> dict[str, object]:
    return sandbox.post("api/inbound", {"from": f"+{MARIA}", "to": line, "text": words, **more})


def thread(sandbox: Sandbox) -> list[tuple[str, str, str | None]]:
    phones = sandbox.get("api/handsets")["handsets"]
    maria = next(phone for phone in phones if phone["number"] == MARIA)
    return [(item["side"], item["text"], item["state"]) for item in maria["texts"]]


def blocked(sandbox: Sandbox) -> list[dict[str, str]]:
    return sandbox.get("api/state")["opted_out"]


def claims(sandbox: Sandbox, authorization: str) -> dict[str, object]:
    secret = sandbox.environment["VONAGE_SIGNATURE_SECRET"]
    return jwt.decode(authorization.removeprefix("Bearer "), secret, algorithms=["HS256"], issuer="Vonage")


def test_a_reply_arrives_signed_over_its_raw_body(sandbox: Sandbox, receiver: Receiver):
    text(sandbox, "hello there 👋", message_uuid="my-uuid")

    assert eventually(lambda: len(receiver.inbound()) == 1)
    hook = receiver.inbound()[0]
    body = hook.body
    assert (body["from"], body["to"], body["text"]) == (MARIA, LINE, "hello there 👋")
    assert body["message_uuid"] == "my-uuid"
    assert body["sms"] == {"num_messages": "1", "keyword": "HELLO"}
    assert body["timestamp"].endswith("Z")
    told = claims(sandbox, hook.authorization)
    assert told["payload_hash"] == hashlib.sha256(hook.raw).hexdigest()
    assert told["api_key"] == sandbox.environment["VONAGE_API_KEY"]
    assert told["application_id"] == sandbox.environment["VONAGE_APPLICATION_ID"]


def test_the_handset_shows_that_its_text_was_taken(sandbox: Sandbox, receiver: Receiver):
    text(sandbox, "hello")

    assert eventually(lambda: thread(sandbox) == [("customer", "hello", "accepted")])


@pytest.mark.parametrize("status", [503, 500, 429])
def test_a_webhook_that_is_put_off_is_signed_and_sent_again(sandbox: Sandbox, receiver: Receiver, status: int):
    receiver.answers.extend([status, status])

    text(sandbox, "hello")

    assert eventually(lambda: [hook.answered for hook in receiver.inbound()] == [status, status, 200])
    hooks = receiver.inbound()
    assert len({hook.raw for hook in hooks}) == 1
    assert len({claims(sandbox, hook.authorization)["jti"] for hook in hooks}) == 3


@pytest.mark.parametrize("status", [400, 401, 404, 302])
def test_a_webhook_that_is_refused_is_dropped(sandbox: Sandbox, receiver: Receiver, status: int):
    receiver.answers.append(status)

    text(sandbox, "hello")

    assert eventually(lambda: thread(sandbox) == [("customer", "hello", "dropped")])
    dropped = sandbox.get("api/webhooks?state=dropped")["webhooks"]
    assert [(item["tries"], item["attempts"]) for item in dropped] == [(1, [status])]


def test_stop_on_a_toll_free_line_is_answered_by_the_network_and_still_forwarded(sandbox: Sandbox, receiver: Receiver):
    text(sandbox, " Stop ", line=TOLL_FREE)

    assert eventually(lambda: len(receiver.inbound()) == 1)
    side, words, _ = thread(sandbox)[1]
    assert side == "network"
    assert words == (
        'NETWORK MSG: You replied with the word "stop" which blocks all texts sent from this number. '
        'Text back "unstop" to receive messages again.'
    )
    assert blocked(sandbox) == [{"line": TOLL_FREE, "number": MARIA}]

    text(sandbox, "unstop", line=TOLL_FREE)

    assert blocked(sandbox) == []


def test_stop_on_a_10dlc_line_is_left_to_the_product(sandbox: Sandbox, receiver: Receiver):
    text(sandbox, "STOP")

    assert eventually(lambda: len(receiver.inbound()) == 1)
    assert [side for side, *_ in thread(sandbox)] == ["customer"]
    assert blocked(sandbox) == []


def test_stop_on_a_10dlc_line_is_answered_by_opt_out_assist(sandbox: Sandbox, receiver: Receiver):
    sandbox.post("api/settings", {"opt_out_assist": True})

    text(sandbox, "stop")

    assert eventually(lambda: len(receiver.inbound()) == 1)
    assert [side for side, *_ in thread(sandbox)] == ["customer", "network"]
    assert blocked(sandbox) == [{"line": LINE, "number": MARIA}]


def test_copies_of_one_reply_differ_in_nothing_but_their_token(sandbox: Sandbox, receiver: Receiver):
    text(sandbox, "once", copies=5)

    assert eventually(lambda: len(receiver.inbound()) == 5)
    assert len({hook.raw for hook in receiver.inbound()}) == 1
    assert len({hook.authorization for hook in receiver.inbound()}) == 5


def test_the_fault_sends_replies_in_copies(sandbox: Sandbox, receiver: Receiver):
    sandbox.fault("inbound_copies", value=3, times=1)

    text(sandbox, "first")
    text(sandbox, "second")

    assert eventually(lambda: len(receiver.inbound()) == 4)
    assert sorted(hook.body["text"] for hook in receiver.inbound()) == ["first"] * 3 + ["second"]


def test_an_unsigned_webhook_is_signed_when_it_is_sent_again(sandbox: Sandbox, receiver: Receiver):
    sandbox.fault("unsigned_webhooks")
    receiver.answers.append(503)

    text(sandbox, "hello")

    assert eventually(lambda: len(receiver.inbound()) == 2)
    first, second = receiver.inbound()
    assert first.authorization is None
    assert claims(sandbox, second.authorization)["iss"] == "Vonage"


def test_a_forged_webhook_does_not_verify(sandbox: Sandbox, receiver: Receiver):
    sandbox.fault("forged_webhooks")

    text(sandbox, "hello")

    assert eventually(lambda: len(receiver.inbound()) == 1)
    with pytest.raises(jwt.InvalidSignatureError):
        claims(sandbox, receiver.inbound()[0].authorization)
