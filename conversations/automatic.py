"""What the system itself answers: STOP, START, HELP, JOIN and YES, each once.

These never count as an answer to a wait.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.utils import translation
from django.utils.translation import gettext as _

from consent import acquiring, keywords, rulebook
from consent.folding import GRANTS
from consent.models import Brand, ConsentEvent, Program, Standing
from consent.purposes import Category, Effect, Kind, Purpose
from conversations import greetings, links, nudging, outbound
from conversations.models import Conversation, Message

ANSWERS_TO_STOP_AND_START = frozenset({Purpose.OPT_OUT_CONFIRMATION, Purpose.OPT_IN_CONFIRMATION})
# In the answer to JOIN, which is to stay within a text or two.
MOST_OFFERED = 5
SETTLING = GRANTS | {Kind.REQUESTED}


def answer(texts: Sequence[Message], events: Mapping[str, ConsentEvent], *, now: datetime) -> None:
    """Queues the answers that these inbound texts call for. The messages must carry their conversation with its line;
    ``events`` are what they did to the ledger, by the carrier's id."""
    answers = [answer_to(text, events.get(str(text.carrier_id)), now) for text in texts]
    if queued := [message for message in answers if message is not None]:
        Message.objects.bulk_create(queued, ignore_conflicts=True)
        nudging.nudge(Message.Lane.AGENTS)


def is_settled(text: Message, events: Mapping[str, ConsentEvent]) -> bool:
    """Whether a text has had all the answer it asks for by what it did: somebody joined, or said YES."""
    event = events.get(str(text.carrier_id))
    return event is not None and event.kind in SETTLING and event.effect != Effect.NOTHING


def meaning_of(body: str) -> str:
    """The keyword's meaning, or nothing. Free text that revokes has none: a person reads it, since it may say more."""
    keyword = keywords.match(body)
    return keyword.meaning if keyword else ""


def answer_to(text: Message, event: ConsentEvent | None, now: datetime) -> Message | None:
    """Silence where the carrier answers itself, and where nothing changed: a second STOP is not confirmed again."""
    line = text.conversation.line
    purpose = None
    if event is not None:
        purpose = purpose_of(event, is_join=event.facts["rule"].startswith("join:"))
        if purpose in ANSWERS_TO_STOP_AND_START and event.program_id is None and line.carrier_answers_stop:
            return None
    elif meaning_of(text.body) == "help" and not line.carrier_answers_help:
        purpose = Purpose.HELP
    if purpose is not None:
        body = wording(text.conversation, purpose, event, language=language_of(text, event))
    elif event is None and meaning_of(text.body) == "join":
        purpose, body = Purpose.HELP, how_to_join(line.brand, language=language_of(text, event))
    if purpose is None or not body:
        return None
    return outbound.automatic(
        conversation=text.conversation,
        body=body,
        purpose=purpose,
        cause=str(text.carrier_id),
        program_id=event.program_id if event else None,
        now=now,
    )


def purpose_of(event: ConsentEvent, *, is_join: bool = False) -> Purpose | None:
    """What is said to whoever has just done this; who joins again is told again."""
    if event.kind == Kind.REQUESTED and (is_join or event.effect == Effect.REQUESTED):
        return Purpose.DOUBLE_OPT_IN
    if event.kind in GRANTS and event.program_id and (is_join or event.effect == Effect.GRANTED):
        return Purpose.OPT_IN_CONFIRMATION
    return {Effect.SUPPRESSED: Purpose.OPT_OUT_CONFIRMATION, Effect.RESUMED: Purpose.OPT_IN_CONFIRMATION}.get(
        Effect(event.effect)
    )


def language_of(text: Message, event: ConsentEvent | None) -> str:
    """The language that they wrote in, as far as what was recognised tells."""
    source, _, name = str(event.facts["rule"] if event else "").partition(":")
    if source == "free_text":
        return name.partition(".")[0]
    keyword = keywords.match(text.body)
    return keywords.language(keyword.word) if keyword else "en"


def wording(conversation: Conversation, purpose: Purpose, event: ConsentEvent | None, *, language: str) -> str:
    with translation.override(language):
        return told(conversation, purpose, event)


def told(conversation: Conversation, purpose: Purpose, event: ConsentEvent | None) -> str:
    brand = conversation.line.brand
    if event is not None and event.program is not None and purpose != Purpose.OPT_OUT_CONFIRMATION:
        language = acquiring.language_seen(subject_id=event.subject_id, program=event.program)
        return greetings.text_for(event.program, purpose, language)
    names = {"brand": brand.name, "contact": brand.help_contact}
    if purpose == Purpose.OPT_OUT_CONFIRMATION:
        text = _("%(brand)s: You are opted out and will get no more texts from us. Reply START to get them again.")
        return " ".join([text % names, *clarification(event)])
    if purpose == Purpose.OPT_IN_CONFIRMATION:
        text = _(
            "%(brand)s: You can get texts from us again. Msg & data rates may apply."
            " Reply HELP for help, STOP to opt out."
        )
    else:
        text = _("%(brand)s: For help, contact %(contact)s. Msg & data rates may apply. Reply STOP to opt out.")
        return " ".join([text % names, *own_page(conversation)])
    return text % names


def how_to_join(brand: Brand, *, language: str) -> str:
    """Which words join what, for whoever texts JOIN and no more; nothing where a brand has none."""
    programs = brand.programs.filter(is_active=True).exclude(opt_in_keyword="").order_by("pk")[:MOST_OFFERED]
    with translation.override(language):
        offers = [
            _("%(keyword)s for %(program)s") % {"keyword": one.opt_in_keyword.upper(), "program": one.name}
            for one in programs
        ]
        if not offers:
            return ""
        text = _("%(brand)s: To get our texts, reply with the word: %(offers)s. Reply HELP for help, STOP to opt out.")
        return text % {"brand": brand.name, "offers": ", ".join(offers)}


def own_page(conversation: Conversation) -> list[str]:
    """Where they see and end what they get: told to the phone itself, which alone may see it."""
    if not links.is_public():
        return []
    address = links.preferences(conversation.contact.subject_id, conversation.line.brand_id)
    return [_("Your texts: %(address)s") % {"address": address}]


def clarification(event: ConsentEvent | None) -> list[str]:
    """How to keep one kind of texts, for whoever had agreed to several; where the law lets us ask."""
    if event is None or not rulebook.value("confirmation.may_clarify", event.recorded_at.date()):
        return []
    standing = Standing.objects.select_related("subject").get(subject=event.subject_id, brand=event.brand_id)
    programs = list(Program.objects.filter(pk__in=acquiring.ended_by_the_last_no(standing), is_active=True))
    kept = [one for one in programs if one.category != Category.PROMOTIONAL and one.opt_in_keyword]
    if len({program.category for program in programs}) < 2 or not kept:
        return []
    one = min(kept, key=lambda program: program.pk)
    names = {"program": one.name, "keyword": one.opt_in_keyword.upper()}
    return [_("To keep only %(program)s, reply KEEP %(keyword)s.") % names]
