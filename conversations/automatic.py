"""What the system itself answers: STOP, START and HELP, each once. These never count as an answer to a wait."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from django.utils.translation import gettext as _

from consent import keywords, revocation, rulebook
from consent.models import ConsentEvent
from consent.purposes import Effect, Purpose
from conversations import nudging, outbound
from conversations.models import Conversation, Message

# The same text always makes the same answer's id, so that no crash or duplicate answers it twice.
NAMESPACE = UUID("6f1d9a5c-7f0e-4b53-9c0e-0b8f6f3a2d11")


def answer(texts: Sequence[Message], *, now: datetime) -> None:
    """Queues the answers that these inbound texts call for. The messages must carry their conversation with its
    line."""
    meanings = {text.ref: meaning_of(text.body) for text in texts}
    speaking = [text for text in texts if meanings[text.ref]]
    effects = effects_of(speaking)
    answers = []
    for text in speaking:
        purpose = purpose_of(text.conversation, meanings[text.ref], effects.get(str(text.carrier_id)))
        if purpose is not None:
            answers.append(answer_to(text, purpose, now))
    if answers:
        Message.objects.bulk_create(answers, ignore_conflicts=True)
        nudging.nudge(Message.Lane.AGENTS)


def meaning_of(body: str) -> str:
    """The keyword's meaning; free text that revokes means "stop"; empty for everything else."""
    keyword = keywords.match(body)
    if keyword is not None:
        return keyword.meaning
    return "stop" if revocation.classify(body).kind == "revoke" else ""


def effects_of(texts: Sequence[Message]) -> dict[str, Effect]:
    """What each of these texts changed in the ledger, by the carrier's id."""
    if not texts:
        return {}
    events = ConsentEvent.objects.filter(message_ref__in=[text.carrier_id for text in texts])
    return {event.message_ref: Effect(event.effect) for event in events}


def purpose_of(conversation: Conversation, meaning: str, effect: Effect | None) -> Purpose | None:
    """Silence where the carrier answers itself, and where nothing changed: a second STOP is not confirmed again."""
    line = conversation.line
    if effect == Effect.SUPPRESSED and not line.carrier_answers_stop:
        return Purpose.OPT_OUT_CONFIRMATION
    if effect == Effect.RESUMED and not line.carrier_answers_stop:
        return Purpose.OPT_IN_CONFIRMATION
    if meaning == "help" and not line.carrier_answers_help:
        return Purpose.HELP
    return None


def answer_to(text: Message, purpose: Purpose, now: datetime) -> Message:
    within = int(rulebook.value("confirmation.within_seconds", now.date()))
    return outbound.queued(
        conversation=text.conversation,
        body=wording(text.conversation, purpose),
        purpose=purpose,
        ref=uuid5(NAMESPACE, f"{purpose}:{text.carrier_id}"),
        now=now,
        expires_at=now + timedelta(seconds=within),
    )


def wording(conversation: Conversation, purpose: Purpose) -> str:
    brand = conversation.line.brand
    names = {"brand": brand.name, "contact": brand.help_contact}
    if purpose == Purpose.OPT_OUT_CONFIRMATION:
        text = _("%(brand)s: You are opted out and will get no more texts from us. Reply START to get them again.")
    elif purpose == Purpose.OPT_IN_CONFIRMATION:
        text = _(
            "%(brand)s: You can get texts from us again. Msg & data rates may apply."
            " Reply HELP for help, STOP to opt out."
        )
    else:
        text = _("%(brand)s: For help, contact %(contact)s. Msg & data rates may apply. Reply STOP to opt out.")
    return text % names
