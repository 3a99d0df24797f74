"""Free text: how well texts of others are judged, how fast, and how often the talk of friends is taken for a no."""

import csv
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from bench.figures import clock
from bench.report import Figure, at_least, at_most, tell

SETS = Path(__file__).parents[1] / "tests/consent/phrasings"
KINDS = ("revoke", "suspect", "none")


def run(*, quick: bool, corpus: Path | None = None) -> bool:
    asking, ordinary = [], []
    for path in sorted(SETS.glob("*.tsv")):
        with path.open(newline="") as lines:
            rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
        asking += [row["text"] for row in rows if row["label"] == "revoke"]
        ordinary += [row["text"] for row in rows if row["label"] == "none"]
        judge(path.stem, rows)
    if corpus is not None:
        with corpus.open() as lines:
            ordinary = [json.loads(line)["text"] for line in lines]
        alarms(ordinary)
    pace(ordinary, asking, rounds=1 if quick else 5)
    return True


def judge(name: str, rows: list[dict[str, str]]) -> None:
    from consent import revocation

    kinds: Counter[tuple[str, str, str]] = Counter()
    for row in rows:
        kind = revocation.classify(row["text"].replace("\\n", "\n")).kind
        for language in (row["language"], "all"):
            kinds[language, row["label"], kind] += 1
    figures = []
    for language in sorted({language for language, _, _ in kinds}, key=lambda one: (one != "all", one)):
        of = {
            label: sum(kinds[language, label, kind] for kind in KINDS) for label in ("revoke", "wrong_number", "none")
        }
        right, wrong = kinds[language, "revoke", "revoke"], kinds[language, "none", "revoke"]
        figures += [
            Figure(f"{language}: recall, %", 100 * right / max(of["revoke"], 1), "", at_least(97)),
            Figure(f"{language}: precision, %", 100 * right / max(right + wrong, 1), "", at_least(97)),
            Figure(f"{language}: of them only suspect", kinds[language, "revoke", "suspect"], ""),
            Figure(f"{language}: wrong numbers overlooked", kinds[language, "wrong_number", "none"], ""),
            Figure(f"{language}: of {of['none']} others suspect", kinds[language, "none", "suspect"], ""),
        ]
    tell(f"revocation, {name}: {len(rows)} texts", figures)


def alarms(texts: list[str]) -> None:
    from consent import revocation

    found = [(judged, text) for text in texts if (judged := revocation.classify(text)).kind != "none"]
    tell("revocation, corpus", [Figure(f"of {len(texts)} texts revoke or suspect", len(found), "")])
    for judged, text in found:
        print(f"    {judged.kind:<8} {judged.rule:<32} {text[:120]!r}")


def pace(ordinary: list[str], asking: list[str], *, rounds: int) -> None:
    """Most texts are ordinary; those that ask to stop are read to the end, and dearer."""
    from consent import keywords, revocation

    def each(work: Callable[[str], object], texts: list[str]) -> float:
        began = clock()
        for _ in range(rounds):
            for text in texts:
                work(text)
        return (clock() - began) / rounds / len(texts) * 1000

    revocation.classify("stop texting me")  # the phrases are read with the first text
    tell(
        "revocation, pace",
        [
            Figure("one ordinary text judged", each(revocation.classify, ordinary), "ms", at_most(0.05)),
            Figure("one that asks to stop", each(revocation.classify, asking), "ms"),
            Figure("reference: a keyword looked for in an ordinary one", each(keywords.match, ordinary), "ms"),
        ],
    )
