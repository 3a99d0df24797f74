"""A second opinion on free text: what its words weigh, alone and together.

A phrase of ``phrases`` fits or it does not, and people find ever new ways of saying the same. So every word, and
every two or three words near each other, have two weights in ``rules/language/weights.tsv``, in log-odds: how much
they speak for somebody who wants no more texts, and how much for a stranger who has this number now. A text's
score is their sum, which anybody can add up by hand. ``learning`` makes the file from texts that people labelled.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from consent import rulebook

WEIGHTS = rulebook.RULES / "language" / "weights.tsv"
# What every text begins with, before its first word weighs anything.
ANY_TEXT = ""
# Parts of words are written with this before them, so that misspelt and inflected words weigh like their kin.
PART = "~"
PARTS = (3, 4)
LONGEST = 30
# Room for the number of a word.
BITS = 20

# Which words from one on are taken together, and how that is written in the file. The last is told of kinds only.
FAR = "{} _ _ {}"
SHAPES = (((0, 1), "{} {}"), ((0, 2), "{} _ {}"), ((0, 1, 2), "{} {} {}"), ((0, 3), FAR))

Score = tuple[float, float]  # for a revocation, for a stranger
NOTHING: Score = (0.0, 0.0)


def pairs(words: Sequence[str], kinds: Sequence[str]) -> Iterator[str]:
    """Yield what stands together: two words in a row, with one or two between, and three in a row; the same with
    words replaced by their kind ("stop" by "<cease>"), which says it of all of that kind."""
    for said in (words, kinds):
        of_words = said is words
        for at in range(len(said)):
            for places, written in SHAPES:
                if at + places[-1] >= len(said):
                    break
                is_of_kinds = any(kinds[at + place] != words[at + place] for place in places)
                if (of_words and written is not FAR) or (not of_words and is_of_kinds):
                    yield written.format(*(said[at + place] for place in places))


def parts(word: str) -> Iterator[str]:
    """Yield a word and, of one that has letters enough to be misspelt and is no address, its parts, each once; "_" is
    where it begins and ends."""
    yield word
    if min(PARTS) <= len(word) <= LONGEST:
        whole = f"_{word}_"
        cut = (whole[begin : begin + length] for length in PARTS for begin in range(len(whole) - length + 1))
        yield from (PART + part for part in dict.fromkeys(cut))


@dataclass(frozen=True, slots=True, eq=False)
class Scales:
    """What has weight. ``kinds``: the kind of each word that has one. ``numbers`` of words and kinds and ``together``,
    by shape and numbers, are the same weights once more, so that a text is weighed in microseconds."""

    weights: Mapping[str, Score]
    kinds: Mapping[str, str]
    numbers: Mapping[str, int]
    together: tuple[Mapping[int, Score], ...]

    def score(self, words: Sequence[str]) -> Score:
        """Add up a text as ``reading.plain`` gives it: the weights of all its ``parts`` and ``pairs``."""
        revoke, stranger = self.weights.get(ANY_TEXT, NOTHING)
        two, apart, three, far = (shape.get for shape in self.together)
        second = second_kind = first = first_kind = third_kind = 0
        for word in words:
            of_revoking, of_strangers, own, kind = weighed(self, word)
            revoke += of_revoking
            stranger += of_strangers
            found: list[Score | None] = []
            if own:
                found += (
                    two(first << BITS | own),
                    apart(second << BITS | own),
                    three((second << BITS | first) << BITS | own),
                )
            if kind:
                found.append(far(third_kind << BITS | kind))
                differs = kind != own
                if differs or first_kind != first:
                    found.append(two(first_kind << BITS | kind))
                if differs or second_kind != second:
                    found.append(apart(second_kind << BITS | kind))
                if differs or second_kind != second or first_kind != first:
                    found.append(three((second_kind << BITS | first_kind) << BITS | kind))
            for score in found:
                if score is not None:
                    revoke += score[0]
                    stranger += score[1]
            third_kind, second_kind, first_kind = second_kind, first_kind, kind
            second, first = first, own
        return revoke, stranger

    def reasons(self, words: Sequence[str], *, most: int = 3) -> list[str]:
        """Name what spoke loudest for a revocation, for the ledger."""
        told = {*words, *pairs(words, [self.kinds.get(word, word) for word in words])}
        loud = sorted(told, key=lambda one: (-self.weights.get(one, NOTHING)[0], one))
        told_by = [one for one in loud if any(map(str.isalpha, one)) and self.weights.get(one, NOTHING)[0] > 0]
        return told_by[:most] or [word for word in words if word.isalpha()][:1]


@lru_cache(maxsize=20_000)
def weighed(scales: Scales, word: str) -> tuple[float, float, int, int]:
    """Both weights of a word with its parts, its number and its kind's; a word that stands alone in the file has 0."""
    found = [scales.weights[part] for part in parts(word) if part in scales.weights]
    own = scales.numbers.get(word, 0)
    kind = scales.numbers.get(scales.kinds.get(word, ""), 0) or own
    return sum(score[0] for score in found), sum(score[1] for score in found), own, kind


def load(path: Path, kinds: Mapping[str, str]) -> Scales:
    """Read a file of lines: what it is, its two weights. Raises ``rulebook.RulebookError`` naming the line."""
    weights: dict[str, Score] = {}
    for at, line in enumerate(path.read_text().splitlines(), start=1):
        what, _, figures = line.partition("\t")
        try:
            revoke, stranger = map(float, figures.split("\t"))
        except ValueError as error:
            raise rulebook.RulebookError(f"language/{path.name}: line {at}: {line!r}") from error
        weights[what] = (revoke, stranger)
    numbers: dict[str, int] = {}
    together: tuple[dict[int, Score], ...] = tuple({} for _ in SHAPES)
    for what, score in weights.items():
        if " " not in what:
            continue
        words = what.split(" ")
        shape = {2: 0, 3: 1 if words[1] == "_" else 2, 4: 3}[len(words)]
        key = 0
        for word in words:
            if word != "_":
                key = key << BITS | numbers.setdefault(word, len(numbers) + 1)
        together[shape][key] = score
    return Scales(weights, kinds, numbers, together)
