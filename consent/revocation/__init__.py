"""Whether a text asks us to stop: the one place that says so.

The law (47 CFR 64.1200(a)(10)) knows more than keywords: any words that a reasonable person would understand
as a revocation. A text is read (``reading``: how people and keyboards spell undone) and judged twice. What is said
in an ordinary sense is blanked ("stop by at 5", "don't stop"), and what is left is held against the phrases of
``rules/language/*.toml`` (``phrases``); and all its words are weighed (``weighing``). Where the two differ and neither
is sure, a person decides. All languages are tried on every text: people mix them.
"""

from dataclasses import dataclass
from functools import cache
from typing import Literal

from consent import keywords, rulebook
from consent.revocation import phrases, reading, weighing

Kind = Literal["revoke", "suspect", "none"]

# What a phrase's word counts beside the weights, and from which sum on it is a revocation, or a doubt; in log-odds.
# Measured on texts that neither had seen: recall and precision are about the same there.
PHRASE = {"revoke": 1.5, "suspect": -0.75, "none": -1.5}
REVOKES, DOUBTFUL = -0.3, -0.6
STRANGER = -0.5
AMONG_OTHERS = 3.0
# No phrase makes up for that: most ordinary texts are not read any further.
HOPELESS = -4.5


@dataclass(frozen=True, slots=True)
class Classification:
    """A judgement and what it rests on, as the ledger keeps it.

    ``revoke`` takes effect at once; ``suspect`` pauses automation until a person has judged. ``rule`` names
    what matched (``keyword:STOP``, ``free_text:en.stop_texting``, ``free_text:en.words: no more, of these``; empty
    for ``none``), ``rules_version`` the rule files it was read from.
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
    plain = reading.plain(own, book.spellings)
    words = plain.split()
    score = scales().score(words)
    if max(score) < HOPELESS:
        return Classification("none", "", rulebook.version())
    said, phrase = book.judged(plain, reading.straight(own).replace("'", ""))
    has_sentences = plain.count(" . ") > 2
    kind = together(said, score, most_of(plain) if said != "none" and has_sentences else score[0])
    if kind == "none":
        return Classification(kind, "", rulebook.version())
    rule = phrase or f"{book.language(words)}.words: {', '.join(scales().reasons(words))}"
    return Classification(kind, f"free_text:{rule}", rulebook.version())


def most_of(plain: str) -> float:
    """Return what the sentence that speaks loudest for a revocation weighs by itself."""
    sentences = filter(str.strip, plain.split(" . "))
    return max((scales().score([".", *sentence.split(), "."])[0] for sentence in sentences), default=float("-inf"))


def together(said: str, score: weighing.Score, alone: float) -> Kind:
    """Return what the phrases and the weights say together. What is asked for in one sentence of many counts, though
    the others are about something else."""
    total = max(score[0], alone - AMONG_OTHERS) + PHRASE[said]
    if total > REVOKES:
        return "revoke"
    return "suspect" if said != "none" or total > DOUBTFUL or score[1] > STRANGER else "none"


@cache
def scales() -> weighing.Scales:
    """Return the weights shipped with the product, read once per process."""
    return weighing.load(weighing.WEIGHTS, phrases.shipped().concepts)
