"""The control API and the pages: what a test or a person can ask, and what is refused with a reason."""

import json
import re
import urllib.error
import urllib.request

import pytest

from sandbox import state
from tests.sandbox.conftest import LINE, MARIA, Receiver, Sandbox
from tests.sandbox.test_sending import sms


def refusal(error: pytest.ExceptionInfo[urllib.error.HTTPError]) -> tuple[int, str]:
    return error.value.code, json.load(error.value)["error"]


def test_every_request_is_kept_with_its_answer(sandbox: Sandbox):
    client = sandbox.client()
    for _ in range(2):
        client.messages.send(sms("twice"))

    kept = sandbox.get("api/requests?client_ref=twice")["requests"]

    assert [(item["answer"], item["accepted_times"]) for item in kept] == [(202, 2), (202, 2)]
    assert json.loads(kept[0]["body"])["text"] == kept[0]["text"] == "Hello"
    assert len({item["message_uuid"] for item in kept}) == 2


def test_handsets_that_did_not_change_are_not_sent_again(sandbox: Sandbox, receiver: Receiver):
    with urllib.request.urlopen(f"{sandbox.environment['SANDBOX_URL']}/sandbox/api/handsets") as answer:
        tag = answer.headers["ETag"]

    with pytest.raises(urllib.error.HTTPError) as error:
        sandbox.get("api/handsets", **{"If-None-Match": tag})
    assert error.value.code == 304

    sandbox.post("api/handsets", {"number": "+1 (201) 555-0177", "name": "Lena"})
    phones = sandbox.get("api/handsets", **{"If-None-Match": tag})["handsets"]
    assert phones[-1] | {"texts": []} == {
        "number": "12015550177",
        "name": "Lena",
        "opted_out": [],
        "texts": [],
    }


def test_a_line_can_be_added(sandbox: Sandbox):
    picture = sandbox.post("api/lines", {"number": "24273", "kind": "short_code"})

    assert {"number": "24273", "kind": "short_code"} in picture["lines"]


def test_a_reset_forgets_everything_but_the_account(sandbox: Sandbox):
    before = sandbox.get("api/state")
    sandbox.client().messages.send(sms("gone"))
    sandbox.fault("slow")
    sandbox.post("api/lines", {"number": "24273", "kind": "short_code"})

    sandbox.post("api/reset", {})

    after = sandbox.get("api/state")
    assert after["settings"]["rate"] == 30
    assert after | {"settings": None} == before | {"settings": None, "webhooks": {}, "requests": 0}


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("api/faults", {"kind": "gremlins"}),
        ("api/faults", {"kind": "slow", "times": 0}),
        ("api/faults", {"kind": "slow", "value": [1]}),
        ("api/handsets", {"number": "Maria"}),
        ("api/lines", {"number": LINE, "kind": "pigeon"}),
        ("api/inbound", {"from": MARIA, "to": LINE, "text": ""}),
        ("api/inbound", {"from": MARIA, "to": "the clinic", "text": "hi"}),
        ("api/inbound", []),
    ],
)
def test_what_cannot_be_is_refused_with_a_reason(sandbox: Sandbox, path: str, asked: object):
    with pytest.raises(urllib.error.HTTPError) as error:
        sandbox.post(path, asked)

    code, reason = refusal(error)
    assert code == 400
    assert reason


def test_a_foreign_web_page_cannot_post_without_a_preflight(sandbox: Sandbox):
    with pytest.raises(urllib.error.HTTPError) as error:
        sandbox.post("api/reset", {}, content_type="text/plain")

    assert refusal(error)[0] == 415


def test_the_page_works_under_the_strict_policy(sandbox: Sandbox):
    with urllib.request.urlopen(f"{sandbox.environment['SANDBOX_URL']}/sandbox/") as answer:
        policy, page = answer.headers["Content-Security-Policy"], answer.read().decode()

    assert "default-src 'none'" in policy
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script>|(?:src|href)=\"/", page)


def test_the_oldest_quiet_thread_is_forgotten_when_there_are_too_many():
    kept = state.State({})
    for number in range(2_001):
        kept.show(str(number), state.Text("business", LINE, "hi", None))

    assert len(kept.threads) == 2_000
    assert "0" not in kept.threads
