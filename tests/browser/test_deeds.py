"""Two agents at once, and what can be taken back: nobody answers over another, no deed is final before its author has
seen it done."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Desk
from tests.browser.people import settings
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
    page.route("**/thread/**", lambda route: held.append(route))
    pk = product.conversation(handset.removeprefix("+"))
    dana = product.sign_in("agent2")
    sent = dana.post(f"/inbox/{pk}/messages/", body=answer, ref=f"{pk:08}-0000-4000-8000-{len(answer):012}")
    assert sent.status_code == 201
    return held


def test_a_stale_screen_makes_a_second_agent_answer(desk: Desk, page: Page, product: Product, handset: str) -> None:
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


def test_a_reply_is_taken_back_within_the_seconds_that_its_author_chose(
    desk: Desk, product: Product, handset: str
) -> None:
    settings(product, "agent", undo_seconds="30", single_keys="on")
    try:
        product.text("Are you open?", sender=handset)
        page = opened(desk.sign_in(), product, handset)
        write(page, "Yse")
        page.keyboard.press("Enter")
        expect(bubble(page, "Yse")).to_contain_text(re.compile(r"Sending in \d+ s"))
        expect(page.locator("#body")).to_have_value("")
        page.keyboard.press("Escape")
        page.keyboard.press("z")
        expect(bubble(page, "Yse")).to_contain_text("Cancelled")
        expect(page.locator("#body")).to_have_value("Yse")
        assert product.handed_over(handset) == []
    finally:
        settings(product, "agent", single_keys="on")


def test_what_was_just_done_is_taken_back_by_z(page: Page, product: Product, handset: str) -> None:
    page.locator("#log").focus()
    page.get_by_label("Snooze").click()
    page.get_by_role("button", name="Until they reply").click()
    expect(page.locator("#toast")).to_contain_text("Snoozed until they reply")
    query = "SELECT snoozed_until IS NULL FROM conversations_conversation WHERE id = %s"
    pk = product.conversation(handset.removeprefix("+"))
    assert product.rows(
        "SELECT extract(year FROM snoozed_until)::int FROM conversations_conversation WHERE id = %s", pk
    ) == [(9999,)]
    page.keyboard.press("z")
    assert eventually(lambda: product.rows(query, pk) == [(True,)])


def test_undo_that_comes_too_late_says_so(desk: Desk, page: Page, product: Product, handset: str) -> None:
    desk.expect_complaints("422")
    pk = product.conversation(handset.removeprefix("+"))
    page.locator("#log").focus()
    page.keyboard.press("e")
    expect(page.locator("#toast")).to_contain_text("Resolved")
    product.text("One more thing", sender=handset)
    assert eventually(
        lambda: product.rows("SELECT 1 FROM conversations_conversation WHERE id = %s AND resolved_at IS NULL", pk)
    )
    page.locator("#toast").get_by_role("button", name="Undo").click()
    expect(page.locator("#toast")).to_contain_text("nothing was undone")
