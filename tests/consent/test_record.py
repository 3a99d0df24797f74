"""Rows 17 and 19: what is kept of a consent, complete, for ever, and provably as it was written."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from consent import ledger, proof, record
from consent.models import ConsentEvent, Disclosure, Evidence, Standing, Subject
from consent.purposes import Category, Kind, Level, Source
from consent.record import Field
from tests import factories
from tests.factories import NOON

PHONE = "+12125550123"
WHOLE = {"words": "I agree to texts", "name": "Kim Lee", "page": "<html>…</html>"}


@pytest.fixture
def program():
    return factories.program(category=Category.PROMOTIONAL)


def told(program, kind, *, minute=0, **fields):
    at = NOON + timedelta(minutes=minute)
    fields = {"source": Source.WEB, "level": Level.EXPRESS, "program_id": program.pk, "occurred_at": at} | fields
    return ledger.record(now=at, report=ledger.Report(phone=PHONE, brand_id=program.brand_id, kind=kind, **fields))


def read(minutes=60):
    return record.read(Subject.objects.get(phone=PHONE), now=NOON + timedelta(minutes=minutes))


def unguarded():
    """As for somebody who has taken the database over: no trigger and no CHECK is in the way."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in ("consent_consentevent", "consent_evidence", "consent_seal"):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for table, name in (
            ("consent_consentevent", "an_event_s_hash_covers_its_text"),
            ("consent_consentevent", "an_event_s_columns_say_what_its_text_says"),
            ("consent_seal", "a_seal_s_hash_covers_its_text"),
        ):
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")


def tamper(query, *values):
    with connection.cursor() as cursor:
        cursor.execute(query, values or None)


# --- Complete ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("missing", "lacks"),
    [
        ({"name"}, [Field.PERSON]),
        ({"words", "page"}, [Field.REQUEST, Field.CONSENT]),
        ({"page"}, []),
        (set(WHOLE), [Field.PERSON, Field.REQUEST, Field.CONSENT]),
    ],
)
def test_row_19_each_field_that_is_not_kept_is_named(missing, lacks):
    assert record.lacking(names=WHOLE.keys() - missing, has_number=True, has_program=True) == lacks


def test_row_19_a_consent_for_nothing_in_particular_and_one_of_nobody_are_incomplete():
    assert record.lacking(names=WHOLE, has_number=False, has_program=False) == [Field.PERSON, Field.PURPOSE]


@pytest.mark.parametrize("source", proof.EXPRESS)
def test_row_19_what_the_level_needs_and_a_name_make_a_complete_record(source):
    for needed in (proof.EXPRESS[source], proof.WRITTEN.get(source, proof.EXPRESS[source])):
        assert record.lacking(names=needed | {"name"}, has_number=True, has_program=True) == []


@pytest.mark.django_db
def test_row_19_a_yes_rests_on_the_question_that_it_answers(program):
    told(program, Kind.REQUESTED, evidence=WHOLE)
    yes = told(program, Kind.CONFIRMED, minute=1, source=Source.KEYWORD, evidence={"words": "YES"})
    another = factories.program(brand=program.brand, category=Category.PROMOTIONAL)
    other = told(another, Kind.CONFIRMED, minute=2, evidence={"words": "YES"})
    history = read().events
    assert record.incomplete(yes, history) == []
    assert record.incomplete(other, history) == [Field.PERSON]


@pytest.mark.django_db
def test_row_19_erased_evidence_is_no_evidence_and_a_no_needs_none(program):
    grant = told(program, Kind.GRANTED, evidence=WHOLE)
    Evidence.objects.filter(event=grant).update(value=None, salt=None)
    assert record.incomplete(grant, []) == [Field.PERSON, Field.REQUEST, Field.CONSENT]
    assert record.incomplete(told(program, Kind.REVOKED, minute=1), []) == []
    assert read().problems == []


@pytest.mark.django_db
def test_row_19_an_export_has_every_consent_with_all_its_fields(program):
    told(program, Kind.GRANTED, evidence=WHOLE)
    [line] = record.as_json(read())["events"]
    assert line["lacks"] == []
    assert line["program"] == program.name
    assert {piece["name"]: piece["value"] for piece in line["evidence"]} == WHOLE
    assert line["hash"] == ledger.chained(line["prev_hash"], line["body"])
    for piece in line["evidence"]:
        assert piece["digest"] == ledger.digest(piece["salt"], piece["value"])


@pytest.mark.django_db
def test_row_17_after_eleven_years_the_no_is_on_record_and_in_force(program):
    told(program, Kind.REVOKED)
    later = read(minutes=11 * 366 * 24 * 60)
    assert [event.kind for event in later.events] == [Kind.REVOKED]
    assert later.standings[0].state.is_suppressed


@pytest.mark.django_db
def test_row_19_a_name_is_asked_for_where_something_is_advertised():
    reminders = factories.program(category=Category.INFORMATIONAL)
    joined = told(reminders, Kind.GRANTED, source=Source.KEYWORD, evidence={"words": "JOIN"})
    assert record.incomplete(joined, []) == []
    assert not record.only_incomplete(ConsentEvent.objects.all()).exists()


@pytest.mark.django_db
def test_row_19_the_wording_that_somebody_agreed_to_is_in_the_record(program):
    shown = Disclosure.objects.create(program=program, version=1, language="en", text="I agree to get texts.")
    for place, named in enumerate(
        (f"{shown.pk} {shown.sha256}", f"{shown.pk} v1 en sha256:…", "99999999 x", "box 4", "")
    ):
        told(program, Kind.GRANTED, minute=place, evidence={"words": "JOIN", "disclosure": named})
    whole = read()
    assert [whole.disclosure_of(event) for event in whole.events] == [shown, shown, None, None, None]
    [told_of] = record.as_json(whole)["disclosures"]
    assert (told_of["text"], told_of["sha256"]) == ("I agree to get texts.", shown.sha256)


EVIDENCE = [
    {},
    WHOLE,
    {"words": "I agree", "name": "Kim Lee"},
    {"words": "I agree"},
    {"page": "<html>", "name": "Kim Lee"},
    {"said": "yes", "name": "Kim Lee"},
    {"document": "box 4", "name": ""},
    {"disclosure": "1 abc", "name": "Kim Lee"},
]


@pytest.mark.django_db
def test_row_19_the_list_of_incomplete_consents_says_what_each_record_says(program):
    for minute, evidence in enumerate(EVIDENCE):
        for kind in (Kind.REQUESTED, Kind.GRANTED, Kind.REVOKED):
            told(program, kind, minute=minute, evidence=evidence)
        told(program, Kind.CONFIRMED, minute=minute, evidence={"words": "YES"})
    told(program, Kind.GRANTED, minute=60, evidence=WHOLE, program_id=None)
    erased = told(program, Kind.GRANTED, minute=61, evidence=WHOLE)
    Evidence.objects.filter(event=erased, name="name").update(value=None, salt=None)

    events = list(ConsentEvent.objects.order_by("seq"))
    listed = set(record.only_incomplete(ConsentEvent.objects.all()))
    assert listed == {event for event in events if record.incomplete(event, events)}
    assert 0 < len(listed) < len(events)
    Subject.objects.update(phone=None)
    consents = [event for event in events if event.kind in record.CONSENTS]
    assert set(record.only_incomplete(ConsentEvent.objects.all())) == set(consents)


# --- As it was written ---------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_record_that_nobody_touched_has_no_problems_and_its_seals(program):
    told(program, Kind.GRANTED, evidence=WHOLE)
    ledger.seal(now=NOON + timedelta(minutes=1))
    told(program, Kind.REVOKED, minute=2)
    assert (read().problems, read().sealed_up_to) == ([], 1)
    ledger.seal(now=NOON + timedelta(minutes=3))
    assert [(seal.seq, seal.place, seal.is_intact) for seal in read().seals] == [(1, 1, True), (2, 2, True)]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("UPDATE consent_consentevent SET body = replace(body, 'express', 'written') WHERE seq = 1", "hash does not"),
        ("UPDATE consent_consentevent SET occurred_at = now() WHERE seq = 1", "columns do not say"),
        ("UPDATE consent_consentevent SET source = 'api' WHERE seq = 2", "columns do not say"),
        ("UPDATE consent_consentevent SET body = 'nonsense' WHERE seq = 1", "hash does not"),
        ("UPDATE consent_consentevent SET seq = 7 WHERE seq = 2", "Place 2: an event is missing"),
        ("UPDATE consent_subject SET head_seq = 1", "does not end where"),
        ("UPDATE consent_evidence SET value = 'I agree to anything' WHERE name = 'words'", "“words” is not what"),
        ("DELETE FROM consent_evidence WHERE name = 'name'", "“name” was removed"),
        ("UPDATE consent_standing SET revoked_at = NULL", "what counts today"),
        ("UPDATE consent_seal SET body = replace(body, '\"at\"', '\"ut\"')", "Seal 1: its hash"),
    ],
)
def test_whatever_was_changed_is_named(program, query, problem):
    told(program, Kind.GRANTED, evidence=WHOLE)
    told(program, Kind.REVOKED, minute=1)
    ledger.seal(now=NOON + timedelta(minutes=2))
    assert read().problems == []
    unguarded()
    tamper(query)
    assert any(problem in found for found in read().problems), read().problems


@pytest.mark.django_db
def test_a_chain_rewritten_from_its_start_does_not_fit_its_seal(program):
    event = told(program, Kind.GRANTED, evidence=WHOLE)
    ledger.seal(now=NOON + timedelta(minutes=1))
    body = event.body.replace("express", "written")
    unguarded()
    tamper("UPDATE consent_consentevent SET body = %s, hash = %s", body, ledger.chained(event.prev_hash, body))
    tamper("UPDATE consent_subject SET head_hash = %s", ledger.chained(event.prev_hash, body))
    grants = Standing.objects.get().grants
    Standing.objects.update(grants={pk: {**grant, "level": "written"} for pk, grant in grants.items()})
    assert read().problems == ["Seal 1: the event that it sealed at place 1 is not there."]


@pytest.mark.django_db
def test_a_record_takes_as_many_statements_for_many_lines_as_for_few(program):
    def statements():
        with CaptureQueriesContext(connection) as queries:
            record.as_json(read())
        return len(queries)

    told(program, Kind.GRANTED, evidence=WHOLE)
    few = statements()
    for minute in range(30):
        told(program, Kind.REVOKED if minute % 2 else Kind.CONFIRMED, minute=minute, evidence=WHOLE)
    assert statements() == few
    assert ConsentEvent.objects.count() == 31
