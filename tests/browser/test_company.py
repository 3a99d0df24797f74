"""Two agents in one conversation see each other before either has sent anything."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Desk
from tests.browser.writing import new_number, opened, write
from tests.product import Product

pytestmark = [pytest.mark.browser, pytest.mark.processes, pytest.mark.xdist_group("processes")]


def company(page: Page):
    return page.locator("#company")


def test_two_agents_see_each_other_view_write_and_leave(desk: Desk, product: Product) -> None:
    handset = new_number()
    product.text("Are you open?", sender=handset)
    priya = opened(desk.sign_in("agent"), product, handset)
    expect(company(priya)).to_be_empty()
    dana = opened(desk.sign_in("agent2"), product, handset)

    expect(company(priya)).to_have_text("DRDana Ruiz is viewing this conversation too")
    expect(company(dana)).to_contain_text("Priya Nair is viewing")

    write(dana, "Yes, until")
    expect(company(priya)).to_contain_text("Dana Ruiz is writing a reply")
    write(dana, "")
    expect(company(priya)).to_contain_text("Dana Ruiz is viewing")
    write(dana, "Yes, until five")
    expect(company(priya)).to_contain_text("Dana Ruiz is writing a reply")
    dana.keyboard.press("Enter")
    expect(company(priya)).to_contain_text("Dana Ruiz is viewing")

    dana.keyboard.press("Escape")
    dana.keyboard.press("n")
    dana.keyboard.type("He always asks")
    expect(company(priya)).to_contain_text("Dana Ruiz is writing a note")
    expect(company(dana)).to_contain_text("Priya Nair is viewing")

    dana.close()
    expect(company(priya)).to_be_empty()


def test_who_stops_writing_is_shown_as_viewing_by_itself(desk: Desk, product: Product) -> None:
    handset = new_number()
    product.text("Are you open?", sender=handset)
    priya = opened(desk.sign_in("agent"), product, handset)
    dana = opened(desk.sign_in("agent2"), product, handset)

    write(dana, "Yes, un")
    expect(company(priya)).to_contain_text("is writing a reply")
    expect(company(priya)).to_contain_text("Dana Ruiz is viewing", timeout=15_000)
