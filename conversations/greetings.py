"""What who joins a program is told, or asked: in the program's own words or in ours."""

from consent.models import Program
from consent.purposes import Purpose


def text_for(program: Program, purpose: Purpose) -> str:
    """The question of a double opt-in, or the confirmation ("meaningful hello")."""
    brand, contact = program.brand.name, program.help_contact or program.brand.help_contact
    names = {
        "brand": brand,
        "program": program.description or program.name,
        "frequency": program.frequency,
        "contact": contact,
    }
    if purpose == Purpose.DOUBLE_OPT_IN:
        own = program.question_text
        text = (
            "{brand}: Reply YES to get {program}. {frequency}. Msg & data rates may apply. "
            "HELP for help, STOP to opt out."
        )
    else:
        own = program.confirmation_text
        text = (
            "{brand}: You now get {program}. {frequency}. Msg & data rates may apply. "
            "Reply HELP for help ({contact}), STOP to opt out."
        )
    return own or text.format(**names)
