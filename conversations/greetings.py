"""What who joins a program is told, or asked: in the program's own words or in ours."""

from consent.models import Program
from consent.purposes import Purpose


def text_for(program: Program, purpose: Purpose, language: str = "") -> str:
    """The question of a double opt-in, or the confirmation ("meaningful hello"), in the language of the words that the
    person agreed to; the program's unless told."""
    language = language or program.language
    return program.question_in(language) if purpose == Purpose.DOUBLE_OPT_IN else program.confirmation_in(language)
