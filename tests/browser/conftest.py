"""The real product, started once with its sandbox, and real browsers whose consoles must stay empty."""

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.product import Product, running

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
def product(chromium_path: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with running(tmp_path_factory.mktemp("product")) as product:
        yield product


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
