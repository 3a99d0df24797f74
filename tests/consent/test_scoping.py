"""How far a "no" reaches under the law of three days."""

from datetime import date

import pytest

from consent import rulebook, scoping
from consent.purposes import Category

TODAY = date(2026, 11, 23)
# What the two values would say under each order; the third is what ships.
ORDERS = {
    "FCC 24-24: marketing is apart": {"promotional": "category", "informational": "all"},
    "FCC 26-67: each category is apart": {"promotional": "category", "informational": "category"},
    "strictest": {"promotional": "all", "informational": "all"},
}


def book(tmp_path, values):
    rules = [
        f'[[rule]]\nid = "revocation.scope_of_{name}"\nvalue = "{value}"\neffective_from = 2025-04-11\n'
        f'jurisdiction = "US"\ncitation = "a test of one of three days"\n'
        for name, value in values.items()
    ]
    (tmp_path / "revocation.toml").write_text("\n".join(rules))
    return rulebook.load(tmp_path)


@pytest.mark.parametrize("order", ORDERS)
def test_row_9_three_dated_policies_give_three_outcomes(order, tmp_path, monkeypatch):
    law = book(tmp_path, ORDERS[order])
    monkeypatch.setattr(rulebook, "current", lambda: law)
    for category in (Category.PROMOTIONAL, Category.INFORMATIONAL):
        narrow = ORDERS[order][category] == "category"
        assert scoping.scope(category, TODAY) == (category if narrow else None)
    assert scoping.scope(None, TODAY) is None
    assert scoping.scope(Category.CONVERSATIONAL, TODAY) is None
    assert scoping.may_be_narrow(TODAY) == (order != "strictest")


def test_row_9_what_ships_is_the_strictest():
    assert not scoping.may_be_narrow(TODAY)
