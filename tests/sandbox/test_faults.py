"""Each way in which the carrier can misbehave towards a message we send."""

import pytest
import requests
from vonage_http_client.errors import HttpRequestError

from sandbox.faults import Faults
from tests.sandbox.conftest import MARIA, SAM, Receiver, Sandbox, eventually
from tests.sandbox.test_sending import sms


def request(sandbox: Sandbox, client_ref: str) -> dict[str, object]:
    return sandbox.get(f"api/requests?client_ref={client_ref}")["requests"][0]


@pytest.mark.parametrize("status", [401, 402, 422, 429, 500, 503])
def test_a_refused_request_stores_nothing(sandbox: Sandbox, receiver: Receiver, status: int):
    sandbox.fault(f"http_{status}", times=1)
    client = sandbox.client()

    with pytest.raises(HttpRequestError) as error:
        client.messages.send(sms("refused"))

    assert error.value.response.status_code == request(sandbox, "refused")["answer"] == status
    assert request(sandbox, "refused")["accepted_times"] == 0
    client.messages.send(sms("next"))
    assert eventually(lambda: len(receiver.of("next")) == 2)
    assert receiver.of("refused") == []


def test_a_message_is_processed_though_the_line_is_cut(sandbox: Sandbox, receiver: Receiver):
    sandbox.fault("drop_after_accept", times=1)

    with pytest.raises(requests.exceptions.ConnectionError):
        sandbox.client().messages.send(sms("cut"))

    assert eventually(lambda: receiver.statuses("cut") == ["submitted", "delivered"])
    assert (request(sandbox, "cut")["answer"], request(sandbox, "cut")["accepted_times"]) == (0, 1)


def test_a_message_is_processed_though_the_client_no_longer_waits(sandbox: Sandbox, receiver: Receiver):
    sandbox.fault("slow", value=2, times=1)

    with pytest.raises(requests.exceptions.ReadTimeout):
        sandbox.client(timeout=1).messages.send(sms("slow"))

    assert eventually(lambda: receiver.statuses("slow") == ["submitted", "delivered"])


def test_receipts_can_come_before_the_answer(sandbox: Sandbox, receiver: Receiver):
    sandbox.fault("early_receipts")

    sandbox.client().messages.send(sms("early"))

    assert receiver.statuses("early") == ["submitted", "delivered"]


@pytest.mark.parametrize(
    ("fault", "statuses"),
    [
        ("doubled_receipts", ["delivered", "delivered", "submitted", "submitted"]),
        ("late_receipts", ["delivered", "submitted"]),
    ],
)
def test_receipts_come_late_or_twice(sandbox: Sandbox, receiver: Receiver, fault: str, statuses: list[str]):
    sandbox.fault(fault, value=0.5)

    sandbox.client().messages.send(sms("odd"))

    assert eventually(lambda: sorted(receiver.statuses("odd")) == statuses)


def test_delivered_can_come_before_submitted(sandbox: Sandbox, receiver: Receiver):
    sandbox.fault("disordered_receipts")
    sandbox.fault("early_receipts")

    sandbox.client().messages.send(sms("disordered"))

    assert receiver.statuses("disordered") == ["delivered", "submitted"]


def test_receipts_can_stay_away(sandbox: Sandbox, receiver: Receiver):
    sandbox.fault("no_receipts", times=1)
    client = sandbox.client()

    client.messages.send(sms("silent"))
    client.messages.send(sms("heard"))

    assert eventually(lambda: len(receiver.of("heard")) == 2)
    assert receiver.of("silent") == []


@pytest.mark.parametrize("code", [1000, 1170])
def test_a_message_is_rejected_with_the_code_asked_for(sandbox: Sandbox, receiver: Receiver, code: int):
    sandbox.fault("reject", value=code, to=MARIA)
    client = sandbox.client()

    client.messages.send(sms("bad"))
    client.messages.send(sms("good", to=SAM))

    assert eventually(lambda: len(receiver.of("good")) == 2)
    assert eventually(lambda: receiver.statuses("bad") == ["rejected"])
    assert receiver.of("bad")[0].body["error"]["title"] == str(code)


def test_a_fault_for_one_recipient_goes_before_one_for_all():
    faults = Faults()
    faults.switch_on("slow", value=1)
    faults.switch_on("slow", value=2, to=MARIA, times=1)

    taken = [faults.take("slow", MARIA), faults.take("slow", MARIA), faults.take("slow", SAM)]

    assert [fault.value for fault in taken] == [2, 1, 1]


def test_a_fault_for_a_few_messages_wears_off():
    faults = Faults()
    faults.switch_on("http_500", times=2)

    assert [faults.take("http_500") is not None for _ in range(3)] == [True, True, False]
    assert faults.active == []
