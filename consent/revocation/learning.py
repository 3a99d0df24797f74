"""Learn ``rules/language/weights.tsv`` from labelled texts; run after texts were added or word lists changed.

    python -m consent.revocation.learning [--ordinary FILE]

Reads ``tests/consent/phrasings/*.tsv``, except the half that is kept for scoring. ``--ordinary`` names a file of
texts between friends, a JSON object with "text" a line: of half of them it learns how people talk when it is about
nothing of ours (the other half is for measuring: ``python -m bench revocation --corpus FILE``).

Logistic regression, one text at a time, with a step per weight that shrinks as it is used (AdaGrad; Duchi, Hazan,
Singer, 2011). The same input gives the same file.
"""

import argparse
import csv
import json
import math
import random
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from consent.revocation import phrases, reading, weighing

TEXTS = Path(__file__).parents[2] / "tests/consent/phrasings"
SCORING = "score"
ROUNDS, STEP = 12, 0.1
# Seen in fewer texts, or weighing less, it says nothing.
SEEN, LEAST = 3, 0.05
# Friends' talk is plenty and easy; what a stranger writes is neither a revocation nor its opposite.
WORTH = {"revoke": 1.0, "none": 1.0, "stranger": 0.3, "ordinary": 0.3}

Example = tuple[str, list[str]]  # label, features


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m consent.revocation.learning", description=__doc__)
    parser.add_argument("--ordinary", type=Path, help="texts between friends, a JSON object with “text” a line")
    arguments = parser.parse_args()
    examples = list(labelled(path for path in sorted(TEXTS.glob("*.tsv")) if not path.stem.startswith(SCORING)))
    if arguments.ordinary is not None:
        examples += ordinary(arguments.ordinary)
    revoke, stranger = (learned(examples, label) for label in ("revoke", "wrong_number"))
    lines = [
        f"{what}\t{revoke.get(what, 0):.2f}\t{stranger.get(what, 0):.2f}" for what in sorted(revoke.keys() | stranger)
    ]
    weighing.WEIGHTS.write_text("\n".join(lines) + "\n")
    print(f"{len(examples)} texts, {len(lines)} weights")
    return 0


def labelled(paths: Iterable[Path]) -> Iterator[Example]:
    for path in paths:
        with path.open(newline="") as lines:
            for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
                yield row["label"], features(row["text"].replace("\\n", "\n"))


def ordinary(path: Path) -> Iterator[Example]:
    with path.open() as lines:
        for line in list(lines)[::2]:
            yield "ordinary", features(json.loads(line)["text"])


def features(text: str) -> list[str]:
    book = phrases.shipped()
    words = reading.plain(reading.own_words(text), book.spellings).split()
    kinds = [book.concepts.get(word, word) for word in words]
    return [*(part for word in words for part in weighing.parts(word)), *weighing.pairs(words, kinds)]


def learned(examples: Sequence[Example], label: str) -> Mapping[str, float]:
    """Return what tells texts of a label from all others, and how much, in log-odds."""
    seen = Counter(feature for _, features in examples for feature in set(features))
    place = {feature: at for at, feature in enumerate((one for one in seen if seen[one] >= SEEN), start=1)}
    texts = [
        ([0, *(place[one] for one in features if one in place)], float(own == label), WORTH.get(own, 0.3))
        for own, features in examples
    ]
    weights, steps = [0.0] * (len(place) + 1), [1.0] * (len(place) + 1)
    order = random.Random(1)  # noqa: S311 the same each time
    for _ in range(ROUNDS):
        order.shuffle(texts)
        for places, truth, worth in texts:
            score = sum(weights[at] for at in places)
            slope = (1 / (1 + math.exp(-max(-30.0, min(30.0, score)))) - truth) * worth
            if abs(slope) < 0.01:
                continue  # known well enough
            for at in places:
                steps[at] += slope * slope
                weights[at] -= STEP * slope / math.sqrt(steps[at])
    found = {feature: weights[at] for feature, at in place.items() if abs(weights[at]) >= LEAST}
    return {weighing.ANY_TEXT: weights[0], **found}


if __name__ == "__main__":
    sys.exit(main())
