"""The law, applied to one message: pure, no Django. There is no second copy of it anywhere."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from consent import hours, rulebook
from consent.hours import Opening
from consent.purposes import Category, Level, Purpose, Verdict

# May pass a suppression: answers to the very text that asked for them.
ANSWERS_TO_KEYWORDS = frozenset({Purpose.OPT_OUT_CONFIRMATION, Purpose.HELP})
# A person types these; everything else is automation, which a suspected "no" pauses.
TYPED_BY_A_PERSON = frozenset({Purpose.REPLY})


# Part of a conversation, whatever program it is about.
CONVERSING = TYPED_BY_A_PERSON | {Purpose.OUT_OF_OFFICE, Purpose.GREETING}
# Sent on our own account, not in answer to what somebody has just done: what programs, hours and caps are for.
UNASKED = frozenset({Purpose.CAMPAIGN, Purpose.ALERT})
# No hour is right within so many tries: then none comes.
TRIES = 8


@dataclass(frozen=True)
class Facts:
    """What the gate saw. Times are aware; ``None`` means "never".

    ``category`` is the program's; ``zones`` and ``regions`` are where the person may be; ``recent`` when this brand
    texted them promotions lately; ``has_asked_anew`` whether the phone itself texted the program's keyword after its
    last "no".
    """

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
    has_asked_anew: bool = False
    category: Category | None = None
    zones: frozenset[str] = frozenset()
    regions: frozenset[str] = frozenset()
    recent: tuple[datetime, ...] = ()


@dataclass(frozen=True)
class Ruling:
    """A verdict and *all* its reasons, the deciding ones first; ``held_until`` only for ``held``: the first moment at
    which, as far as is known now, it would pass. ``closes_at`` is when an allowed one's hours, or the time to answer
    somebody who wrote, end."""

    verdict: Verdict
    reasons: tuple[str, ...]
    held_until: datetime | None = None
    closes_at: datetime | None = None


def decide(facts: Facts, now: datetime) -> Ruling:
    """Whether this message may be handed over at ``now``."""
    against = tuple(objections(facts, now))
    opening, spaced_at = open_hours(facts, now), spaced(facts, now)
    delays = tuple(
        reason for reason, applies in ((opening.reason, not opening.is_open), ("too_many", spaced_at > now)) if applies
    )
    if against or (delays and "zone_unknown" in delays):
        return Ruling(Verdict.BLOCKED, against + delays)
    if not delays:
        closes_at = opening.closes_at or answerable_until(facts, now)
        return Ruling(Verdict.ALLOWED, (grounds(facts),), closes_at=closes_at)
    until = next_passing(facts, now)
    return Ruling(Verdict.HELD if until else Verdict.BLOCKED, delays, until)


def open_hours(facts: Facts, now: datetime) -> Opening:
    """Promotions keep the law's hours, whatever they are sent as; of informational texts, only what is planned keeps
    ours: an alert about a stolen card does not wait for the morning."""
    is_bound = facts.purpose == Purpose.CAMPAIGN or (
        facts.purpose in UNASKED and facts.category == Category.PROMOTIONAL
    )
    if not is_bound or facts.category is None:
        return hours.UNBOUND
    return hours.opening(facts.zones, facts.regions, facts.category, now)


def spaced(facts: Facts, now: datetime) -> datetime:
    """The first moment from ``now`` on at which one more promotion is not too many."""
    if facts.category != Category.PROMOTIONAL or not facts.recent:
        return now
    most = int(rulebook.value("caps.per_day", now.date()))
    window = timedelta(hours=int(rulebook.value("caps.window_hours", now.date())))
    counted = sorted(at for at in facts.recent if at + window > now)
    return now if len(counted) < most else counted[-most] + window


def next_passing(facts: Facts, now: datetime) -> datetime | None:
    """The first moment that is neither in quiet hours nor one text too many."""
    at = now
    for _ in range(TRIES):
        later = max(spaced(facts, at), open_hours(facts, at).opens_at or at)
        if later == at:
            return at if open_hours(facts, at).is_open else None
        at = later
    return None


def objections(facts: Facts, now: datetime) -> list[str]:
    purpose = facts.purpose
    against = []
    if facts.is_on_hold:
        against.append("number_on_hold")
    # Who texts a keyword after a "no" asks to be asked; until she says YES, nothing else may pass.
    is_asked_for = purpose in ANSWERS_TO_KEYWORDS or (purpose == Purpose.DOUBLE_OPT_IN and facts.has_asked_anew)
    if facts.is_suppressed and not is_asked_for:
        against.append("opted_out")
    if facts.is_suspected and purpose not in ANSWERS_TO_KEYWORDS | TYPED_BY_A_PERSON:
        against.append("may_have_opted_out")
    if purpose == Purpose.OPT_OUT_CONFIRMATION:
        against += confirmation_objections(facts, now)
    elif purpose in UNASKED:
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
    return facts.wrote_at is not None and now - facts.wrote_at <= reply_window(now)


def reply_window(now: datetime) -> timedelta:
    return timedelta(days=int(rulebook.value("conversation.reply_window_days", now.date())))


def answerable_until(facts: Facts, now: datetime) -> datetime | None:
    """Until when whoever wrote may be answered, where nothing else that they agreed to lets us."""
    is_open = facts.purpose in TYPED_BY_A_PERSON and facts.level_held == Level.NONE
    return facts.wrote_at + reply_window(now) if is_open and facts.wrote_at is not None else None


def grounds(facts: Facts) -> str:
    """Why an allowed message is allowed."""
    if facts.purpose in ANSWERS_TO_KEYWORDS:
        return "answers_a_keyword"
    if facts.purpose == Purpose.DOUBLE_OPT_IN:
        return "asked_to_be_texted"
    if facts.wrote_at is not None and facts.purpose not in UNASKED:
        return "person_wrote"
    return "consent_given"
