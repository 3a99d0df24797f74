"""What a program must have before anybody may be asked to agree to it, in words."""

from typing import TYPE_CHECKING, Any, NamedTuple

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from consent import elements, keywords, phrases
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


class Item(NamedTuple):
    """One line of the checklist. ``field`` is where an editor mends it, if it is one of the program's own fields."""

    label: str
    is_done: bool
    remedy: str
    field: str | None = None


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
            not program.opt_in_keyword or keywords.match(program.opt_in_keyword) is None,
            _("“%(word)s” already means something else (stop, start or help). Choose another keyword, or none.")
            % {"word": program.opt_in_keyword},
            "opt_in_keyword",
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
        Item(_("question"), not in_question, unsaid(in_question, _("The question")), "question_text"),
        Item(
            _("confirmation by email"),
            not needs_mail or settings.CAN_MAIL,
            _("No email can be sent from here: set EMAIL_URL, or let a text confirm."),
            "confirmed_by",
        ),
    ]


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
