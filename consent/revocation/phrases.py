"""The phrases of ``rules/language/*.toml``: a small grammar over words, compiled once.

A template is words one space apart; ``stop|quit`` is either of two, ``my_number`` two words in a row, ``text*``
any word that begins so, ``{cease}`` any entry of a list, ``~3`` up to three words of any kind, ``.`` where a
clause begins or ends, ``!to`` "not followed by", ``!<to`` "not preceded by", ``{Name}`` a word with a capital
that is no ordinary one, ``^`` and ``$`` where the text begins and ends. A ``?`` behind an item makes it optional,
a ``*`` behind a list repeats it up to six times.

Kinds: what is ``ordinary`` is blanked before anything else is looked for, so that the rest of the text is
judged by itself; what is a ``doubt`` is blanked too and leaves a suspicion; then come ``revoke`` and ``suspect``.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from consent import rulebook
from consent.revocation import typing_errors

LANGUAGE = rulebook.RULES / "language"
KINDS = ("ordinary", "doubt", "revoke", "suspect")
# Words are looked up by how they begin; a stem that is any shorter would be found nowhere.
HEAD = 4
# Every text has the end of a clause.
ANY_TEXT = frozenset(".")
_WORD = "[^\\W_]+ "
_ITEM = re.compile(r"(!<?)?(.+?)(\?|(?<=\})\*)?$")


@dataclass(frozen=True, slots=True, eq=False)
class Phrase:
    """One template of a phrase. ``rule`` is its name in the ledger, such as ``en.stop_texting``.

    ``needs``: of each of these sets of word heads a text must have one, or the pattern cannot match.
    """

    rule: str
    kind: str
    pattern: re.Pattern[str]
    unless: re.Pattern[str] | None
    needs: tuple[frozenset[str], ...]
    is_about_names: bool

    def is_in(self, text: str, original: str) -> bool:
        if self.is_about_names:
            return self.pattern.search(original) is not None
        return self.pattern.search(text) is not None and (self.unless is None or not self.unless.search(text))


@dataclass(frozen=True, slots=True)
class Phrasebook:
    """All phrases in the order of the files, by the first letters of the rarest word that each of them needs."""

    by_head: Mapping[str, tuple[tuple[int, Phrase], ...]]
    spellings: Mapping[str, str]

    def judged(self, text: str, original: str) -> tuple[str, str]:
        """Return kind and rule; ``text`` as ``reading.plain`` gives it, ``original`` as the person wrote it."""
        heads = {word[:HEAD] for word in text.split()}
        numbered: dict[int, Phrase] = {}
        for head in heads & self.by_head.keys():
            numbered |= {
                number: phrase
                for number, phrase in self.by_head[head]
                if all(not heads.isdisjoint(need) for need in phrase.needs)
            }
        if all(phrase.kind == "ordinary" for phrase in numbered.values()):
            return "none", ""
        return _judged([numbered[number] for number in sorted(numbered)], text, original)


def _judged(candidates: list[Phrase], text: str, original: str) -> tuple[str, str]:
    doubted = ""
    for phrase in candidates:
        if phrase.kind in ("ordinary", "doubt"):
            was, text = text, phrase.pattern.sub("¤ ", text)
            if was != text and phrase.kind == "doubt":
                doubted = doubted or phrase.rule
    for kind in ("revoke", "suspect"):
        for phrase in candidates:
            if phrase.kind == kind and phrase.is_in(text, original):
                return kind, phrase.rule
    return ("suspect", doubted) if doubted else ("none", "")


@cache
def shipped() -> Phrasebook:
    """Return the phrases shipped with the product, read once per process."""
    return load(LANGUAGE)


def load(directory: Path) -> Phrasebook:
    """Read every ``*.toml`` of a directory; raises ``rulebook.RulebookError`` naming the phrase that is wrong."""
    documents = {path.stem: tomllib.loads(path.read_text()) for path in sorted(directory.glob("*.toml"))}
    words: dict[str, list[str]] = {}
    for document in documents.values():
        for name, listed in document.get("words", {}).items():
            words.setdefault(name, []).extend(listed)
    grammar = Grammar(words)
    by_head: dict[str, list[tuple[int, Phrase]]] = {}
    number = 0
    # What is blanked in one language must be blanked before any language looks.
    for language, document in documents.items():
        for entry in document.get("phrase", []):
            for template in entry["says"]:
                number += 1
                try:
                    phrase = grammar.phrase(language, entry, template)
                    rarest = min((need for need in phrase.needs if need != ANY_TEXT), key=grammar.frequency)
                except (LookupError, ValueError, re.error) as error:
                    complaint = f"language/{language}.toml: phrase {entry.get('id')}: {template}: {error}"
                    raise rulebook.RulebookError(complaint) from error
                for head in rarest:
                    by_head.setdefault(head, []).append((number, phrase))
    spellings: dict[str, str] = {}
    for document in documents.values():
        spellings |= document.get("spellings", {})
    keys = words.get("typo", [])
    says = (template for book in documents.values() for entry in book.get("phrase", []) for template in entry["says"])
    written = frozenset(re.findall("[a-z]+", " ".join(says)))
    spellings = typing_errors.of(keys, real=grammar.known_words() | written) | typing_errors.glued(words) | spellings
    return Phrasebook({head: tuple(phrases) for head, phrases in by_head.items()}, spellings)


class Grammar:
    """Turns templates into patterns."""

    def __init__(self, words: Mapping[str, list[str]]) -> None:
        self.words = words
        self.frequent = frozenset(words.get("frequent", []))

    def known_words(self) -> frozenset[str]:
        return frozenset(re.findall("[a-z]+", " ".join(entry for listed in self.words.values() for entry in listed)))

    def frequency(self, heads: frozenset[str]) -> int:
        return sum(50 if head in self.frequent else 1 for head in heads)

    def phrase(self, language: str, entry: Mapping[str, Any], template: str) -> Phrase:
        if entry["kind"] not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}")
        is_about_names = "{Name}" in template
        items = [match.groups() for match in map(_ITEM.match, template.split(" ")) if match]
        pattern = "".join(self.pattern(*item) for item in items)
        needs = tuple(
            self.heads(item) for no, item, repeat in items if not (no or repeat or item[0] in "^~" or item == "{Name}")
        )
        if is_about_names:
            pattern = pattern.rstrip(" ").replace("(?:", "(?i:").replace(" ", "[ ,]+").replace("{Name}", self.name())
        unless = entry.get("unless")
        return Phrase(
            rule=f"{language}.{entry['id']}",
            kind=entry["kind"],
            pattern=re.compile(f"\\b{pattern}" if is_about_names else f"(?<= ){pattern}"),
            unless=re.compile(f" {self.alternatives(unless)} ") if unless else None,
            needs=needs,
            is_about_names=is_about_names,
        )

    def pattern(self, no: str | None, item: str, repeat: str | None) -> str:
        if item == "^":
            return r"(?<=\A )(?:[.,¤] )+"
        if item == "{Name}":
            return "{Name} "
        if item[0] == "~":
            return f"(?:{_WORD}){{0,{int(item[1:])}}}"
        if no == "!<":
            return "".join(f"(?<! {word.replace('_', ' ')} )" for word in self.entries(item))
        one = f"{self.alternatives(item)} "
        if no:
            return f"(?!{one})"
        return {"?": f"(?:{one})?", "*": f"(?:{one}){{0,6}}"}.get(repeat or "", one)

    def name(self) -> str:
        ordinary = "|".join(self.words["no_name"])
        title = "(?:(?i:" + "|".join(self.words["title"]) + r")\b\.? ?)?"
        return rf"{title}(?!(?i:{ordinary})\b)[A-ZÀ-Þ][a-zà-ÿ]+\b"

    def alternatives(self, item: str) -> str:
        # The longest first, because a pattern is content with the first that fits.
        entries = sorted(self.entries(item), key=len, reverse=True)
        return "(?:" + "|".join(_as_pattern(entry) for entry in entries) + ")"

    def entries(self, item: str) -> list[str]:
        return list(self._entries(item))

    def _entries(self, item: str) -> Iterator[str]:
        for part in item.split("|"):
            if part[0] == "{":
                for entry in self.words[part[1:-1]]:
                    yield from self._entries(entry.replace(" ", "_")) if "{" in entry else [entry.replace(" ", "_")]
            else:
                yield part

    def heads(self, item: str) -> frozenset[str]:
        firsts = [entry.split("_")[0] for entry in self.entries(item)]
        if any(first in ".$" or (first.endswith("*") and len(first) <= HEAD) for first in firsts):
            return ANY_TEXT
        return frozenset(first.rstrip("*")[:HEAD] for first in firsts)


def _as_pattern(entry: str) -> str:
    if entry == ".":
        return "[.,¤]"
    if entry == "$":
        return "[.,¤](?=(?: [.,¤])* $)"
    return entry.replace("_", " ").replace("*", "[a-z]*")


def rules() -> Iterable[tuple[str, str]]:
    """Return every rule with its kind, for display and tests."""
    book = shipped()
    return sorted({(phrase.rule, phrase.kind) for phrases in book.by_head.values() for _, phrase in phrases})
