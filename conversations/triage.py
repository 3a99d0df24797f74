"""Which rule sends a text where: the first of which every condition holds. Pure: no Django."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

# Words that nearly every sentence of a language has and no other of these: enough to tell three apart.
COMMON = {
    language: frozenset(words.split())
    for language, words in {
        "en": "the and you are is was have has what when can will my i'm it's please thanks this that for of",
        "es": "el los las una que como esta estoy tengo puedo para por con mi gracias hola cuando donde quiero es",
        "fr": "le les une des est suis je j'ai vous avez pour avec mon bonjour merci quand puis pas c'est dans bonsoir",
    }.items()
}


class Hours(StrEnum):
    ANY = ""
    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True)
class Facts:
    """A text as rules see it. ``program_id`` is of what we last sent this person; ``open_teams`` are open now."""

    body: str
    line_id: int
    program_id: int | None = None
    language: str = ""
    tag_ids: frozenset[int] = frozenset()
    open_teams: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Rule:
    """An empty condition holds. ``words``: one word or phrase each; ``*`` at the end of one stands for any ending."""

    id: int
    name: str
    team_id: int
    line_ids: frozenset[int] = frozenset()
    program_id: int | None = None
    words: tuple[str, ...] = ()
    language: str = ""
    tag_ids: frozenset[int] = frozenset()
    hours: Hours = Hours.ANY


@dataclass(frozen=True)
class Condition:
    """One condition of a rule and whether it holds. ``found`` is the word or language that it holds by."""

    kind: str  # line, program, words, language, tags, hours
    holds: bool
    found: str = field(default="")


def decide(rules: Iterable[Rule], facts: Facts) -> Rule | None:
    """The rule that decides; none where no rule fits."""
    return next((rule for rule in rules if all(one.holds for one in conditions(rule, facts))), None)


def conditions(rule: Rule, facts: Facts) -> Sequence[Condition]:
    """Those that the rule has, each judged by itself."""
    judged = []
    if rule.line_ids:
        judged.append(Condition("line", facts.line_id in rule.line_ids))
    if rule.program_id is not None:
        judged.append(Condition("program", facts.program_id == rule.program_id))
    if rule.words:
        word = found(rule.words, facts.body)
        judged.append(Condition("words", bool(word), word))
    if rule.language:
        spoken = facts.language or guess(facts.body)
        judged.append(Condition("language", spoken == rule.language, spoken))
    if rule.tag_ids:
        judged.append(Condition("tags", bool(rule.tag_ids & facts.tag_ids)))
    if rule.hours:
        judged.append(Condition("hours", (rule.team_id in facts.open_teams) == (rule.hours == Hours.OPEN)))
    return judged


def found(words: Iterable[str], body: str) -> str:
    """The first of these words that a text has, as whole words in any case and with any accents; empty for none."""
    tokens = folded(body)
    for word in words:
        pattern = word.split()
        wanted = [(folded(part.rstrip("*")), part.endswith("*")) for part in pattern]
        parts = [(one, is_open and at == len(own) - 1) for own, is_open in wanted for at, one in enumerate(own)]
        if parts and any(begins(tokens[at : at + len(parts)], parts) for at in range(len(tokens))):
            return word
    return ""


def begins(tokens: Sequence[str], parts: Sequence[tuple[str, bool]]) -> bool:
    return len(tokens) == len(parts) and all(
        token.startswith(part) if is_open else token == part
        for token, (part, is_open) in zip(tokens, parts, strict=True)
    )


def folded(text: str) -> list[str]:
    """Its words without case and accents."""
    plain = unicodedata.normalize("NFKD", text.replace("’", "'").casefold())
    return re.findall(r"[\w']+", "".join(letter for letter in plain if not unicodedata.combining(letter)))


def guess(body: str) -> str:
    """The language of a text as far as its common words tell, ``en``, ``es`` or ``fr``; else empty."""
    tokens = folded(body)
    score = {language: sum(token in common for token in tokens) for language, common in COMMON.items()}
    best = max(score, key=lambda language: score[language])
    others = [number for language, number in score.items() if language != best]
    return best if score[best] > max(others) else ""
