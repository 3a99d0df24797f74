"""The law as dated data: numbers and words that counsel may change without touching code.

``rules/*.toml`` hold ``[[rule]]`` tables (id, value, effective_from, jurisdiction, citation; effective_to and
note where needed) and, for keywords, ``[[word]]`` tables (word, meaning, language, effective_from, citation).
A rule's id begins with the name of its file. A change of law closes one period and adds the next; a file
that contradicts itself is refused on load, because a wrong deadline must not wait for the message it spoils.
"""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

RULES = Path(__file__).parent / "rules"
MEANINGS = ("stop", "start", "help", "join")


class RulebookError(Exception):
    """The rule files cannot be used; the message names the file and the rule."""


class UnknownRule(LookupError):
    """No rule file has a rule of this id."""


class NoRuleInForce(LookupError):
    """The rule exists, but not on this day."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One period of a rule: in force from ``effective_from`` to ``effective_to``, both included."""

    id: str
    value: int | float | str | bool
    effective_from: date
    effective_to: date | None = None
    jurisdiction: str
    citation: str
    note: str = ""

    def __post_init__(self) -> None:
        _check_text(id=self.id, jurisdiction=self.jurisdiction, citation=self.citation)
        _check_day(self.effective_from)
        if not isinstance(self.value, int | float | str | bool):
            raise ValueError("value must be a number, a string or a boolean")
        if self.effective_to is not None:
            _check_day(self.effective_to)
            if self.effective_to < self.effective_from:
                raise ValueError("effective_to is before effective_from")

    def is_in_force(self, on: date) -> bool:
        """Whether this period covers the day."""
        return self.effective_from <= on and (self.effective_to is None or on <= self.effective_to)


@dataclass(frozen=True, kw_only=True)
class Word:
    """A keyword: ``word`` is its canonical upper-case spelling, ``meaning`` one of ``MEANINGS``."""

    word: str
    meaning: str
    language: str
    effective_from: date
    citation: str
    note: str = ""

    def __post_init__(self) -> None:
        _check_text(word=self.word, language=self.language, citation=self.citation)
        _check_day(self.effective_from)
        if self.word != self.word.upper():
            raise ValueError("word must be written in capitals")
        if self.meaning not in MEANINGS:
            raise ValueError(f"meaning must be one of {', '.join(MEANINGS)}")


Entry = TypeVar("Entry", Rule, Word)


@dataclass(frozen=True)
class Rulebook:
    """Everything a directory of rule files says."""

    periods: Mapping[str, tuple[Rule, ...]]
    words: tuple[Word, ...]
    version: str

    def rule(self, id: str, on: date) -> Rule:  # noqa: A002 - the rules' own word
        """Return the period of a rule that covers the day; raises ``UnknownRule`` or ``NoRuleInForce``."""
        if id not in self.periods:
            raise UnknownRule(f"No rule is called {id}. There are: {', '.join(sorted(self.periods))}.")
        for period in self.periods[id]:
            if period.is_in_force(on):
                return period
        raise NoRuleInForce(f"Rule {id} has no period that covers {on.isoformat()}.")


def rule(id: str, on: date) -> Rule:  # noqa: A002 - the rules' own word
    """Return the rule in force on a day; raises ``UnknownRule`` or ``NoRuleInForce``."""
    return current().rule(id, on)


def value(id: str, on: date) -> Any:  # noqa: A002 - the rules' own word
    """Return the value in force on a day, of the one type that all periods of the rule have."""
    return current().rule(id, on).value


def all_rules() -> tuple[Rule, ...]:
    """Return every period of every rule, by id and date, for display."""
    return tuple(period for _, periods in sorted(current().periods.items()) for period in periods)


def words() -> tuple[Word, ...]:
    """Return every keyword, in the order of the files."""
    return current().words


def version() -> str:
    """Return twelve hex digits that change with any byte of any rule file or table; kept with each decision."""
    return current().version


@cache
def current() -> Rulebook:
    """Return the rulebook shipped with the product, read once per process."""
    return load(RULES)


def load(directory: Path) -> Rulebook:
    """Read and check every ``*.toml`` of a directory; raises ``RulebookError``."""
    digest = hashlib.sha256()
    periods: dict[str, tuple[Rule, ...]] = {}
    listed: dict[str, Word] = {}
    for path in sorted(directory.glob("*.toml")):
        raw = path.read_bytes()
        digest.update(f"{path.name}\0{len(raw)}\0".encode() + raw)
        document = _parsed(path, raw)
        by_id: dict[str, list[Rule]] = {}
        for entry in document.get("rule", []):
            rule = _read(Rule, entry, path)
            # So no two files can hold periods of one rule.
            if not rule.id.startswith(f"{path.stem}."):
                raise RulebookError(f"{path.name}: rule {rule.id} must begin with “{path.stem}.”")
            by_id.setdefault(rule.id, []).append(rule)
        periods |= {id_: _in_order(several, path) for id_, several in by_id.items()}
        for entry in document.get("word", []):
            word = _read(Word, entry, path)
            if word.word in listed:
                raise RulebookError(f"{path.name}: word {word.word} is listed twice")
            listed[word.word] = word
    # What the phrases of free text say is read by consent.revocation; a judgement names their version too.
    for path in sorted((directory / "language").glob("*.*")):
        raw = path.read_bytes()
        digest.update(f"language/{path.name}\0{len(raw)}\0".encode() + raw)
    # The tables of places decide about hours as much as the rules do (consent.zones).
    data = directory.parent / "data"
    for path in sorted([*data.glob("*.toml"), *data.glob("*.txt")]):
        raw = path.read_bytes()
        digest.update(f"data/{path.name}\0{len(raw)}\0".encode() + raw)
    return Rulebook(periods, tuple(listed.values()), digest.hexdigest()[:12])


def _parsed(path: Path, raw: bytes) -> dict[str, list[dict[str, Any]]]:
    try:
        document = tomllib.loads(raw.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RulebookError(f"{path.name}: {error}") from error
    for name, entries in document.items():
        if name not in ("rule", "word") or not isinstance(entries, list):
            raise RulebookError(f"{path.name}: “{name}” is neither [[rule]] nor [[word]]")
    return document


def _read(kind: type[Entry], entry: dict[str, Any], path: Path) -> Entry:
    name = entry.get("id") or entry.get("word")
    try:
        return kind(**entry)
    except (TypeError, ValueError) as error:
        problem = str(error).removeprefix(f"{kind.__name__}.__init__() ")
        raise RulebookError(f"{path.name}: {kind.__name__.lower()} {name}: {problem}") from error


def _in_order(periods: list[Rule], path: Path) -> tuple[Rule, ...]:
    ordered = sorted(periods, key=lambda period: period.effective_from)
    for earlier, later in pairwise(ordered):
        if earlier.effective_to is None or earlier.effective_to >= later.effective_from:
            raise RulebookError(
                f"{path.name}: rule {later.id}: the period from {later.effective_from} overlaps "
                f"the one from {earlier.effective_from}; close that one with effective_to"
            )
        if type(earlier.value) is not type(later.value):
            raise RulebookError(f"{path.name}: rule {later.id}: its periods have values of different types")
    return tuple(ordered)


def _check_text(**texts: object) -> None:
    for name, text in texts.items():
        if not isinstance(text, str) or not text.strip():
            raise ValueError(f"{name} must be a text that says something")


def _check_day(day: object) -> None:
    if not isinstance(day, date) or isinstance(day, datetime):
        raise ValueError(f"{day!r} is not a date like 2024-04-04")
