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
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from consent import rulebook
from consent.revocation import typing_errors

LANGUAGE = rulebook.RULES / "language"
COMMON = "common"
KINDS = ("ordinary", "doubt", "revoke", "suspect")
# Words that only begin alike are looked up by their first letters; a stem any shorter would be found nowhere.
HEAD = 4
# Every text has the end of a clause.
ANY_TEXT = frozenset(".")
_WORD = "[^\\W_]+ "
_ITEM = re.compile(r"(!<?)?(.+?)(\?|(?<=\})\*)?$")


@dataclass(frozen=True, slots=True, eq=False)
class Phrase:
    """One template of a phrase. ``rule`` is its name in the ledger, such as ``en.stop_texting``.

    ``needs``: of each of these sets of words (``text*``: by how they begin) a text must have one, or the
    pattern cannot match. ``number`` is its place in the files, ``wanted`` the needs as bits of the phrasebook.
    """

    rule: str
    kind: str
    pattern: re.Pattern[str]
    unless: re.Pattern[str] | None
    needs: tuple[frozenset[str], ...]
    is_about_names: bool
    number: int = 0
    wanted: int = 0

    def is_in(self, text: str, original: str) -> bool:
        if self.is_about_names:
            return self.pattern.search(original) is not None
        return self.pattern.search(text) is not None and (self.unless is None or not self.unless.search(text))


@dataclass(frozen=True, slots=True)
class Index:
    """Phrases by the rarest word that each of them needs, so that most texts meet none."""

    by_word: Mapping[str, tuple[Phrase, ...]]

    @classmethod
    def of(cls, phrases: Iterable[Phrase], rarest: Mapping[int, frozenset[str]]) -> "Index":
        by_word: dict[str, list[Phrase]] = {}
        for phrase in phrases:
            for word in rarest[phrase.number]:
                by_word.setdefault(word, []).append(phrase)
        return cls({word: tuple(listed) for word, listed in by_word.items()})

    def possible(self, words: Set[str], has: int) -> list[Phrase]:
        """Return the phrases all of whose needs the words of a text meet, in the order of the files."""
        found = {
            phrase.number: phrase
            for word in words & self.by_word.keys()
            for phrase in self.by_word[word]
            if phrase.wanted & has == phrase.wanted
        }
        return [found[number] for number in sorted(found)]


@dataclass(frozen=True, slots=True)
class Phrasebook:
    """All phrases: ``asking`` are worth a look, ``ordinary`` are only looked for where one of those may be.

    ``bits``: which needs each word meets; words that only begin alike are in it as ``text*``. ``concepts``: the list
    that a word is in, where its words weigh alike.
    """

    asking: Index
    ordinary: Index
    bits: Mapping[str, int]
    spellings: Mapping[str, str]
    concepts: Mapping[str, str]
    languages: Mapping[str, frozenset[str]]
    rules: frozenset[tuple[str, str]]

    def language(self, words: Iterable[str]) -> str:
        """Return the language that has most of these words; English when none has more."""
        return max(("en", *self.languages), key=lambda name: sum(word in self.languages[name] for word in words))

    def judged(self, text: str, original: str) -> tuple[str, str]:
        """Return kind and rule; ``text`` as ``reading.plain`` gives it, ``original`` as the person wrote it."""
        all_words = set(text.split())
        words = (all_words | {f"{word[:HEAD]}*" for word in all_words}) & self.bits.keys()
        if words.isdisjoint(self.asking.by_word):
            return "none", ""
        has = 0
        for word in words:
            has |= self.bits[word]
        asking = self.asking.possible(words, has)
        if not asking:
            return "none", ""
        return _judged(self.ordinary.possible(words, has), asking, text, original)


def _judged(ordinary: list[Phrase], asking: list[Phrase], text: str, original: str) -> tuple[str, str]:
    for phrase in ordinary:
        text = phrase.pattern.sub("¤ ", text)
    doubted = ""
    for phrase in asking:
        if phrase.kind == "doubt":
            was, text = text, phrase.pattern.sub("¤ ", text)
            if was != text:
                doubted = doubted or phrase.rule
    for kind in ("revoke", "suspect"):
        for phrase in asking:
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
    phrases: list[Phrase] = []
    rarest: dict[int, frozenset[str]] = {}
    bits: dict[frozenset[str], int] = {}
    # What is blanked in one language must be blanked before any language looks.
    for language, document in documents.items():
        for entry in document.get("phrase", []):
            for template in entry["says"]:
                try:
                    phrase = grammar.phrase(language, entry, template)
                    needs = set(phrase.needs) - {ANY_TEXT}
                    rarest[len(phrases)] = min(needs, key=grammar.frequency)
                except (LookupError, ValueError, re.error) as error:
                    complaint = f"language/{language}.toml: phrase {entry.get('id')}: {template}: {error}"
                    raise rulebook.RulebookError(complaint) from error
                wanted = sum(bits.setdefault(need, 1 << len(bits)) for need in needs)
                phrases.append(replace(phrase, number=len(phrases), wanted=wanted))
    bits_of: dict[str, int] = {}
    for need, bit in bits.items():
        for word in need:
            bits_of[word] = bits_of.get(word, 0) | bit
    return Phrasebook(
        asking=Index.of((phrase for phrase in phrases if phrase.kind != "ordinary"), rarest),
        ordinary=Index.of((phrase for phrase in phrases if phrase.kind == "ordinary"), rarest),
        bits=bits_of,
        spellings=_spellings(documents, words),
        concepts=_concepts(documents),
        languages={
            name: frozenset(re.findall("[a-z]+", str(book))) for name, book in documents.items() if name != COMMON
        },
        rules=frozenset((phrase.rule, phrase.kind) for phrase in phrases),
    )


def _spellings(documents: Mapping[str, dict[str, Any]], words: Mapping[str, list[str]]) -> dict[str, str]:
    says = (template for book in documents.values() for entry in book.get("phrase", []) for template in entry["says"])
    written = " ".join([*says, *(entry for listed in words.values() for entry in listed)])
    found = typing_errors.of(words.get("typo", []), real=frozenset(re.findall("[a-z]+", written)))
    found |= typing_errors.glued(words)
    for document in documents.values():
        found |= document.get("spellings", {})
    return found


def _concepts(documents: Mapping[str, dict[str, Any]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for document in documents.values():
        for name in document.get("concepts", []):
            for entry in document["words"][name]:
                if entry.isalpha():
                    found.setdefault(entry, f"<{name}>")
    return found


class Grammar:
    """Turns templates into patterns."""

    def __init__(self, words: Mapping[str, list[str]]) -> None:
        self.words = words
        self.frequent = frozenset(words.get("frequent", []))

    def frequency(self, words: frozenset[str]) -> int:
        return sum(50 if word in self.frequent else 1 for word in words)

    def phrase(self, language: str, entry: Mapping[str, Any], template: str) -> Phrase:
        if entry["kind"] not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}")
        template = " ".join(template.split()).replace("| ", "|")
        is_about_names = "{Name}" in template
        items = [match.groups() for match in map(_ITEM.match, template.split(" ")) if match]
        pattern = "".join(self.pattern(*item) for item in items)
        needs = tuple(
            self.need(item) for no, item, repeat in items if not (no or repeat or item[0] in "^~" or item == "{Name}")
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

    def need(self, item: str) -> frozenset[str]:
        """Of each alternative the one word that says most, or ``ANY_TEXT`` if one of them may be in any text."""
        needed = set()
        for entry in self.entries(item):
            words = [
                word for word in entry.split("_") if word not in (".", "$") and (word[-1] != "*" or len(word) > HEAD)
            ]
            if not words:
                return ANY_TEXT
            word = min(words, key=lambda one: (one in self.frequent, -len(one)))
            needed.add(f"{word[:HEAD]}*" if word[-1] == "*" else word)
        return frozenset(needed)


def _as_pattern(entry: str) -> str:
    if entry == ".":
        return "[.,¤]"
    if entry == "$":
        return "[.,¤](?=(?: [.,¤])* $)"
    return entry.replace("_", " ").replace("*", "[a-z]*")


def rules() -> Iterable[tuple[str, str]]:
    """Return every rule with its kind, for display and tests."""
    return sorted(shipped().rules)
