"""The main story, over HTTP, through every real process: a text comes in, an agent answers, STOP stops."""

import json
import re
import time
from pathlib import Path
from uuid import uuid4

import jsonschema
import pytest
import requests

from conversations.carriers import webhooks
from tests.conversations.signing import sign
from tests.product import ROOT, Product, eventually

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("processes")]
DESCRIPTION = ROOT.parent / "shared" / "vonage" / "messages-openapi-1.11.0.json"


def sent(cc: Product, ref: str) -> str:
    return "".join(status for (status,) in cc.rows("SELECT status FROM conversations_message WHERE ref = %s", ref))


def test_a_text_comes_in_an_agent_answers_and_the_receipt_comes_back(cc):
    agent, body, ref = cc.sign_in(), f"Is it open today? {time.time()}", str(uuid4())
    cc.text(body)
    eventually(lambda: body in agent.get("/inbox/list/?view=all").text, what="the text in the list")
    pk = agent.conversations()[0]
    answer = agent.post(f"/inbox/{pk}/messages/", body="Yes, until five. Bis später!", ref=ref)
    assert answer.status_code < 300
    assert agent.post(f"/inbox/{pk}/messages/", body="Yes, until five. Bis später!", ref=ref).status_code < 300
    eventually(lambda: sent(cc, ref) == "delivered", what="delivered")
    (request,) = cc.sandbox(f"requests?client_ref={ref}")["requests"]
    assert (request["text"], request["accepted_times"]) == ("Yes, until five. Bis später!", 1)


def test_a_stop_is_confirmed_once_and_then_nothing_is_sent(cc):
    agent = cc.sign_in()
    cc.text("Hi there", sender="12015550124")
    pk = cc.conversation("12015550124")
    cc.text("Stop!", sender="12015550124", copies=5)
    threads = eventually(
        lambda: cc.rows(
            "SELECT status FROM conversations_message WHERE purpose = 'opt_out_confirmation' AND status = 'delivered'"
        ),
        what="the confirmation",
    )
    assert len(threads) == 1
    ref = str(uuid4())
    agent.post(f"/inbox/{pk}/messages/", body="Just one more thing", ref=ref)
    eventually(lambda: sent(cc, ref) in {"blocked", ""}, what="blocked")
    time.sleep(0.5)
    assert cc.sandbox(f"requests?client_ref={ref}")["requests"] == []
    assert len(cc.sandbox("requests?to=12015550124")["requests"]) == 1


def test_the_carrier_s_own_opt_out_list_becomes_ours(cc):
    cc.text("Hello", sender="12015550125")
    cc.sandbox("opted-out", line="12015550100", number="12015550125")
    agent, ref = cc.sign_in(), str(uuid4())
    pk = cc.conversation("12015550125")
    agent.post(f"/inbox/{pk}/messages/", body="Good morning", ref=ref)
    eventually(lambda: sent(cc, ref) == "failed", what="the carrier's no")
    assert cc.rows("SELECT kind, source FROM consent_consentevent WHERE body LIKE '%%carrier:1240%%'") == [
        ("revoked", "carrier")
    ]
    panel = agent.get(f"/inbox/{pk}/panel/").text
    assert "Opted out" in panel


def post(cc: Product, raw: bytes, authorization: str = "", path: str = "inbound") -> requests.Response:
    headers = {"Content-Type": "application/json", **({"Authorization": authorization} if authorization else {})}
    return requests.post(f"{cc.url}/webhooks/vonage/{path}", data=raw, headers=headers, timeout=10)


@pytest.fixture
def carrier(cc, tmp_path):
    """Signs as the sandbox does."""
    from sandbox import credentials

    env = credentials.environment(cc.var_dir, tls_port=1, http_port=1)

    def signed(raw: bytes, secret: str = "") -> str:
        return sign(
            raw=raw,
            secret=secret or env["VONAGE_SIGNATURE_SECRET"],
            api_key=env["VONAGE_API_KEY"],
            application_id=env["VONAGE_APPLICATION_ID"],
            now=time.time(),
        )

    return signed


def text_body(**fields: str) -> bytes:
    return json.dumps(
        {
            "channel": "sms",
            "message_type": "text",
            "message_uuid": str(uuid4()),
            "from": "12015550126",
            "to": "12015550100",
            "timestamp": "2026-01-01T00:00:00Z",
            "text": "Hello",
            **fields,
        }
    ).encode()


def events(cc: Product) -> int:
    return int(cc.rows("SELECT count(*) FROM conversations_carrierevent")[0][0])


def test_bad_webhooks_store_nothing_and_a_wrong_secret_turns_the_health_red(cc, carrier):
    raw, before = text_body(), events(cc)
    assert post(cc, raw).status_code == 503
    huge = text_body(text="x" * 100_000)
    assert post(cc, huge, carrier(huge)).status_code == 413
    assert post(cc, text_body(text="other"), carrier(raw)).status_code == 401
    assert post(cc, raw, carrier(raw, secret="somebody-else-s-secret-of-sufficient-length")).status_code == 401
    assert events(cc) == before
    # Each web process looks once a second.
    red = eventually(lambda: (told := cc.health()) and not told["ok"] and told, what="the health page is red")
    assert "VONAGE_SIGNATURE_SECRET" in json.dumps(red)
    assert post(cc, raw, carrier(raw)).status_code == 200
    eventually(lambda: cc.health()["ok"], what="the health page is well again")
    assert webhooks.inbound_key(json.loads(raw), raw) in {
        key for (key,) in cc.rows("SELECT key FROM conversations_carrierevent")
    }


def test_every_request_that_was_sent_validates_against_the_published_description(cc):
    if not DESCRIPTION.exists():
        pytest.skip("the published description (../shared/vonage) is not here")
    requests_seen = cc.sandbox("requests?limit=500")["requests"]
    assert requests_seen, "the stories above have sent something"
    components = json.loads(DESCRIPTION.read_text())
    schema = send_schema(components)
    for request in requests_seen:
        jsonschema.validate(json.loads(request["body"]), schema)


def send_schema(description: dict) -> dict:
    """The description's own schema for a send, its references resolved against the whole document."""
    body = description["paths"]["/v1/messages"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    return {**body, "components": description["components"]}


def test_every_hand_over_began_within_two_seconds_of_its_gate(cc):
    late = cc.rows(
        "SELECT m.id FROM conversations_message m JOIN consent_decision d ON d.id = m.decision_id"
        " WHERE m.handed_over_at - d.decided_at > interval '2 seconds' OR d.decided_at > m.handed_over_at"
    )
    assert late == []


def test_a_second_start_says_that_one_is_running(cc):
    import subprocess
    import sys

    second = subprocess.run(
        [sys.executable, "manage.py", "up"],
        cwd=ROOT,
        env=cc.env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert second.returncode == 1
    assert re.search(rf"already running \(pid {cc.process.pid}\) at {cc.url}", second.stderr)


def test_the_project_does_not_need_the_shared_folder():
    assert not list(Path(ROOT).glob("**/shared/**/messages-openapi*"))
