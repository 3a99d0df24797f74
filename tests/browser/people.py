"""People who text a line that no other test uses: a list of them is as long as its test makes it."""

import itertools
from uuid import uuid4

from playwright.sync_api import Locator, Page

from tests.product import Product, eventually

LINE = "18005550100"
_numbers = itertools.count(1)


class People:
    """Each is known by the name that a test gives them; ``as_dana`` does to them what a colleague would."""

    def __init__(self, product: Product) -> None:
        self.product = product
        self.ids: dict[str, int] = {}
        self.numbers: dict[str, str] = {}
        self.dana = product.sign_in("agent2")
        self.line_id = int(product.rows("SELECT id FROM conversations_line WHERE number = %s", f"+{LINE}")[0][0])

    @property
    def inbox(self) -> str:
        return f"{self.product.url}/inbox/?view=all&line={self.line_id}"

    def text(self, name: str, body: str = "Hello?") -> None:
        """From somebody known, or from somebody new, who gets this name."""
        number = self.numbers.setdefault(name, f"1201557{next(_numbers):04}")
        self.product.text(body, sender=number, line=LINE)
        if name not in self.ids:
            self.ids[name] = self.product.conversation(number)
            self.as_dana(name, "contact", name=name)

    def as_dana(self, name: str, deed: str, /, **data: str) -> None:
        seen_all = {"up_to": "9" * 18}
        assert self.dana.post(f"/inbox/{self.ids[name]}/{deed}/", **seen_all | data).ok

    def give(self, name: str, user_id: int) -> None:
        """To somebody whose page has just opened: it may not have said yet that they are here."""
        address = f"/inbox/{self.ids[name]}/assign/"
        eventually(lambda: self.dana.post(address, owner=str(user_id), was="").ok, what=f"{name} is given to {user_id}")

    def answer(self, name: str, body: str = "We are on it.") -> None:
        self.as_dana(name, "messages", body=body, ref=str(uuid4()))

    def leave(self) -> None:
        """Everybody's conversation is resolved, so that the next test has the list for itself."""
        for name in self.ids:
            self.as_dana(name, "resolve")

    def row(self, page: Page, name: str) -> Locator:
        return page.locator(f"#c-{self.ids[name]}")

    def names(self, page: Page) -> list[str]:
        """As the list has them."""
        names = {f"c-{pk}": name for name, pk in self.ids.items()}
        return [names.get(row, row) for row in page.locator("#list li[id]").evaluate_all("rows => rows.map(r => r.id)")]

    def top(self, page: Page, name: str) -> float:
        return float(self.row(page, name).evaluate("row => row.getBoundingClientRect().top"))


def settings(product: Product, username: str, **chosen: str) -> None:
    """Saves somebody's settings; whatever is not named is off, or as it was at first."""
    session = product.sign_in(username)
    answer = session.post("/settings/", **{"theme": "auto", "send_key": "enter"} | chosen)
    assert answer.ok
    assert "Saved" in answer.text
