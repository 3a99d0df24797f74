"""What can happen in a conversation: one function for each situation that a screen can show."""

from collections.abc import Callable
from datetime import datetime, time, timedelta
from enum import StrEnum

from contactcenter.demo import dialogues
from contactcenter.demo.desk import NEW_YORK, Rush, local
from contactcenter.demo.dialogues import Dialogue
from contactcenter.demo.events import Act, Cancel, Fate, Garbled, Hold, Retry
from contactcenter.demo.plot import Conversation


class Situation(StrEnum):
    """How a conversation stands at the moment of seeding."""

    OVERDUE = "waits, and its deadline has passed"
    DUE_SOON = "waits, and is due within ten minutes"
    WAITING = "waits, with time left"
    REPLY_FAILED = "waits again, since the reply did not arrive"
    SNOOZED = "snoozed"
    OPEN = "answered and open"
    RESOLVED = "resolved"
    LONG = "a thread of three weeks"
    BUSY_DAY = "thirty texts in one day"
    LONG_TEXT = "a text of many segments"
    PICTURE = "a picture that we cannot show"
    UNREACHABLE = "not delivered: unreachable"
    REJECTED = "not delivered: the network refused it"
    SPAM = "not delivered: taken for spam"
    UNKNOWN_NUMBER = "not delivered: unknown number"
    REFUSED = "not delivered: turned away at once"
    UNKNOWN = "no answer from the carrier"
    UNKNOWN_FOR_GOOD = "no answer from the carrier, ever"
    THROTTLED = "slowed down, then delivered"
    UNCONFIRMED = "sent, and no word of its delivery"
    RETRIED = "not delivered, sent again, delivered"
    BLOCKED = "blocked by the gate"
    EXPIRED = "too late to be of use"
    CANCELLED = "taken back"
    SCHEDULED = "scheduled for tomorrow"
    HELD = "its number is held"
    RELEASED = "its number was held and is free again"
    STOPPED = "opted out by a keyword"
    STOPPED_IN_WORDS = "opted out in words of their own"
    STARTED_AGAIN = "opted out and in again"
    CARRIER_STOPPED = "opted out, says the carrier"
    JOINED = "joined by a keyword and a YES"
    KEPT = "opted out, told how to keep one kind, and kept it"
    MAY_KEEP = "gets two kinds, so that a STOP is told how to keep one"
    SUSPECTED = "may have asked to stop"
    CLEARED = "was thought to have asked to stop"
    HELPED = "asked for help"


FAILURES = {
    Situation.UNREACHABLE: Fate.UNREACHABLE,
    Situation.REJECTED: Fate.REJECTED,
    Situation.SPAM: Fate.SPAM,
    Situation.UNKNOWN_NUMBER: Fate.NO_SUCH_NUMBER,
    Situation.REFUSED: Fate.REFUSED,
    Situation.UNKNOWN: Fate.UNKNOWN,
    Situation.UNKNOWN_FOR_GOOD: Fate.UNKNOWN,
    Situation.THROTTLED: Fate.THROTTLED,
    Situation.UNCONFIRMED: Fate.SENT,
    Situation.CARRIER_STOPPED: Fate.OPTED_OUT,
}
STOPS = ("STOP", "Stop", "Unsubscribe", "stop!!", "STOP", "opt out", "Arrêt", "quit", "STOP 🙏")
# How long before the moment of seeding the first of the texts came, in seconds, for the first, second … of each.
SINCE = {
    Situation.OVERDUE: (55 * 60, 19.5 * 60),
    Situation.DUE_SOON: (13.5 * 60, 10 * 60, 7 * 60),
    Situation.WAITING: (270, 235, 200, 170, 140, 115, 95, 80),
}
# What colleagues say to each other beneath them, by whom; empty: by whoever answers.
REMARKS: dict[Situation, tuple[tuple[str, str], ...]] = {
    Situation.OVERDUE: (
        ("supervisor", "@agent please take this one first. If the charge is our mistake, say so and name the day."),
    ),
    Situation.DUE_SOON: (("", "@supervisor this may be an emergency. I am calling them now."),),
    Situation.WAITING: (
        ("supervisor", "Dr. Iyer has kept two places free for today: offer one of these."),
        ("agent2", "@agent you spoke with the new supplier: did they change the colour of these?"),
    ),
    Situation.SNOOZED: (("", "Waits for the insurer’s letter: https://harborclinic.example/letters/2207"),),
    Situation.SUSPECTED: (("", "@compliance is this a no? I have not answered yet."),),
}
# So many pieces of small talk make a thread of more than 120 texts.
PIECES = 43
Story = Callable[[Conversation, Dialogue, int], None]


def waiting(situation: Situation) -> Story:
    """Texts that nobody has answered, in a new conversation or in one that an owner knows from before."""

    def story(it: Conversation, dialogue: Dialogue, turn: int) -> None:
        since = it.plot.now - timedelta(seconds=SINCE[situation][turn % len(SINCE[situation])])
        gap = (10, 25) if situation == Situation.WAITING else (20, 110)
        it.texts(dialogue, since, gap=gap)
        it.note(dialogue.tags)
        if it.owner:
            it.act(Act.Kind.ASSIGN, author=it.owner)
        remark(it, situation, turn)

    return story


def remark(it: Conversation, situation: Situation, turn: int) -> None:
    """What the first of a kind need to have said about them."""
    remarks = REMARKS.get(situation, ())
    if turn < len(remarks):
        author, body = remarks[turn]
        it.remark(body, author)


def reply_failed(it: Conversation, dialogue: Dialogue, turn: int) -> None:
    it.play(dialogue, it.plot.desk.lately[-4] - timedelta(minutes=5), fates={0: Fate.UNREACHABLE})
    it.act(Act.Kind.READ)


def ended(it: Conversation, dialogue: Dialogue, turn: int) -> None:
    """An everyday conversation, resolved; some people come back with something else."""
    for visit in range(1 if it.rng.random() < 0.88 else 2):
        rushes = it.plot.desk.rushes[:-2]
        middle = len(rushes) // 2
        rush = it.rng.choice(rushes[middle:] if visit else rushes)
        if visit and rush[0] <= it.at + timedelta(hours=20):
            return
        told = dialogue if not visit else another(it, dialogue)
        everyday(it, told, rush)
        it.resolve()


def another(it: Conversation, dialogue: Dialogue) -> Dialogue:
    alike = [
        one
        for one in dialogues.library()[dialogue.topic]
        if one != dialogue and one.language == dialogue.language and (it.person.is_known or not one.says_who)
    ]
    return it.rng.choice(alike or [dialogue])


def everyday(it: Conversation, dialogue: Dialogue, rush: Rush) -> None:
    """The dialogue with an ending of its own: the same thanks, others, none, or a person who never came back."""
    start = it.at_rush(rush, dialogue.replies)
    it.agree(start)
    turns = dialogue.turns
    if it.rng.random() < 0.25:
        it.play(dialogue, start, turns=slice(1 + next(place for place, turn in enumerate(turns) if turn.is_ours)))
        return
    if turns[-1].is_ours or it.rng.random() < 0.35:
        it.play(dialogue, start)
        return
    it.play(dialogue, start, turns=slice(-1))
    if it.rng.random() < 0.5:
        it.text(it.at + it.plot.seconds(15, 90), it.rng.choice(dialogues.THANKS.get(dialogue.language, ("👍",))))


def answered(it: Conversation, dialogue: Dialogue, turn: int) -> None:
    """Open, with our word the last."""
    rushes = it.plot.desk.rushes[-8:]
    rush = it.plot.desk.lately[:6] if it.rng.random() < 0.15 else it.rng.choice(rushes)
    up_to = max(place for place, one in enumerate(dialogue.turns) if one.is_ours) + 1
    start = it.at_rush(rush, dialogue.replies)
    it.agree(start)
    it.play(dialogue, start, turns=slice(up_to))
    it.act(Act.Kind.READ)
    if turn % 10 == 9:
        it.act(Act.Kind.ASSIGN)


def snoozed(it: Conversation, dialogue: Dialogue, turn: int) -> None:
    it.play(dialogue, it.at_rush(it.rng.choice(it.plot.desk.rushes[-6:]), dialogue.replies))
    it.act(Act.Kind.READ)
    morning = datetime.combine(local(it.plot.now).date(), time(8), NEW_YORK)
    remark(it, Situation.SNOOZED, turn)
    it.act(Act.Kind.SNOOZE, until=(morning + timedelta(days=(1, 2, 3, 5, 7)[turn % 5])).astimezone(it.plot.now.tzinfo))


def three_weeks(it: Conversation, dialogue: Dialogue, turn: int) -> None:
    """The same small talk day after day."""
    kind = dialogue.name.partition(":")[0]
    pieces = [one for one in dialogues.library()["daily"] if one.name.startswith(kind)]
    it.agree(it.plot.desk.rushes[0][0] - timedelta(hours=2))
    recent: list[Dialogue] = []
    rushes = it.plot.desk.rushes
    for place, rush in enumerate(rushes):
        start = it.at_rush(rush, len(rush) - 1)
        for _ in range((place + 1) * PIECES // len(rushes) - place * PIECES // len(rushes)):
            piece = it.rng.choice([one for one in pieces if one not in recent[-3:] and suits(one, start)])
            recent.append(piece)
            it.play(piece, max(start, it.at + timedelta(seconds=30)))
            start = it.at + timedelta(minutes=2)
        if not recent[-1].turns[-1].is_ours:
            it.act(Act.Kind.NO_ANSWER_NEEDED, author=it.author)
    it.act(Act.Kind.READ)


def suits(dialogue: Dialogue, at: datetime) -> bool:
    """Whether people say this at that time of day."""
    unfit = ("evening", "dinner", "swelling") if local(at).hour < 12 else ("morning", "fasting", "night", "low")
    return not any(word in dialogue.name for word in unfit)


def busy_day(it: Conversation, dialogue: Dialogue, turn: int) -> None:
    """Faster than the desk's rounds: somebody sits there and answers at once."""
    day = it.plot.desk.rushes[-5]
    blanks = it.blanks(day[0])
    it.at = day[-1] + timedelta(minutes=6)
    for one in dialogue.turns:
        if one.is_ours:
            it.reply(it.at + it.plot.seconds(25, 75), one.filled(blanks))
            it.at += timedelta(seconds=1)
            it.plot.leave(it.at)
            it.at += timedelta(seconds=9)
        else:
            it.text(it.at + it.plot.seconds(8, 50), it.worded(one, blanks))
    it.note(dialogue.tags)
    it.act(Act.Kind.READ)


def once(*, days: int = 10, resolves: bool = True) -> Story:
    """The dialogue as it stands, at some time of the last ``days``."""

    def story(it: Conversation, dialogue: Dialogue, turn: int) -> None:
        start = it.at_rush(it.rng.choice(it.plot.desk.rushes[-2 * days : -2]), dialogue.replies)
        it.agree(start)
        words = {"stop": STOPS[turn % len(STOPS)], "start": ("START", "Start", "unstop")[turn % 3], "help": "HELP"}
        words |= {"join": ("CLASSES", "Classes")[turn % 2], "yes": ("YES", "Yes!")[turn % 2]}
        words |= {"reminders": "REMINDERS", "offers": "CHECKUPS", "keep": "KEEP REMINDERS"}
        it.play(dialogue, start, blanks=it.blanks(start, **words))
        it.judge(is_revocation=True)
        if resolves:
            it.resolve()
        else:
            it.act(Act.Kind.READ)

    return story


def fails(situation: Situation) -> Story:
    """What we add after the answer meets this fate, so that nobody waits for it."""

    def story(it: Conversation, dialogue: Dialogue, turn: int) -> None:
        desk = it.plot.desk
        if situation in {Situation.UNCONFIRMED, Situation.UNKNOWN}:
            rush = desk.lately[:7]
        else:
            rush = desk.rushes[-12 if situation == Situation.UNKNOWN_FOR_GOOD else -4]
        it.play(dialogue, it.at_rush(rush, 3), fates={1: FAILURES[situation]})
        it.act(Act.Kind.READ)

    return story


def retried(it: Conversation, dialogue: Dialogue, turn: int) -> None:
    (ref,) = it.play(dialogue, it.at_rush(it.plot.desk.rushes[-5], 3), turns=slice(2), fates={0: Fate.UNREACHABLE})
    at = it.plot.desk.next(it.at + timedelta(seconds=30))
    it.plot.events.append(Retry(at=at - timedelta(seconds=4), ref=ref, author=it.author))
    it.plot.leave(at)
    it.play(dialogue, at + timedelta(seconds=50), turns=slice(2, None))
    it.resolve()


def blocked(it: Conversation, dialogue: Dialogue, turn: int) -> None:
    """Their STOP comes between our pressing "send" and the gate."""
    blanks = it.blanks(it.plot.now)
    it.play(dialogue, it.at_rush(it.plot.desk.rushes[-3], 3), turns=slice(2), blanks=blanks)
    at = it.plot.desk.next(it.at + timedelta(seconds=30))
    it.reply(at - timedelta(seconds=8), dialogue.turns[2].filled(blanks))
    it.text(at - timedelta(seconds=5), "STOP")
    it.act(Act.Kind.READ)


def expired(it: Conversation, dialogue: Dialogue, turn: int) -> None:
    """A Saturday evening on which nothing left any more."""
    last, next_round = it.plot.desk.before_a_weekend()
    blanks = it.blanks(last)
    it.play(dialogue, last + timedelta(minutes=4), turns=slice(1), blanks=blanks)
    it.reply(last + timedelta(minutes=7), dialogue.turns[1].filled(blanks))
    it.at = next_round - timedelta(minutes=5)
    it.play(dialogue, it.at, turns=slice(2, None), blanks=blanks)
    it.resolve()


def cancelled(it: Conversation, dialogue: Dialogue, turn: int) -> None:
    blanks = it.blanks(it.plot.now)
    it.play(dialogue, it.at_rush(it.plot.desk.rushes[-4], 3), turns=slice(2), blanks=blanks)
    body = dialogue.turns[2].filled(blanks)
    ref = it.reply(it.at + timedelta(minutes=1), body, due_at=it.at + timedelta(hours=18))
    it.plot.events.append(Cancel(at=it.at + timedelta(minutes=2), ref=ref))
    it.at += timedelta(minutes=3)
    it.act(Act.Kind.READ)


def scheduled(it: Conversation, dialogue: Dialogue, turn: int) -> None:
    blanks = it.blanks(it.plot.now)
    it.play(dialogue, it.at_rush(it.plot.desk.lately[:6], 3), turns=slice(2), blanks=blanks)
    tomorrow = datetime.combine(local(it.plot.now).date() + timedelta(days=1), time(9), NEW_YORK)
    body = dialogue.turns[2].filled(blanks)
    it.reply(it.at + timedelta(minutes=1), body, due_at=tomorrow.astimezone(it.plot.now.tzinfo))
    it.act(Act.Kind.READ)


def held(it: Conversation, dialogue: Dialogue, turn: int) -> None:
    it.play(dialogue, it.at_rush(it.plot.desk.lately[:8], 2))
    it.act(Act.Kind.READ)
    it.plot.events.append(Garbled(at=it.plot.now - timedelta(seconds=40), thread=it.thread))


def released(it: Conversation, dialogue: Dialogue, turn: int) -> None:
    it.play(dialogue, it.at_rush(it.plot.desk.rushes[-2], 3))
    reason = "A text from this number could not be read."
    it.plot.events.append(
        Hold(at=it.at + timedelta(seconds=5), thread=it.thread, reason=reason, released_by="supervisor")
    )
    it.at += timedelta(minutes=1)
    it.resolve()


def suspected(it: Conversation, dialogue: Dialogue, turn: int) -> None:
    """Free text that a person must judge, this morning or (every other) too long ago; the desk stays free to answer."""
    blanks = it.blanks(it.plot.now)
    rush = it.plot.desk.rushes[-5] if turn % 2 else it.plot.desk.lately[:7]
    it.play(dialogue, it.at_rush(rush, 4), blanks=blanks)
    it.act(Act.Kind.READ)
    remark(it, Situation.SUSPECTED, turn)


def cleared(it: Conversation, dialogue: Dialogue, turn: int) -> None:
    blanks = it.blanks(it.plot.now)
    it.play(dialogue, it.at_rush(it.plot.desk.rushes[-6], 4), turns=slice(3), blanks=blanks)
    it.judge(is_revocation=False)
    it.play(dialogue, it.at, turns=slice(3, None), blanks=blanks)
    it.resolve()


def stopped_in_words(it: Conversation, dialogue: Dialogue, turn: int) -> None:
    """A "no" in a sentence, understood like a keyword; an agent reads it and has nothing left to do."""
    it.play(dialogue, it.at_rush(it.plot.desk.rushes[-9], 3))
    it.judge(is_revocation=True)
    it.at += timedelta(seconds=70)
    it.resolve()


STORIES: dict[Situation, Story] = {
    **{situation: waiting(situation) for situation in SINCE},
    **{situation: fails(situation) for situation in FAILURES},
    Situation.REPLY_FAILED: reply_failed,
    Situation.SNOOZED: snoozed,
    Situation.OPEN: answered,
    Situation.RESOLVED: ended,
    Situation.LONG: three_weeks,
    Situation.BUSY_DAY: busy_day,
    Situation.LONG_TEXT: once(),
    Situation.PICTURE: once(),
    Situation.RETRIED: retried,
    Situation.BLOCKED: blocked,
    Situation.EXPIRED: expired,
    Situation.CANCELLED: cancelled,
    Situation.SCHEDULED: scheduled,
    Situation.HELD: held,
    Situation.RELEASED: released,
    Situation.STOPPED: once(),
    Situation.STOPPED_IN_WORDS: stopped_in_words,
    Situation.STARTED_AGAIN: once(),
    Situation.CARRIER_STOPPED: fails(Situation.CARRIER_STOPPED),
    Situation.JOINED: once(),
    Situation.KEPT: once(),
    Situation.MAY_KEEP: once(resolves=False),
    Situation.SUSPECTED: suspected,
    Situation.CLEARED: cleared,
    Situation.HELPED: once(),
}
