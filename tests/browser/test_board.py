"""The supervisor's live board: it follows what happens, and work is moved on it by hand and by keys."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Desk
from tests.browser.people import People
from tests.product import Product, eventually

pytestmark = [pytest.mark.browser, pytest.mark.processes, pytest.mark.xdist_group("processes")]


@pytest.fixture
def people(product: Product) -> Iterator[People]:
    made = People(product)
    yield made
    made.leave()


@pytest.fixture
def page(desk: Desk) -> Page:
    """Of a supervisor, while agent2 has the inbox open."""
    desk.sign_in("agent2")
    page = desk.sign_in("supervisor")
    page.goto(f"{desk.product.url}/board/")
    page.locator("#live[data-state=live]").wait_for()
    return page


def card(page: Page, people: People, name: str) -> Locator:
    return page.locator(f"#w-{people.ids[name]}")


def colleague(page: Page, name: str) -> Locator:
    return page.locator(".colleague", has_text=name)


def name_of(product: Product, username: str) -> str:
    query = "SELECT first_name || ' ' || last_name FROM accounts_user WHERE username = %s"
    return str(product.rows(query, username)[0][0])


def owner(product: Product, people: People, name: str) -> str:
    query = """
        SELECT coalesce(owner.username, '') FROM conversations_conversation conversation
        LEFT JOIN accounts_user owner ON owner.id = owner_id WHERE conversation.id = %s
    """
    return str(product.rows(query, people.ids[name])[0][0])


def test_it_follows_what_happens(page: Page, people: People) -> None:
    people.text("Ada", "Is my prescription ready?")
    expect(card(page, people, "Ada")).to_contain_text("Is my prescription ready?")
    expect(card(page, people, "Ada")).to_contain_text("Unassigned")
    people.answer("Ada")
    expect(card(page, people, "Ada")).to_have_count(0)


def test_a_card_is_dragged_onto_a_colleague_and_back_by_undo(page: Page, people: People, product: Product) -> None:
    people.text("Ben")
    dana = colleague(page, name_of(product, "agent2"))
    card(page, people, "Ben").drag_to(dana)
    assert eventually(lambda: owner(product, people, "Ben") == "agent2")
    expect(card(page, people, "Ben").locator(".card-foot")).to_contain_text(name_of(product, "agent2"))
    page.locator("#toast").get_by_role("button", name="Undo").click()
    assert eventually(lambda: owner(product, people, "Ben") == "")
    expect(card(page, people, "Ben")).to_contain_text("Unassigned")


def test_a_card_is_dragged_into_another_teams_queue(page: Page, people: People, product: Product) -> None:
    people.text("Cleo")
    team_id = product.rows("SELECT team_id FROM conversations_conversation WHERE id = %s", people.ids["Cleo"])[0][0]
    lane = page.locator(f".lane[data-drop]:not(#lane-{team_id or 0})").first
    card(page, people, "Cleo").drag_to(lane.locator("header"))
    expect(lane.locator(f"#w-{people.ids['Cleo']}")).to_be_visible()
    expect(page.locator("#toast")).to_contain_text("Handed on")


def test_a_stale_board_moves_nothing(desk: Desk, page: Page, people: People, product: Product) -> None:
    desk.expect_complaints("422")
    people.text("Dora")
    here = card(page, people, "Dora")
    expect(here).to_contain_text("Unassigned")
    here.evaluate("card => { card.dataset.owner = '999999' }")  # as if its owner had gone in between
    here.drag_to(colleague(page, name_of(product, "agent2")))
    expect(page.locator("#toast")).to_contain_text("Look again: nothing was changed")
    assert owner(product, people, "Dora") == ""


def test_by_keys_alone(page: Page, people: People, product: Product) -> None:
    for name in ("Emil", "Fay"):
        people.text(name)
        expect(card(page, people, name)).to_be_visible()
    first = page.locator(".card-row").first
    page.keyboard.press("j")
    expect(first.locator("> a")).to_be_focused()
    page.keyboard.press("j")
    expect(page.locator(".card-row").nth(1).locator("> a")).to_be_focused()
    page.keyboard.press("k")
    for _ in range(page.locator(".card-row").count()):
        if page.evaluate("document.activeElement.closest('.card-row').id") == f"w-{people.ids['Fay']}":
            break
        page.keyboard.press("j")
    page.keyboard.press("a")
    dialog = page.locator("#details")
    person = dialog.locator("option", has_text=name_of(product, "agent2"))
    dialog.get_by_label("To").select_option(person.get_attribute("value"))
    dialog.get_by_label("Note for whoever takes over").fill("They called twice")
    dialog.get_by_role("button", name="Transfer").press("Enter")
    assert eventually(lambda: owner(product, people, "Fay") == "agent2")
    expect(dialog).to_be_hidden()
    expect(card(page, people, "Fay").locator(".card-foot")).to_contain_text(name_of(product, "agent2"))


def test_a_thread_is_joined_and_coached_by_a_note(page: Page, people: People) -> None:
    people.text("Gus")
    card(page, people, "Gus").locator("> a").focus()
    page.keyboard.press("n")
    page.wait_for_url("**#note")
    expect(page.locator("#note-body")).to_be_focused()
    page.keyboard.press("Escape")
    page.locator("#queue").focus()
    page.keyboard.press("g")
    page.keyboard.press("b")
    page.wait_for_url("**/board/")


def test_news_takes_the_focus_from_nobody(page: Page, people: People) -> None:
    people.text("Hal")
    people.text("Ivy")
    here = card(page, people, "Hal").locator("> a")
    here.focus()
    people.text("Jon", "Hello from Jon")
    expect(card(page, people, "Jon")).to_be_visible()
    expect(here).to_be_focused()
    people.answer("Hal")
    expect(card(page, people, "Hal")).to_have_count(0)
    expect(page.locator(".card-row > a:focus")).to_have_count(1)  # the one that took its place
