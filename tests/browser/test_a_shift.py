"""One story: somebody texts, two agents nearly answer both, one asks for help, and a supervisor sees to it."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Desk
from tests.browser.people import People
from tests.browser.writing import bubble, write
from tests.product import Product, eventually

pytestmark = [pytest.mark.browser, pytest.mark.processes, pytest.mark.xdist_group("processes")]


def at(page: Page, product: Product, path: str) -> Page:
    page.goto(product.url + path)
    page.locator("#live[data-state=live]").wait_for(state="attached")
    return page


def test_two_agents_and_a_supervisor(desk: Desk, product: Product) -> None:
    desk.expect_complaints("409")
    people = People(product)
    people.text("Anna", "My insurance card changed, what now?")
    thread = f"/inbox/{people.ids['Anna']}/"
    priya = at(desk.sign_in("agent"), product, thread)
    dana = at(desk.sign_in("agent2"), product, thread)
    samuel = at(desk.sign_in("supervisor"), product, "/board/")
    card = samuel.locator(f"#w-{people.ids['Anna']}")

    # Everybody sees that she waits, and who is at it.
    expect(card).to_contain_text("My insurance card changed")
    expect(priya.locator("#company")).to_contain_text("Dana Ruiz is viewing")
    write(dana, "Bring the new one along.")
    expect(priya.locator("#company")).to_contain_text("Dana Ruiz is writing a reply")

    # Dana is quicker; Priya, whose screen is behind, is asked and lets it be.
    priya.route("**/thread/**", lambda route: route.abort())
    write(priya, "Please send us a photo of it.")
    dana.locator("#body").press("Enter")
    expect(bubble(dana, "Bring the new one along.")).to_contain_text("Delivered")
    expect(card).to_have_count(0)
    desk.expect_complaints("net::ERR_FAILED|sendError|afterRequest|htmx")
    priya.locator("#body").press("Enter")
    expect(priya.locator("#since")).to_contain_text("Bring the new one along.")
    priya.get_by_role("button", name="Discard").click()
    priya.unroute("**/thread/**")
    assert product.handed_over(people.numbers["Anna"]) == ["Bring the new one along."]

    # She writes again; it is Dana's, who asks the supervisor.
    people.text("Anna", "And if it has not come yet?")
    expect(card.locator(".card-foot")).to_contain_text("Dana Ruiz")
    dana.locator("#body").press("Escape")
    dana.keyboard.press("n")
    expect(dana.locator("#note-body")).to_be_focused()
    dana.keyboard.type("@supervisor what do we tell them then?")
    dana.keyboard.press("Escape")  # the list of colleagues
    dana.locator("#note-body").press("Enter")
    expect(samuel.locator("#called")).to_be_visible()

    # Who coaches by a note and gives it to Priya, by hand.
    card.drag_to(samuel.locator(".colleague", has_text="Priya Nair"))
    expect(card.locator(".card-foot")).to_contain_text("Priya Nair")
    card.locator("[data-does=coach]").click()
    expect(samuel.locator("#note-body")).to_be_focused()
    samuel.keyboard.type("A copy of the letter will do")
    samuel.keyboard.press("Enter")
    at(samuel, product, "/board/")
    expect(samuel.locator("#called")).to_be_hidden()

    # Priya reads it, answers and is done; undo brings it back, and again it is done.
    at(priya, product, thread)
    expect(priya.locator("#messages .note", has_text="A copy of the letter will do")).to_be_visible()
    expect(priya.locator("#thread-head")).to_contain_text("Priya Nair")
    write(priya, "A copy of the letter will do.")
    priya.locator("#body").press("Enter")
    expect(bubble(priya, "A copy of the letter will do.").last).to_contain_text("Delivered")
    expect(card).to_have_count(0)
    priya.locator("#body").press("Escape")
    priya.keyboard.press("e")
    expect(priya.locator("#toast")).to_contain_text("Resolved")
    priya.locator("#toast").get_by_role("button", name="Undo").click()
    query = "SELECT resolved_at IS NULL FROM conversations_conversation WHERE id = %s"
    assert eventually(lambda: product.rows(query, people.ids["Anna"]) == [(True,)])

    expect(dana.locator("#messages")).to_contain_text("A copy of the letter will do.")
    assert sorted(product.handed_over(people.numbers["Anna"])) == [
        "A copy of the letter will do.",
        "Bring the new one along.",
    ]
    people.leave()
