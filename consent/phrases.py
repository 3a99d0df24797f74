"""Wordings that say all they must, written from what is known of a program, in English, Spanish and French: pure.

Each is a list of pieces, every piece with the elements that it alone says, so that a test can leave out any of them.
What the program says of itself (description, frequency, contact) stays in the language in which it was written, except
frequencies like "up to 4 messages a month".
"""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from consent.elements import Element, Offer, needed_in_disclosure, plain
from consent.elements import said as says
from consent.purposes import Category

LANGUAGES = ("en", "es", "fr")


class Piece(NamedTuple):
    """Some words, and what nobody else in the wording says. The words begin with the space or sign before them."""

    elements: frozenset[Element]
    words: str


PERIODS = {
    "en": {"day": "a day", "week": "a week", "month": "a month", "year": "a year"},
    "es": {"day": "diarios", "week": "a la semana", "month": "al mes", "year": "al año"},
    "fr": {"day": "par jour", "week": "par semaine", "month": "par mois", "year": "par an"},
}
UP_TO = {
    "en": "Up to {many} messages {period}",
    "es": "Hasta {many} mensajes {period}",
    "fr": "Jusqu'à {many} messages {period}",
}
VARIES = {
    "en": "Message frequency varies",
    "es": "La frecuencia de los mensajes es variable",
    "fr": "La fréquence des messages varie",
}
FREQUENCY = {"en": "Message frequency", "es": "Frecuencia de los mensajes", "fr": "Fréquence des messages"}

# The forms that can be said in another language without loss; "2 to 4 a month" is not one of them.
USUAL = re.compile(
    r"(?:up to |at most |max )?(?P<many>\d+) (?:messages?|msgs?|texts? )?(?: ?(?:a|an|per|each|every) )? ?"
    r"(?P<period>day|week|month|mo|year)"
)
SEEN = {"day": ("day",), "week": ("week",), "month": ("mo",), "year": ("year",)}

DISCLOSURE: Mapping[str, Mapping[Element, str]] = {
    "en": {
        Element.AGREEMENT: "I agree to get",
        Element.WHAT: " texts about {what}",
        Element.ADVERTISING: " marketing texts ({what})",
        Element.BRAND: " from {brand}",
        Element.AUTOMATED: ", sent by automated technology,",
        Element.NUMBER: " at the number that I give",
        Element.FREQUENCY: ". {frequency}.",
        Element.RATES: " Msg & data rates may apply.",
        Element.NOT_A_CONDITION: " Agreeing is not a condition of any purchase.",
        Element.STOP: " Reply STOP to opt out.",
        Element.HELP: " Reply HELP for help.",
        Element.TERMS: " Terms: {terms}",
        Element.PRIVACY: " Privacy: {privacy}",
    },
    "es": {
        Element.AGREEMENT: "Acepto recibir",
        Element.WHAT: " mensajes de texto sobre {what}",
        Element.ADVERTISING: " mensajes publicitarios ({what})",
        Element.BRAND: " de {brand}",
        Element.AUTOMATED: ", enviados con tecnología automatizada,",
        Element.NUMBER: " al número que proporciono",
        Element.FREQUENCY: ". {frequency}.",
        Element.RATES: " Pueden aplicarse tarifas de mensajes y datos.",
        Element.NOT_A_CONDITION: " Aceptar no es condición para ninguna compra.",
        Element.STOP: " Responda STOP para cancelar.",
        Element.HELP: " Responda HELP para obtener ayuda.",
        Element.TERMS: " Términos: {terms}",
        Element.PRIVACY: " Privacidad: {privacy}",
    },
    "fr": {
        Element.AGREEMENT: "J’accepte de recevoir",
        Element.WHAT: " des textos au sujet de {what}",
        Element.ADVERTISING: " des textos publicitaires ({what})",
        Element.BRAND: " de {brand}",
        Element.AUTOMATED: ", envoyés par un système automatisé,",
        Element.NUMBER: " au numéro que je donne",
        Element.FREQUENCY: ". {frequency}.",
        Element.RATES: " Des frais de messagerie et de données peuvent s’appliquer.",
        Element.NOT_A_CONDITION: " Accepter n’est pas une condition d’achat.",
        Element.STOP: " Répondez STOP pour vous désabonner.",
        Element.HELP: " Répondez AIDE pour de l’aide.",
        Element.TERMS: " Conditions : {terms}",
        Element.PRIVACY: " Confidentialité : {privacy}",
    },
}
# Within two segments as far as the program's own words allow: GSM's alphabet only.
CONFIRMATION: Mapping[str, Sequence[tuple[Element, str]]] = {
    "en": (
        (Element.BRAND, "{brand}:"),
        (Element.WHAT, " You now get {what}."),
        (Element.FREQUENCY, " {frequency}."),
        (Element.RATES, " Msg & data rates may apply."),
        (Element.HELP, " Reply HELP for help,"),
        (Element.STOP, " STOP to opt out."),
        (Element.CONTACT, " Contact: {contact}"),
    ),
    "es": (
        (Element.BRAND, "{brand}:"),
        (Element.WHAT, " Ahora recibe {what}."),
        (Element.FREQUENCY, " {frequency}."),
        (Element.RATES, " Pueden aplicarse tarifas de mensajes y datos."),
        (Element.HELP, " Responda HELP para ayuda,"),
        (Element.STOP, " STOP para cancelar."),
        (Element.CONTACT, " Contacto: {contact}"),
    ),
    "fr": (
        (Element.BRAND, "{brand} :"),
        (Element.WHAT, " Vous recevez maintenant {what}."),
        (Element.FREQUENCY, " {frequency}."),
        (Element.RATES, " Des frais de messages et de données peuvent s'appliquer."),
        (Element.HELP, " Répondez HELP pour de l'aide,"),
        (Element.STOP, " STOP pour vous désabonner."),
        (Element.CONTACT, " Contact : {contact}"),
    ),
}
QUESTION: Mapping[str, Sequence[tuple[Element, str]]] = {
    "en": (
        (Element.BRAND, "{brand}:"),
        (Element.YES, " Reply YES"),
        (Element.WHAT, " to get {what}."),
        *CONFIRMATION["en"][2:4],
        (Element.HELP, " HELP for help,"),
        (Element.STOP, " STOP to opt out."),
    ),
    "es": (
        (Element.BRAND, "{brand}:"),
        (Element.YES, " Responda SI"),
        (Element.WHAT, " para recibir {what}."),
        *CONFIRMATION["es"][2:4],
        (Element.HELP, " HELP para ayuda,"),
        (Element.STOP, " STOP para cancelar."),
    ),
    "fr": (
        (Element.BRAND, "{brand} :"),
        (Element.YES, " Répondez OUI"),
        (Element.WHAT, " pour recevoir {what}."),
        *CONFIRMATION["fr"][2:4],
        (Element.HELP, " HELP pour de l'aide,"),
        (Element.STOP, " STOP pour vous désabonner."),
    ),
}
KIND = {"en": "texts", "es": "mensajes de texto", "fr": "des textos"}


def frequency_in(language: str, frequency: str) -> str:
    """A frequency as a sentence without its full stop, in this language where it is one of the usual forms."""
    own = frequency.strip().rstrip(".")
    own = own[:1].upper() + own[1:]
    words = plain(frequency)
    is_told = says(Element.FREQUENCY, own, Offer(brand=""))
    if language == "en" and is_told:
        return own
    if not words or re.fullmatch(r"(?:(?:message|msg|text) )?frequency (?:varies|may vary)", words):
        return VARIES[language]
    if usual := USUAL.fullmatch(words):
        period = next(name for name in PERIODS[language] if usual["period"].startswith(SEEN[name]))
        told = UP_TO[language].format(many=usual["many"], period=PERIODS[language][period])
        return re.sub(r"(message|mensaje|diario)s", r"\1", told) if usual["many"] == "1" else told
    return own if is_told else f"{FREQUENCY[language]}: {own}"


def names(language: str, offer: Offer) -> dict[str, str]:
    what = (offer.description or offer.program).strip().rstrip(".")
    return {
        "brand": offer.brand,
        "what": what or KIND[language],
        "frequency": frequency_in(language, offer.frequency),
        "contact": offer.contact,
        "terms": offer.terms_url,
        "privacy": offer.privacy_url,
    }


def pieces_of_disclosure(offer: Offer, language: str = "en") -> list[Piece]:
    """The wording of a disclosure for the offer's level, piece by piece."""
    needed, told = needed_in_disclosure(offer), names(language, offer)
    pieces = []
    for element, words in DISCLOSURE[language].items():
        if element not in needed or (element == Element.WHAT and Element.ADVERTISING in needed):
            continue
        alone = {Element.WHAT, element} if element == Element.ADVERTISING else {element}
        pieces.append(Piece(frozenset(alone), words.format(**told)))
    if offer.category == Category.CONVERSATIONAL and Element.AGREEMENT not in needed:
        return conversational(offer, language, pieces)
    return pieces


# Whoever texts first agrees to be answered: nothing else is signed.
ANSWERED = {
    "en": ("{brand} answers", " by text, about {what}"),
    "es": ("{brand} responde", " por mensaje de texto, sobre {what}"),
    "fr": ("{brand} répond", " par texto, au sujet de {what}"),
}


def conversational(offer: Offer, language: str, pieces: Sequence[Piece]) -> list[Piece]:
    first = [
        Piece(frozenset({element}), words.format(**names(language, offer)))
        for element, words in zip((Element.BRAND, Element.WHAT), ANSWERED[language], strict=True)
    ]
    return first + [piece for piece in pieces if not piece.elements & {Element.BRAND, Element.WHAT}]


def pieces_of(wording: Mapping[str, Sequence[tuple[Element, str]]], offer: Offer, language: str) -> list[Piece]:
    told = names(language, offer)
    return [
        Piece(frozenset({element}), words.format(**told))
        for element, words in wording[language]
        if element != Element.CONTACT or offer.contact
    ]


def joined(pieces: Sequence[Piece]) -> str:
    return "".join(piece.words for piece in pieces).strip()


def disclosure(offer: Offer, language: str = "en") -> str:
    """The words for people to agree to, with every element that the offer's level needs."""
    return joined(pieces_of_disclosure(offer, language))


def confirmation(offer: Offer, language: str = "en") -> str:
    """The first text to whoever has joined, with every element that carriers ask for."""
    return joined(pieces_of(CONFIRMATION, offer, language))


def question(offer: Offer, language: str = "en") -> str:
    """The text of a double opt-in that people answer YES to."""
    return joined(pieces_of(QUESTION, offer, language))
