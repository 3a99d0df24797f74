"""How far a "no" reaches, by the law of the day: pure.

Strictest by default: everything. What the FCC allows (24-24: marketing is apart; 26-67, once in force: each
informational category too) is a change of two dated values in ``rules/revocation.toml``, not of code.
"""

from datetime import date

from consent import rulebook
from consent.purposes import Category

RULES = {
    Category.PROMOTIONAL: "revocation.scope_of_promotional",
    Category.INFORMATIONAL: "revocation.scope_of_informational",
}


def scope(replied_to: Category | None, on: date) -> Category | None:
    """The only category that a "no" is about when it answers a text of that category; ``None`` for everything."""
    rule = RULES.get(replied_to) if replied_to else None
    return replied_to if rule and rulebook.value(rule, on) == "category" else None


def may_be_narrow(on: date) -> bool:
    """Whether any "no" of that day can be about less than everything."""
    return any(rulebook.value(rule, on) == "category" for rule in RULES.values())
