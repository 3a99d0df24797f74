import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consent import folding, ledger, verification
from consent.models import (
    GENESIS,
    ConsentEvent,
    Decision,
    Disclosure,
    Evidence,
    Seal,
    Standing,
    Subject,
    phone_hash,
)
from consent.purposes import Effect, Kind, Level, Purpose, Source, Verdict
from tests import factories
from tests.factories import NOON

PHONE = "+12015550123"


def report(brand, kind=Kind.REVOKED, *, phone=PHONE, minute=0, **fields):
    fields = {"source": Source.KEYWORD, "occurred_at": NOON + timedelta(minutes=minute)} | fields
    return ledger.Report(phone=phone, brand_id=brand.pk, kind=kind, **fields)


def standing(brand, phone=PHONE):
    return Standing.objects.get(subject__phone=phone, brand=brand)


@pytest.fixture
def brand(db):
    return factories.brand()


def test_a_stop_is_in_the_ledger_with_its_words_and_suppresses_the_number(brand):
    event = ledger.record(report=report(brand, evidence={"words": "Stop!!"}, rule="keyword:STOP"), now=NOON)
    assert event.effect == Effect.SUPPRESSED
    assert standing(brand).state.is_suppressed
    assert event.evidence.get().value == "Stop!!"
    assert "Stop!!" not in event.body


def test_the_ledger_never_holds_a_number_itself(brand):
    event = ledger.record(report=report(brand), now=NOON)
    assert PHONE not in event.body
    assert event.facts["number"] == phone_hash(PHONE)


def test_an_event_s_time_never_lies_in_the_future(brand):
    event = ledger.record(report=report(brand, minute=60), now=NOON)
    assert event.occurred_at == NOON


def test_a_start_older_than_the_last_stop_changes_nothing_when_it_comes_later(brand):
    later = NOON + timedelta(hours=1)
    ledger.record(report=report(brand, minute=5), now=later)
    before = standing(brand)
    event = ledger.record(report=report(brand, Kind.RESUMED, minute=4), now=later)
    assert event.effect == Effect.NOTHING
    assert standing(brand).state.is_suppressed
    assert standing(brand).version == before.version + 1, "what is kept moved, though nothing follows from it"


def test_a_no_to_one_brand_leaves_the_others_alone(brand):
    other = factories.brand()
    ledger.record_many([report(other, Kind.RESUMED), report(brand)], now=NOON)
    assert standing(brand).state.is_suppressed
    assert not standing(other).state.is_suppressed


def test_the_chain_of_a_number_runs_through_all_brands(brand):
    other = factories.brand()
    events = ledger.record_many([report(brand), report(other), report(brand, Kind.RESUMED, minute=1)], now=NOON)
    assert [event.seq for event in events] == [1, 2, 3]
    assert [event.prev_hash for event in events] == [GENESIS, events[0].hash, events[1].hash]
    subject = Subject.objects.get(phone=PHONE)
    assert (subject.head_seq, subject.head_hash) == (3, events[2].hash)


def test_the_number_of_statements_does_not_grow_with_the_reports(brand, django_assert_num_queries):
    ledger.record_many([report(brand, phone=f"+1201555{number:04}") for number in range(300, 303)], now=NOON)
    with transaction.atomic(), django_assert_num_queries(9):
        ledger.record_many([report(brand, minute=-1, phone=f"+1201555{n:04}") for n in range(300, 303)], now=NOON)
    ledger.record_many([report(brand, phone=f"+1201555{number:04}") for number in range(400, 460)], now=NOON)
    with transaction.atomic(), django_assert_num_queries(9):
        ledger.record_many([report(brand, minute=-1, phone=f"+1201555{n:04}") for n in range(400, 460)], now=NOON)


def test_a_batch_is_recorded_whole_or_not_at_all(brand):
    with pytest.raises(IntegrityError), transaction.atomic():
        ledger.record_many([report(brand), report(brand, program_id=987_654_321)], now=NOON)
        connection.check_constraints()
    assert not ConsentEvent.objects.exists()


def test_nothing_to_record_takes_no_statement(db, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert ledger.record_many([], now=NOON) == []


reports = st.tuples(
    st.sampled_from(Kind), st.integers(0, 4), st.integers(0, 1), st.integers(0, 2), st.sampled_from(Level)
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(st.lists(reports, min_size=1, max_size=5), min_size=1, max_size=4))
def test_the_standing_is_always_the_fold_of_the_ledger(brand, batches):
    with transaction.atomic():
        programs = [None, factories.program(brand=brand), factories.program(brand=brand)]
        phones = [PHONE, "+12015550124"]
        for batch in batches:
            several = [
                report(
                    brand,
                    kind,
                    minute=-minute,
                    phone=phones[number],
                    program_id=programs[which].pk if programs[which] else None,
                    level=level,
                )
                for kind, minute, number, which, level in batch
            ]
            ledger.record_many(several, now=NOON)
        for row in Standing.objects.all():
            history = ConsentEvent.objects.filter(subject=row.subject, brand=row.brand)
            assert row.state == folding.fold(event.entry for event in history)
        assert list(verification.problems()) == []
        transaction.set_rollback(True)


# --- Seals ---------------------------------------------------------------------------------------------------


def test_a_seal_roots_every_chain_that_moved_and_links_to_the_one_before(brand):
    event = ledger.record(report=report(brand), now=NOON)
    first = ledger.seal(now=NOON)
    assert json.loads(first.body)["heads"] == [[phone_hash(PHONE), 1, event.hash]]
    assert ledger.seal(now=NOON) is None, "nothing moved"
    other = ledger.record(report=report(brand, phone="+12015550124"), now=NOON)
    second = ledger.seal(now=NOON)
    assert (second.seq, second.prev_hash) == (2, first.hash)
    assert json.loads(second.body)["heads"] == [[phone_hash("+12015550124"), 1, other.hash]]


# --- What the database itself refuses --------------------------------------------------------------------------


@pytest.fixture
def history(brand):
    """One row of everything that only grows, by table."""
    event = ledger.record(report=report(brand, evidence={"words": "stop"}), now=NOON)
    seal = ledger.seal(now=NOON)
    disclosure = Disclosure.objects.create(program=factories.program(brand=brand), version=1, text="We text you.")
    decision = Decision.objects.create(
        message_ref="00000000-0000-4000-8000-000000000001",
        subject=event.subject,
        brand=brand,
        purpose=Purpose.REPLY,
        verdict=Verdict.BLOCKED,
        reasons=["opted_out"],
        facts={},
        rules_version="x",
        decided_at=NOON,
    )
    connection.check_constraints()  # else what waits for the commit would be what refuses a TRUNCATE
    return {row._meta.db_table: row for row in (event, seal, disclosure, decision, event.evidence.get())}


def refused(sql, *parameters, by="history only grows|erased, not changed"):
    with pytest.raises(IntegrityError, match=by), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, parameters)


HISTORY = [model._meta.db_table for model in (ConsentEvent, Seal, Disclosure, Decision, Evidence)]


@pytest.mark.parametrize("table", HISTORY)
def test_history_is_not_deleted(history, table):
    refused(f"DELETE FROM {table} WHERE id = %s", history[table].pk)


@pytest.mark.parametrize("table", HISTORY)
def test_history_is_not_emptied(history, table):
    refused(f"TRUNCATE {table} CASCADE")


@pytest.mark.parametrize("table", HISTORY)
def test_no_column_of_history_is_changed(history, table):
    for field in history[table]._meta.concrete_fields:
        refused(f"UPDATE {table} SET {field.column} = {field.column} WHERE id = %s", history[table].pk)


def test_evidence_may_be_erased_and_is_then_gone_for_good(history):
    evidence = history["consent_evidence"]
    Evidence.objects.filter(pk=evidence.pk).update(value=None, salt=None)
    evidence.refresh_from_db()
    assert (evidence.value, evidence.salt) == (None, None)
    refused("UPDATE consent_evidence SET value = 'I agree', salt = 'x' WHERE id = %s", evidence.pk)
    refused("UPDATE consent_evidence SET value = NULL, salt = NULL, digest = 'x' WHERE id = %s", evidence.pk)
    assert list(verification.problems()) == []


CONTRADICTIONS = {
    "kind": "granted",
    "source": "web",
    "effect": "nothing",
    "message_ref": "another",
    "seq": 7,
    "occurred_at": NOON - timedelta(days=1),
    "recorded_at": NOON - timedelta(days=1),
    "hash": "f" * 64,
    "prev_hash": "f" * 64,
    "body": "{}",
}


@pytest.mark.parametrize("column", CONTRADICTIONS)
def test_columns_that_contradict_the_text_are_refused(history, column):
    twin = history["consent_consentevent"]
    twin.pk, twin.seq, twin.prev_hash = None, 2, twin.hash
    body = json.loads(twin.body) | {"seq": 2}
    twin.body = ledger.canonical(body)
    twin.hash = ledger.chained(twin.prev_hash, twin.body)
    with transaction.atomic():
        twin.save(force_insert=True)  # as it is, it would do
        transaction.set_rollback(True)
    twin.pk = None
    setattr(twin, column, CONTRADICTIONS[column])
    with pytest.raises(IntegrityError, match="an_event_s_"), transaction.atomic():
        twin.save(force_insert=True)


@pytest.mark.parametrize("column", ["brand_id", "program_id"])
def test_an_event_of_another_brand_or_program_than_its_text_says_is_refused(history, column):
    other = factories.program()
    twin = history["consent_consentevent"]
    body = ledger.canonical(json.loads(twin.body) | {"seq": 2})
    twin.pk, twin.seq, twin.prev_hash, twin.body = None, 2, twin.hash, body
    twin.hash = ledger.chained(twin.prev_hash, body)
    setattr(twin, column, other.brand_id if column == "brand_id" else other.pk)
    with pytest.raises(IntegrityError, match="an_event_s_columns"), transaction.atomic():
        twin.save(force_insert=True)


def test_a_chain_has_one_event_at_each_place(history):
    twin = history["consent_consentevent"]
    body = ledger.canonical(json.loads(twin.body) | {"rule": "another"})
    twin.pk, twin.body, twin.hash = None, body, ledger.chained(twin.prev_hash, body)
    with pytest.raises(IntegrityError, match="a_chain_has_one_event_at_each_place"), transaction.atomic():
        twin.save(force_insert=True)


# --- Many at once ----------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_eight_threads_that_write_to_a_new_number_at_once_leave_one_unbroken_chain():
    brand = factories.brand()

    def write(minute):
        try:
            ledger.record(report=report(brand, minute=-minute), now=NOON)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(write, range(40)))
    assert list(ConsentEvent.objects.order_by("seq").values_list("seq", flat=True)) == list(range(1, 41))
    assert Subject.objects.get().head_seq == 40
    assert list(verification.problems()) == []


@pytest.mark.django_db(transaction=True)
def test_batches_over_the_same_numbers_in_other_orders_never_wait_for_each_other():
    brands = [factories.brand(), factories.brand()]
    phones = [factories.phone_number() for _ in range(6)]

    def write(turn):
        order = phones[turn % 6 :] + phones[: turn % 6]
        try:
            several = [report(brands[(turn + place) % 2], phone=phone) for place, phone in enumerate(order)]
            ledger.record_many(several, now=NOON)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(write, range(24)))  # a deadlock would be an OperationalError here
    assert ConsentEvent.objects.count() == 24 * 6
    assert list(verification.problems()) == []
