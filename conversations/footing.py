"""What a text to somebody who has not written stands on: a program that they agreed to."""

from collections.abc import Iterable

from consent.folding import State
from consent.models import Program, Standing
from consent.purposes import Category, Level
from conversations.models import Conversation

AT_MOST = 50


def program_of(conversation: Conversation) -> Program | None:
    """The program of a reply in this conversation; none where the person has written themselves, which is enough."""
    if conversation.wrote_at is not None:
        return None
    brand_id = conversation.line.brand_id
    standing = Standing.objects.filter(subject=conversation.contact.subject_id, brand=brand_id).first()
    if standing is None:
        return None
    programs = Program.objects.filter(brand=brand_id, is_active=True).order_by("name")[:AT_MOST]
    return agreed(programs, standing.state, conversation)


def agreed(programs: Iterable[Program], state: State, conversation: Conversation) -> Program | None:
    """The first of these that they agreed to as it needs: their line's own before others, and no marketing before what
    informs."""
    if conversation.wrote_at is not None:
        return None
    theirs = [one for one in programs if is_agreed(one, state)]
    return min(
        theirs,
        key=lambda one: (one.pk != conversation.line.program_id, one.category == Category.PROMOTIONAL),
        default=None,
    )


def is_agreed(program: Program, state: State) -> bool:
    held, needed = state.level(program.pk, Category(program.category)), Level(program.consent_level)
    return held != Level.NONE and held.rank >= needed.rank
