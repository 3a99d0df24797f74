"""Programs and their wordings in the admin: what is missing is shown, and keeps a program from being active."""

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from consent import acquiring
from consent.models import Disclosure, Program, readiness
from consent.purposes import Category, Source
from contactcenter.accounts.models import Role
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def compliance():
    client = Client()
    client.force_login(factories.user(Role.COMPLIANCE))
    return client


@pytest.fixture
def program():
    return factories.program(brand=factories.brand(name="Harbor Clinic"), is_active=False, name="Reminders")


def saved(client, program, **fields):
    data = {
        "brand": program.brand_id,
        "name": program.name,
        "slug": program.slug,
        "category": program.category,
        "consent_level": program.consent_level,
        "confirmed_by": program.confirmed_by,
        "language": "en",
        **fields,
    }
    return client.post(reverse("admin:consent_program_change", args=[program.pk]), data)


COMPLETE = {
    "description": "appointment reminders",
    "frequency": "Up to 6 messages a month",
    "terms_url": "https://harbor.example/terms",
    "privacy_url": "https://harbor.example/privacy",
}


def test_a_program_s_page_lists_what_is_missing_and_previews_what_is_sent(compliance, program):
    page = compliance.get(reverse("admin:consent_program_change", args=[program.pk])).content.decode()
    assert "Give the address of the terms." in page
    assert "Harbor Clinic: You now get Reminders." in page
    assert "segment" in page
    assert f"It will be at {reverse('join', args=[program.slug])} once the program is active." in page
    assert "none: people join by form only" in page
    assert "a line that sends: <b>missing</b> Add an active line of Harbor Clinic" in page
    assert "The end of the form's address" in page
    assert compliance.get(reverse("admin:consent_program_add")).status_code == 200


def test_activating_what_is_not_ready_names_what_is_missing_where_it_is_mended(compliance, program):
    response = saved(compliance, program, is_active="on")
    assert response.status_code == 200
    errors = response.context["adminform"].form.errors
    assert {"description", "frequency", "terms_url", "privacy_url", "__all__"} <= set(errors)
    assert any("Add a disclosure in English" in words for words in errors["__all__"])
    program.refresh_from_db()
    assert not program.is_active


def test_from_nothing_to_an_active_program(compliance, program):
    assert saved(compliance, program, **COMPLETE).status_code == 302
    add = reverse("admin:consent_disclosure_add")
    form = compliance.get(add, {"program": program.pk, "language": "en"}).context["adminform"].form
    text = form.initial["text"]
    assert "I agree to get texts about appointment reminders from Harbor Clinic" in text
    response = compliance.post(add, {"program": program.pk, "language": "en", "text": text})
    page = reverse("admin:consent_program_change", args=[program.pk])
    assert response.headers["Location"] == page
    factories.line(brand=program.brand)
    assert saved(compliance, program, **COMPLETE, is_active="on").status_code == 302
    assert Program.objects.get().is_active
    assert readiness.what_is_missing(Program.objects.get()) == []
    link = f'<a href="{reverse("join", args=[program.slug])}">'
    assert link in compliance.get(page).content.decode()


@pytest.mark.parametrize("other", [None, {"is_active": False}, {"brand": None}])
def test_no_program_is_activated_that_no_line_carries(compliance, program, other):
    Program.objects.update(**COMPLETE)
    program.refresh_from_db()
    Disclosure.objects.create(program=program, version=1, text=readiness.wording_for(program, "en"))
    if other is not None:
        factories.line(**{"brand": program.brand} | other)
    response = saved(compliance, program, **COMPLETE, is_active="on")
    [words] = response.context["adminform"].form.errors["__all__"]
    assert words == "Add an active line of Harbor Clinic under Lines: nothing can carry these texts."
    assert saved(compliance, program, **COMPLETE).status_code == 302  # asleep it may be saved
    factories.line(brand=program.brand)
    assert saved(compliance, program, **COMPLETE, is_active="on").status_code == 302


def test_a_keyword_that_means_something_else_is_refused_also_of_a_program_that_sleeps(compliance, program):
    response = saved(compliance, program, **COMPLETE, opt_in_keyword="Yes")
    assert "is how people answer" in response.context["adminform"].form.errors["opt_in_keyword"][0]


def add_disclosure(client, program, language, text):
    add = reverse("admin:consent_disclosure_add")
    return client.post(add, {"program": program.pk, "language": language, "text": text}, follow=True)


@pytest.mark.parametrize("left", ["", "in English"])
def test_the_wording_is_written_in_the_language_that_is_chosen_in_the_form(compliance, program, left):
    Program.objects.update(**COMPLETE)
    program.refresh_from_db()
    text = readiness.wording_for(program, "en") if left else ""
    form = add_disclosure(compliance, program, "es", text).context["adminform"].form
    assert "This is written for you in Spanish." in form.errors["text"][0]
    assert form["text"].value().startswith("Acepto recibir mensajes de texto sobre appointment reminders")
    assert not Disclosure.objects.exists()
    page = add_disclosure(compliance, program, "es", form["text"].value()).content.decode()
    assert Disclosure.objects.get().language == "es"
    assert "reads like" not in page


def test_the_program_s_page_offers_the_wording_in_each_language(compliance, program):
    page = compliance.get(reverse("admin:consent_program_change", args=[program.pk])).content.decode()
    for language in ("en", "es", "fr"):
        assert f"?program={program.pk}&amp;language={language}" in page


def test_a_wording_in_another_language_than_it_says_is_filed_with_a_warning(compliance, program):
    Program.objects.update(**COMPLETE)
    program.refresh_from_db()
    edited = readiness.wording_for(program, "en") + " Thank you."
    page = add_disclosure(compliance, program, "es", edited).content.decode()
    assert "filed as Spanish and reads like English" in page


def test_a_wording_that_lacks_something_is_refused_and_each_thing_named(compliance, program):
    Program.objects.update(**COMPLETE)
    add = reverse("admin:consent_disclosure_add")
    response = compliance.post(add, {"program": program.pk, "language": "en", "text": "Harbor Clinic may text me."})
    told = response.context["adminform"].form.errors["text"]
    assert any("“Reply STOP to opt out.”" in words for words in told)
    assert not any("who sends" in words for words in told)
    assert not Disclosure.objects.exists()


@pytest.mark.parametrize("query", [{"program": "x"}, {"program": "999", "language": "en"}, {"language": "xx"}])
def test_a_link_that_names_nothing_opens_an_empty_form(compliance, query):
    assert compliance.get(reverse("admin:consent_disclosure_add"), query).status_code == 200


def test_a_brand_s_new_name_is_missed_in_the_words_of_its_programs_which_go_on(compliance, program):
    Program.objects.filter(pk=program.pk).update(**COMPLETE)
    program.refresh_from_db()
    for language in ("en", "es"):
        Disclosure.objects.create(
            program=program, version=1, language=language, text=readiness.wording_for(program, language)
        )
    Program.objects.filter(pk=program.pk).update(is_active=True)
    factories.program(brand=program.brand, name="Asleep", is_active=False)
    page = reverse("admin:consent_brand_change", args=[program.brand_id])
    told = {"name": "Harbor Clinic", "help_contact": "+1 201 555 0199"}
    assert "lacks something:" not in compliance.post(page, told, follow=True).content.decode()

    renamed = compliance.post(page, told | {"name": "Bay Health"}, follow=True).content.decode()
    assert "Reminders goes on, but now lacks something: The disclosure does not say who sends" in renamed
    assert "Asleep goes on" not in renamed
    assert "The disclosure does not say who sends" in compliance.get(page).content.decode()
    program.refresh_from_db()
    assert program.is_active
    # A wording in the new name mends it.
    words = readiness.wording_for(Program.objects.get(pk=program.pk), "en")
    Disclosure.objects.create(program=program, version=2, language="en", text=words)
    assert "does not say" not in compliance.get(page).content.decode()


def test_what_people_agreed_to_stays_what_it_was(client):
    program = factories.program(category=Category.INFORMATIONAL)
    acquiring.acquire(
        program=program, phone="+12125550123", source=Source.KEYWORD, evidence={"words": "JOIN"}, now=factories.NOON
    )
    client.force_login(factories.user(Role.ADMINISTRATOR))
    page = client.get(reverse("admin:consent_program_change", args=[program.pk])).content.decode()
    assert 'name="slug"' in page
    assert 'name="category"' not in page
    assert 'name="brand"' not in page
    for changed in ({"category": Category.PROMOTIONAL}, {"brand": factories.brand()}):
        with pytest.raises(IntegrityError, match="agreed to this program"), transaction.atomic():
            Program.objects.filter(pk=program.pk).update(**changed)
    Program.objects.filter(pk=program.pk).update(name="Reminders of visits", category=program.category)
