"""What a program must have before anybody may be asked to agree to it, in words."""

from typing import TYPE_CHECKING, Any, NamedTuple

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from consent import answers, elements, keywords, phrases, revocation
from consent.elements import Element, Flaw
from consent.purposes import ConfirmedBy

if TYPE_CHECKING:
    from consent.models.programs import Brand, Program

# What a wording lacks: what it is, and how it may be said.
ELEMENTS: dict[Element, Any] = {
    Element.AGREEMENT: gettext_lazy("that the person agrees. For example: “I agree to get …”."),
    Element.WHAT: gettext_lazy("what is sent. For example: “texts about my appointments”."),
    Element.ADVERTISING: gettext_lazy("that it advertises. For example: “marketing texts”."),
    Element.BRAND: gettext_lazy("who sends: the brand's name, as people know it."),
    Element.AUTOMATED: gettext_lazy("that a machine sends them. For example: “sent by automated technology”."),
    Element.NUMBER: gettext_lazy("which number may be texted. For example: “at the number that I give”."),
    Element.FREQUENCY: gettext_lazy("how often. For example: “Up to 4 messages a month”."),
    Element.RATES: gettext_lazy("what it may cost. For example: “Msg & data rates may apply.”"),
    Element.NOT_A_CONDITION: gettext_lazy(
        "that nobody has to agree in order to buy. For example: “Agreeing is not a condition of any purchase.”"
    ),
    Element.STOP: gettext_lazy("how to end it. For example: “Reply STOP to opt out.”"),
    Element.HELP: gettext_lazy("how to get help. For example: “Reply HELP for help.”"),
    Element.CONTACT: gettext_lazy("whom to ask. For example: “Contact: +1 201 555 0199”."),
    Element.YES: gettext_lazy("what to answer. For example: “Reply YES”."),
    Element.TERMS: gettext_lazy("where the terms are, with their address. For example: “Terms: https://…”."),
    Element.PRIVACY: gettext_lazy("where the privacy policy is, with its address. For example: “Privacy: https://…”."),
}
FLAWS: dict[Flaw, Any] = {
    Flaw.UNNAMED: gettext_lazy("It must name the brand."),
    Flaw.LINK: gettext_lazy("It may hold no web address: it only confirms."),
    Flaw.OFFER: gettext_lazy("It may offer nothing: it only confirms."),
}


# A text of more words is not looked up: JOIN or KEEP may stand before them (conversations/consequences.py).
KEYWORD_WORDS_AT_MOST = 3


class Item(NamedTuple):
    """One line of the checklist. ``field`` is where an editor mends it, if it is one of the program's own fields;
    ``note`` says how it is done where that is by having none."""

    label: str
    is_done: bool
    remedy: str
    field: str | None = None
    note: str = ""


def unsaid(missing: tuple[Element, ...], where: str) -> str:
    """One sentence per element that a wording lacks."""
    return " ".join(
        _("%(where)s does not say %(what)s") % {"where": where, "what": ELEMENTS[element]} for element in missing
    )


def checklist(program: "Program") -> list[Item]:
    """Everything that the program needs before it is active, done or not. Asks for its disclosure: one query."""
    offer = program.offer
    language = program.get_language_display()
    shown = program.current_disclosure(program.language) if program.pk else None
    if shown is not None and shown.language != program.language:
        shown = None
    in_disclosure = elements.missing_in_disclosure(shown.text, offer) if shown else ()
    in_confirmation = elements.missing_in_confirmation(program.confirmation, offer)
    in_question = elements.missing_in_question(program.question, offer) if program.is_double_opt_in else ()
    needs_mail = program.is_double_opt_in and program.confirmed_by == ConfirmedBy.EMAIL
    wrong_keyword = why_not(program, program.opt_in_keyword)
    no_disclosure = _("Add a disclosure in %(language)s: the exact words that people agree to.") % {
        "language": language
    }
    fields = [
        ("description", _("description"), _("Say what people get, for example: appointment reminders.")),
        ("frequency", _("frequency"), _("Say how often, for example: up to 4 messages a month.")),
        ("terms_url", _("terms"), _("Give the address of the terms.")),
        ("privacy_url", _("privacy policy"), _("Give the address of the privacy policy.")),
    ]
    return [
        *(Item(label, bool(getattr(program, name).strip()), remedy, name) for name, label, remedy in fields),
        Item(
            _("help contact"),
            bool(offer.contact.strip()),
            _("Give a help contact here or on the brand: a phone number or an address."),
            "help_contact",
        ),
        Item(
            _("keyword to join"),
            not wrong_keyword,
            wrong_keyword,
            "opt_in_keyword",
            "" if program.opt_in_keyword else _("none: people join by form only"),
        ),
        Item(
            _("disclosure in %(language)s") % {"language": language},
            shown is not None and not in_disclosure,
            unsaid(in_disclosure, _("The disclosure")) if shown else no_disclosure,
        ),
        Item(
            _("confirmation text"),
            not in_confirmation,
            unsaid(in_confirmation, _("The confirmation")),
            "confirmation_text",
        ),
        Item(
            _("question"),
            not in_question,
            unsaid(in_question, _("The question")),
            "question_text",
            "" if program.is_double_opt_in else _("none: nobody is asked twice"),
        ),
        Item(
            _("confirmation by email"),
            not needs_mail or settings.CAN_MAIL,
            _("No email can be sent from here: set EMAIL_URL, or let a text confirm."),
            "confirmed_by",
        ),
    ]


def why_not(program: "Program", keyword: str) -> str:
    """Why a keyword can't be a program's, in words; nothing where it can, or where there is none."""
    if not keyword.strip():
        return ""
    told, today = keywords.fold(keyword), timezone.localdate()
    listed = keywords.match(keyword)
    troubles = {
        _("“%(word)s” has no letter and no digit. Choose another keyword, or none."): not told,
        _("“%(word)s” is too long: three words at most. Choose another keyword, or none."): (
            len(told.split()) > KEYWORD_WORDS_AT_MOST
        ),
        _("“%(word)s” already means something else (stop, start or help). Choose another keyword, or none."): (
            (listed is not None and listed.meaning != "join") or revocation.classify(keyword).kind != "none"
        ),
        _("“%(word)s” is how people answer our questions (yes, ok, thanks). Choose another keyword, or none."): (
            answers.is_yes(keyword, today) or answers.is_company(keyword, today)
        ),
        _("“%(word)s” is how people keep a program after a STOP. Choose another keyword, or none."): (
            told.split(" ")[0] in answers.keep_words(today)
        ),
    }
    names = {"word": keyword}
    if found := next((words for words, applies in troubles.items() if applies), ""):
        return found % names
    others = program.__class__.objects.filter(brand=program.brand_id, is_active=True).exclude(pk=program.pk)
    alike = spellings(keyword)
    taken = next((other.name for other in others if alike & spellings(other.opt_in_keyword)), None)
    if taken is None:
        return ""
    words = _("“%(word)s” reads like the keyword of %(program)s. Choose another keyword, or none.")
    return words % {**names, "program": taken}


def spellings(keyword: str) -> set[str]:
    """What a keyword may be texted as, folded: JOIN before it says nothing."""
    told = keywords.fold(keyword)
    first, _space, rest = told.partition(" ")
    return {told, rest if first in keywords.listed("join") else told} - {""}


def what_is_missing(program: "Program") -> list[str]:
    """What stands in the way of activating the program, each with its remedy; empty when nothing does."""
    return [item.remedy for item in checklist(program) if not item.is_done]


def unready(brand: "Brand") -> "list[tuple[Program, list[str]]]":
    """The brand's active programs that could not be activated as they are, with what they lack."""
    programs = brand.programs.filter(is_active=True)
    return [(program, missing) for program in programs if (missing := what_is_missing(program))]


def wording_for(program: "Program", language: str) -> str:
    """A disclosure with every element, written from what the program says of itself."""
    return phrases.disclosure(program.offer, language)
