"""The hot paths, each beside a reference in the same run: only the ratio survives a shared machine."""

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

from contactcenter import engines

ROUNDS = 5
BATCH = 200


def best(run: Callable[[], int]) -> float:
    """Things per second in the best of a few rounds."""
    rates = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        done = run()
        rates.append(done / (time.perf_counter() - began))
    return max(rates)


def compare(name: str, subject: Callable[[], int], reference_name: str, reference: Callable[[], int]) -> None:
    rate, beside = best(subject), best(reference)
    print(f"{name:<38} {rate:>9,.0f}/s   {rate / beside:>5.1f} × {reference_name} ({beside:,.0f}/s)")


def benchmarks() -> None:
    from django.core.management import call_command
    from django.db import connection, transaction
    from django.utils import timezone

    call_command("migrate", verbosity=0)
    from consent import gate, ledger, verification
    from consent.models import ConsentEvent, Subject
    from consent.purposes import Kind, Purpose, Source
    from conversations import inbound
    from conversations.reading import Delivery
    from tests.conversations import oracle, traffic

    line = traffic.line()

    def texts() -> list[Delivery]:
        return [traffic.text("Is it open?", sender=f"+1202555{n % 100:04}") for n in range(BATCH)]

    def batched() -> int:
        deliveries = texts()
        inbound.receive(deliveries, now=timezone.now())
        return inbound.thread(now=timezone.now(), limit=BATCH)

    def row_by_row() -> int:
        oracle.take(texts(), timezone.now())
        return BATCH

    compare("inbound: stored and threaded", batched, "row by row", row_by_row)

    def reports() -> list[ledger.Report]:
        return [
            ledger.Report(
                phone=f"+1202556{n:04}",
                brand_id=line.brand_id,
                kind=Kind.REVOKED,
                source=Source.KEYWORD,
                occurred_at=timezone.now(),
                evidence={"words": "STOP"},
            )
            for n in range(BATCH)
        ]

    def chained() -> int:
        return len(ledger.record_many(reports(), now=timezone.now()))

    def plain() -> int:
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE IF NOT EXISTS plain (LIKE consent_consentevent INCLUDING ALL)")
            cursor.execute("TRUNCATE plain")
            cursor.execute("INSERT INTO plain SELECT * FROM consent_consentevent ORDER BY id DESC LIMIT %s", [BATCH])
        return BATCH

    compare("ledger: events appended, chained", chained, "plain copies of rows", plain)

    subjects = list(Subject.objects.values_list("pk", flat=True)[:BATCH])

    def decided() -> int:
        with transaction.atomic():
            decisions = gate.decide(
                [
                    gate.Request(
                        message_ref=uuid4(),
                        subject_id=pk,
                        brand_id=line.brand_id,
                        purpose=Purpose.REPLY,
                        wrote_at=timezone.now(),
                    )
                    for pk in subjects
                ],
                now=timezone.now(),
            )
        return len(decisions)

    compare("gate: decisions, locked and recorded", decided, "ledger events appended", chained)

    def verified() -> int:
        assert not list(verification.problems())
        return ConsentEvent.objects.count()

    compare("verify_ledger: events checked", verified, "ledger events appended", chained)


def run() -> None:
    with tempfile.TemporaryDirectory() as var_dir, engines.running(Path(var_dir)) as urls:
        os.environ |= {
            "DATABASE_URL": urls.database,
            "REDIS_URL": urls.redis,
            "VAR_DIR": var_dir,
            "SECRET_KEY": "bench",
        }
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "contactcenter.settings")
        import django

        django.setup()
        benchmarks()
