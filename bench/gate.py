"""The gate: how many decisions a second for a set, and how long one takes, locked, recorded and committed."""

from collections.abc import Callable
from uuid import uuid4

from bench import stage
from bench.figures import clock
from bench.report import Figure, at_most, tell, times

SET = 200
ROUNDS, QUICK_ROUNDS = 25, 8
SINGLE, QUICK_SINGLE = 2000, 400


def run(*, quick: bool) -> bool:
    with stage.database():
        compare(QUICK_ROUNDS if quick else ROUNDS, QUICK_SINGLE if quick else SINGLE)
    return True


def compare(rounds: int, single: int) -> None:
    from django.db import transaction
    from django.utils import timezone

    from consent import gate
    from consent.models import Decision, Subject
    from consent.purposes import Purpose, Verdict
    from tests import factories

    brand = factories.brand()
    subjects = [subject.pk for subject in Subject.objects.for_phones(f"+1202555{n:04}" for n in range(SET)).values()]

    def requests(pks: list[int]) -> list[gate.Request]:
        return [
            gate.Request(
                message_ref=uuid4(),
                subject_id=pk,
                brand_id=brand.pk,
                purpose=Purpose.REPLY,
                wrote_at=timezone.now(),
            )
            for pk in pks
        ]

    def decide(pks: list[int]) -> None:
        with transaction.atomic():
            decisions = gate.decide(requests(pks), now=timezone.now())
        assert {decision.verdict for decision in decisions.values()} == {Verdict.ALLOWED}

    decide(subjects)  # standings are made with the first question
    kept = list(Decision.objects.all())

    def insert(pks: list[int]) -> None:
        """The same rows, of which nobody asked whether they may be."""
        for decision in kept[: len(pks)]:
            decision.pk, decision.message_ref = None, uuid4()
        with transaction.atomic():
            Decision.objects.bulk_create(kept[: len(pks)])

    sets, rows = alternately(rounds, lambda: decide(subjects), lambda: insert(subjects))
    ones, row = alternately(single, lambda: decide(subjects[:1]), lambda: insert(subjects[:1]))
    tell(
        "gate",
        [
            Figure(f"decisions in sets of {SET}", SET * rounds / sum(sets), "/s"),
            Figure("reference: the same rows, merely inserted", SET * rounds / sum(rows), "/s"),
            Figure("  decisions beside it", sum(rows) / sum(sets), "×"),
            *times("one decision", ones, p99=at_most(5)),
            *times("reference: one such row, inserted and committed", row),
        ],
    )


def alternately(rounds: int, *works: Callable[[], object]) -> list[list[float]]:
    """Seconds of each work, done in turns so that whatever else the machine does meets them alike."""
    took: list[list[float]] = [[] for _ in works]
    for _ in range(rounds):
        for seconds, work in zip(took, works, strict=True):
            began = clock()
            work()
            seconds.append(clock() - began)
    return took
