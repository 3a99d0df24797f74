"""Whoever owns the database can switch triggers off and drop checks. These tests do, and are found out."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from consent import ledger, verification
from consent.models import ConsentEvent, Evidence, Seal, Standing, Subject
from consent.purposes import Kind, Source
from tests import factories
from tests.factories import NOON

pytestmark = pytest.mark.django_db

PROTECTED = ("consent_consentevent", "consent_seal", "consent_evidence")


@pytest.fixture
def events():
    """Four events of one number and one of another, all sealed, and the superuser's hands free."""
    brand = factories.brand()
    recorded = [
        ledger.record(
            report=ledger.Report(
                phone=phone,
                brand_id=brand.pk,
                kind=kind,
                source=Source.KEYWORD,
                occurred_at=NOON - timedelta(minutes=10 - minute),
                evidence={"words": f"{kind} {minute}"},
            ),
            now=NOON,
        )
        for minute, (phone, kind) in enumerate(
            [
                ("+12015550123", Kind.REVOKED),
                ("+12015550123", Kind.RESUMED),
                ("+12015550123", Kind.REVOKED),
                ("+12015550199", Kind.REVOKED),
                ("+12015550123", Kind.SUSPECTED),
            ]
        )
    ]
    ledger.seal(now=NOON)
    tamper("SET CONSTRAINTS ALL IMMEDIATE")
    for table in PROTECTED:
        tamper(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    tamper("ALTER TABLE consent_consentevent DROP CONSTRAINT an_event_s_hash_covers_its_text")
    tamper("ALTER TABLE consent_consentevent DROP CONSTRAINT an_event_s_columns_say_what_its_text_says")
    tamper("ALTER TABLE consent_seal DROP CONSTRAINT a_seal_s_hash_covers_its_text")
    assert list(verification.problems()) == []
    return recorded


def tamper(sql, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)


def found():
    """(table, row) of the first problem, as the command reports it too."""
    first = next(verification.problems(), None)
    if first is None:
        return None
    with pytest.raises(CommandError, match=f"{first.table} row {first.row_id}: ") as error:
        call_command("verify_ledger")
    assert error.value.returncode == 1
    return first.table, first.row_id


def test_a_whole_ledger_verifies_and_the_last_seal_can_be_kept_elsewhere(events):
    out = StringIO()
    call_command("verify_ledger", stdout=out)
    assert "5 events and 1 seals verified" in out.getvalue()
    assert out.getvalue().splitlines()[-1] == Seal.objects.get().hash


def test_an_empty_ledger_verifies():
    out = StringIO()
    call_command("verify_ledger", stdout=out)
    assert "0 events" in out.getvalue()


@pytest.mark.parametrize("place", ["first", "middle", "last"])
def test_one_changed_byte_is_found_even_when_it_breaks_the_text(events, place):
    event = events[1]
    at = {"first": 0, "middle": len(event.body) // 2, "last": len(event.body) - 1}[place]
    body = event.body[:at] + ("#" if event.body[at] != "#" else "*") + event.body[at + 1 :]
    tamper("UPDATE consent_consentevent SET body = %s WHERE id = %s", body, event.pk)
    assert found() == ("consent_consentevent", event.pk)


COLUMNS = {
    "kind": "'granted'",
    "source": "'web'",
    "effect": "'granted'",
    "message_ref": "'another'",
    "occurred_at": "now()",
    "recorded_at": "now()",
}


@pytest.mark.parametrize("column", COLUMNS)
def test_a_column_that_contradicts_the_text_is_found(events, column):
    tamper(f"UPDATE consent_consentevent SET {column} = {COLUMNS[column]} WHERE id = %s", events[1].pk)
    assert found() == ("consent_consentevent", events[1].pk)


def test_an_event_given_to_another_brand_is_found(events):
    tamper("UPDATE consent_consentevent SET brand_id = %s WHERE id = %s", factories.brand().pk, events[1].pk)
    assert found() == ("consent_consentevent", events[1].pk)


def test_an_event_taken_from_the_middle_is_found_at_the_one_after_it(events):
    erase(events[1])
    assert found() == ("consent_consentevent", events[2].pk)


def test_a_chain_without_its_tail_is_found(events):
    erase(events[4])
    assert found() == ("consent_subject", events[4].subject_id)


def test_a_tail_removed_together_with_the_head_that_names_it_is_found_by_the_seal(events):
    erase(events[4])
    rewind(events[2])
    assert found() == ("consent_seal", Seal.objects.get().pk)


def test_two_events_that_changed_places_are_found(events):
    one, other = events[0], events[1]
    tamper("UPDATE consent_consentevent SET seq = 99 WHERE id = %s", one.pk)
    tamper("UPDATE consent_consentevent SET seq = %s WHERE id = %s", one.seq, other.pk)
    tamper("UPDATE consent_consentevent SET seq = %s WHERE id = %s", other.seq, one.pk)
    assert found()[0] == "consent_consentevent"


def test_a_chain_rewritten_without_a_fault_in_itself_is_found_by_the_seal(events):
    """Body, columns, hashes and head all agree: only what was sealed before says otherwise."""
    prev_hash = events[0].hash
    for event in ConsentEvent.objects.filter(subject=events[0].subject, seq__gt=1).order_by("seq"):
        told = json.loads(event.body) | ({"rule": "keyword:YES"} if event.seq == 2 else {})
        body = ledger.canonical(told)
        tamper(
            "UPDATE consent_consentevent SET body = %s, prev_hash = %s, hash = %s WHERE id = %s",
            body,
            prev_hash,
            ledger.chained(prev_hash, body),
            event.pk,
        )
        prev_hash = ledger.chained(prev_hash, body)
    tamper("UPDATE consent_subject SET head_hash = %s WHERE id = %s", prev_hash, events[0].subject_id)
    assert found() == ("consent_seal", Seal.objects.get().pk)


def test_a_text_that_is_no_json_but_hashed_anew_is_still_named(events):
    event = events[4]
    tamper(
        "UPDATE consent_consentevent SET body = 'none', hash = %s WHERE id = %s",
        ledger.chained(event.prev_hash, "none"),
        event.pk,
    )
    assert found() == ("consent_consentevent", event.pk)


@pytest.mark.parametrize("change", ["value = 'YES'", "salt = 'x'", "digest = repeat('0', 64)", "name = 'page'"])
def test_changed_evidence_is_found(events, change):
    evidence = events[1].evidence.get()
    tamper(f"UPDATE consent_evidence SET {change} WHERE id = %s", evidence.pk)
    assert ("consent_evidence", evidence.pk) in [problem[:2] for problem in verification.problems()]


def test_evidence_that_was_removed_instead_of_erased_is_found(events):
    tamper("DELETE FROM consent_evidence WHERE event_id = %s", events[1].pk)
    assert found() is not None


def test_evidence_that_was_erased_is_no_problem(events):
    Evidence.objects.update(value=None, salt=None)
    assert found() is None


def test_a_changed_seal_is_found(events):
    seal = Seal.objects.get()
    tamper("UPDATE consent_seal SET body = replace(body, '\"v\":1', '\"v\":2') WHERE id = %s", seal.pk)
    assert found() == ("consent_seal", seal.pk)


def test_a_seal_taken_out_is_found_at_the_one_after_it(events):
    first = Seal.objects.get()
    record_one_more(events[3])
    second = ledger.seal(now=NOON)
    tamper("DELETE FROM consent_seal WHERE id = %s", first.pk)
    assert found() == ("consent_seal", second.pk)


def test_the_first_problem_is_named_and_all_are_counted(events):
    tamper("UPDATE consent_consentevent SET effect = 'granted' WHERE id IN (%s, %s)", events[1].pk, events[2].pk)
    with pytest.raises(CommandError, match=r"(?s)row \d+: .*2 such problem"):
        call_command("verify_ledger")


def test_every_problem_says_what_is_wrong_in_words(events):
    tamper("UPDATE consent_consentevent SET kind = 'granted' WHERE id = %s", events[1].pk)
    assert next(verification.problems()).what == "its columns do not say what its text says"


def erase(event):
    tamper("DELETE FROM consent_review WHERE %s IN (first_event_id, last_event_id)", event.pk)
    tamper("DELETE FROM consent_evidence WHERE event_id = %s", event.pk)
    tamper("DELETE FROM consent_consentevent WHERE id = %s", event.pk)


def rewind(event):
    tamper(
        "UPDATE consent_subject SET head_seq = %s, head_hash = %s WHERE id = %s",
        event.seq,
        event.hash,
        event.subject_id,
    )


def record_one_more(event):
    report = ledger.Report(
        phone=Subject.objects.get(pk=event.subject_id).phone,
        brand_id=event.brand_id,
        kind=Kind.RESUMED,
        source=Source.KEYWORD,
        occurred_at=NOON,
    )
    return ledger.record(report=report, now=NOON)


def test_a_standing_that_the_ledger_does_not_bear_out_is_named(events):
    standing = Standing.objects.order_by("pk").first()
    Standing.objects.filter(pk=standing.pk).update(revoked_at=None)
    assert verification.Problem("consent_standing", standing.pk, "it is not what the ledger says") in list(
        verification.problems()
    )


def test_a_standing_that_was_removed_is_missed(events):
    standing = Standing.objects.order_by("pk").last()
    standing.delete()
    assert [problem.what for problem in verification.problems()] == ["a standing of it is missing"]
