"""What the import says: fields, refusals, and files that can't be read, each with what to do about it."""

from collections.abc import Iterable
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from consent import import_rows
from consent.models import ImportRefusal
from conversations import wording

FIELDS = {
    "phone": _l("Phone number"),
    "occurred_at": _l("When they agreed"),
    "words": _l("Wording they agreed to"),
    "method": _l("How they agreed"),
    "url": _l("Address of the page"),
    "ip": _l("IP address"),
    "user_agent": _l("Browser (user agent)"),
    "document": _l("Reference of the signed paper"),
    "name": _l("Name of who signed"),
    "program": _l("Program, row by row"),
}
OPT_OUT_FIELDS = {
    "phone": _l("Phone number"),
    "occurred_at": _l("When they said so"),
    "words": _l("What they said"),
    "method": _l("How they said it"),
}
# Evidence as the end of a sentence: "It lacks …".
EVIDENCE = {
    "phone": _l("the phone number"),
    "occurred_at": _l("when they agreed"),
    "program": _l("the program"),
    "words": _l("the wording they agreed to"),
    "disclosure": _l("the disclosure they saw"),
    "method": _l("how they agreed"),
    "url": _l("the address of the page"),
    "ip": _l("their IP address"),
    "user_agent": _l("their browser"),
    "document": _l("the reference of the signed paper"),
    "name": _l("the name of who signed"),
    "page": _l("the page as they saw it"),
    "email": _l("the address they wrote from"),
    "said": _l("what was said, and to whom"),
    "writing": _l("anything in writing"),
}
REASONS = {
    "no_phone": _l("There is no phone number."),
    "bad_opt_out": _l("“%(detail)s” is no phone number. Give it with country code: an opt-out must not be lost."),
    "no_date": _l("It doesn't say when they agreed."),
    "bad_date": _l("“%(detail)s” is no date. Write it like 2026-03-31 14:05."),
    "future_date": _l("“%(detail)s” is still to come. Nobody has agreed then yet."),
    "no_program": _l("It names no program."),
    "unknown_program": _l("There is no program “%(detail)s”, or several have that name. Use the program's short name."),
    "not_offered": _l("The program “%(detail)s” isn't active."),
    "duplicate": _l("This number is in this file already, further up."),
    "may_have_opted_out": _l(
        "A text of theirs that may be a “stop” waits for a judgement (Administration, Reviews). Import it again "
        "afterwards."
    ),
    "ragged": _l("It has more cells than the headings (%(detail)s): put text that holds the separator in quotes."),
}
UNREADABLE = {
    "empty": _l("There are no rows in this file."),
    "binary": _l(
        "This is neither a text file nor an Excel workbook. In your spreadsheet, choose “Save as” and “CSV UTF-8”."
    ),
    "workbook": _l("This Excel workbook can't be read. In your spreadsheet, choose “Save as” and “CSV UTF-8”."),
    "too_large": _l("This Excel workbook unpacks to more than we take. Save its sheet as CSV, or split it."),
    "quotes": _l(
        "From row %(row)d on it can't be read: quotation marks that open and never close. Write a quotation mark "
        "inside of quoted text twice."
    ),
    "columns": _l("Row %(row)d has more than 100 columns. Is this a list of people?"),
}


def refusal(why: import_rows.Refusal | ImportRefusal) -> str:
    """Why a row isn't taken in, and what to do."""
    if why.reason == "bad_phone":
        return why.detail
    if why.reason == "no_proof":
        return _("It lacks %(what)s. Without it there is no proof that this person agreed.") % {
            "what": lacking(why.detail.split())
        }
    if why.reason in {"opted_out", "said_no_since"}:
        said = wording.moment(datetime.fromisoformat(why.detail))
        if why.reason == "said_no_since":
            return _("They said no after that, on %(when)s.") % {"when": said}
        return _(
            "They have opted out (%(when)s). No file lifts that: only they can, by texting START or joining again "
            "themselves."
        ) % {"when": said}
    return str(REASONS[why.reason]) % {"detail": why.detail}


def lacking(names: Iterable[str]) -> str:
    """“the address of the page, their IP address”, in the order of the fields."""
    wanted = set(names)
    return ", ".join(str(words) for name, words in EVIDENCE.items() if name in wanted)


def unreadable(error: import_rows.Unreadable) -> str:
    return str(UNREADABLE[error.problem]) % {"row": error.row}
