"""Work without a mouse: the keys, the sheet that lists them, and that they rest while somebody types."""

import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Desk
from tests.browser.people import People, settings
from tests.product import Product

pytestmark = [pytest.mark.browser, pytest.mark.processes, pytest.mark.xdist_group("processes")]


@pytest.fixture
def people(product: Product) -> Iterator[People]:
    people = People(product)
    yield people
    people.leave()


def opened(desk: Desk, people: People, username: str = "agent", name: str = "") -> Page:
    """The list of these people, live; with one of them open, and the focus on no field."""
    page = desk.sign_in(username)
    page.goto(people.inbox)
    page.locator("#live[data-state=live]").wait_for(state="attached")
    if name:
        people.row(page, name).click()
        expect(page.locator("#contact-name")).to_have_text(name)
        page.locator("#live[data-state=live]").wait_for(state="attached")
        page.locator("#body").press("Escape")
    return page


def test_a_whole_day_s_work_needs_no_mouse(desk: Desk, product: Product, people: People) -> None:
    people.text("Ada", "Are you open?")
    people.text("Ben", "And on Sunday?")
    context = desk.chromium.new_context()
    page = context.new_page()
    page.on("console", lambda message: message.type in {"error", "warning"} and desk.complaints.append(message.text))
    page.goto(f"{product.url}/login/?next={quote(people.inbox.removeprefix(product.url))}")
    expect(page.get_by_label("User name")).to_be_focused()  # a browser gives it with the first picture, after "load"
    page.keyboard.type("agent")
    page.keyboard.press("Tab")
    page.keyboard.type(product.password)
    page.keyboard.press("Enter")
    page.locator("#live[data-state=live]").wait_for(state="attached")

    page.keyboard.press("j")
    expect(page.locator("#contact-name")).to_have_text("Ada")
    expect(people.row(page, "Ada").locator("a")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#body")).to_be_focused()
    page.keyboard.type("Yes, until five.")
    page.keyboard.press("Enter")
    expect(page.locator("#messages .msg--out", has_text="Yes, until five.").last).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("e")

    expect(page.locator("#contact-name")).to_have_text("Ben")
    expect(people.row(page, "Ada")).to_have_count(0)
    expect(people.row(page, "Ben").locator("a")).to_be_focused()


def test_j_and_k_go_down_and_up_and_stop_at_the_ends(desk: Desk, people: People) -> None:
    for name in ("Ada", "Ben", "Cleo"):
        people.text(name)
    page = opened(desk, people)

    for key, name in (
        ("j", "Ada"),
        ("j", "Ben"),
        ("j", "Cleo"),
        ("j", "Cleo"),
        ("k", "Ben"),
        ("k", "Ada"),
        ("k", "Ada"),
    ):
        page.keyboard.press(key)
        expect(page.locator("#contact-name")).to_have_text(name)
        expect(people.row(page, name).locator("a")).to_be_focused()


def test_letters_in_the_composer_are_letters(desk: Desk, people: People) -> None:
    people.text("Ada")
    people.text("Ben")
    page = opened(desk, people, name="Ada")
    page.keyboard.press("r")
    expect(page.locator("#body")).to_be_focused()

    page.keyboard.type("jkerasui/?gmguga")

    expect(page.locator("#body")).to_have_value("jkerasui/?gmguga")
    expect(page.locator("#contact-name")).to_have_text("Ada")
    expect(page.locator("dialog[open]")).to_have_count(0)


def test_keys_with_modifiers_are_the_browser_s(desk: Desk, people: People) -> None:
    people.text("Ada")
    people.text("Ben")
    page = opened(desk, people, name="Ada")

    for keys in ("Control+j", "Alt+j", "Control+e", "Shift+J"):
        page.keyboard.press(keys)

    expect(page.locator("#contact-name")).to_have_text("Ada")
    expect(page.get_by_role("button", name="Resolve", exact=False).first).to_be_visible()


def test_a_held_key_acts_once(desk: Desk, people: People) -> None:
    people.text("Ada")
    page = opened(desk, people, name="Ada")

    page.keyboard.down("s")
    expect(page.locator("#snooze-menu")).to_have_attribute("open", "")
    page.keyboard.down("s")  # the keyboard's repetition
    page.keyboard.up("s")

    expect(page.locator("#snooze-menu")).to_have_attribute("open", "")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#snooze-menu .menu-item").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#snooze-menu")).not_to_have_attribute("open", "")


def test_one_key_after_the_other_goes_to_a_view(desk: Desk, people: People) -> None:
    page = opened(desk, people)

    for keys, view in (("gu", "unassigned"), ("gm", "mine"), ("gs", "snoozed"), ("ga", "all")):
        for key in keys:
            page.keyboard.press(key)
        expect(page).to_have_url(f"{people.product.url}/inbox/?view={view}")
        page.locator("#live[data-state=live]").wait_for(state="attached")  # the address comes before the keys
    page.keyboard.press("g")
    page.keyboard.press("r")
    expect(page).to_have_url(f"{people.product.url}/inbox/")


def test_slash_searches_and_the_arrow_leads_into_what_was_found(desk: Desk, people: People) -> None:
    people.text("Xanthippe")
    people.text("Ben")
    page = opened(desk, people)

    page.keyboard.press("/")
    page.keyboard.type("xanth")
    expect(people.row(page, "Ben")).to_have_count(0)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")

    expect(page.locator("#contact-name")).to_have_text("Xanthippe")


def test_the_sheet_lists_every_key_and_gives_the_focus_back(desk: Desk, people: People) -> None:
    people.text("Ada")
    page = opened(desk, people, name="Ada")
    people.row(page, "Ada").locator("a").focus()

    page.keyboard.press("?")
    sheet = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(sheet).to_be_visible()
    for words, keys in (("Reply", "↵R"), ("Resolve and go on to the next", "E"), ("Go to unassigned", "GU")):
        assert (
            "".join(sheet.get_by_role("button", name=re.compile(f"^{words}")).locator("kbd").all_inner_texts()) == keys
        )
    listed = set(sheet.locator("kbd").all_inner_texts())
    assert set(page.locator(".keys kbd").all_inner_texts()) <= listed
    page.keyboard.press("Escape")

    expect(sheet).to_be_hidden()
    expect(people.row(page, "Ada").locator("a")).to_be_focused()


def test_what_cannot_be_done_now_is_said_and_does_nothing(desk: Desk, people: People) -> None:
    people.text("Ada")
    page = opened(desk, people, name="Ada")

    page.keyboard.press("?")
    reopen = page.get_by_role("button", name="Reopen")
    expect(reopen).to_have_attribute("aria-disabled", "true")
    reopen.click(force=True)
    expect(page.locator("#commands")).to_be_visible()


def test_the_command_menu_finds_and_runs(desk: Desk, people: People) -> None:
    people.text("Ada")
    page = opened(desk, people, name="Ada")
    page.locator("#body").focus()

    page.keyboard.press("Control+k")
    expect(page.get_by_role("dialog", name="Commands")).to_be_visible()
    page.keyboard.type("as")
    expect(page.locator("[data-run]:visible")).to_have_count(
        5
    )  # Resolve as, Assign, Mark as unread, Go to unassigned, Undo
    page.keyboard.type("sign")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("button", name="Go to unassigned")).to_be_focused()
    page.keyboard.press("Enter")

    expect(page).to_have_url(f"{people.product.url}/inbox/?view=unassigned")


def test_the_command_menu_runs_what_a_closed_menu_holds(desk: Desk, people: People) -> None:
    people.text("Ada")
    people.text("Ben")
    page = opened(desk, people, name="Ada")

    page.keyboard.press("Control+k")
    page.keyboard.type("unread")
    page.keyboard.press("Enter")

    expect(page.locator("#contact-name")).to_have_text("Ben")
    expect(people.row(page, "Ada").locator(".n-badge")).to_contain_text("1")


def test_single_keys_can_be_turned_off(desk: Desk, product: Product, people: People) -> None:
    people.text("Ada")
    settings(product, "supervisor")
    try:
        page = opened(desk, people, "supervisor")
        for key in ("j", "?", "/", "e"):
            page.keyboard.press(key)
        expect(page.locator("dialog[open]")).to_have_count(0)
        expect(page).to_have_url(people.inbox)
        expect(page.locator(".keys")).to_have_count(0)

        page.keyboard.press("Control+k")
        expect(page.get_by_role("dialog", name="Commands")).to_contain_text("Single keys are off")
        page.keyboard.press("Escape")
        expect(page.locator("dialog[open]")).to_have_count(0)
    finally:
        settings(product, "supervisor", single_keys="on")


def test_keys_rest_while_the_sheet_is_open(desk: Desk, people: People) -> None:
    people.text("Ada")
    page = opened(desk, people)
    page.keyboard.press("?")
    expect(page.locator("#commands")).to_be_visible()

    page.keyboard.press("j")  # is typed into the field that finds commands

    expect(page.get_by_role("textbox", name="Find a command")).to_have_value("j")
    expect(page).to_have_url(people.inbox)
