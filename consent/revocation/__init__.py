"""Whether a text asks us to stop: the one place that says so.

The law (47 CFR 64.1200(a)(10)) knows more than keywords: any words that a reasonable person would understand
as a revocation. A text is read (``reading``: how people and keyboards spell undone), what is said in an
ordinary sense is blanked ("stop by at 5", "don't stop"), and what is left is held against the phrases of
``rules/language/*.toml`` (``phrases``). All languages are tried on every text: people mix them.
"""

from dataclasses import dataclass
from typing import Literal, cast

from consent import keywords, rulebook
from consent.revocation import phrases, reading

Kind = Literal["revoke", "suspect", "none"]


@dataclass(frozen=True, slots=True)
class Classification:
    """A judgement and what it rests on, as the ledger keeps it.

    ``revoke`` takes effect at once; ``suspect`` pauses automation until a person has judged. ``rule`` names
    what matched (``keyword:STOP``, ``free_text:en.stop_texting``; empty for ``none``), ``rules_version`` the
    rule files it was read from.
    """

    kind: Kind
    rule: str
    rules_version: str


def classify(text: str) -> Classification:
    """Judge one inbound text; never raises, whatever the text holds."""
    keyword = keywords.match(text)
    if keyword is not None:
        if keyword.meaning == "stop":
            return Classification("revoke", f"keyword:{keyword.word}", rulebook.version())
        return Classification("none", "", rulebook.version())
    own, book = reading.own_words(text), phrases.shipped()
    kind, rule = book.judged(reading.plain(own, book.spellings), reading.straight(own).replace("'", ""))
    return Classification(cast(Kind, kind), f"free_text:{rule}" if rule else "", rulebook.version())
