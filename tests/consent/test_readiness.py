"""A program is active only with everything that it needs; what is missing is named, with its remedy."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from consent.models import Disclosure, Program, readiness
from consent.purposes import Category, Level
from contactcenter.demo import organisation
from tests import factories

pytestmark = pytest.mark.django_db
READY = {
    "description": "wellness offers",
    "frequency": "Up to 2 messages a month",
    "terms_url": "https://harbor.example/terms",
    "privacy_url": "https://harbor.example/privacy",
    "category": Category.PROMOTIONAL,
    "consent_level": Level.WRITTEN,
}


def ready(**fields):
    program = factories.program(**READY | {"is_active": False} | fields)
    words = readiness.wording_for(program, program.language)
    Disclosure.objects.create(program=program, version=1, language=program.language, text=words)
    return program


def activate(program):
    program.is_active = True
    program.full_clean()


def test_a_program_with_everything_may_be_active():
    program = ready()
    assert readiness.what_is_missing(program) == []
    activate(program)


@pytest.mark.parametrize("language", ["es", "fr"])
def test_it_needs_a_disclosure_in_its_own_language(language):
    program = ready()
    program.language = language
    [remedy] = readiness.what_is_missing(program)
    assert remedy.startswith("Add a disclosure in")
    assert readiness.what_is_missing(ready(language=language)) == []


@pytest.mark.parametrize("field", ["description", "frequency", "terms_url", "privacy_url"])
def test_row_1_no_program_is_activated_without_any_one_field(field):
    program = ready()
    setattr(program, field, "")
    with pytest.raises(ValidationError) as refused:
        activate(program)
    assert field in refused.value.message_dict
    program.is_active = False
    program.full_clean()


def test_row_1_no_program_is_activated_with_a_wording_that_lacks_an_element():
    program = ready()
    text = program.current_disclosure().text.replace("not a condition", "a condition")
    Disclosure.objects.create(program=program, version=2, text=text)
    with pytest.raises(ValidationError, match=r"Agreeing is not a condition of any purchase\."):
        activate(program)


def test_row_21_no_program_is_activated_with_a_greeting_that_lacks_an_element():
    program = ready(confirmation_text="Welcome!")
    with pytest.raises(ValidationError) as refused:
        activate(program)
    told = " ".join(refused.value.message_dict["confirmation_text"])
    for words in ("who sends", "what is sent", "how often", "may cost", "to end it", "to get help", "whom to ask"):
        assert words in told


def test_the_question_matters_with_double_opt_in_only():
    program = ready(question_text="Are you sure?")
    assert readiness.what_is_missing(program) == []
    program.is_double_opt_in = True
    assert "The question does not say what to answer" in readiness.what_is_missing(program)[0]


def test_a_keyword_that_ends_everything_joins_nothing():
    assert "already means something else" in readiness.what_is_missing(ready(opt_in_keyword="Stop"))[0]


@pytest.mark.parametrize(
    "word",
    [
        "YES", "Y", "y e s", "Ｓí", "oui", "yes please", "PARA", "keep", "KEEP TEETH", "Guardar", "ＳＴＯＰ", "s.t.o.p",
        "Arrêt", "baja", "no more", "START", "unstop", "Help!", "info", "ayuda", "ok", "Thanks", "gracias", "🦷",
        "one two three four",
    ],
)  # fmt: skip
def test_a_word_that_means_something_already_is_no_program_s_keyword(word):
    program = ready(opt_in_keyword=word)
    with pytest.raises(ValidationError) as refused:
        program.full_clean()
    assert "Choose another keyword, or none." in refused.value.message_dict["opt_in_keyword"][0]
    assert any(word in missing for missing in readiness.what_is_missing(program))


@pytest.mark.parametrize("word", ["", "TOOTH", "Join", "JOIN TOOTH", "healthy smiles", "Citas", "Santé", "50OFF"])
def test_any_other_word_may_join(word):
    program = ready(opt_in_keyword=word)
    activate(program)


@pytest.mark.parametrize("word", ["tooth", "T o o t h", "ＴＯＯＴＨ 🦷", "Join Tooth"])
def test_two_active_programs_of_a_brand_have_no_keyword_alike(word):
    taken = ready(opt_in_keyword="TOOTH", name="Dental")
    rival = ready(opt_in_keyword=word, brand=taken.brand)
    activate(rival)  # the other sleeps
    Program.objects.filter(pk=taken.pk).update(is_active=True)
    with pytest.raises(ValidationError, match="reads like the keyword of Dental"):
        rival.full_clean()
    activate(ready(opt_in_keyword=word))  # another brand's lines are others
    taken.refresh_from_db()
    taken.full_clean()


@pytest.mark.parametrize(
    ("category", "level"),
    [
        (Category.PROMOTIONAL, Level.EXPRESS),
        (Category.PROMOTIONAL, Level.NONE),
        (Category.INFORMATIONAL, Level.CONVERSATIONAL),
        (Category.INFORMATIONAL, Level.NONE),
    ],
)
def test_row_2_no_program_asks_for_less_than_its_category_needs(category, level):
    program = factories.program()
    with pytest.raises(IntegrityError, match="asks_for_the_consent_that_its_category_needs"), transaction.atomic():
        Program.objects.filter(pk=program.pk).update(category=category, consent_level=level)
    program.category, program.consent_level = category, level
    with pytest.raises(ValidationError, match="Promotional programs need written consent"):
        program.full_clean()


@pytest.mark.parametrize("one", organisation.PROGRAMS, ids=lambda one: one.slug)
def test_the_demo_s_programs_are_ready(one):
    offer = organisation.offer(one)
    program = ready(
        brand=factories.brand(name=one.brand, help_contact=offer.contact),
        description=one.description,
        frequency=one.frequency,
        opt_in_keyword=one.keyword,
        category=one.category,
        consent_level=one.level,
    )
    assert program.current_disclosure().text == organisation.DISCLOSURES[one.slug].replace(
        organisation.TERMS, program.terms_url
    ).replace(organisation.PRIVACY, program.privacy_url)
    assert readiness.what_is_missing(program) == []
