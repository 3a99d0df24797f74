"""Whether a text asks us to stop: the one place that says so.

Today exact keywords decide. The law knows more (47 CFR 64.1200(a)(10): any words that a reasonable person
would understand as a revocation); judging free text belongs here, behind ``classify``, and no caller changes.
"""

from dataclasses import dataclass
from typing import Literal

from consent import keywords, rulebook

Kind = Literal["revoke", "suspect", "none"]


@dataclass(frozen=True, slots=True)
class Classification:
    """A judgement and what it rests on, as the ledger keeps it.

    ``revoke`` takes effect at once; ``suspect`` pauses automation until a person has judged. ``rule`` names
    what matched (``keyword:STOP``; empty for ``none``), ``rules_version`` the rule files it was read from.
    """

    kind: Kind
    rule: str
    rules_version: str


def classify(text: str) -> Classification:
    """Judge one inbound text; never raises, whatever the text holds."""
    keyword = keywords.match(text)
    if keyword is not None and keyword.meaning == "stop":
        return Classification("revoke", f"keyword:{keyword.word}", rulebook.version())
    return Classification("none", "", rulebook.version())
