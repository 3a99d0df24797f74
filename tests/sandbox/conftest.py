"""A sandbox in its own process, and a receiver that stands for the product's webhook endpoints."""

import json
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from vonage import Auth, HttpClientOptions, Vonage

from sandbox import credentials

ROOT = Path(__file__).resolve().parents[2]
LINE, SECOND_LINE, TOLL_FREE = "12015550100", "12015550101", "18005550100"
MARIA, SAM = "12015550123", "12015550124"


class Hook(NamedTuple):
    """A webhook as it arrived."""

    path: str
    authorization: str | None
    raw: bytes
    answered: int

    @property
    def body(self) -> dict[str, Any]:
        return json.loads(self.raw)


class Receiver:
    """Takes webhooks; ``answers`` holds the next statuses, 200 when it is empty."""

    def __init__(self) -> None:
        self.hooks: list[Hook] = []
        self.answers: list[int] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                status = receiver.answers.pop(0) if receiver.answers else 200
                receiver.hooks.append(Hook(self.path, self.headers["Authorization"], raw, status))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def statuses(self, client_ref: str) -> list[str]:
        return [hook.body["status"] for hook in self.of(client_ref)]

    def of(self, client_ref: str) -> list[Hook]:
        return [hook for hook in list(self.hooks) if hook.body.get("client_ref") == client_ref]

    def inbound(self) -> list[Hook]:
        return [hook for hook in list(self.hooks) if hook.path.endswith("/inbound")]


class Sandbox:
    """The running sandbox: its environment and its control API."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment

    def get(self, path: str, **headers: str) -> Any:
        return self._ask(urllib.request.Request(self._url(path), headers=headers))

    def post(self, path: str, body: object, content_type: str = "application/json") -> Any:
        headers = {"Content-Type": content_type}
        return self._ask(urllib.request.Request(self._url(path), json.dumps(body).encode(), headers))

    def fault(self, kind: str, **options: object) -> None:
        self.post("api/faults", {"kind": kind, **options})

    def client(self, **changes: Any) -> Vonage:
        environment = self.environment
        auth = Auth(
            application_id=changes.get("application_id", environment["VONAGE_APPLICATION_ID"]),
            private_key=changes.get("private_key", environment["VONAGE_PRIVATE_KEY_FILE"]),
        )
        # One connection and no retries, or the SDK itself posts again when the line is cut.
        options = HttpClientOptions(
            api_host=environment["VONAGE_API_HOST"],
            timeout=changes.get("timeout", 15),
            pool_maxsize=1,
            max_retries=0,
        )
        return Vonage(auth, options)

    def _url(self, path: str) -> str:
        return f"{self.environment['SANDBOX_URL']}/sandbox/{path}"

    def _ask(self, request: urllib.request.Request) -> Any:
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)


def eventually(condition: Callable[[], bool]) -> bool:
    """Wait for something that happens in another process; a generous limit, not a measurement."""
    limit = time.monotonic() + 20
    while time.monotonic() < limit:
        if condition():
            return True
        time.sleep(0.02)
    return condition()


def free_ports() -> tuple[int, int]:
    with socket.socket() as first, socket.socket() as second:
        first.bind(("127.0.0.1", 0))
        second.bind(("127.0.0.1", 0))
        return first.getsockname()[1], second.getsockname()[1]


@pytest.fixture(scope="session")
def _receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()


@pytest.fixture(scope="session")
def _sandbox(_receiver: Receiver, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    var = tmp_path_factory.mktemp("var")
    tls_port, http_port = free_ports()
    environment = credentials.environment(var, tls_port=tls_port, http_port=http_port)
    ports = ["--tls-port", str(tls_port), "--http-port", str(http_port)]
    options = ["--webhooks", _receiver.url, "--retry-scale", "0.01"]
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox", "--var", var, *ports, *options],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    )
    ready = process.stderr.readline()
    assert "ready" in ready, ready + process.stderr.read()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REQUESTS_CA_BUNDLE", environment["REQUESTS_CA_BUNDLE"])
        yield Sandbox(environment)
    process.terminate()
    rest = process.communicate(timeout=20)[1]
    assert process.returncode == 0
    assert "Traceback" not in rest, rest


@pytest.fixture
def sandbox(_sandbox: Sandbox) -> Sandbox:
    _sandbox.post("api/reset", {})
    _sandbox.post("api/settings", {"rate": 0})
    return _sandbox


@pytest.fixture
def receiver(_receiver: Receiver, sandbox: Sandbox) -> Receiver:
    _receiver.hooks.clear()
    _receiver.answers.clear()
    return _receiver
