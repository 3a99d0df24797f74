from datetime import timedelta
from unittest import mock

import pytest
from django.db import IntegrityError, connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from consent import acquiring, import_claims, import_rows, importing, invariants, ledger, revoking
from consent.import_claims import Plan
from consent.models import ConsentEvent, ConsentImport, ImportPart, ImportRefusal, Standing, Subject
from consent.purposes import Category, Kind, Level, Source
from tests import factories
from tests.consent import imports
from tests.consent.imports import SIGNED_UP
from tests.factories import NOON

pytestmark = pytest.mark.django_db
PHONE = SIGNED_UP["Phone"]
OPT_OUTS = ConsentImport.Kind.OPT_OUTS
State = ConsentImport.State
TAKEN, REFUSED = "its rows that were taken in", "its refused rows"


def row(number: int, **cells):
    return {**SIGNED_UP, "Phone": f"+1201{5550000 + number:07}", **cells}


def field_of(heading: str) -> str:
    return next(field for field, place in import_rows.guessed(["x", heading]).items() if place == 1)


def state_of(program, phone=PHONE):
    return Standing.objects.get(subject__phone=phone, brand=program.brand).state


def test_a_consent_with_its_proof_is_taken_in():
    program = imports.program()
    done = imports.taken_in([SIGNED_UP], program)
    assert (done.state, done.rows, done.taken, done.refused) == (State.DONE, 1, 1, 0)
    assert state_of(program).level(program.pk) == Level.WRITTEN
    event = ConsentEvent.objects.get()
    assert (event.kind, event.source, event.facts["rule"]) == (Kind.GRANTED, Source.IMPORT, f"import:{done.pk}")
    assert event.occurred_at.isoformat() == "2026-02-01T15:30:00+00:00"
    evidence = dict(event.evidence.values_list("name", "value"))
    assert evidence["file"] == "people.csv, row 2"
    assert evidence["words"] == SIGNED_UP["Consent text"]


@pytest.mark.parametrize("lost", ["Consent text", "Method", "URL", "IP address", "User agent"])
def test_row_1_a_row_that_lacks_any_one_proof_of_written_consent_is_refused_and_says_which(lost):
    program = imports.program()
    done = imports.taken_in([row(1), row(2, **{lost: ""}), row(3)], program)
    assert (done.taken, done.refused) == (2, 1)
    [(number, reason, detail)] = imports.reasons(done)
    assert (number, reason) == (3, "no_proof")
    assert detail == field_of(lost)


def test_a_signature_on_paper_proves_as_much_as_a_page():
    program = imports.program()
    paper = {
        "Phone": PHONE,
        "Date": "2026-02-01",
        "Words": "I agree",
        "Method": "paper",
        "Document": "box 4",
        "Name": "",
    }
    assert imports.reasons(imports.taken_in([paper], program)) == [(2, "no_proof", "name")]
    assert imports.taken_in([paper | {"Name": "Ana Diaz"}], program).taken == 1


@pytest.mark.parametrize(
    ("level", "category"), [(Level.EXPRESS, Category.INFORMATIONAL), (Level.CONVERSATIONAL, Category.CONVERSATIONAL)]
)
def test_row_2_weaker_levels_need_less_proof_and_never_none(level, category):
    program = imports.program(consent_level=level, category=category)
    told = {name: SIGNED_UP[name] for name in ("Phone", "Date", "Consent text", "Method")}
    done = imports.taken_in([told, {**told, "Phone": "+12125550124", "Consent text": ""}], program)
    assert (done.taken, done.refused) == (1, 1)


@pytest.mark.parametrize("lost", ["Phone", "Date", "Consent text", "Method", "URL"])
def test_a_bought_list_is_not_even_started(lost):
    program = imports.program()
    people = [{name: value for name, value in SIGNED_UP.items() if name != lost}]
    draft = imports.uploaded(people)
    with pytest.raises(importing.CannotStart) as refused:
        importing.start(draft=draft, plan=Plan(columns=draft.columns, program=program), now=NOON)
    assert refused.value.missing == {field_of(lost)}
    assert not ConsentImport.objects.under_way()


def test_nobody_is_imported_into_a_program_that_is_not_active():
    program = imports.program(is_active=False)
    with pytest.raises(acquiring.NotOffered):
        imports.started([SIGNED_UP], program)


def test_a_column_names_each_row_s_program():
    imports.program(name="Care", slug="care")
    offers = imports.program(name="Offers", slug="offers")
    asleep = imports.program(is_active=False)
    named = ["care", str(offers), "CARE", "nothing", "", asleep.slug]
    done = imports.taken_in([row(place, Program=name) for place, name in enumerate(named)])
    assert done.taken == 3
    assert [reason for _, reason, _ in imports.reasons(done)] == ["unknown_program", "no_program", "not_offered"]
    assert state_of(offers, "+12015550001").level(offers.pk) == Level.WRITTEN


# --- A "no" stays ----------------------------------------------------------------------------------------------------


def said_no(program, at=NOON - timedelta(days=1), **fields):
    revoking.revoke(
        phone=PHONE, brand_ids=[program.brand_id], source=Source.AGENT, evidence={}, occurred_at=at, now=at, **fields
    )


@pytest.mark.parametrize("agreed", ["2026-02-01", "2026-03-02 11:59"])
def test_row_17_no_file_lifts_a_no_whatever_date_it_gives(agreed):
    program = imports.program()
    said_no(program)
    done = imports.taken_in([{**SIGNED_UP, "Date": agreed}], program)
    assert [reason for _, reason, _ in imports.reasons(done)] == ["opted_out"]
    assert state_of(program).is_suppressed


def test_row_17_eleven_years_later_a_no_still_stands():
    program = imports.program()
    said_no(program)
    later = NOON + timedelta(days=366 * 11)
    done = imports.taken_in([{**SIGNED_UP, "Date": "2037-03-01"}], program, now=later)
    assert [reason for _, reason, _ in imports.reasons(done)] == ["opted_out"]
    assert state_of(program).is_suppressed


def test_row_17_a_contact_that_was_deleted_and_comes_back_in_a_file_is_still_blocked():
    program = imports.program()
    contact = factories.contact(PHONE)
    said_no(program)
    contact.delete()
    done = imports.taken_in([SIGNED_UP], program)
    assert (done.taken, done.refused) == (0, 1)
    assert state_of(program).is_suppressed


def test_row_23_the_no_is_said_to_the_brand_whichever_its_program():
    reminders = imports.program()
    offers = imports.program(brand=reminders.brand)
    said_no(offers)
    assert imports.taken_in([SIGNED_UP], reminders).refused == 1
    assert imports.taken_in([SIGNED_UP], imports.program()).taken == 1  # another brand is another matter


def test_a_no_to_one_category_refuses_that_category_only():
    offers = imports.program()
    reminders = imports.program(brand=offers.brand, category=Category.INFORMATIONAL, consent_level=Level.EXPRESS)
    said_no(offers, scope=Category.PROMOTIONAL)
    assert imports.taken_in([SIGNED_UP], offers).refused == 1
    assert imports.taken_in([SIGNED_UP], reminders).taken == 1


def test_after_a_start_a_consent_from_before_the_no_is_still_worth_nothing():
    program = imports.program()
    said_no(program)
    ledger.record(
        report=ledger.Report(
            phone=PHONE, brand_id=program.brand_id, kind=Kind.RESUMED, source=Source.KEYWORD, occurred_at=NOON
        ),
        now=NOON,
    )
    later = NOON + timedelta(hours=2)
    old, young = {**SIGNED_UP, "Date": "2026-02-01"}, {**SIGNED_UP, "Date": "2026-03-02 13:30"}
    done = imports.taken_in([old], program, now=later)
    assert [reason for _, reason, _ in imports.reasons(done)] == ["said_no_since"]
    assert imports.taken_in([young], program, now=later).taken == 1


def test_a_number_whose_text_waits_for_a_judgement_is_not_taken_in():
    program = imports.program()
    ledger.record(
        report=ledger.Report(
            phone=PHONE, brand_id=program.brand_id, kind=Kind.SUSPECTED, source=Source.FREE_TEXT, occurred_at=NOON
        ),
        now=NOON,
    )
    done = imports.taken_in([SIGNED_UP], program)
    assert [reason for _, reason, _ in imports.reasons(done)] == ["may_have_opted_out"]


def test_with_double_opt_in_a_row_is_a_request_of_today():
    program = imports.program(is_double_opt_in=True)
    imports.taken_in([SIGNED_UP], program)
    event = ConsentEvent.objects.get()
    assert (event.kind, event.occurred_at) == (Kind.REQUESTED, NOON)
    assert event.evidence.get(name="agreed_at").value == "2026-02-01T15:30:00+00:00"
    assert state_of(program).level(program.pk) == Level.NONE


# --- Opt-outs --------------------------------------------------------------------------------------------------------


def test_row_5_a_list_of_opt_outs_is_said_to_every_brand_or_to_one():
    here, there = factories.brand(), factories.brand()
    imports.taken_in(b"+12125550123\n(212) 555-0124\n", kind=OPT_OUTS, brand=here)
    imports.taken_in(b"mobile\n2125550125\n", kind=OPT_OUTS)
    suppressed = {
        (standing.subject.phone[-3:], standing.brand)
        for standing in Standing.objects.all()
        if standing.state.is_suppressed
    }
    assert suppressed == {("123", here), ("124", here), ("125", here), ("125", there)}


def test_an_opt_out_is_refused_only_when_there_is_no_number_in_it():
    factories.brand()
    people = [
        {"Phone": "555 123 4567", "Date": "soon"},
        {"Phone": "n/a", "Date": ""},
        {"Phone": "+12125550123", "Date": ""},
    ]
    done = imports.taken_in(people, kind=OPT_OUTS)
    assert (done.state, done.taken) == (State.DONE, 2)
    assert imports.reasons(done) == [(3, "bad_opt_out", "n/a")]
    assert Subject.objects.filter(phone="+15551234567").exists()


def test_an_opt_out_ends_a_consent():
    program = imports.program()
    imports.taken_in([SIGNED_UP], program)
    imports.taken_in(f"{PHONE}\n".encode(), kind=OPT_OUTS, now=NOON + timedelta(hours=1))
    assert state_of(program).is_suppressed


# --- Once each, whatever crashes -------------------------------------------------------------------------------------


@pytest.fixture
def small_parts(monkeypatch):
    monkeypatch.setattr(importing, "ROWS_PER_PART", 3)


@pytest.mark.usefixtures("small_parts")
def test_a_number_counts_once_in_a_file_also_across_its_parts():
    program = imports.program()
    people = [row(number) for number in (1, 2, 1, 3, 2, 4, 1)]
    done = imports.taken_in(people, program)
    assert (done.taken, done.refused) == (4, 3)
    assert [(number, reason) for number, reason, _ in imports.reasons(done)] == [
        (4, "duplicate"), (6, "duplicate"), (8, "duplicate"),
    ]  # fmt: skip


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("crash_at", ["consent.ledger.save", "consent.models.ImportPart.delete"])
def test_a_crash_in_the_middle_of_a_part_leaves_nothing_of_it_and_the_rest_is_taken_in_once(crash_at):
    program = imports.program()
    of = imports.started([row(number) for number in range(7)], program)
    importing.take_in(pk=of.pk, now=NOON)
    with mock.patch(crash_at, side_effect=RuntimeError("power")), pytest.raises(RuntimeError):
        importing.take_in(pk=of.pk, now=NOON)
    of.refresh_from_db()
    assert (of.state, of.taken, ConsentEvent.objects.count()) == (State.RUNNING, 3, 3)
    while importing.take_in(pk=of.pk, now=NOON):
        pass
    of.refresh_from_db()
    assert (of.state, of.taken, ConsentEvent.objects.count()) == (State.DONE, 7, 7)
    assert not ImportPart.objects.exists()


@pytest.mark.usefixtures("small_parts")
def test_a_file_that_was_cancelled_takes_in_nothing_more():
    program = imports.program()
    of = imports.started([row(number) for number in range(7)], program)
    importing.take_in(pk=of.pk, now=NOON)
    importing.cancel(of=of, now=NOON)
    assert importing.take_in(pk=of.pk, now=NOON) is None
    of.refresh_from_db()
    assert (of.state, of.taken, of.parts.count()) == (State.CANCELLED, 3, 0)
    with pytest.raises(importing.TooLate):
        importing.cancel(of=of, now=NOON)


@pytest.mark.usefixtures("small_parts")
def test_a_file_that_failed_goes_on_where_it_stopped():
    program = imports.program()
    of = imports.started([row(number) for number in range(4)], program)
    importing.take_in(pk=of.pk, now=NOON)
    importing.fail(pk=of.pk, error="no line", now=NOON)
    assert importing.take_in(pk=of.pk, now=NOON) is None
    importing.go_on(of=of, now=NOON)
    importing.take_in(pk=of.pk, now=NOON)
    of.refresh_from_db()
    assert (of.state, of.taken, of.error) == (State.DONE, 4, "")


def test_a_file_starts_once():
    program = imports.program()
    of = imports.started([SIGNED_UP], program)
    with pytest.raises(importing.TooLate):
        importing.start(draft=of, plan=Plan(columns=of.columns, program=program), now=NOON)


def statements(numbers: range) -> int:
    program = imports.program()
    people = [row(number) for number in numbers]
    of = imports.started([*people, people[0], {**people[1], "Method": ""}], program)
    with CaptureQueriesContext(
        connection,
    ) as captured:
        importing.take_in(pk=of.pk, now=NOON)
    return len(captured)


def test_a_part_costs_the_same_statements_for_any_number_of_rows():
    assert statements(range(400)) == statements(range(1000, 1010)) <= 30


def test_a_long_file_is_taken_in_part_by_part_and_no_part_costs_more_than_the_first():
    program = imports.program()
    of = imports.started([row(number) for number in range(2000)], program)
    assert of.parts.count() == 4
    costs = []
    while True:
        with CaptureQueriesContext(connection) as captured:
            taken = importing.take_in(pk=of.pk, now=NOON)
        if taken is None:
            break
        assert len(taken.events) == importing.ROWS_PER_PART
        costs.append(len(captured))
        assert broken() == set()
    of.refresh_from_db()
    assert (len(costs), of.state, of.taken) == (4, State.DONE, 2000)
    assert max(costs) == costs[0]
    assert ConsentEvent.objects.values("subject").distinct().count() == 2000


# --- What the audit says -------------------------------------------------------------------------------------


def broken() -> set[str]:
    return {problem.what.split(" are ")[0] for problem in invariants.MISCOUNTED(NOON)}


@pytest.fixture
def half_taken_in():
    """Three kinds of files, of which the consents are still under way."""
    program = imports.program()
    factories.brand()
    imports.taken_in([row(1), row(1), row(2)], kind=OPT_OUTS)
    imports.taken_in([row(3)], kind=OPT_OUTS, brand=program.brand)
    of = imports.started([row(number, Method="" if number % 7 == 0 else "x") for number in range(9, 1009)], program)
    importing.take_in(pk=of.pk, now=NOON)
    return of


def test_the_audit_finds_nothing_in_files_that_are_done_under_way_or_cancelled(half_taken_in):
    assert broken() == set()
    importing.cancel(of=half_taken_in, now=NOON)
    assert broken() == set()
    ImportRefusal.objects.all().delete()  # as after a month
    ConsentImport.objects.update(state_at=NOON - timedelta(days=31))
    assert broken() == set()


@pytest.mark.parametrize(
    ("tamper", "what"),
    [
        (lambda of: ConsentImport.objects.filter(pk=of.pk).update(taken=1), {TAKEN, "its rows"}),
        (
            lambda of: ConsentImport.objects.filter(kind=OPT_OUTS).update(taken=F("taken") - 1, refused=1),
            {TAKEN, REFUSED},
        ),
        (lambda of: ImportRefusal.objects.filter(of=of).first().delete(), {REFUSED}),
        (lambda of: ImportPart.objects.filter(of=of).delete(), {"its rows"}),
    ],
)
def test_the_audit_names_an_import_whose_rows_do_not_add_up(half_taken_in, tamper, what):
    tamper(half_taken_in)
    assert broken() == what


def test_the_database_refuses_to_count_a_row_twice():
    of = imports.started([SIGNED_UP], imports.program())
    with pytest.raises(IntegrityError, match="an_import_deals_with_each_row_once"):
        ConsentImport.objects.filter(pk=of.pk).update(taken=1, refused=1)


# --- Before and after ------------------------------------------------------------------------------------------------


def test_the_first_rows_are_shown_with_what_would_become_of_them():
    program = imports.program()
    draft = imports.uploaded([row(1), row(2, Method=""), row(3)])
    shown = importing.preview(draft, Plan(columns=draft.columns, program=program), now=NOON)
    assert [why.reason if why else "" for _, why in shown] == ["", "no_proof", ""]
    assert not ConsentEvent.objects.exists()


@pytest.mark.parametrize("content", [b"", b"Phone,Date\n"])
def test_a_file_without_rows_is_not_kept(content):
    with pytest.raises(import_rows.Unreadable):
        imports.uploaded(content)
    assert not ConsentImport.objects.exists()


def test_a_file_that_breaks_off_half_way_is_not_kept():
    with pytest.raises(import_rows.Unreadable):
        imports.uploaded(b"Phone\n" + b"+12125550123\n" * 1200 + b'"open')
    assert not ImportPart.objects.exists()


@pytest.mark.usefixtures("small_parts")
def test_what_is_of_no_more_use_is_forgotten():
    imports.uploaded([SIGNED_UP])
    done = imports.taken_in([row(1, Method="")], imports.program())
    importing.forget(now=NOON + timedelta(hours=23))
    assert ConsentImport.objects.count() == 2
    importing.forget(now=NOON + timedelta(days=31))
    assert ConsentImport.objects.get() == done
    assert not ImportRefusal.objects.exists()


def test_a_file_that_a_worker_left_behind_is_found():
    of = imports.started([SIGNED_UP], imports.program())
    assert not importing.are_left_behind(now=NOON + timedelta(seconds=5))
    assert importing.are_left_behind(now=NOON + timedelta(seconds=11))
    importing.take_in(pk=of.pk, now=NOON)
    assert not importing.are_left_behind(now=NOON + timedelta(hours=1))


def test_a_name_that_two_programs_share_names_neither():
    shared = imports.program(name="Offers", slug="harbor-offers")
    imports.program(name="Offers", slug="pharmacy-offers")
    named = import_claims.named_programs()
    assert "offers" not in named
    assert named["harbor-offers"] == named[str(shared).casefold()] == shared
