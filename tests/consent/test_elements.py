"""What a wording must say, and that whatever leaves one thing out is told so by name."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent import elements, keywords, phrases, rulebook
from consent.elements import Element, Flaw, Offer
from consent.purposes import Category, Level
from contactcenter.lib import segments

OFFER = Offer(
    brand="Harbor Clinic",
    program="Reminders",
    description="appointment reminders",
    frequency="Up to 6 messages a month",
    contact="+1 (201) 555-0199",
    terms_url="https://harbor.example/terms",
    privacy_url="https://harbor.example/privacy",
)
KINDS = [
    (Category.CONVERSATIONAL, Level.CONVERSATIONAL),
    (Category.INFORMATIONAL, Level.EXPRESS),
    (Category.INFORMATIONAL, Level.WRITTEN),
    (Category.PROMOTIONAL, Level.WRITTEN),
]
languages = st.sampled_from(phrases.LANGUAGES)
offers = st.builds(
    replace,
    st.just(OFFER),
    brand=st.sampled_from(["Harbor Clinic", "Zoë & Sons", "ACME-24", "Banco Azul", "Chez Léa"]),
    description=st.sampled_from(["appointment reminders", "order updates", "news of your class", ""]),
    frequency=st.sampled_from(
        ["Up to 6 messages a month", "Message frequency varies", "1 msg/day", "when it snows", ""]
    ),
)
kinds = st.sampled_from(KINDS)


def without_each(pieces):
    for piece in pieces:
        yield piece, phrases.joined([other for other in pieces if other is not piece])


@given(offers, kinds, languages)
def test_row_1_each_element_left_out_of_a_disclosure_is_named_and_nothing_else_is(offer, kind, language):
    offer = replace(offer, category=kind[0], level=kind[1])
    pieces = phrases.pieces_of_disclosure(offer, language)
    assert elements.missing_in_disclosure(phrases.joined(pieces), offer) == ()
    assert set().union(*(piece.elements for piece in pieces)) == elements.needed_in_disclosure(offer)
    for piece, text in without_each(pieces):
        assert set(elements.missing_in_disclosure(text, offer)) == piece.elements, (piece, text)


@pytest.mark.parametrize(
    ("wording", "lint"),
    [
        (phrases.CONFIRMATION, elements.missing_in_confirmation),
        (phrases.QUESTION, elements.missing_in_question),
    ],
)
@given(offers, languages)
def test_row_21_each_element_left_out_of_a_greeting_is_named_and_nothing_else_is(wording, lint, offer, language):
    pieces = phrases.pieces_of(wording, offer, language)
    assert lint(phrases.joined(pieces), offer) == ()
    for piece, text in without_each(pieces):
        assert set(lint(text, offer)) == piece.elements, (piece, text)


@pytest.mark.parametrize("language", phrases.LANGUAGES)
def test_greetings_take_two_segments_at_most(language):
    for text in (phrases.confirmation(OFFER, language), phrases.question(OFFER, language)):
        size = segments.count(text)
        assert (size.encoding, size.segments <= 2) == ("GSM-7", True), text


def test_written_consent_needs_more_than_express_and_promotions_say_that_they_advertise():
    informational = elements.needed_in_disclosure(replace(OFFER, level=Level.EXPRESS))
    promotional = elements.needed_in_disclosure(replace(OFFER, level=Level.WRITTEN, category=Category.PROMOTIONAL))
    assert promotional - informational == {Element.AUTOMATED, Element.NOT_A_CONDITION, Element.ADVERTISING}


# Words of others, none of them ours.
GOOD = [
    (
        "By checking this box, you agree to receive recurring automated promotional text messages from Acme at "
        "the phone "
        "number provided. Consent is not a condition of any purchase. Msg frequency varies. Message and data rates may "
        "apply. Text STOP to cancel, HELP for help. See our Terms (acme.example/terms) and Privacy Policy "
        "(acme.example/privacy)."
    ),
    (
        "I authorize Acme to send me autodialed marketing texts to this number, 4 msgs/mo. I am not required to "
        "sign as a "
        "condition of purchasing goods or services. Msg&data rates may apply. Reply HELP for help, reply STOP to end. "
        "T&C: https://acme.example/terms. Privacy: https://acme.example/privacy."
    ),
    (
        "Al marcar esta casilla autorizo a Acme a enviarme ofertas automatizadas por mensaje de texto a mi "
        "número. Hasta 5 "
        "mensajes por semana. No es necesario aceptar para comprar. Pueden aplicarse cargos por mensajes y "
        "datos. Envíe "
        "STOP para cancelar o AYUDA para ayuda. Términos acme.example/terms; privacidad acme.example/privacy"
    ),
    (
        "En cochant, vous acceptez de recevoir d'Acme des offres envoyées automatiquement à votre numéro, "
        "environ 2 textos par semaine. Aucune obligation d'achat. Des frais de messagerie et de données peuvent "
        "s'appliquer. Textez ARRÊT pour arrêter, AIDE pour de l'aide. Conditions : acme.example/terms, "
        "confidentialité : "
        "acme.example/privacy"
    ),
]
ACME = Offer(
    brand="Acme",
    category=Category.PROMOTIONAL,
    level=Level.WRITTEN,
    terms_url="https://acme.example/terms",
    privacy_url="https://www.acme.example/privacy/",
)


@pytest.mark.parametrize("text", GOOD)
def test_what_others_write_is_understood(text):
    assert elements.missing_in_disclosure(text, ACME) == ()


@pytest.mark.parametrize(
    ("text", "element"),
    [
        (GOOD[0].replace("not a condition", "a condition"), Element.NOT_A_CONDITION),
        (GOOD[0].replace("Acme", "Other"), Element.BRAND),
        (GOOD[0].replace("acme.example/terms", "acme.example/other"), Element.TERMS),
        (GOOD[0].replace("STOP", "us"), Element.STOP),
        ("We will never stop caring. " + GOOD[0].replace("Text STOP to cancel, ", "Text "), Element.STOP),
        (GOOD[0].replace("Msg frequency varies.", ""), Element.FREQUENCY),
        (GOOD[0].replace("promotional", "").replace("recurring", ""), Element.ADVERTISING),
    ],
)
def test_what_only_resembles_an_element_is_none(text, element):
    assert elements.missing_in_disclosure(text, ACME) == (element,)


def test_a_brand_is_found_whole_words_only_in_any_case_and_accent():
    assert elements.says("CHEZ LEA: bonjour", "Chez Léa")
    assert not elements.says("Harborside: hello", "Harbor")
    assert not elements.says("hello", "")


@pytest.mark.parametrize(
    ("text", "flaws"),
    [
        ("Acme: You are opted out and will get no more texts from us. Reply START to get them again.", ()),
        ("You are opted out.", (Flaw.UNNAMED,)),
        ("Acme: You are out. Come back: https://acme.example/now", (Flaw.LINK,)),
        ("Acme: You are out. www.acme.example", (Flaw.LINK,)),
        ("Acme: You are out. Come back for 20% more!", (Flaw.OFFER,)),
        ("Acme: You are out and miss our deals at acme.com", (Flaw.LINK, Flaw.OFFER)),
    ],
)
def test_row_7_the_one_text_after_a_no_links_to_nothing_and_offers_nothing(text, flaws):
    assert elements.flaws_in_opt_out_confirmation(text, brand="Acme") == flaws


@pytest.mark.parametrize(
    ("frequency", "english", "spanish", "french"),
    [
        ("up to 4 messages a month", "Up to 4 messages a month", "Hasta 4 mensajes al mes",
         "Jusqu'à 4 messages par mois"),
        ("1 msg/day", "1 msg/day", "Hasta 1 mensaje diario", "Jusqu'à 1 message par jour"),
        ("", "Message frequency varies", "La frecuencia de los mensajes es variable",
         "La fréquence des messages varie"),
        ("2 to 4 texts a month", "2 to 4 texts a month", "2 to 4 texts a month", "2 to 4 texts a month"),
        ("up to 3 a week", "Up to 3 a week", "Hasta 3 mensajes a la semana", "Jusqu'à 3 messages par semaine"),
        ("when it snows.", "Message frequency: When it snows", "Frecuencia de los mensajes: When it snows",
         "Fréquence des messages: When it snows"),
    ],
)  # fmt: skip
def test_a_frequency_is_said_in_each_language(frequency, english, spanish, french):
    told = [phrases.frequency_in(language, frequency) for language in phrases.LANGUAGES]
    assert told == [english, spanish, french]


@pytest.mark.parametrize(
    ("word", "meaning"),
    [("STOP", "stop"), ("ARRÊT", "stop"), ("HELP", "help"), ("INFO", "help"), ("AIDE", "help"), ("AYUDA", "help")],
)
def test_what_a_wording_may_tell_people_to_send_is_understood(word, meaning):
    found = keywords.match(word)
    assert found is not None
    assert found.meaning == meaning


def test_every_word_that_a_question_asks_for_is_a_yes():
    assert {"YES", "SI", "OUI"} <= set(str(rulebook.value("confirmation.yes_words", date(2026, 11, 23))).split())


@pytest.mark.parametrize("language", phrases.LANGUAGES)
@pytest.mark.parametrize("level", Level)
def test_a_wording_shows_its_language(language, level):
    assert elements.language_of(phrases.disclosure(replace(OFFER, level=level), language)) == language


@pytest.mark.parametrize("text", ["", "STOP", "Harbor Clinic", "Hola the les"])
def test_a_few_words_show_no_language(text):
    assert elements.language_of(text) == ""
