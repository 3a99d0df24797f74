"""How far a "no" reaches, and in which words it must be said, by the law of the day: pure.

Strictest by default: everything, and any words. What the FCC allows (24-24: marketing is apart; 26-67, once in force:
each informational category too, and an exclusive method) is a change of dated values in ``rules/revocation.toml``, not
of code.
"""

import re
from collections.abc import Collection
from datetime import date

from consent import elements, rulebook
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


# "The only way to end these texts is to reply STOP", "solo respondiendo ALTO o STOP", "uniquement en répondant ARRET".
_ONLY = re.compile(
    r"\b(?:only|sole|exclusive) (?:way|means|method)\b"
    r"|\b(?:only|exclusively|solely) by (?:replying|responding|texting|sending|answering)\b"
    r"|\b(?:unic[oa]|exclusiv[oa]) (?:manera|forma|via|modo|medio|metodo)\b"
    r"|\b(?:solo|solamente|unicamente|exclusivamente) (?:respondiendo|contestando|enviando)\b"
    r"|\b(?:seule?|unique|exclusive?) (?:moyen|facon|maniere|methode)\b"
    r"|\b(?:seulement|uniquement|exclusivement) en (?:repondant|envoyant|textant)\b"
)
_STOP = re.compile(r"\b(?:stop|arret)\b")
_SENTENCE = re.compile(r"[.!?;\n]+")


def may_designate(on: date) -> bool:
    """Whether the law of a day lets a sender name the one way in which people must say "no"."""
    return bool(rulebook.value("revocation.exclusive_method", on))


def presents_the_only_way(wording: str) -> bool:
    """Whether some sentence of a wording says that STOP is the only way; found too seldom rather than too often."""
    sentences = map(elements.plain, _SENTENCE.split(wording))
    return any(_ONLY.search(sentence) and _STOP.search(sentence) for sentence in sentences)


def is_in_question(wordings: Collection[str], on: date) -> bool:
    """Whether a "no" in other words than the designated ones waits for a person instead of counting at once.

    ``wordings`` are what people agree to in each program that the "no" would end: all of them must say so.
    """
    return may_designate(on) and bool(wordings) and all(map(presents_the_only_way, wordings))
