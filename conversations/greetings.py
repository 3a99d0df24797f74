"""What who joins a program is told, or asked: in the program's own words or in ours."""

from consent.models import Program
from consent.purposes import Purpose


def text_for(program: Program, purpose: Purpose) -> str:
    """The question of a double opt-in, or the confirmation ("meaningful hello")."""
    return program.question if purpose == Purpose.DOUBLE_OPT_IN else program.confirmation
