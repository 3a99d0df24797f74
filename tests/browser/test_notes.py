"""Notes in the thread: written beside the reply and never as one, calling colleagues until they have looked."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Desk
from tests.browser.writing import bubble, new_number, opened, write
from tests.product import Product

pytestmark = [pytest.mark.browser, pytest.mark.processes, pytest.mark.xdist_group("processes")]

NETWORK = r"net::ERR_|Failed to load resource"


@pytest.fixture
def handset() -> str:
    return new_number()


@pytest.fixture
def page(desk: Desk, product: Product, handset: str) -> Page:
    """An agent's page with the conversation of somebody who has just texted."""
    product.text("Hello?", sender=handset)
    return opened(desk.sign_in(), product, handset)


def note(page: Page, words: str) -> Locator:
    return page.locator("#messages .note", has_text=words)


def write_note(page: Page, words: str) -> None:
    page.locator("#body, #note-body").locator("visible=true").press("Escape")
    page.keyboard.press("n")
    expect(page.locator("#note-body")).to_be_focused()
    page.keyboard.type(words)


# --- Written -----------------------------------------------------------------------------------------------------


def test_a_note_is_written_by_keyboard_seen_by_colleagues_and_never_sent(
    desk: Desk, product: Product, page: Page, handset: str
) -> None:
    dana = opened(desk.sign_in("agent2"), product, handset)
    write_note(page, "They are a regular")
    page.keyboard.press("Enter")

    expect(note(page, "They are a regular")).to_contain_text("only your team sees this")
    expect(note(dana, "They are a regular")).to_contain_text("Note by")
    expect(page.locator("#note-body")).to_have_value("")
    expect(page.locator("#note-body")).to_be_focused()
    expect(page.locator("#messages .msg--out")).to_have_count(0)
    assert product.handed_over(handset) == []
    query = "SELECT count(*) FROM conversations_wait WHERE conversation_id = %s AND answered_at IS NULL"
    assert product.rows(query, product.conversation(handset.removeprefix("+"))) == [(1,)]


def test_a_reply_and_a_note_are_two_texts_that_never_meet(page: Page, product: Product, handset: str) -> None:
    write(page, "A reply, begun")
    write_note(page, "A note, begun")
    expect(page.locator("#body")).to_be_hidden()
    expect(page.locator("#count")).to_be_hidden()
    expect(page.locator("#send-menu")).to_be_hidden()
    expect(page.locator("#note-saved")).to_contain_text("Draft saved")
    page.reload()
    page.locator("#live[data-state=live]").wait_for(state="attached")

    expect(page.locator("#body")).to_have_value("A reply, begun")
    expect(page.locator("#note-begun")).to_be_visible()
    page.get_by_role("button", name=re.compile(r"^Note")).click()
    expect(page.locator("#note-body")).to_have_value("A note, begun")
    expect(page.locator("#reply-begun")).to_be_visible()
    page.locator("#note-body").press("Escape")
    page.keyboard.press("r")
    expect(page.locator("#body")).to_be_focused()
    page.keyboard.press("Enter")

    expect(bubble(page, "A reply, begun")).to_contain_text("Delivered")
    assert product.handed_over(handset) == ["A reply, begun"]
    expect(page.locator("#note-body")).to_have_value("A note, begun")


def test_a_note_draft_is_in_no_other_thread(page: Page, product: Product) -> None:
    write_note(page, "About the first only")
    other = new_number()
    product.text("Somebody else", sender=other)
    opened(page, product, other)

    expect(page.locator("#note-begun")).to_be_hidden()
    write_note(page, "")
    expect(page.locator("#note-body")).to_have_value("")


def test_a_note_can_be_written_where_no_reply_may_go(page: Page, product: Product, handset: str) -> None:
    product.text("STOP", sender=handset)
    expect(page.locator("#composer")).to_be_hidden()

    page.get_by_role("button", name="Write a note").click()
    page.keyboard.type("Call them instead")
    page.keyboard.press("Enter")

    expect(note(page, "Call them instead")).to_be_visible()
    expect(page.locator("#note-close")).to_be_disabled()
    expect(page.locator("#body")).to_be_hidden()


def test_a_note_that_the_server_did_not_answer_is_kept_and_written_once(desk: Desk, page: Page) -> None:
    desk.expect_complaints(NETWORK)
    write_note(page, "Once, please")
    page.route("**/notes/", lambda route: (route.fetch(), route.abort()))
    page.keyboard.press("Enter")

    expect(note(page, "Once, please")).to_have_count(1)
    page.unroute("**/notes/")
    expect(page.locator("#note-body")).to_have_value("")
    expect(page.locator("#note-error")).to_be_hidden()


def test_what_is_refused_says_why_and_keeps_the_text(page: Page, desk: Desk) -> None:
    desk.expect_complaints("422")
    write_note(page, "@nobody look")
    page.keyboard.press("Enter")

    expect(page.locator("#note-error")).to_contain_text("Nobody here is called @nobody")
    expect(page.locator("#note-body")).to_have_value("@nobody look")
    expect(page.locator("#note-error button")).to_be_hidden()


def test_a_link_leads_to_the_open_note(page: Page, product: Product, handset: str) -> None:
    page.goto("about:blank")
    page.goto(f"{product.url}/inbox/{product.conversation(handset.removeprefix('+'))}/#note")

    expect(page.locator("#note-body")).to_be_focused()


# --- Calling -----------------------------------------------------------------------------------------------------


def test_colleagues_are_chosen_from_a_list_by_keyboard(page: Page) -> None:
    options = page.locator("#callable [role=option]")
    write_note(page, "Ask @")
    expect(options).to_have_count(4)
    expect(options.first).to_have_attribute("aria-selected", "true")
    page.keyboard.type("dá")
    expect(options).to_have_count(1)
    expect(options).to_contain_text("Dana Ruiz")
    page.keyboard.press("Escape")
    expect(page.locator("#callable")).to_be_hidden()
    expect(page.locator("#note-body")).to_be_focused()

    page.keyboard.press("Backspace")
    page.keyboard.press("Backspace")
    expect(options).to_have_count(4)
    second = options.nth(1).locator("span").inner_text()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(page.locator("#note-body")).to_have_value(f"Ask {second.split()[0]} ")
    page.keyboard.type("now")
    expect(page.locator("#callable")).to_be_hidden()
    expect(page.locator("#messages .note")).to_have_count(0)


def test_colleagues_are_chosen_from_a_list_by_pointer(page: Page) -> None:
    write_note(page, "@sam")
    page.locator("#callable [role=option]", has_text="Samuel").click()

    expect(page.locator("#note-body")).to_have_value("@supervisor ")
    expect(page.locator("#note-body")).to_be_focused()


def test_a_mention_nobody_sees(desk: Desk, product: Product, page: Page, handset: str) -> None:
    """Whoever is called sees it counted wherever they are, and until they have the conversation before them."""
    dana = desk.sign_in("agent2")
    expect(dana.locator("#called")).to_be_hidden()
    write_note(page, "@agent2 is that yours?")
    page.keyboard.press("Enter")
    expect(note(page, "is that yours?").locator(".called")).to_have_text("@Dana Ruiz")

    expect(dana.locator("#called")).to_contain_text("1")
    dana.keyboard.press("g")
    dana.keyboard.press("n")
    expect(dana.get_by_role("heading", name="Not seen yet")).to_be_visible()
    dana.get_by_role("link", name=re.compile("555")).first.click()
    dana.locator("#live[data-state=live]").wait_for(state="attached")

    expect(note(dana, "is that yours?")).to_be_in_viewport()
    expect(note(dana, "is that yours?").locator(".called--me")).to_have_text("@Dana Ruiz")
    expect(dana.locator("#called")).to_be_hidden()
    dana.goto(product.url + "/inbox/mentions/")
    expect(dana.get_by_role("heading", name="Not seen yet")).to_have_count(0)
    expect(dana.locator(".mention", has_text="is that yours?")).to_be_visible()


def test_a_mention_in_the_open_thread_is_seen_at_once_and_moves_nothing(
    desk: Desk, product: Product, page: Page, handset: str
) -> None:
    dana = opened(desk.sign_in("agent2"), product, handset)
    write(dana, "Dana is writing")
    write_note(page, "@agent2 wait with that")
    page.keyboard.press("Enter")

    expect(note(dana, "wait with that")).to_be_visible()
    expect(dana.locator("#announcer")).to_contain_text("New note: @Dana Ruiz wait with that")
    expect(dana.locator("#called")).to_be_hidden()
    expect(dana.locator("#body")).to_be_focused()
    expect(dana.locator("#body")).to_have_value("Dana is writing")


# --- The timeline ------------------------------------------------------------------------------------------------


def test_who_did_what_is_told_in_the_thread_as_it_happens(
    desk: Desk, product: Product, page: Page, handset: str
) -> None:
    dana = opened(desk.sign_in("agent2"), product, handset)
    page.locator("#body").press("Escape")
    page.keyboard.press("c")

    for screen in (page, dana):
        expect(screen.locator("#messages .evt").last).to_contain_text("Priya Nair claimed this")
    page.get_by_role("button", name="Resolve", exact=False).first.click()
    expect(dana.locator("#messages .evt").last).to_contain_text("Priya Nair resolved this")
