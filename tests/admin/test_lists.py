"""Every list of the admin over a growing table. A new one fails until it says here how to fill it."""

from uuid import uuid4

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from consent import ledger, reviews
from consent.models import ConsentEvent, Decision, Disclosure, Hold, Review, Seal, Subject
from consent.purposes import Kind, Purpose, Source, Verdict
from contactcenter.accounts.models import Role
from contactcenter.accounts.site import FirstPages
from contactcenter.api import tokens
from contactcenter.api.models import Scope
from conversations.models import CarrierEvent, Contact, Line, Message, Tag
from tests import factories
from tests.factories import NOON

pytestmark = pytest.mark.django_db

OURS = {"accounts", "api", "consent", "conversations"}
LISTS = sorted(
    (model for model in admin.site._registry if model._meta.app_label in OURS), key=lambda model: model._meta.label
)


def consent_event():
    report = ledger.Report(
        phone=factories.phone_number(),
        brand_id=factories.brand().pk,
        kind=Kind.REVOKED,
        source=Source.KEYWORD,
        occurred_at=NOON,
        evidence={"words": "please stop"},
    )
    return ledger.record(report=report, now=NOON)


def review():
    report = ledger.Report(
        phone=factories.phone_number(),
        brand_id=factories.brand().pk,
        kind=Kind.SUSPECTED,
        source=Source.FREE_TEXT,
        occurred_at=NOON,
        evidence={"words": "no more of this"},
    )
    event = ledger.record(report=report, now=NOON)
    reviews.decide(
        review=Review.objects.get(last_event=event),
        is_revocation=True,
        up_to=event.pk,
        actor_id=factories.user().pk,
        now=NOON,
    )


def seal():
    consent_event()
    ledger.seal(now=NOON)


def decision():
    Decision.objects.create(
        message_ref=uuid4(),
        subject=Subject.objects.for_phone(factories.phone_number()),
        brand=factories.brand(),
        purpose=Purpose.HELP,
        verdict=Verdict.BLOCKED,
        reasons=["opted_out"],
        facts={},
        rules_version="x",
        decided_at=NOON,
    )


MAKE = {
    "accounts.User": factories.user,
    "api.ApiToken": lambda: tokens.issue(
        name=uuid4().hex, scopes=Scope.values, brand=factories.brand(), created_by_id=factories.user().pk
    ),
    "consent.Brand": factories.brand,
    "consent.ConsentEvent": consent_event,
    "consent.Decision": decision,
    "consent.Disclosure": lambda: Disclosure.objects.create(program=factories.program(), version=1, text="We text."),
    "consent.Evidence": consent_event,
    "consent.Hold": lambda: Hold.objects.create(
        phone="+12015550123", phone_hash=uuid4().hex, reason="disk full", released_at=NOON, released_by=factories.user()
    ),
    "consent.Program": factories.program,
    "consent.Review": review,
    "consent.Seal": seal,
    "consent.Standing": consent_event,
    "consent.Subject": consent_event,
    "conversations.CarrierEvent": lambda: factories.carrier_event(factories.text_payload(sender="+12015550123")),
    "conversations.Contact": factories.contact,
    "conversations.Disposition": factories.disposition,
    "conversations.Line": factories.line,
    "conversations.Mail": factories.mail,
    "conversations.Message": lambda: factories.text_from(factories.conversation()),
    "conversations.Presence": lambda: factories.present(factories.user()),
    "conversations.RoutingRule": factories.routing_rule,
    "conversations.Team": factories.team,
    "conversations.Tag": lambda: Tag.objects.create(name=uuid4().hex),
}


@pytest.fixture
def administrator(client):
    client.force_login(factories.user(Role.ADMINISTRATOR))
    return client


def url_of(model):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


@pytest.mark.parametrize("model", LISTS, ids=lambda model: model._meta.label)
def test_a_list_takes_as_many_statements_for_many_rows_as_for_few(administrator, model):
    make = MAKE[model._meta.label]

    def statements():
        with CaptureQueriesContext(connection) as queries:
            response = administrator.get(url_of(model))
        return len(queries), len(response.context["cl"].result_list)

    for _ in range(3):
        make()
    statements()  # what Django caches per process, such as content types
    few, shown_first = statements()
    for _ in range(57):
        make()
    many, shown_then = statements()
    assert (shown_first >= 3, shown_then >= 50) == (True, True)
    assert many == few, f"{few} statements for {shown_first} rows, {many} for {shown_then}"


@pytest.mark.parametrize("model", LISTS, ids=lambda model: model._meta.label)
def test_each_list_belongs_to_a_group(model):
    assert admin.site._registry[model].group


@pytest.mark.parametrize("model", [ConsentEvent, Message, Decision, CarrierEvent, Contact, Hold, Seal])
def test_a_list_that_was_cut_says_so(administrator, model, monkeypatch):
    for _ in range(3):
        MAKE[model._meta.label]()
    assert "search to find older ones" not in administrator.get(url_of(model)).content.decode()
    monkeypatch.setattr(FirstPages, "LIMIT", 3)
    assert f"The latest 3 {model._meta.verbose_name_plural}" in administrator.get(url_of(model)).content.decode()


def test_no_list_counts_by_filter_which_would_read_the_whole_table(administrator):
    factories.line()
    for model in LISTS:
        assert "Show counts" not in administrator.get(url_of(model)).content.decode()


def test_paused_lines_and_released_holds_are_filtered_by_words(administrator):
    paused, _sending = factories.line(paused_at=NOON, paused_reason="401"), factories.line()
    found = administrator.get(url_of(Line), {"paused_at": "yes"})
    assert [line.pk for line in found.context["cl"].result_list] == [paused.pk]
    MAKE["consent.Hold"]()
    assert not administrator.get(url_of(Hold), {"released_at": "no"}).context["cl"].result_list
    assert administrator.get(url_of(Hold), {"released_at": "yes"}).context["cl"].result_list
    assert administrator.get(url_of(Hold), {"released_at": "nonsense"}).context["cl"].result_list


@pytest.mark.parametrize("name", ["consent_disclosure_add", "conversations_line_add"])
def test_a_form_takes_as_many_statements_for_many_programs_as_for_few(administrator, name):
    def statements():
        with CaptureQueriesContext(connection) as queries:
            assert administrator.get(reverse(f"admin:{name}")).status_code == 200
        return len(queries)

    factories.program()
    statements()  # what Django caches per process, such as content types
    few = statements()
    for _ in range(10):
        factories.program()
    assert statements() == few
