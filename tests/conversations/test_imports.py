"""Importing files: the pages, the task, and what is sent because of them."""

import csv
import io
from datetime import timedelta
from unittest import mock

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ

from consent import importing, revoking
from consent.models import ConsentEvent, ConsentImport, Standing
from consent.purposes import Kind, Purpose, Source
from contactcenter import clock
from contactcenter.accounts.models import Role
from conversations import imports as importing_here
from conversations import tasks
from conversations.models import Message
from tests import factories
from tests.consent import imports
from tests.consent.imports import SIGNED_UP

pytestmark = pytest.mark.django_db
State = ConsentImport.State
PHONE = SIGNED_UP["Phone"]


@pytest.fixture
def officer(client: Client) -> Client:
    client.force_login(factories.user(Role.COMPLIANCE))
    return client


def people(number: int):
    return [{**SIGNED_UP, "Phone": f"+1201{5550000 + place:07}"} for place in range(number)]


def program(**fields):
    made = imports.program(**fields)
    factories.line(brand=made.brand)
    return made


def upload(client: Client, content: bytes, kind: str = "consents"):
    file = SimpleUploadedFile("people.csv", content, "text/csv")
    return client.post(reverse("consent-imports"), {"kind": kind, "file": file})


def choices(draft: ConsentImport, **said):
    return {f"column_{name}": str(place) for name, place in draft.columns.items()} | {"is_day_first": "False"} | said


def page(client: Client, of: ConsentImport) -> str:
    return client.get(reverse("consent-import", args=[of.pk])).content.decode()


def taken_in(of: ConsentImport) -> ConsentImport:
    tasks.take_in_imports()
    of.refresh_from_db()
    return of


def test_an_officer_uploads_looks_starts_and_takes_the_refused_rows_home(officer):
    offers = program()
    response = upload(officer, imports.csv_of([*people(3), {**SIGNED_UP, "Method": ""}]))
    of = ConsentImport.objects.get()
    assert response.url == reverse("consent-import", args=[of.pk])
    assert "Choose the program above, then “Look again”." in page(officer, of)

    url = reverse("consent-import", args=[of.pk])
    looked = officer.post(url, choices(of, program=offers.pk, do="look")).content.decode()
    assert looked.count("pill--ok") == 3
    assert "It lacks how they agreed." in looked
    assert "Nobody is texted now" in looked
    assert not ConsentEvent.objects.exists()

    assert officer.post(url, choices(of, program=offers.pk, do="start")).status_code == 302
    assert "Waiting for its turn" in page(officer, of)
    assert taken_in(of).state == State.DONE
    done = page(officer, of)
    assert "1 row was refused" in done
    assert "It lacks how they agreed." in done
    sheet = officer.get(reverse("consent-import-refusals", args=[of.pk])).getvalue().decode("utf-8-sig")
    [row] = csv.DictReader(io.StringIO(sheet))
    assert (row["Phone"], row["Row"]) == (PHONE, "5")
    assert "It lacks how they agreed" in row["Why it was refused"]
    assert not Message.objects.exists()


def test_what_was_mended_can_be_imported_from_the_very_file_of_refusals(officer):
    offers = program()
    of = imports.started([{**SIGNED_UP, "Method": ""}], offers, now=timezone.now())
    taken_in(of)
    sheet = officer.get(reverse("consent-import-refusals", args=[of.pk])).getvalue()
    mended = sheet.replace(
        b"I agree to get texts from Harbor Clinic.,,", b"I agree to get texts from Harbor Clinic.,web,"
    )
    again = imports.taken_in(mended, offers, now=timezone.now())
    assert (again.taken, again.refused) == (1, 0)


def test_a_bought_list_is_told_that_no_row_would_be_taken_in(officer):
    of = imports.uploaded(b"Phone,Name\n+12125550123,Ana\n")
    response = officer.post(reverse("consent-import", args=[of.pk]), choices(of, program=program().pk, do="start"))
    assert response.status_code == 422
    assert "Every row would be refused: none says the wording they agreed to." in response.content.decode()
    of.refresh_from_db()
    assert of.state == State.DRAFT


def test_a_list_of_opt_outs_stops_texts_at_once(officer):
    offers = program()
    imports.taken_in([SIGNED_UP], offers, now=timezone.now() - timedelta(days=1))
    upload(officer, b"2125550123\n", "opt_outs")
    of = ConsentImport.objects.latest("pk")
    officer.post(reverse("consent-import", args=[of.pk]), choices(of, do="start"))
    assert taken_in(of).taken == 1
    assert Standing.objects.get(subject__phone=PHONE, brand=offers.brand).state.is_suppressed


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"Phone\n", "There are no rows"),
        (b"PK\x03\x04\x00\x00", "CSV UTF-8"),
        (b'Phone,Words\n1,"open\n', "From row 2 on"),
    ],
)
def test_a_file_that_cannot_be_read_says_what_to_do(officer, content, words):
    response = upload(officer, content)
    assert response.status_code == 422
    assert words in response.content.decode()


def test_a_file_that_is_too_large_is_refused(officer, monkeypatch):
    monkeypatch.setattr(importing, "BYTES_AT_MOST", 10)
    response = upload(officer, b"Phone\n+12125550123\n")
    assert response.status_code == 422
    assert "larger than 20 MB" in response.content.decode()


def test_agents_do_not_import(client):
    of = imports.uploaded([SIGNED_UP])
    client.force_login(factories.user(Role.AGENT))
    assert client.get(reverse("consent-imports")).status_code == 403
    assert upload(client, b"+12125550123\n").status_code == 403
    assert client.post(reverse("consent-import", args=[of.pk]), {"do": "start"}).status_code == 403
    assert client.get(reverse("consent-import-refusals", args=[of.pk])).status_code == 403
    assert "Import" not in client.get(reverse("consent-record")).content.decode()


def test_cancelling_keeps_what_was_taken_in(officer, monkeypatch):
    monkeypatch.setattr(importing, "ROWS_PER_PART", 2)
    of = imports.started(people(5), program(), now=timezone.now())
    importing_here.take_in_part(of.pk, now=timezone.now())
    url = reverse("consent-import-cancel", args=[of.pk])
    assert "Cancelled" in officer.post(url, follow=True).content.decode()
    assert (taken_in(of).state, of.taken) == (State.CANCELLED, 2)
    assert "Too late" in officer.post(url, follow=True).content.decode()


def test_progress_is_asked_for_until_it_is_over(officer):
    of = imports.started(people(2), program(), now=timezone.now())
    url = reverse("consent-import-progress", args=[of.pk])
    assert "HX-Refresh" not in officer.get(url).headers
    assert 'hx-trigger="every 2s"' in page(officer, of)
    taken_in(of)
    assert officer.get(url).headers["HX-Refresh"] == "true"
    assert "hx-trigger" not in page(officer, of)


def test_what_fails_for_a_reason_of_ours_stops_and_goes_on_when_somebody_says_so(officer):
    of = imports.started(people(2), program(), now=timezone.now())
    with mock.patch("consent.import_claims.record", side_effect=RuntimeError("a bug")):
        assert taken_in(of).state == State.FAILED
    assert "an error of ours" in page(officer, of)
    officer.post(reverse("consent-import-go-on", args=[of.pk]))
    assert (taken_in(of).state, of.taken) == (State.DONE, 2)


# --- The question of a double opt-in ---------------------------------------------------------------------------------


def test_with_double_opt_in_each_number_is_asked_once_behind_the_agents_messages(officer):
    offers = program(is_double_opt_in=True)
    of = imports.started(people(3), offers, now=timezone.now())
    assert "is asked by text" in page(officer, of)
    assert taken_in(of).asked == 3
    asked = Message.objects.all()
    assert {(one.purpose, one.lane, one.program_id) for one in asked} == {
        (Purpose.DOUBLE_OPT_IN, "campaigns", offers.pk)
    }
    assert all(one.expires_at > timezone.now() + timedelta(hours=23) for one in asked)
    assert set(ConsentEvent.objects.values_list("kind", flat=True)) == {Kind.REQUESTED}


def test_whoever_said_no_is_not_asked():
    offers = program(is_double_opt_in=True)
    revoking.revoke(phone=PHONE, source=Source.AGENT, evidence={}, now=timezone.now() - timedelta(days=1))
    of = imports.started([SIGNED_UP], offers, now=timezone.now())
    assert (taken_in(of).refused, of.asked) == (1, 0)
    assert not Message.objects.exists()


def test_a_crash_between_request_and_question_leaves_neither():
    of = imports.started(people(2), program(is_double_opt_in=True), now=timezone.now())
    with mock.patch("conversations.imports.ask", side_effect=RuntimeError("power")), pytest.raises(RuntimeError):
        importing_here.take_in_part(of.pk, now=timezone.now())
    assert not ConsentEvent.objects.exists()
    taken_in(of)
    assert Message.objects.count() == 2


def test_a_program_that_asks_needs_a_line_before_it_starts(officer):
    homeless = imports.program(is_double_opt_in=True)
    of = imports.uploaded([SIGNED_UP])
    response = officer.post(reverse("consent-import", args=[of.pk]), choices(of, program=homeless.pk, do="start"))
    assert response.status_code == 422
    assert "has no line to text from" in response.content.decode()


def statements(numbers: int) -> int:
    made = program(is_double_opt_in=True)
    rows = [{**SIGNED_UP, "Phone": factories.phone_number()} for _ in range(numbers)]
    of = imports.started(rows, made, now=timezone.now())
    with CaptureQueriesContext(connection) as captured:
        importing_here.take_in_part(of.pk, now=timezone.now())
    return len(captured)


def test_asking_costs_the_same_statements_for_any_number_of_rows():
    assert statements(300) == statements(10) <= 55


# --- The row is the queue --------------------------------------------------------------------------------------------


def test_a_task_takes_as_long_as_it_may_and_asks_for_a_successor(monkeypatch):
    monkeypatch.setattr(importing_here, "TASK_SECONDS", 0.0)
    of = imports.started(people(2), program(), now=timezone.now())
    taken_in(of)
    assert (of.state, OrmQ.objects.filter(key="campaigns").count()) == (State.QUEUED, 1)


def test_the_clock_finds_what_a_worker_left_behind_and_nudges_once():
    left_at = timezone.now() - timedelta(minutes=1)
    imports.started(people(2), program(), now=left_at)
    for _ in range(3):
        clock.nudge_imports(timezone.now())
    assert OrmQ.objects.filter(key="campaigns").count() == 1
