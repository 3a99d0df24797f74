"""Two agents at once, and what can be taken back: nobody answers over another, no deed is final before its author has
seen it done."""

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Desk
from tests.browser.writing import bubble, new_number, opened, write
from tests.product import Product, eventually

pytestmark = [pytest.mark.browser, pytest.mark.processes, pytest.mark.xdist_group("processes")]


@pytest.fixture
def handset() -> str:
    return new_number()


@pytest.fixture
def page(desk: Desk, product: Product, handset: str) -> Page:
    """An agent's page with the conversation of somebody who has just texted."""
    product.text("Are you open?", sender=handset)
    return opened(desk.sign_in(), product, handset)


def stale(page: Page, product: Product, handset: str, answer: str) -> list[Route]:
    """A colleague answers, and the page does not hear of it before these requests go on."""
    held: list[Route] = []
    page.route("**/thread/**", held.append)
    pk = product.conversation(handset.removeprefix("+"))
    dana = product.sign_in("agent2")
    sent = dana.post(f"/inbox/{pk}/messages/", body=answer, ref=f"{pk:08}-0000-4000-8000-{len(answer):012}")
    assert sent.status_code == 201
    return held


def test_a_stale_screen_makes_a_second_agent_answer(
    desk: Desk, page: Page, product: Product, handset: str
) -> None:
    desk.expect_complaints("409")
    held = stale(page, product, handset, "Yes, until five.")
    since = page.locator("#since")

    write(page, "We are, until six")
    page.keyboard.press("Enter")
    expect(since).to_contain_text("answered just now: “Yes, until five.”".replace("“", "").replace("”", ""))
    expect(since).to_contain_text("Send yours as well?")
    expect(page.locator("#body")).to_have_value("We are, until six")
    expect(page.locator("#body")).to_be_focused()
    expect(page.locator(".msg[data-pending]")).to_have_count(0)
    assert "We are, until six" not in product.handed_over(handset)

    page.keyboard.press("Enter")  # is no answer, and shows where one is given
    expect(since.get_by_role("button", name="Send anyway")).to_be_focused()
    page.keyboard.press("Enter")
    expect(since).to_be_hidden()
    expect(page.locator("#body")).to_have_value("")
    for route in held:
        route.continue_()
    page.unroute("**/thread/**")
    expect(bubble(page, "We are, until six")).to_contain_text("Delivered")
    assert eventually(lambda: len(product.handed_over(handset)) == 2)
    assert sorted(product.handed_over(handset)) == ["We are, until six", "Yes, until five."]


def test_what_was_not_sent_for_a_colleague_s_answer_stays_a_draft_or_goes(
    desk: Desk, page: Page, product: Product, handset: str
) -> None:
    desk.expect_complaints("409")
    held = stale(page, product, handset, "Yes, until five.")

    write(page, "We are, until six")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Keep as a draft").click()
    expect(page.locator("#since")).to_be_hidden()
    expect(page.locator("#body")).to_have_value("We are, until six")
    expect(page.locator("#body")).to_be_focused()

    page.keyboard.press("Enter")  # still as stale
    page.get_by_role("button", name="Discard").click()
    expect(page.locator("#body")).to_have_value("")
    for route in held:
        route.continue_()
    assert product.handed_over(handset) == ["Yes, until five."]
