"""Two agents at once, and what can be taken back: nobody answers over another, no deed is final before its author has
seen it done."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Desk
from tests.browser.people import People, settings
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
    assert eventually(lambda: product.handed_over(handset)) == ["Yes, until five."]


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


# --- Several at once ----------------------------------------------------------------------------------------------


def test_several_are_selected_by_key_and_mouse_resolved_and_taken_back(desk: Desk, product: Product) -> None:
    people = People(product)
    for name in ("Ana", "Ben", "Cleo"):
        people.text(name)
    page = desk.sign_in()
    page.goto(people.inbox)
    page.locator("#live[data-state=live]").wait_for(state="attached")
    bar = page.locator("#bulk")
    expect(bar).to_be_hidden()

    people.row(page, "Ana").locator(".q-row").focus()
    page.keyboard.press("x")
    expect(bar.locator("[data-number]")).to_have_text("1")
    bar.get_by_role("button", name="Select all shown").click()
    expect(bar.locator("[data-number]")).to_have_text("3")
    people.row(page, "Cleo").locator(".q-pick input").click()
    expect(bar.locator("[data-number]")).to_have_text("2")
    people.row(page, "Cleo").locator(".q-pick input").click()

    people.text("Ben", "One more thing")  # the list shows it; what was selected did not have it
    expect(people.row(page, "Ben")).to_contain_text("One more thing")
    bar.get_by_label("Resolve the selected").click()
    bar.get_by_role("button", name="Resolve", exact=True).click()
    expect(page.locator("#toast")).to_contain_text("2 done. 1 left alone, which has changed since: Ben.")
    expect(bar).to_be_hidden()
    expect(page.locator("#list li[id]")).to_have_count(1)

    page.locator("#log, #list").first.focus()
    page.keyboard.press("z")
    expect(page.locator("#list li[id]")).to_have_count(3)
    people.leave()


# --- Beginnings, ends and nuisances -------------------------------------------------------------------------------


def test_a_conversation_ends_with_a_disposition_chosen_by_keyboard(page: Page, product: Product, handset: str) -> None:
    page.locator("#log").focus()
    page.keyboard.press("d")
    page.locator("#resolve-menu .menu-item:not(.htmx-added)", has_text="Appointment").wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#toast")).to_contain_text("Resolved: Appointment")
    pk = product.conversation(handset.removeprefix("+"))
    query = """SELECT name FROM conversations_conversation c JOIN conversations_disposition d ON d.id = c.disposition_id
        WHERE c.id = %s"""
    assert eventually(lambda: product.rows(query, pk)) == [("Appointment",)]


def test_a_nuisance_is_blocked_after_a_second_look_and_taken_back(page: Page, product: Product, handset: str) -> None:
    page.get_by_label("More actions").click()
    page.get_by_text("Block this number…").click()
    page.get_by_role("button", name="Block", exact=True).click()
    expect(page.locator("#toast")).to_contain_text("Number blocked")
    pk = product.conversation(handset.removeprefix("+"))
    query = "SELECT resolved_at IS NULL FROM conversations_conversation WHERE id = %s"
    assert eventually(lambda: product.rows(query, pk) == [(False,)])
    page.locator("#toast").get_by_role("button", name="Undo").click()
    assert eventually(lambda: product.rows(query, pk) == [(True,)])


def test_writing_to_somebody_first_asks_the_gate_first(desk: Desk, product: Product, handset: str) -> None:
    product.text("Hello", sender=handset)
    pk = product.conversation(handset.removeprefix("+"))
    page = desk.sign_in()
    page.locator("#list").focus()
    page.keyboard.press("w")
    page.get_by_label("Phone number").fill("201 555 0999")
    page.get_by_role("button", name="Ask whether").click()
    expect(page.locator("#verdict")).to_contain_text("may not be texted")
    page.get_by_label("Phone number").fill(handset)
    line = page.get_by_label("From the line").locator("option", has_text="555-0100").first
    page.get_by_label("From the line").select_option(str(line.get_attribute("value")))
    page.get_by_role("button", name="Ask whether").click()
    page.wait_for_url(f"**/inbox/{pk}/")


def test_a_conversation_is_handed_to_a_team_with_a_note(desk: Desk, page: Page, product: Product, handset: str) -> None:
    desk.expect_complaints("422|Response Status Error")
    dialog = page.locator("#details")

    page.keyboard.press("Escape")
    page.keyboard.press("t")
    expect(dialog.get_by_role("heading", name="Transfer")).to_be_visible()
    team = dialog.locator("optgroup[label=Teams] option:not([disabled])").first
    dialog.get_by_label("To").select_option(team.get_attribute("value"))
    dialog.get_by_label("Note for whoever takes over").fill("@nobody.here has promised a call")
    dialog.get_by_role("button", name="Transfer").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Nobody here is called")

    dialog.get_by_label("Note for whoever takes over").fill("They were promised a call")
    dialog.get_by_role("button", name="Transfer").click()
    expect(dialog).to_be_hidden()
    expect(page.locator("#toast")).to_contain_text("Handed on")
    opened(page, product, handset)
    expect(page.locator("#messages")).to_contain_text("They were promised a call")
    expect(page.locator("#messages")).to_contain_text("transferred this to")
