"""The real product, started once with its sandbox, and real browsers whose consoles must stay empty."""

import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
START_SECONDS = 120
LINE = "+12015550100"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@dataclass
class Product:
    """What `manage.py up --demo` runs."""

    url: str
    sandbox_url: str
    password: str
    process: subprocess.Popen[bytes]

    def text(self, sender: str, body: str, to: str = LINE) -> None:
        """Somebody texts a line from a handset."""
        self.call("/sandbox/api/inbound", {"from": sender, "to": to, "text": body})

    def handed_over(self, to: str) -> list[str]:
        """The texts that the carrier took for this number, one entry per time."""
        requests = self.call("/sandbox/api/requests")["requests"]
        return [one["text"] for one in requests if one["to"] == to.removeprefix("+") and one["answer"] == 202]

    def call(self, path: str, body: dict[str, Any] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.sandbox_url + path, data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def kill_web(self) -> None:
        """kill -9 of the web process; its supervisor starts another one."""
        for child in psutil.Process(self.process.pid).children(recursive=True):
            if child.name().startswith("python") and "uvicorn" in child.cmdline()[:4]:
                child.send_signal(signal.SIGKILL)
                return
        pytest.fail("no web process to kill")


def is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/healthz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.fixture(scope="session")
def chromium_path() -> str:
    found = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if found is None:
        message = f"no browser: none of {', '.join(CHROMIUM)} is on the PATH"
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail(message)
        pytest.skip(message)
    return found


@pytest.fixture(scope="session")
def product(chromium_path: str) -> Iterator[Product]:
    var_dir = Path(tempfile.mkdtemp(prefix="cc-up-"))
    var_dir.chmod(0o711)  # PostgreSQL may have to run as another user
    port, sandbox_port, password = free_port(), free_port(), secrets.token_hex(8)
    (var_dir / "demo-password").write_text(password)
    env = {name: value for name, value in os.environ.items() if not name.startswith(("DATABASE_URL", "REDIS_URL"))}
    env |= {"VAR_DIR": str(var_dir), "SANDBOX_HTTP_PORT": str(sandbox_port)}
    log = var_dir / "up.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "manage.py"), "up", "--demo", "--port", str(port)],
            stdout=output,
            stderr=subprocess.STDOUT,
            env=env,
            cwd=ROOT,
            start_new_session=True,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + START_SECONDS
        while not is_ready(url):
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"the product did not start:\n{log.read_text(errors='replace')[-4000:]}")
            time.sleep(0.2)
        yield Product(url, f"http://127.0.0.1:{sandbox_port}", password, process)
    finally:
        process.terminate()
        process.wait(60)
        shutil.rmtree(var_dir, ignore_errors=True)


@pytest.fixture(scope="module")  # not the session: its event loop would be in the way of async tests
def chromium(chromium_path: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=ARGUMENTS)
        yield browser
        browser.close()


@dataclass
class Desk:
    """Opens signed-in pages, each in a browser profile of its own, and listens to their consoles."""

    product: Product
    chromium: Browser
    complaints: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    def expect_complaints(self, pattern: str) -> None:
        """What a browser says when the network is taken from it; anything else still fails the test."""
        self.expected.append(pattern)

    def sign_in(self, username: str = "agent", **options: Any) -> Page:
        context = self.chromium.new_context(**{"viewport": {"width": 1440, "height": 900}} | options)
        context.set_default_timeout(20_000)
        page = context.new_page()
        page.on(
            "console", lambda message: message.type in {"error", "warning"} and self.complaints.append(message.text)
        )
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.goto(self.product.url + "/login/")
        page.get_by_label("User name").fill(username)
        page.get_by_label("Password").fill(self.product.password)
        page.get_by_role("button", name="Sign in").click()
        page.locator("#live[data-state=live]").wait_for(state="attached")
        return page

    def unexpected(self) -> list[str]:
        return [text for text in self.complaints if not any(re.search(pattern, text) for pattern in self.expected)]


@pytest.fixture
def desk(product: Product, chromium: Browser) -> Iterator[Desk]:
    it = Desk(product, chromium)
    yield it
    for context in chromium.contexts:
        context.close()
    assert it.unexpected() == []
