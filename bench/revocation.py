"""Free text: how well texts of others are judged, how fast, and how often the talk of friends is taken for a no."""

import csv
import json
from collections import Counter
from pathlib import Path

from bench.figures import clock
from bench.report import Figure, at_least, at_most, tell

SETS = Path(__file__).parents[1] / "tests/consent/phrasings"
KINDS = ("revoke", "suspect", "none")


def run(*, quick: bool, corpus: Path | None = None) -> bool:
    texts = []
    for path in sorted(SETS.glob("*.tsv")):
        with path.open(newline="") as lines:
            rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
        texts += [row["text"] for row in rows]
        judge(path.stem, rows)
    if corpus is not None:
        with corpus.open() as lines:
            texts = [json.loads(line)["text"] for line in lines]
        alarms(texts)
    pace(texts, rounds=1 if quick else 5)
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


def pace(texts: list[str], *, rounds: int) -> None:
    from consent import keywords, revocation

    revocation.classify("stop texting me")  # the phrases are read with the first text
    took = {}
    for work in (keywords.match, revocation.classify):
        began = clock()
        for _ in range(rounds):
            for text in texts:
                work(text)
        took[work.__name__] = (clock() - began) / rounds / len(texts) * 1000
    tell(
        "revocation, pace",
        [
            Figure("one text judged", took["classify"], "ms", at_most(0.05)),
            Figure("reference: its keyword looked for", took["match"], "ms"),
        ],
    )
