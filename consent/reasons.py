"""Why the gate decided as it did, in sentences for people."""

from collections.abc import Iterable

from django.utils.translation import gettext_lazy

# Every reason that consent.policy gives, for and against.
REASONS = {
    "number_on_hold": gettext_lazy(
        "A text from this number could not be read for a “stop”. A compliance officer must read it and release the "
        "number (Administration, Holds)."
    ),
    "opted_out": gettext_lazy("This person has opted out. Only they can change that, by texting START."),
    "may_have_opted_out": gettext_lazy("This person may have asked to stop. A person must read their text and decide."),
    "no_opt_out_in_force": gettext_lazy("There is no opt-out to confirm."),
    "confirmation_too_late": gettext_lazy("It is too late to confirm the opt-out."),
    "program_not_active": gettext_lazy("The program is not active."),
    "consent_too_weak": gettext_lazy("The consent on record is not enough for this kind of message."),
    "program_missing": gettext_lazy("No program was named, so there is no consent to check."),
    "never_wrote": gettext_lazy("This person has never texted this line and has not agreed to be texted."),
    "wrote_too_long_ago": gettext_lazy("This person wrote too long ago for a reply, and has not agreed to be texted."),
    "nothing_to_confirm": gettext_lazy("Nobody has asked to be texted, so there is nothing to confirm."),
    "asked_to_be_texted": gettext_lazy("They asked to be texted; this asks whether it was they."),
    "quiet_hours": gettext_lazy("It is outside the hours in which such a text may arrive where this person may be."),
    "zone_unknown": gettext_lazy("Nobody knows what time it is where this person is, so no hour is surely right."),
    "too_many": gettext_lazy("This person has had as many promotions as a day allows."),
    "answers_a_keyword": gettext_lazy("It answers their keyword."),
    "person_wrote": gettext_lazy("They wrote to us."),
    "consent_given": gettext_lazy("They agreed to be texted."),
}


def sentences(codes: Iterable[str]) -> str:
    """A verdict's reasons, as sentences. A code of a later release is shown as it is."""
    return " ".join(str(REASONS.get(code, code)) for code in codes)
