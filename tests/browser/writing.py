"""Writing in one conversation's composer."""

import itertools
from typing import Any

from playwright.sync_api import Locator, Page

from tests.product import Product

_numbers = itertools.count(1)


def new_number() -> str:
    """A number that no other test texts from."""
    return f"+1201559{1000 + next(_numbers)}"


def opened(page: Page, product: Product, number: str) -> Page:
    page.goto(f"{product.url}/inbox/{product.conversation(number.removeprefix('+'))}/")
    page.locator("#live[data-state=live]").wait_for(state="attached")
    return page


def write(page: Page, body: str) -> None:
    page.locator("#body").fill(body)


def bubble(page: Page, body: str) -> Locator:
    return page.locator("#messages .msg", has_text=body)


def send_later(page: Page) -> None:
    page.get_by_label("More ways to send").click()
    page.get_by_text("Send later…").click()


def kept(page: Page) -> str:
    """All that this browser has stored, as one text."""
    return str(page.evaluate("JSON.stringify(localStorage)"))


def resolved_at(product: Product, number: str) -> Any:
    query = "SELECT resolved_at FROM conversations_conversation WHERE id = %s"
    return product.rows(query, product.conversation(number.removeprefix("+")))[0][0]
