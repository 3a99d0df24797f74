"""Words that mean something when they are the whole message: STOP, START, HELP and their kin.

Carriers match the bare word; people write ``Stop!!``, ``ＳＴＯＰ``, ``s.t.o.p`` or ``“STOP” 🙏``, and
keyboards add what nobody sees. All of it is undone before the comparison, so that a disguise never costs a
person their "no". Words around a keyword are free text, which ``consent.revocation`` judges: "stop by at 5"
is no keyword.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Literal, cast

from consent import rulebook

Meaning = Literal["stop", "start", "help", "join"]

_WORD = re.compile(r"[^\W_]+")
# Pictures that decompose into letters and digits.
_PICTURE = re.compile("[0-9]\ufe0f?\u20e3|[™℠ℹ㊗㊙]")
_ASCII_CONTROLS = {code: None for code in (*range(32), 127) if not chr(code).isspace()}
# Two segments of a text; no memory is given to what nobody says twice.
_KEPT_LENGTH = 320
_HANGUL_FILLERS = "\u115f\u1160"

# What looks like a Latin capital and has no decomposition to say so: Greek, Cyrillic, Armenian, Cherokee,
# Lisu, barred letters, and the small capitals that text generators love.
_LOOKALIKES = {
    "A": "АΑᎪꓮᴀ", "B": "ВΒꓐʙ", "C": "СᏟꓚᴄ", "D": "ԀꓓᎠᴅĐ", "E": "ЕΕᎬꓰᴇ", "F": "Ϝꓝꜰ",
    "G": "ԌꓖᏀɢ", "H": "НΗᎻꓧʜĦ", "I": "ІΙӀꓲɪ", "J": "ЈͿꓙᎫᴊ", "K": "КΚᏦꓗᴋ", "L": "ᏞꓡʟŁ",
    "M": "МΜᎷꓟᴍ", "N": "Νꓠɴ", "O": "ОΟՕꓳᴏØ", "P": "РΡᏢꓑᴘ", "Q": "Ԛꞯ", "R": "Ꭱꓣʀ",
    "S": "ЅՏᏚꓢꜱ", "T": "ТΤᎢꓔᴛŦ", "U": "Սꓴᴜ", "V": "ѴᏙꓦᴠ", "W": "ԜᎳꓪᴡ", "X": "ХΧꓫ",
    "Y": "УΥҮꓬʏ", "Z": "ΖᏃꓜᴢ",
}  # fmt: skip
_TO_LATIN = str.maketrans(
    # Some small capitals have a capital of their own, and capitals are what the table meets.
    {form: letter for letter, alike in _LOOKALIKES.items() for form in alike + alike.upper()}
    | {chr(first + place): chr(65 + place) for first in (0x1F150, 0x1F170) for place in range(26)}
    | dict.fromkeys(_HANGUL_FILLERS, "")
)


@dataclass(frozen=True, slots=True)
class Match:
    """A keyword that was the whole message; ``word`` is its listed spelling, such as ``OPT OUT``."""

    word: str
    meaning: Meaning


def match(text: str, *, join: Iterable[str] = ()) -> Match | None:
    """Return the keyword that a message consists of, or None. Never raises, whatever the text holds.

    ``join`` are the opt-in keywords of the programs (a mapping's keys will do); such a match has the word as
    given and the meaning "join". A listed keyword wins, so that no program can take STOP away.
    """
    key = fold(text)
    if not key:
        return None
    found = _listed().get(key)
    if found is None:
        found = next((Match(word, "join") for word in join if fold(word) == key), None)
    return found


def language(word: str) -> str:
    """Return the language that a listed word is of."""
    return next((listed.language for listed in rulebook.words() if listed.word == word), "en")


def listed(meaning: Meaning) -> frozenset[str]:
    """Return the folded words of one meaning."""
    return frozenset(folded for folded, found in _listed().items() if found.meaning == meaning)


def fold(text: str) -> str:
    """Return a text as keywords are compared: plain capitals and digits, words one space apart.

    Case, width, accents, look-alike letters, punctuation, emoji and invisible characters are gone; letters
    spelled one by one become a word, and one word said again and again is said once. What was folded lately is
    not folded again: each inbound text is compared several times on its way.
    """
    return _fold_once(text) if len(text) <= _KEPT_LENGTH else _fold(text)


def _fold(text: str) -> str:
    words = _WORD.findall(latin_capitals(text))
    if len(words) > 1:
        if len(set(words)) == 1:
            return cast(str, words[0])
        if all(len(word) == 1 for word in words):
            return "".join(words)
    return " ".join(words)


def latin_capitals(text: str) -> str:
    """Return a text in capitals without accents, widths, look-alikes and what nobody sees; punctuation stays."""
    if text.isascii():
        return text.upper().translate(_ASCII_CONTROLS)
    bare = unicodedata.normalize("NFKD", _PICTURE.sub(" ", text))
    return "".join(filter(_is_seen, bare)).upper().translate(_TO_LATIN)


@lru_cache(maxsize=4096)  # one text has few different ones, and is asked about each
def _is_seen(char: str) -> bool:
    """Not an accent or variation selector (M), joiner, mark of direction or tag (Cf), nor a control (Cc)."""
    category = unicodedata.category(char)
    return char.isspace() or (category[0] != "M" and category not in {"Cf", "Cc"})


@cache
def _listed() -> Mapping[str, Match]:
    listed: dict[str, Match] = {}
    for word in rulebook.words():
        found = Match(word.word, cast(Meaning, word.meaning))
        if listed.setdefault(fold(word.word), found).meaning != word.meaning:
            raise rulebook.RulebookError(f"keywords.toml: word {word.word} reads like one of another meaning")
    return listed


_fold_once = lru_cache(maxsize=4096)(_fold)
