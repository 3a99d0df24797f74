"""Consent that comes in elsewhere: written down by an agent, imported by an officer, with nothing for axe to find."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Desk
from tests.browser.test_accessibility import inspect, signed_in
from tests.product import Product, running

pytestmark = [pytest.mark.browser, pytest.mark.processes, pytest.mark.xdist_group("processes")]
HEADINGS = "Phone,Date,Consent text,Method\n"
PROVEN = "+1201{:07},2026-02-01 10:30,I agree to get texts.,web form\n"


@pytest.fixture(scope="module")
def product(chromium_path: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with running(tmp_path_factory.mktemp("demo"), DEMO_CONVERSATIONS="20") as product:
        yield product


@pytest.fixture(params=["light", "dark"])
def theme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def shoot(page: Page, name: str) -> None:
    """A picture for whoever wants to look, where SCREENSHOTS names a directory."""
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def test_an_agent_writes_down_what_was_said_on_the_telephone(desk: Desk, product: Product, theme: str) -> None:
    desk.expect_complaints("422")
    page = signed_in(desk, "agent", theme)
    page.locator(".me summary").click()
    page.get_by_role("link", name="Write down consent").click()
    problems = inspect(page, "consent")
    shoot(page, f"gave-{theme}")
    page.get_by_label("Phone number").fill("(212) 555-0188")
    page.get_by_role("radio").first.check()
    page.get_by_label("How", exact=True).select_option(label="By telephone")
    page.get_by_role("button", name="Write down the consent").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was written down yet")
    problems += inspect(page, "consent, refused")
    shoot(page, f"gave-refused-{theme}")

    page.get_by_role("link", name="Wants no more texts").click()
    problems += inspect(page, "opt-out")
    shoot(page, f"took-back-{theme}")
    page.get_by_label("Phone number").fill("(212) 555-0188")
    page.get_by_role("button", name="Write down the opt-out").click()
    expect(page.get_by_role("status")).to_contain_text("(212) 555-0188 gets no more texts.")

    assert problems == []


def test_an_officer_imports_a_file_and_sees_what_became_of_it(desk: Desk, product: Product, theme: str) -> None:
    first = 5551000 if theme == "light" else 5553000
    rows = "".join(PROVEN.format(first + number) for number in range(1500)) + "+12125550177,2026-02-01,,web form\n"
    page = signed_in(desk, "compliance", theme)
    page.goto(f"{product.url}/consent/import/")
    problems = inspect(page, "imports")
    shoot(page, f"imports-{theme}")
    page.get_by_label("CSV file").set_input_files(
        {"name": "people.csv", "mimeType": "text/csv", "buffer": (HEADINGS + rows).encode()}
    )
    page.get_by_role("button", name="Upload and look").click()
    page.get_by_label("Program", exact=True).first.select_option(label="Harbor Clinic · Appointment reminders")
    page.get_by_role("button", name="Look again").click()
    expect(page.get_by_text("Proven").first).to_be_visible()
    problems += inspect(page, "draft")
    shoot(page, f"draft-{theme}")
    page.get_by_role("button", name="Start the import").click()
    expect(page.get_by_text("1 row was refused")).to_be_visible(timeout=60_000)
    problems += inspect(page, "done")
    shoot(page, f"done-{theme}")
    assert "It lacks the wording they agreed to." in page.content()

    assert problems == []
