"""A YES to a question of ours, when it is the whole message: alone or in polite company. Pure.

"Yes please", "ok sí, gracias" and "oui merci" confirm; whatever says one thing more ("yes but when", "yes?") is left to
a person. The words are data (``consent/rules/confirmation.toml``).
"""

import re
from datetime import date
from functools import cache

from consent import keywords, rulebook

# Longer than the longest polite yes; nothing longer is looked at.
_CHARACTERS_AT_MOST, _WORDS_AT_MOST = 80, 12
_QUESTION_MARK = re.compile("[?\uff1f\u00bf\u061f\u203d\u2047-\u2049]")


def is_yes(text: str, on: date) -> bool:
    """Whether a text says yes and nothing else, by the words in force on a day. Never raises, whatever it holds."""
    if len(text) > _CHARACTERS_AT_MOST or _QUESTION_MARK.search(text):
        return False
    said = keywords.fold(text)
    if said in yes_words(on):
        return True
    if said.count(" ") >= _WORDS_AT_MOST:
        return False
    company = str(rulebook.value("confirmation.yes_company", on))
    return _polite(yes_words(on), company).fullmatch(said) is not None


def yes_words(on: date) -> frozenset[str]:
    return frozenset(str(rulebook.value("confirmation.yes_words", on)).split())


def is_company(text: str, on: date) -> bool:
    """Whether a text is only what people say around a yes: "ok", "thanks"."""
    return keywords.fold(text) in set(_phrases(str(rulebook.value("confirmation.yes_company", on))))


def keep_words(on: date) -> frozenset[str]:
    return frozenset(str(rulebook.value("confirmation.keep_words", on)).split())


@cache
def _polite(yes: frozenset[str], company: str) -> re.Pattern[str]:
    """At least one word for yes among words that say nothing of their own. A lone Y in company may be Spanish "and"."""
    firm = "|".join(sorted(map(re.escape, (word for word in yes if len(word) > 1))))
    other = "|".join(map(re.escape, _phrases(company)))
    return re.compile(rf"(?:(?:{other}) )*(?:{firm})(?: (?:{firm}|{other}))*")


def _phrases(company: str) -> list[str]:
    return [phrase.strip() for phrase in company.split(",")]
