"""The product's side of the wire: the unmodified SDK sends, receipts come back."""

import pytest
import requests
from vonage_http_client.errors import AuthenticationError, HttpRequestError, RateLimitedError
from vonage_messages.models import MmsImage, MmsResource, Sms

from sandbox import credentials
from tests.sandbox.conftest import LINE, MARIA, TOLL_FREE, Receiver, Sandbox, eventually


def sms(client_ref: str, **changes: object) -> Sms:
    return Sms(**{"to": MARIA, "from_": LINE, "text": "Hello", "client_ref": client_ref, **changes})


def problem(error: pytest.ExceptionInfo[HttpRequestError]) -> dict[str, object]:
    return error.value.response.json()


def test_a_text_is_accepted_then_submitted_then_delivered(sandbox: Sandbox, receiver: Receiver):
    sent = sandbox.client().messages.send(sms("happy", text="é" * 161))

    assert eventually(lambda: receiver.statuses("happy") == ["submitted", "delivered"])
    submitted, delivered = (hook.body for hook in receiver.of("happy"))
    assert submitted["message_uuid"] == delivered["message_uuid"] == sent.message_uuid
    assert (submitted["to"], submitted["from"]) == (MARIA, LINE)
    assert submitted["sms"] == {"count_total": "2"}
    assert submitted["usage"] == {"currency": "EUR", "price": "0.0150"}
    assert "usage" not in delivered
    assert {hook.path for hook in receiver.of("happy")} == {"/webhooks/vonage/status"}


def test_a_message_may_name_its_own_address_for_receipts(sandbox: Sandbox, receiver: Receiver):
    sandbox.client().messages.send(sms("own", webhook_url=f"{receiver.url}/elsewhere"))

    assert eventually(lambda: len(receiver.of("own")) == 2)
    assert {hook.path for hook in receiver.of("own")} == {"/elsewhere"}


def test_a_text_shows_on_its_handset(sandbox: Sandbox):
    sandbox.client().messages.send(sms("shown", text="See you at 5"))

    maria = next(phone for phone in sandbox.get("api/handsets")["handsets"] if phone["number"] == MARIA)
    assert [(text["side"], text["text"]) for text in maria["texts"]] == [("business", "See you at 5")]


def test_pictures_are_taken_too(sandbox: Sandbox, receiver: Receiver):
    picture = MmsImage(to=MARIA, from_=LINE, image=MmsResource(url="https://example.com/a.jpg"), client_ref="mms")
    sandbox.client().messages.send(picture)

    assert eventually(lambda: receiver.statuses("mms") == ["submitted", "delivered"])


def test_an_opted_out_number_is_accepted_and_then_rejected_with_1240(sandbox: Sandbox, receiver: Receiver):
    sandbox.post("api/opted-out", {"line": LINE, "number": MARIA})

    sandbox.client().messages.send(sms("blocked"))

    assert eventually(lambda: receiver.statuses("blocked") == ["rejected"])
    error = receiver.of("blocked")[0].body["error"]
    assert error["title"] == "1240"
    assert error["type"].endswith("/messages#1240")
    assert "STOP opt-out" in error["detail"]


def test_an_opt_out_counts_for_one_line_only(sandbox: Sandbox, receiver: Receiver):
    sandbox.post("api/opted-out", {"line": TOLL_FREE, "number": MARIA})

    sandbox.client().messages.send(sms("other-line"))

    assert eventually(lambda: receiver.statuses("other-line") == ["submitted", "delivered"])


def test_a_foreign_sender_is_refused(sandbox: Sandbox):
    with pytest.raises(HttpRequestError) as error:
        sandbox.client().messages.send(sms("foreign", from_="12125550199"))

    assert error.value.response.status_code == 422
    assert problem(error)["title"] == "Invalid sender"
    assert sandbox.get("api/requests?client_ref=foreign")["requests"][0]["accepted_times"] == 0


def test_a_key_that_is_not_ours_is_refused(sandbox: Sandbox, tmp_path):
    strange = credentials.prepare(tmp_path).private_key.read_text()

    with pytest.raises(AuthenticationError) as error:
        sandbox.client(private_key=strange).messages.send(sms("strange"))

    assert problem(error)["type"].endswith("#unathorized")


def test_another_application_is_refused(sandbox: Sandbox):
    with pytest.raises(AuthenticationError) as error:
        sandbox.client(application_id="another").messages.send(sms("another"))

    assert problem(error)["type"].endswith("#unprovisioned")


@pytest.mark.parametrize("raw", [b"{", b"[]", b"\xff", b"[" * 100_000])
def test_what_is_no_json_object_is_refused(sandbox: Sandbox, raw: bytes):
    token = sandbox.client().http_client.auth.create_jwt_auth_string().decode()

    answer = requests.post(
        f"https://{sandbox.environment['VONAGE_API_HOST']}/v1/messages",
        data=raw,
        headers={"Authorization": token, "Content-Type": "application/json"},
        timeout=20,
    )

    assert answer.status_code == 422
    assert answer.json()["type"].endswith("#invalid-json")


def test_the_ceiling_answers_429_and_counts(sandbox: Sandbox):
    sandbox.post("api/settings", {"rate": 1})
    client = sandbox.client()

    def flood() -> bool:
        try:
            client.messages.send(sms("flood"))
        except RateLimitedError:
            return True
        return False

    assert eventually(flood)
    assert sandbox.get("api/state")["ceiling_hits"] >= 1
