"""How thumbs misspell: the few errors that are made again and again, for the few words that decide."""

import string
from collections.abc import Iterable, Iterator, Mapping
from itertools import product


def of(words: Iterable[str], *, real: frozenset[str]) -> dict[str, str]:
    """Return misspelling → word for each word, leaving out what is a word itself or could be of two.

    A letter left out, doubled or swapped with its neighbour; in words of eight letters and more also a wrong one
    or one too many. The first letter is nearly always right.
    """
    found: dict[str, str] = {}
    for word in words:
        for error in _errors(word):
            if error not in real:
                found.setdefault(error, word)
    return found


def _errors(word: str) -> Iterator[str]:
    if len(word) < 5:
        return
    for place in range(1, len(word)):
        before, letter, after = word[:place], word[place], word[place + 1 :]
        if len(word) > 5:
            yield before + after
        yield before + letter + letter + after
        if after:
            yield before + after[0] + letter + after[1:]
        if len(word) >= 8:
            for other in string.ascii_lowercase:
                yield before + other + after
                yield before + other + letter + after


def glued(words: Mapping[str, list[str]]) -> dict[str, str]:
    """Return words run together → the words, for those listed as ``glue_first``, ``glue_then`` and ``glue_last``."""
    first, then, last = (words.get(name, []) for name in ("glue_first", "glue_then", "glue_last"))
    pairs = [*product(first, then), *product(then, last), *product(first, last), *product(first, then, last)]
    return {"".join(parts).replace(" ", ""): " ".join(parts) for parts in pairs}
