"""The law, applied to one message: pure, no Django. There is no second copy of it anywhere."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from consent import rulebook
from consent.purposes import Level, Purpose, Verdict

# May pass a suppression: answers to the very text that asked for them.
ANSWERS_TO_KEYWORDS = frozenset({Purpose.OPT_OUT_CONFIRMATION, Purpose.HELP})
# A person types these; everything else is automation, which a suspected "no" pauses.
TYPED_BY_A_PERSON = frozenset({Purpose.REPLY})


@dataclass(frozen=True)
class Facts:
    """What the gate saw. Times are aware; ``None`` means "never"."""

    purpose: Purpose
    is_suppressed: bool = False
    is_suspected: bool = False
    is_on_hold: bool = False
    revoked_at: datetime | None = None
    wrote_at: datetime | None = None
    level_needed: Level = Level.NONE
    level_held: Level = Level.NONE
    is_program_active: bool = True
    is_awaiting_yes: bool = False


@dataclass(frozen=True)
class Ruling:
    """A verdict and *all* its reasons, the deciding ones first; ``held_until`` only for ``held``."""

    verdict: Verdict
    reasons: tuple[str, ...]
    held_until: datetime | None = None


def decide(facts: Facts, now: datetime) -> Ruling:
    """Whether this message may be handed over at ``now``."""
    against = [reason for reason in objections(facts, now) if reason]
    if against:
        return Ruling(Verdict.BLOCKED, tuple(against))
    return Ruling(Verdict.ALLOWED, (grounds(facts),))


def objections(facts: Facts, now: datetime) -> list[str]:
    purpose = facts.purpose
    against = []
    if facts.is_on_hold:
        against.append("number_on_hold")
    if facts.is_suppressed and purpose not in ANSWERS_TO_KEYWORDS:
        against.append("opted_out")
    if facts.is_suspected and purpose not in ANSWERS_TO_KEYWORDS | TYPED_BY_A_PERSON:
        against.append("may_have_opted_out")
    if purpose == Purpose.OPT_OUT_CONFIRMATION:
        against += confirmation_objections(facts, now)
    elif purpose in {Purpose.CAMPAIGN, Purpose.ALERT}:
        if not facts.is_program_active:
            against.append("program_not_active")
        if facts.level_held.rank < facts.level_needed.rank:
            against.append("consent_too_weak")
        if facts.level_needed == Level.NONE:
            against.append("program_missing")
    elif purpose == Purpose.DOUBLE_OPT_IN:
        if not facts.is_awaiting_yes:
            against.append("nothing_to_confirm")
    elif not is_in_conversation(facts, now) and facts.level_held == Level.NONE:
        against.append("never_wrote" if facts.wrote_at is None else "wrote_too_long_ago")
    return against


def confirmation_objections(facts: Facts, now: datetime) -> list[str]:
    """One confirmation, promptly, and only while the "no" stands (47 CFR 64.1200(a)(12))."""
    if not facts.is_suppressed or facts.revoked_at is None:
        return ["no_opt_out_in_force"]
    within = timedelta(seconds=int(rulebook.value("confirmation.within_seconds", now.date())))
    return ["confirmation_too_late"] if now - facts.revoked_at > within else []


def is_in_conversation(facts: Facts, now: datetime) -> bool:
    days = int(rulebook.value("conversation.reply_window_days", now.date()))
    return facts.wrote_at is not None and now - facts.wrote_at <= timedelta(days=days)


def grounds(facts: Facts) -> str:
    """Why an allowed message is allowed."""
    if facts.purpose in ANSWERS_TO_KEYWORDS:
        return "answers_a_keyword"
    if facts.purpose == Purpose.DOUBLE_OPT_IN:
        return "asked_to_be_texted"
    if facts.wrote_at is not None and facts.purpose not in {Purpose.CAMPAIGN, Purpose.ALERT}:
        return "person_wrote"
    return "consent_given"
