"""What a wording must say before people may be asked to agree to it, or greeted with it: pure.

Sources: 47 CFR 64.1200(f)(9) (the seller, the number, automated technology, no condition of purchase); CTIA Messaging
Principles (May 2023) 5.1.1 (call to action) and 5.1.2.1 (confirmation); the carriers' registration checklists.

The patterns know English, Spanish and French and are tolerant: they find what is missing, they don't judge style. They
read the text without case, accents and punctuation, except where a web address or a shouted keyword is meant.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from consent.purposes import Category, Level


class Element(StrEnum):
    """One thing that a wording must say. The order is that in which people read them."""

    AGREEMENT = "agreement"
    WHAT = "what"
    ADVERTISING = "advertising"
    BRAND = "brand"
    AUTOMATED = "automated"
    NUMBER = "number"
    FREQUENCY = "frequency"
    RATES = "rates"
    NOT_A_CONDITION = "not_a_condition"
    STOP = "stop"
    HELP = "help"
    CONTACT = "contact"
    YES = "yes"
    TERMS = "terms"
    PRIVACY = "privacy"


class Flaw(StrEnum):
    """What the one text after an opt-out may not hold (47 CFR 64.1200(a)(12)), or must."""

    UNNAMED = "unnamed"
    LINK = "link"
    OFFER = "offer"


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A program as its wordings speak of it; every text may be empty."""

    brand: str
    program: str = ""
    description: str = ""
    category: Category = Category.INFORMATIONAL
    level: Level = Level.EXPRESS
    frequency: str = ""
    contact: str = ""
    terms_url: str = ""
    privacy_url: str = ""


CONVERSATION = frozenset({Element.BRAND, Element.WHAT, Element.FREQUENCY, Element.RATES, Element.STOP, Element.HELP})
EXPRESS = CONVERSATION | {Element.AGREEMENT, Element.NUMBER, Element.TERMS, Element.PRIVACY}
WRITTEN = EXPRESS | {Element.AUTOMATED, Element.NOT_A_CONDITION}
CONFIRMATION = CONVERSATION | {Element.CONTACT}
QUESTION = CONVERSATION | {Element.YES}

_PERIOD = r"(?:day|daily|week|weekly|mo|month|monthly|year|yearly|dia|diario|semana|mes|ano|jour|semaine|mois|an)s?"
_PER = r"(?:a|an|per|each|every|al|a la|por|cada|par|chaque)"
_MANY = (
    r"(?:\d+|one|two|three|four|five|six|seven|eight|nine|ten|twelve|un|una|dos|tres|cuatro|cinco|seis|siete|ocho|"
    r"nueve|diez|une|deux|trois|quatre|cinq|sept|huit|neuf|dix)"
)
_TEXTS = r"(?:texts?|messages?|messaging|msgs?|sms|mensajes?|msjs?|textos?|textes?|textos)"
_REPLY = (
    r"(?:reply|respond|text|txt|send|answer|responda|responde|conteste|envie|envia|repondez|reponds|textez|envoyez)"
)

# Over the plain words of a text: lower case, no accents, single spaces for all else.
WORDS: dict[Element, str] = {
    Element.AGREEMENT: (
        r"\b(?:i|you|we) (?:\w+ )?(?:agree|consent|authori[sz]e|opt in|want|accept)\b"
        r"|\bi (?:would like|sign up|give (?:my|our|\w+ consent))\b"
        r"|\bby (?:checking|ticking|signing|texting|clicking|submitting|providing|entering|joining|replying)\b"
        r"|\b(?:acepto|autorizo|consiento|deseo|quiero|doy mi consentimiento|estoy de acuerdo)\b"
        r"|\busted (?:acepta|autoriza)\b"
        r"|\bal (?:marcar|firmar|enviar|proporcionar|unirse|hacer clic)\b"
        r"|\bj (?:accepte|autorise)\b|\bje (?:consens|souhaite|veux|donne mon)\b"
        r"|\bvous (?:acceptez|autorisez|consentez)\b"
        r"|\ben (?:cochant|signant|envoyant|fournissant|cliquant)\b"
    ),
    Element.ADVERTISING: (
        r"\b(?:(?:tele)?market\w*|promo\w*|advert\w*|offers?|deals?|discounts?|coupons?|sales?|specials?"
        r"|publicit\w*|ofertas?|descuentos?|cupones|offres?|rabais|soldes|commercia\w+|comercial\w*)\b"
    ),
    Element.AUTOMATED: r"\b(?:automat\w+|auto ?dial\w*|autodial\w*|prerecorded|marcador\w*|composeur)\b",
    Element.NUMBER: (
        r"\b(?:this|my|your|the)\b (?:\w+ ){0,3}number\b|\bnumber (?:i|you|provided|given|above|below|entered)\b"
        r"|\b(?:al|este|mi|su|el|ese)\b (?:\w+ ){0,2}numero\b|\b(?:au|ce|mon|votre|le)\b (?:\w+ ){0,2}numero\b"
    ),
    Element.FREQUENCY: (
        rf"\b(?:{_TEXTS} )?frequency\b|\bfrecuencia(?: de (?:los )?mensajes)?\b|\bfrequence(?: des messages)?\b"
        rf"|\b(?:{_TEXTS}) (?:daily|weekly|monthly)\b"
        rf"|\b{_MANY}\b(?: \w+){{0,4}}? (?:{_PER} )?{_PERIOD}\b|\b(?:one|1|un|una) (?:\w+ ){{0,2}}{_PER} \w+\b"
    ),
    Element.RATES: (
        r"\b(?:msg|message|messaging|text|txt)s?(?: and| or)? data (?:rates?|charges?|fees?)\b"
        r"|\b(?:data|carrier|standard)(?: \w+){0,3} (?:rates?|charges?|fees?)(?: \w+)? appl(?:y|ies)\b"
        r"|\b(?:tarifas?|cargos?|costos?)\b(?: \w+){0,6}? (?:mensajes?|msjs?|msj|sms|datos|textos?)\b"
        r"|\b(?:frais|tarifs?)\b(?: \w+){0,6}? (?:messages?|messagerie|msg|sms|donnees|textos?)\b"
    ),
    Element.NOT_A_CONDITION: (
        r"\b(?:no|not|n|t|never|without|sin|sans|aucune|pas|nor)\b(?: \w+){0,6}? "
        r"(?:condition|condicion|requir\w+|requisito|need\w*|necess\w+|neces\w+|have|oblig\w+|exig\w+|mandatory)\b"
        r"(?: \w+){0,6}? (?:purchas\w*|buy\w*|goods|services|compr\w+|adquirir|achat\w*|achet\w+|biens)\b"
    ),
    Element.STOP: rf"\b{_REPLY}\b(?: \w+){{0,3}}? (?:stop|arret)\b",
    Element.HELP: rf"\b{_REPLY}\b(?: \w+){{0,3}}? (?:help|info|aide|ayuda)\b",
    Element.YES: rf"\b{_REPLY}\b(?: \w+){{0,3}}? (?:yes|si|oui)\b",
    Element.TERMS: r"\b(?:terms|t and c|t c|conditions|terminos|condiciones)\b",
    Element.PRIVACY: r"\b(?:privacy|privacidad|confidentialite|vie privee)\b",
}
_WORDS = {element: re.compile(pattern) for element, pattern in WORDS.items()}
# A keyword that is shouted is meant as one, wherever it stands.
_SHOUTED = {
    Element.STOP: re.compile(r"\b(?:STOP|ARRET|ARRÊT)\b"),
    Element.HELP: re.compile(r"\b(?:HELP|INFO|AIDE|AYUDA)\b"),
    Element.YES: re.compile(r"\b(?:YES|SI|SÍ|OUI)\b"),
}
_KINDS = re.compile(
    rf"\b(?:{_TEXTS}|alerts?|reminders?|notices?|notifications?|updates?|offers?|news|alertas?|recordatorios?|avisos?"
    r"|ofertas?|noticias|alertes?|rappels?|avis|offres?|nouvelles)\b"
)
_URL = re.compile(
    r"\bhttps?://\S+|\bwww\.\S+|\b[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}/\S*"
    r"|\b[a-z0-9-]+\.(?:com|org|net|io|ly|co|us|ca)\b",
    re.IGNORECASE,
)
_CONTACT = re.compile(r"\+?\d[\d ().-]{6,}\d|\S+@\S+\.\S+")
_OFFERING = re.compile(
    r"\b(?:sale|deals?|discounts?|coupons?|promo\w*|free|save|special|buy|shop|order now|limited|gift|win|\d+ off"
    r"|percent|ofertas?|descuentos?|gratis|ahorre|compre|rabais|soldes|offres?|gratuit\w*|achetez|economisez)\b|%|\$\d"
)
_COMMON = {"about", "after", "also", "from", "para", "pour", "that", "their", "these", "this", "with", "your", "votre"}


# Small words that one of our languages has and the others have not, and the words of our wordings.
_TELLTALE = {
    "en": "the to and i from at may apply for my your of you with about is any agree get texts rates number out",
    "es": "el los las y al del que acepto recibir mensajes texto sobre con su mi pueden tarifas datos responda para",
    "fr": "le les du et au je j vous accepte recevoir textos sujet par mon votre frais donnees repondez pour peuvent",
}
TELLTALE = {language: frozenset(words.split()) for language, words in _TELLTALE.items()}


def language_of(text: str) -> str:
    """The language that a wording is in, as far as its small words tell clearly; else nothing."""
    words = plain(_URL.sub(" ", text)).split()
    found = {language: sum(word in telling for word in words) for language, telling in TELLTALE.items()}
    first, second, *_ = sorted(found, key=lambda language: found[language], reverse=True)
    return first if found[first] >= 3 and found[first] >= 2 * found[second] else ""


def plain(text: str) -> str:
    """Lower-case words without accents, separated by single spaces; all else is gone."""
    folded = "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    return " ".join(re.findall(r"[^\W_]+", folded.casefold().replace("&", " and ")))


def says(text: str, phrase: str) -> bool:
    return bool(plain(phrase)) and f" {plain(phrase)} " in f" {plain(text)} "


def says_what(text: str, offer: Offer) -> bool:
    """Whether a text says what will be sent: in the program's own words, or by any word for it. Words that belong to
    the brand's name, the frequency, the rates or the keywords say nothing of it."""
    rest = f" {plain(text)} ".replace(f" {plain(offer.brand)} ", " | ") if offer.brand else plain(text)
    for element in (Element.FREQUENCY, Element.RATES):
        rest = _WORDS[element].sub(" ", rest)
    rest = re.sub(r"\b(?:message|msg|text)s? (?=frequency|and data)|\bstop\b(?: \w+){0,4}", " ", rest)
    rest = re.sub(r"\bhelp\b(?: \w+){0,2}", " ", rest)
    rest = re.sub(rf"^\s*{_REPLY}\b|\b{_REPLY} (?=yes|help|stop|$)", " ", rest)
    own = {word[:5] for word in plain(f"{offer.description} {offer.program}").split() if len(word) > 3} - _COMMON
    own -= {word[:5] for word in plain(offer.brand).split()}
    return bool(own & {word[:5] for word in rest.split()}) or _KINDS.search(rest) is not None


def links(text: str, url: str) -> bool:
    """Whether a text gives this address, or any where none is known."""
    if not url:
        return _URL.search(text) is not None
    return bare(url) in text.casefold()


def bare(url: str) -> str:
    return url.casefold().removeprefix("https://").removeprefix("http://").removeprefix("www.").rstrip("/")


def said(element: Element, text: str, offer: Offer) -> bool:
    """Whether a text says one thing about an offer."""
    words = plain(text)
    if element == Element.BRAND:
        # An address names its own web site and nobody else, unless the brand is one.
        return says(text if _URL.search(offer.brand) else _URL.sub(" ", text), offer.brand)
    if element == Element.WHAT:
        return says_what(text, offer)
    if element == Element.CONTACT:
        return says(text, offer.contact) or _CONTACT.search(text) is not None or _URL.search(text) is not None
    if element in {Element.TERMS, Element.PRIVACY}:
        url = offer.terms_url if element == Element.TERMS else offer.privacy_url
        return _WORDS[element].search(plain(_URL.sub(" ", text))) is not None and links(text, url)
    shouted = _SHOUTED.get(element)
    return _WORDS[element].search(words) is not None or (shouted is not None and shouted.search(text) is not None)


def lacking(text: str, offer: Offer, wanted: Iterable[Element]) -> tuple[Element, ...]:
    wanted = set(wanted)
    return tuple(element for element in Element if element in wanted and not said(element, text, offer))


def needed_in_disclosure(offer: Offer) -> frozenset[Element]:
    """By the level of consent that the words are to give; promotional programs say that they advertise."""
    if offer.level == Level.WRITTEN:
        needed = WRITTEN
    else:
        needed = EXPRESS if offer.level == Level.EXPRESS else CONVERSATION
    return needed | {Element.ADVERTISING} if offer.category == Category.PROMOTIONAL else needed


def missing_in_disclosure(text: str, offer: Offer) -> tuple[Element, ...]:
    """What the words that people agree to don't say; empty when they say all that the offer's level needs."""
    return lacking(text, offer, needed_in_disclosure(offer))


def missing_in_confirmation(text: str, offer: Offer) -> tuple[Element, ...]:
    """What the first text to whoever has joined ("meaningful hello") doesn't say."""
    return lacking(text, offer, CONFIRMATION)


def missing_in_question(text: str, offer: Offer) -> tuple[Element, ...]:
    """What the question of a double opt-in doesn't say."""
    return lacking(text, offer, QUESTION)


def flaws_in_opt_out_confirmation(text: str, *, brand: str) -> tuple[Flaw, ...]:
    """What is wrong with the one text that may follow a revocation: it only confirms."""
    found = {
        Flaw.UNNAMED: not says(text, brand),
        Flaw.LINK: _URL.search(text) is not None,
        Flaw.OFFER: _OFFERING.search(f"{plain(text)} {'%' if '%' in text else ''}") is not None,
    }
    return tuple(flaw for flaw, is_so in found.items() if is_so)
