"""The whole product as its own processes, started by `manage.py up --demo` on free ports in a directory of its own."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg
import requests

from contactcenter import engines

ROOT = Path(__file__).resolve().parent.parent
OURS = {"DATABASE_URL", "REDIS_URL", "SANDBOX_URL", "REQUESTS_CA_BUNDLE", "PORT", "DJANGO_SETTINGS_MODULE"}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def eventually(check: Callable[[], Any], seconds: float = 20, what: str = "") -> Any:
    """The first true thing that ``check`` answers. A bound, not a measurement."""
    deadline = time.monotonic() + seconds
    while True:
        with suppress(requests.RequestException, psycopg.Error, psutil.Error):
            if answer := check():
                return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:.0f} s: {what or check}")
        time.sleep(0.1)


class Product:
    """One run of everything. ``url`` is the web process's address."""

    def __init__(self, var_dir: Path, **env: str) -> None:
        self.var_dir = var_dir
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = var_dir / "up.log"
        sandbox_port = free_port()  # handsets go on texting while our own web process is dead
        self.sandbox_url = f"http://127.0.0.1:{sandbox_port}/sandbox/api"
        clean = {name: value for name, value in os.environ.items() if name not in OURS and "VONAGE" not in name}
        self.env = {
            **clean,
            "VAR_DIR": str(var_dir),
            "PORT": str(self.port),
            "SANDBOX_HTTP_PORT": str(sandbox_port),
            "DEMO_CONVERSATIONS": "0",
            **env,
        }

    def start(self) -> None:
        self.var_dir.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up", "--demo"], cwd=ROOT, env=self.env, stdout=log, stderr=log
            )

        def is_up() -> bool:
            assert self.process.poll() is None, self.log.read_text()[-4000:]
            return bool(self.health().get("ok"))

        eventually(is_up, 90, "the product is healthy")

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def health(self) -> dict[str, Any]:
        with suppress(requests.RequestException):
            return dict(requests.get(f"{self.url}/healthz", timeout=5).json())
        return {}

    # --- its processes

    def pids(self, *words: str, **env: str) -> list[int]:
        """The product's processes whose command line holds all the words and whose environment these values."""
        found = []
        for process in psutil.Process(self.process.pid).children(recursive=True):
            with suppress(psutil.Error):
                line = " ".join(process.cmdline())
                is_named = all(word in line for word in words) and "minder.py" not in line
                if is_named and env.items() <= process.environ().items():
                    found.append(process.pid)
        return sorted(found)

    def kill(self, *words: str, **env: str) -> int:
        """``kill -9`` for the oldest such process; its pid."""
        pid = int(eventually(lambda: self.pids(*words, **env), what=f"a process {words}")[0])
        os.kill(pid, signal.SIGKILL)
        return pid

    def kill_all(self, *words: str, **env: str) -> set[int]:
        """``kill -9`` for each such process."""
        pids = set(eventually(lambda: self.pids(*words, **env), what=f"a process {words}"))
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        return pids

    def signal(self, pids: Iterable[int], number: signal.Signals) -> None:
        """SIGSTOP freezes, SIGCONT thaws; who has ended already is passed over."""
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    # --- its database, carrier and pages

    def rows(self, query: str, *params: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(engines.urls(self.var_dir).database, connect_timeout=3) as connection:
            return connection.execute(query, params).fetchall()

    def sandbox(self, path: str, **body: Any) -> dict[str, Any]:
        """Asks the sandbox's control API, or tells it something."""
        url = f"{self.sandbox_url}/{path}"
        answer = requests.post(url, json=body, timeout=10) if body else requests.get(url, timeout=10)
        answer.raise_for_status()
        return dict(answer.json())

    def text(self, body: str, *, sender: str = "12015550123", line: str = "12015550100", **fields: Any) -> None:
        self.sandbox("inbound", **{"from": sender, "to": line, "text": body, **fields})

    def handed_over(self, person: str) -> list[str]:
        """The texts that the carrier took for this number, one entry per time."""
        seen = self.sandbox(f"requests?to={person.removeprefix('+')}")["requests"]
        return [request["text"] for request in seen if request["answer"] == 202]

    def conversation(self, person: str) -> int:
        """The id of this person's first conversation, once there is one."""
        query = """
            SELECT conversation.id FROM conversations_conversation conversation
            JOIN conversations_contact contact ON contact.id = contact_id WHERE contact.phone = %s
        """
        return int(eventually(lambda: self.rows(query, f"+{person}"), what=f"a conversation with {person}")[0][0])

    @property
    def password(self) -> str:
        return (self.var_dir / "demo-password").read_text().strip()

    def sign_in(self, username: str = "agent") -> "Browserless":
        return Browserless(self.url, username, self.password)


class Browserless:
    """Somebody signed in, without a browser."""

    def __init__(self, url: str, username: str, password: str) -> None:
        self.url, self.session = url, requests.Session()
        self.session.headers["Referer"] = url
        self.get("/login/")
        self.post("/login/", username=username, password=password)

    def get(self, path: str) -> requests.Response:
        return self.session.get(self.url + path, timeout=10)

    def post(self, path: str, **data: str) -> requests.Response:
        token = self.session.cookies.get("csrftoken", "")
        return self.session.post(self.url + path, data={**data, "csrfmiddlewaretoken": token}, timeout=10)

    def conversations(self) -> list[int]:
        found = re.findall(r"/inbox/(\d+)/", self.get("/inbox/list/?view=all").text)
        return list(dict.fromkeys(int(pk) for pk in found))


@contextmanager
def running(var_dir: Path, **env: str) -> Iterator[Product]:
    product = Product(var_dir, **env)
    try:
        product.start()
        yield product
    finally:
        if product.process.poll() is None:
            product.stop()
