"""The promise in real threads on PostgreSQL: no message is allowed after a STOP has committed."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event, Thread
from uuid import uuid4

import pytest
from django.db import connection, transaction

from consent import gate, ledger
from consent.models import Brand, Hold, Standing, Subject
from consent.purposes import Kind, Purpose, Source, Verdict
from tests import factories
from tests.factories import NOON

ROUNDS = 200

# Stands in for "sending": what the gate's transaction writes. PostgreSQL stamps a row with the order of commits only
# if asked before and after, so the sender writes down whether the STOP was there when it had its locks.
STOP_IS_THERE = "SELECT EXISTS (SELECT FROM consent_consentevent WHERE subject_id = %s AND kind = 'revoked')"


class Race:
    """One number, one STOP, one sender, let go at the same moment."""

    def __init__(self, brand: Brand, *, is_known: bool) -> None:
        self.brand = brand
        self.phone = factories.phone_number()
        self.subject = Subject.objects.for_phone(self.phone)
        if is_known:
            Standing.objects.create(subject=self.subject, brand=brand)
        self.start = Barrier(2)
        self.verdict = ""
        self.stop_was_there = False
        self.errors: list[BaseException] = []

    def run(self) -> None:
        threads = [Thread(target=self.safely, args=[part]) for part in (self.stop, self.send)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert self.errors == []

    def safely(self, part):
        try:
            self.start.wait()
            part()
        except BaseException as error:  # noqa: BLE001 raised again in the test's thread
            self.errors.append(error)
        finally:
            connection.close()

    def stop(self) -> None:
        report = ledger.Report(
            phone=self.phone,
            brand_id=self.brand.pk,
            kind=Kind.REVOKED,
            source=Source.KEYWORD,
            occurred_at=NOON,
        )
        ledger.record(report=report, now=NOON)

    def send(self) -> None:
        request = gate.Request(
            message_ref=uuid4(),
            subject_id=self.subject.pk,
            brand_id=self.brand.pk,
            purpose=Purpose.REPLY,
            wrote_at=NOON,
        )
        with transaction.atomic():
            self.verdict = gate.decide([request], now=NOON)[request.message_ref].verdict
            with connection.cursor() as cursor:  # a snapshot taken after the verdict, before the commit
                cursor.execute(STOP_IS_THERE, [self.subject.pk])
                (self.stop_was_there,) = cursor.fetchone()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_known", [True, False], ids=["a number written before", "a number never seen"])
def test_no_message_is_allowed_once_a_stop_has_committed(is_known):
    brand = factories.brand()
    outcomes: Counter[tuple[str, bool]] = Counter()
    for _ in range(ROUNDS // 2):
        race = Race(brand, is_known=is_known)
        race.run()
        outcomes[race.verdict, race.stop_was_there] += 1
        assert Standing.objects.get(subject=race.subject).state.is_suppressed
    assert set(outcomes) <= {(Verdict.ALLOWED, False), (Verdict.BLOCKED, True)}, outcomes
    assert sum(outcomes.values()) == ROUNDS // 2


@pytest.mark.django_db(transaction=True)
def test_a_hold_is_in_force_before_the_next_gate_decides():
    """The gate that read no hold ends before the hold can be put: nothing is allowed after it."""
    brand, phone, order = factories.brand(), "+12015550123", []
    subject_id = Subject.objects.for_phone(phone).pk
    gate_read, may_end = Event(), Event()

    def gating():
        with transaction.atomic():
            gate.decide(
                [gate.Request(message_ref=uuid4(), subject_id=subject_id, brand_id=brand.pk, purpose=Purpose.HELP)],
                now=NOON,
            )
            gate_read.set()
            may_end.wait(5)
            order.append("gate")
        connection.close()

    def holding():
        gate_read.wait(5)
        Hold.objects.put(phone=phone, reason="could not be read")
        order.append("hold")
        connection.close()

    with ThreadPoolExecutor(2) as threads:
        jobs = [threads.submit(gating), threads.submit(holding)]
        time.sleep(0.2)
        may_end.set()
        for job in jobs:
            job.result()
    assert order == ["gate", "hold"]
