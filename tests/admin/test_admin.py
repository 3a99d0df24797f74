from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from consent import ledger
from consent.models import ConsentEvent, Decision, Disclosure, Hold, Subject, phone_hash
from consent.models.readiness import wording_for
from consent.purposes import Effect, Kind, Purpose, Source, Verdict
from contactcenter.accounts.models import Role, User
from contactcenter.accounts.site import FirstPages
from conversations.models import CarrierEvent, Line, Message
from tests import factories
from tests.factories import NOON

pytestmark = pytest.mark.django_db

PHONE = "+12015550123"


def signed_in(role):
    client = Client()
    client.user = factories.user(role)
    client.force_login(client.user)
    return client


@pytest.fixture
def administrator():
    return signed_in(Role.ADMINISTRATOR)


@pytest.fixture
def compliance():
    return signed_in(Role.COMPLIANCE)


def press(client, model, action, *rows):
    """Posts the button, or the list's action, and follows."""
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    chosen = [row.pk for row in rows]
    return client.post(url, {"action": action, "_selected_action": chosen, "index": 0}, follow=True)


def told(response):
    return [str(message) for message in response.context["messages"]]


def page(client, row):
    name = f"admin:{row._meta.app_label}_{row._meta.model_name}_change"
    return client.get(reverse(name, args=[row.pk])).content.decode()


def found(client, model, term):
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    response = client.get(url, {"q": term})
    assert response.status_code == 200
    return [row.pk for row in response.context["cl"].result_list]


def recorded(phone=PHONE, **fields):
    fields = {"kind": Kind.REVOKED, "source": Source.KEYWORD, "occurred_at": NOON} | fields
    report = ledger.Report(phone=phone, brand_id=factories.brand().pk, **fields)
    return ledger.record(report=report, now=NOON)


# --- Parked events ---------------------------------------------------------------------------------------------


@pytest.fixture
def parked():
    payload = factories.text_payload(sender=PHONE, text="Is my order ready?")
    return factories.carrier_event(payload, state="parked", error="+12015550100 is no line here.", attempts=1)


def test_a_parked_event_is_announced_shown_with_its_error_and_can_be_tried_again(administrator, parked):
    url = reverse("admin:conversations_carrierevent_changelist")
    assert "wait for you" in told(administrator.get(url))[0]
    shown = page(administrator, parked)
    assert "+12015550100 is no line here." in shown
    assert "Is my order ready?" in shown
    assert "Try again" in shown


def test_trying_again_once_the_line_exists_threads_the_message(administrator, parked):
    factories.line(number="+12015550100")
    response = press(administrator, CarrierEvent, "try_again", parked)
    assert told(response)[0] == "1 event is applied."
    assert Message.objects.get().body == "Is my order ready?"
    parked.refresh_from_db()
    assert (parked.state, parked.error) == ("threaded", "")


def test_trying_again_in_vain_keeps_the_event_parked_and_says_why(administrator, parked):
    response = press(administrator, CarrierEvent, "try_again", parked)
    assert any("is no line here" in text for text in told(response))
    parked.refresh_from_db()
    assert parked.state == "parked"
    assert not Message.objects.exists()


def test_an_event_that_the_clock_took_first_is_not_said_to_be_applied(administrator, parked, monkeypatch):
    monkeypatch.setattr("conversations.inbound.thread", lambda *args, **options: 0)  # its row is locked elsewhere
    assert told(press(administrator, CarrierEvent, "try_again", parked))[:2] == [
        "1 event is being applied: look again.",
        "0 events are applied.",
    ]


def test_a_stop_parked_before_it_reached_the_ledger_reaches_it_when_tried_again(administrator):
    line = factories.line(number="+12015550100")
    payload = factories.text_payload(sender=PHONE, text="STOP")
    event = factories.carrier_event(payload, state="parked", error="OperationalError: the disk is full")
    press(administrator, CarrierEvent, "try_again", event)
    revocation = ConsentEvent.objects.get()
    assert (revocation.effect, revocation.brand_id) == (Effect.SUPPRESSED, line.brand_id)
    assert revocation.message_ref == payload["message_uuid"]


def test_a_stop_that_reached_the_ledger_is_not_recorded_twice(administrator):
    line = factories.line(number="+12015550100")
    payload = factories.text_payload(sender=PHONE, text="STOP")
    recorded(message_ref=payload["message_uuid"])
    ConsentEvent.objects.get()
    event = factories.carrier_event(payload, state="parked", error="KeyError: 'x'", attempts=1)
    line.brand = ConsentEvent.objects.get().brand
    line.save(update_fields=["brand"])
    press(administrator, CarrierEvent, "try_again", event)
    assert ConsentEvent.objects.count() == 1


def test_an_event_that_is_threaded_already_is_left_alone(administrator):
    event = factories.carrier_event(factories.text_payload(sender=PHONE), state="threaded")
    assert told(press(administrator, CarrierEvent, "try_again", event))[0] == "0 events are applied."
    assert not Message.objects.exists()


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.COMPLIANCE])
def test_only_administrators_try_again(role, parked):
    factories.line(number="+12015550100")
    client = signed_in(role)
    assert "Try again" not in page(client, parked)
    press(client, CarrierEvent, "try_again", parked)
    parked.refresh_from_db()
    assert parked.state == "parked"


# --- Holds -----------------------------------------------------------------------------------------------------


@pytest.fixture
def hold():
    return Hold.objects.create(phone=PHONE, phone_hash=phone_hash(PHONE), reason="the ledger could not be written")


def test_a_compliance_officer_releases_a_hold_under_their_own_name(compliance, hold):
    assert "Release" in page(compliance, hold)
    before = timezone.now()
    assert told(press(compliance, Hold, "release", hold)) == ["1 number may be texted again."]
    hold.refresh_from_db()
    assert hold.released_by == compliance.user
    assert hold.released_at >= before


def test_a_hold_is_released_once(compliance, hold):
    press(compliance, Hold, "release", hold)
    other = signed_in(Role.COMPLIANCE)
    press(other, Hold, "release", hold)
    hold.refresh_from_db()
    assert hold.released_by == compliance.user


def test_a_supervisor_sees_holds_and_releases_none(hold):
    supervisor = signed_in(Role.SUPERVISOR)
    assert "Release" not in page(supervisor, hold).replace("Released", "")
    press(supervisor, Hold, "release", hold)
    hold.refresh_from_db()
    assert hold.released_at is None


# --- Lines -----------------------------------------------------------------------------------------------------


def test_resuming_a_line_clears_why_it_was_paused(administrator):
    line = factories.line(paused_at=NOON, paused_reason="401 Unauthorized")
    assert "401 Unauthorized" in page(administrator, line)
    assert told(press(administrator, Line, "resume", line)) == ["1 line sends again."]
    line.refresh_from_db()
    assert (line.paused_at, line.paused_reason) == (None, "")
    assert told(press(administrator, Line, "resume", line))[-1] == "0 lines send again."


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.COMPLIANCE])
def test_only_administrators_resume_lines(role):
    line = factories.line(paused_at=NOON, paused_reason="401")
    press(signed_in(role), Line, "resume", line)
    line.refresh_from_db()
    assert line.paused_at == NOON


def line_form(**fields):
    fields = {"number": "(201) 555-0100", "name": "Main", "kind": "10dlc", "per_second": 5, "is_active": "on"} | fields
    return {"brand": factories.brand().pk} | fields


def test_a_line_s_number_is_kept_as_e164_however_it_was_typed(administrator):
    administrator.post(reverse("admin:conversations_line_add"), line_form())
    assert Line.objects.get().number == "+12015550100"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"number": "555"}, "is not"),
        ({"number": "12", "kind": "short_code"}, "3 to 6 digits"),
        ({"kind": "toll_free"}, "always answers STOP itself"),
        ({"per_second": 0}, "switch it off instead"),
    ],
)
def test_a_line_that_could_not_work_is_refused_with_what_to_do(administrator, fields, words):
    response = administrator.post(reverse("admin:conversations_line_add"), line_form(**fields))
    assert words in response.content.decode()
    assert not Line.objects.exists()


def test_a_line_cannot_speak_for_another_brand_s_program(administrator):
    other = factories.program()
    response = administrator.post(reverse("admin:conversations_line_add"), line_form(program=other.pk))
    assert "belongs to another brand" in response.content.decode()


# --- Disclosures -----------------------------------------------------------------------------------------------


def test_a_new_wording_is_the_next_version_in_its_language(compliance):
    program = factories.program(
        frequency="Up to 6 messages a month", terms_url="https://x.example/t", privacy_url="https://x.example/p"
    )
    for language, more in (("en", ""), ("en", " Thank you."), ("es", "")):
        form = {"program": program.pk, "language": language, "text": wording_for(program, language) + more}
        compliance.post(reverse("admin:consent_disclosure_add"), form)
    versions = Disclosure.objects.order_by("id").values_list("language", "version")
    assert list(versions) == [("en", 1), ("en", 2), ("es", 1)]


# --- People ----------------------------------------------------------------------------------------------------


def test_an_administrator_adds_a_person_with_a_role_who_can_then_sign_in(administrator):
    secret = "a long enough secret 1"
    form = {"username": "maria", "role": "agent", "usable_password": "true", "password1": secret, "password2": secret}
    administrator.post(reverse("admin:accounts_user_add"), form)
    assert User.objects.get(username="maria").role == Role.AGENT
    assert Client().login(username="maria", password=secret)


def test_an_administrator_switches_somebody_off_and_gives_them_another_role(administrator):
    person = factories.user(Role.AGENT)
    form = {"username": person.username, "role": "supervisor", "first_name": "Ana"}
    administrator.post(reverse("admin:accounts_user_change", args=[person.pk]), form)
    person.refresh_from_db()
    assert (person.role, person.is_active, person.first_name) == (Role.SUPERVISOR, False, "Ana")


def test_administrators_cannot_lock_themselves_out(administrator):
    own = administrator.user
    form = {"username": own.username, "role": "agent"}
    administrator.post(reverse("admin:accounts_user_change", args=[own.pk]), form)
    own.refresh_from_db()
    assert (own.role, own.is_active) == (Role.ADMINISTRATOR, True)


# --- Looking things up -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("term", ["+12015550123", "(201) 555-0123", "12015550123", "201.555.0123"])
def test_a_number_finds_its_history_however_it_is_typed(compliance, term):
    event = recorded()
    recorded("+12015550199")
    assert found(compliance, Subject, term) == [event.subject_id]
    assert found(compliance, ConsentEvent, term) == [event.pk]


def test_the_history_of_an_erased_number_is_found_by_typing_it(compliance):
    event = recorded()
    Subject.objects.update(phone=None)
    assert found(compliance, ConsentEvent, PHONE) == [event.pk]


def test_a_message_is_found_by_its_id_by_the_carrier_s_and_by_number(compliance):
    message = factories.text_from(factories.conversation())
    factories.text_from(factories.conversation())
    for term in (str(message.ref), message.carrier_id, message.conversation.contact.phone):
        assert found(compliance, Message, term) == [message.pk]


@pytest.mark.parametrize("term", ["' OR 1=1 --", "\x00", "9" * 400, "%", "é" * 50])
@pytest.mark.parametrize("model", [Subject, ConsentEvent, Message, CarrierEvent, Decision, Hold])
def test_a_search_for_nonsense_finds_nothing_and_breaks_nothing(compliance, model, term):
    recorded()
    factories.text_from(factories.conversation())
    results = found(compliance, model, term)
    assert results == [] or not term.strip("\x00")


# --- Records ---------------------------------------------------------------------------------------------------


def test_an_event_s_page_shows_the_text_that_was_hashed_and_its_evidence(compliance):
    event = recorded(evidence={"words": "please <b>stop</b>"})
    shown = page(compliance, event)
    assert event.hash in shown
    assert "please &lt;b&gt;stop&lt;/b&gt;" in shown
    assert "&quot;recorded_at&quot;" in shown


def test_a_message_s_page_shows_the_gate_s_decision(compliance):
    conversation = factories.conversation()
    decision = Decision.objects.create(
        message_ref="00000000-0000-4000-8000-000000000001",
        subject=conversation.contact.subject,
        brand=conversation.line.brand,
        purpose=Purpose.HELP,
        verdict=Verdict.BLOCKED,
        reasons=["opted_out"],
        facts={"is_suppressed": True},
        rules_version="x",
        decided_at=NOON,
    )
    message = Message.objects.create(
        conversation=conversation,
        direction="out",
        body="For help …",
        status="blocked",
        status_at=NOON,
        occurred_at=NOON,
        due_at=NOON,
        purpose=Purpose.HELP,
        decision=decision,
    )
    assert "Blocked: This person has opted out." in page(compliance, message)
    assert "&quot;is_suppressed&quot;: true" in page(compliance, decision)


def test_no_admin_page_needs_an_inline_script_or_style(administrator, parked, hold):
    recorded()
    factories.text_from(factories.conversation())
    for row in (parked, hold, Subject.objects.first(), Line.objects.first(), Message.objects.first()):
        name = f"admin:{row._meta.app_label}_{row._meta.model_name}"
        for url in (reverse(f"{name}_changelist"), reverse(f"{name}_change", args=[row.pk])):
            response = administrator.get(url)
            assert "script-src 'self'" in response["Content-Security-Policy"]
            shown = response.content.decode()
            assert "<style" not in shown
            assert "style=" not in shown
            assert "<script>" not in shown


# --- Large tables ----------------------------------------------------------------------------------------------


def test_a_list_takes_as_many_statements_for_many_rows_as_for_few(administrator):
    conversation = factories.conversation()
    url = reverse("admin:conversations_message_changelist")

    def statements():
        with CaptureQueriesContext(connection) as queries:
            administrator.get(url)
        return len(queries)

    factories.text_from(conversation)
    few = statements()
    for _ in range(30):
        factories.text_from(factories.conversation())
    assert statements() == few


def test_a_list_counts_no_further_than_pages_are_turned(administrator, monkeypatch):
    monkeypatch.setattr(FirstPages, "LIMIT", 3)
    conversation = factories.conversation()
    for minute in range(5):
        factories.text_from(conversation, occurred_at=NOON + timedelta(minutes=minute))
    with CaptureQueriesContext(connection) as queries:
        response = administrator.get(reverse("admin:conversations_message_changelist"))
    assert response.context["cl"].result_count == 3
    counts = [query["sql"] for query in queries if "COUNT(" in query["sql"]]
    assert counts
    assert all("LIMIT 3" in sql for sql in counts)
