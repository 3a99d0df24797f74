"""`kill -9` of every process under load: nothing acknowledged is lost, nothing is sent twice, nothing sticks."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from uuid import uuid4

import psutil
import psycopg
import pytest
import requests
from websockets.sync.client import connect

from contactcenter import engines
from tests.product import ROOT, Browserless, Product, eventually

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("processes")]

PEOPLE = [f"1201555{number:04}" for number in range(3000, 3006)]
VICTIMS = [
    ("one web process", ("contactcenter.web",), {}),
    ("all web processes", ("contactcenter.web",), {}),
    ("a sending worker", ("qcluster",), {"Q_CLUSTER_NAME": "agents"}),
    ("clock", ("manage.py", "clock"), {}),
    ("PostgreSQL", ("postgres", "-D"), {}),
    ("Valkey", ("valkey-server",), {}),
]


class Load(threading.Thread):
    """Calls ``step`` until told to stop, whatever dies meanwhile."""

    def __init__(self, step, pause: float) -> None:
        super().__init__(daemon=True)
        self.step, self.pause, self.over = step, pause, threading.Event()

    def run(self) -> None:
        while not self.over.wait(self.pause):
            with suppress(requests.RequestException, psycopg.Error):
                self.step()


class Shift:
    """People who text and an agent who answers, both remembering what was accepted."""

    def __init__(self, cc: Product) -> None:
        self.cc, self.agent = cc, cc.sign_in()
        self.texts: list[str] = []
        self.replies: dict[str, str] = {}
        for person in PEOPLE:
            self.text_from(person)
        self.conversations = [cc.conversation(person) for person in PEOPLE]

    def text_from(self, person: str) -> None:
        body = f"text {uuid4()}"
        self.cc.text(body, sender=person)
        self.texts.append(body)

    def text(self) -> None:
        self.text_from(PEOPLE[len(self.texts) % len(PEOPLE)])

    def reply(self) -> None:
        """A reply, sent again under the same id until the server takes it, as the browser does."""
        ref = str(uuid4())
        pk = self.conversations[len(self.replies) % len(self.conversations)]
        for _ in range(200):
            with suppress(requests.RequestException):
                if self.agent.post(f"/inbox/{pk}/messages/", body=f"reply {ref}", ref=ref).status_code < 300:
                    self.replies[ref] = f"reply {ref}"
                    return
            time.sleep(0.1)
        raise AssertionError("the server did not take a reply for 20 s")


@pytest.fixture(scope="module")
def aftermath(cc):
    """The product after a shift in which each of its processes was killed once."""
    shift = Shift(cc)
    cc.sandbox("settings", rate=0)
    load = [Load(shift.text, 0.04), Load(shift.reply, 0.08)]
    for thread in load:
        thread.start()
    for name, words, env in VICTIMS:
        time.sleep(2)
        killed = cc.kill_all(*words, **env) if name.startswith("all") else {cc.kill(*words, **env)}
        eventually(
            lambda words=words, env=env, killed=killed: len(set(cc.pids(*words, **env)) - killed) >= len(killed),
            30,
            f"{name} back",
        )
        time.sleep(2)
    for thread in load:
        thread.over.set()
    for thread in load:
        thread.join(30)
        assert not thread.is_alive()
    eventually(lambda: cc.health().get("ok"), 60, "healthy again")
    return shift


def statuses(cc: Product) -> Counter[str]:
    return Counter(status for (status,) in cc.rows("SELECT status FROM conversations_message WHERE direction = 'out'"))


def test_nothing_acknowledged_is_lost(cc, aftermath):
    def is_complete() -> bool:
        rows = cc.rows("SELECT body, count(*) FROM conversations_message WHERE direction = 'in' GROUP BY body")
        return dict(rows) == dict.fromkeys(aftermath.texts, 1)

    assert len(aftermath.texts) > 100
    eventually(is_complete, 90, "every text is in its thread once")
    assert cc.rows("SELECT key, error FROM conversations_carrierevent WHERE state <> 'threaded'") == []


def test_nothing_sticks_and_receipts_settle_what_was_unknown(cc, aftermath):
    def is_settled() -> bool:
        now = statuses(cc)
        return not (now["queued"] or now["sending"] or now["sent"]) and not unsettled(cc)

    eventually(is_settled, 90, "every reply is settled")
    assert set(statuses(cc)) <= {"delivered", "unknown"}


def unsettled(cc: Product) -> list[str]:
    """Unknown to us though the carrier has taken it."""
    unknown = [str(ref) for (ref,) in cc.rows("SELECT ref FROM conversations_message WHERE status = 'unknown'")]
    return [ref for ref in unknown if cc.sandbox(f"requests?client_ref={ref}")["requests"]]


def test_nothing_is_sent_twice_and_nothing_is_forgotten(cc, aftermath):
    kept = {
        str(ref): status
        for ref, status in cc.rows("SELECT ref, status FROM conversations_message WHERE direction = 'out'")
    }
    assert set(aftermath.replies) <= set(kept)
    assert len(aftermath.replies) > 30
    for ref, status in kept.items():
        times = [request["accepted_times"] for request in cc.sandbox(f"requests?client_ref={ref}")["requests"]]
        assert set(times) == ({1} if status == "delivered" else set()), (ref, status, times)


def test_no_hand_over_was_late(cc, aftermath):
    late = "SELECT count(*) FROM conversations_message m JOIN consent_decision d ON d.id = m.decision_id"
    assert cc.rows(f"{late} WHERE m.handed_over_at - d.decided_at > interval '2 seconds'") == [(0,)]


def test_live_push_recovers(cc, aftermath):
    agent: Browserless = aftermath.agent
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in agent.session.cookies)
    address = cc.url.replace("http", "ws") + "/ws/"
    with connect(address, origin=cc.url, additional_headers={"Cookie": cookies}) as socket:
        socket.send('{"subscribe": ["conversation"]}')
        assert "subscribed" in socket.recv(timeout=10)
        aftermath.text()
        eventually(lambda: '"conversation"' in socket.recv(timeout=10), 30, "a signal")


def test_the_ledger_is_whole(cc, aftermath):
    urls = engines.urls(cc.var_dir)
    env = {**cc.env, "DATABASE_URL": urls.database, "REDIS_URL": urls.redis}
    subprocess.run([sys.executable, "manage.py", "verify_ledger"], cwd=ROOT, env=env, check=True, timeout=60)


def test_a_killed_supervisor_leaves_no_process_that_takes_work(cc, aftermath):
    family = psutil.Process(cc.process.pid).children(recursive=True)
    assert len(family) > 10
    os.kill(cc.process.pid, signal.SIGKILL)
    cc.process.wait()
    _, alive = psutil.wait_procs(family, timeout=40)
    assert [process.cmdline() for process in alive] == []
    cc.start()
    eventually(lambda: cc.health().get("ok"), 60, "it starts again at once")
    assert cc.stop() == 0
