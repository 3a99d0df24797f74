"""The demo's three weeks: who is in which situation, and everything that happens, in order.

Pure: the same seed, moment and number always make the same plan.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import NamedTuple

from contactcenter.demo import dialogues
from contactcenter.demo.dialogues import Dialogue
from contactcenter.demo.events import Event, Stray, Text, Thread
from contactcenter.demo.organisation import AUTHORS, BILLING, FRONT_DESK, NO_LINE, REFILLS
from contactcenter.demo.people import Person, people
from contactcenter.demo.plot import Conversation, Plot
from contactcenter.demo.stories import SINCE, STORIES, Situation

SEED = 20_15550100
WHOLE = 400
EVERYDAY = ((FRONT_DESK, "front-desk", 55), (BILLING, "billing", 20), (REFILLS, "pharmacy", 25))
# Of the everyday conversations, so many are a known person's on a second line.
SECOND_LINES = 0.07
OWN_TONGUE = frozenset({"es", "fr", "zh"})
FOLLOW_UP = ("follow-up does not arrive",)


class Part(NamedTuple):
    """``number`` of so many conversations as ``WHOLE``; ``owners`` where it matters who: empty is nobody."""

    number: int
    names: tuple[str, ...] = ()
    lines: tuple[str, ...] = (FRONT_DESK,)
    owners: tuple[str, ...] = ()


PARTS: Mapping[Situation, Part] = {
    Situation.OVERDUE: Part(
        2, ("billing: wants an answer about a charge", "front desk: wants test results read"), (BILLING, FRONT_DESK),
        ("agent", ""),
    ),
    Situation.DUE_SOON: Part(
        3,
        (
            "front desk: chest feels tight after the new dose", "pharmacy: waits for the driver",
            "front desk: pregunta si hay cita hoy",
        ),
        (FRONT_DESK, REFILLS, FRONT_DESK),
        ("agent", "agent2", ""),
    ),
    Situation.WAITING: Part(
        8,
        (
            "front desk: asks for a same-day visit", "pharmacy: got pills that look different",
            "front desk: is outside a locked door", "billing: asks to change the card",
            "pharmacy: ran out of a medicine", "front desk: asks about a covid test",
            "billing: asks whether a quote is right", "front desk: cannot make it today",
        ),
        (FRONT_DESK, REFILLS, FRONT_DESK, BILLING, REFILLS, FRONT_DESK, BILLING, FRONT_DESK),
        ("agent", "agent2", "", "agent", "agent2", "", "agent2", ""),
    ),
    Situation.REPLY_FAILED: Part(1, ("reply does not arrive",), owners=("agent",)),
    Situation.SNOOZED: Part(5, ("wakes up later",), (FRONT_DESK, FRONT_DESK, BILLING)),
    Situation.OPEN: Part(60),
    Situation.LONG: Part(
        3, ("blood pressure: morning", "sugar: fasting", "recovery: night"), (FRONT_DESK, REFILLS, FRONT_DESK),
        ("agent", "agent2", "agent2"),
    ),
    Situation.BUSY_DAY: Part(1, ("thirty texts in a day",), owners=("agent",)),
    Situation.LONG_TEXT: Part(2, ("sends a very long text",), (REFILLS, FRONT_DESK)),
    Situation.PICTURE: Part(2, ("sends the photo of an insurance card",), (FRONT_DESK, BILLING)),
    Situation.UNREACHABLE: Part(2, FOLLOW_UP),
    Situation.REJECTED: Part(1, FOLLOW_UP),
    Situation.SPAM: Part(1, FOLLOW_UP),
    Situation.UNKNOWN_NUMBER: Part(1, FOLLOW_UP),
    Situation.REFUSED: Part(1, FOLLOW_UP),
    Situation.UNKNOWN: Part(1, FOLLOW_UP, owners=("agent",)),
    Situation.UNKNOWN_FOR_GOOD: Part(1, FOLLOW_UP),
    Situation.THROTTLED: Part(1, FOLLOW_UP),
    Situation.UNCONFIRMED: Part(3, FOLLOW_UP),
    Situation.RETRIED: Part(1, ("retried",)),
    Situation.BLOCKED: Part(1, ("reply meets a stop",), owners=("agent",)),
    Situation.EXPIRED: Part(1, ("too late to be of use",)),
    Situation.CANCELLED: Part(1, ("a reply taken back",)),
    Situation.SCHEDULED: Part(1, ("a reply for tomorrow",), (REFILLS,), ("agent",)),
    Situation.HELD: Part(1, ("held: unreadable",), owners=("agent",)),
    Situation.RELEASED: Part(1, ("held: released",)),
    Situation.STOPPED: Part(
        9, ("stops without a word", "asks to stop after a reminder", "pharmacy stop"),
        (FRONT_DESK, FRONT_DESK, REFILLS),
    ),
    Situation.STOPPED_IN_WORDS: Part(1, ("asks in words to stop",)),
    Situation.STARTED_AGAIN: Part(3, ("stops and starts again",), (FRONT_DESK, BILLING, REFILLS)),
    Situation.CARRIER_STOPPED: Part(1, FOLLOW_UP),
    Situation.JOINED: Part(3, ("joins by text",)),
    Situation.KEPT: Part(1, ("keeps the reminders",)),
    Situation.MAY_KEEP: Part(1, ("gets reminders and offers",)),
    Situation.SUSPECTED: Part(2, ("may have asked to stop", "may have asked to stop, again"), (REFILLS, FRONT_DESK)),
    Situation.CLEARED: Part(1, ("did not mean to stop",)),
    Situation.HELPED: Part(3, ("asks for help",), (FRONT_DESK, BILLING, REFILLS)),
}  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """``events`` in order of time; ``cast`` says which conversation shows which situation."""

    events: Sequence[Event]
    cast: Mapping[Thread, Situation]


def made(*, now: datetime, conversations: int = WHOLE, seed: int = SEED) -> Plan:
    """So many conversations up to ``now``: each situation at least once where there is room for all of them."""
    plot = Plot(Random(seed), now)  # noqa: S311 a demo's dice are no secret
    company = Company(plot, conversations)
    cast: dict[Thread, Situation] = {}
    for situation, turn in roles(conversations):
        it, dialogue = company.conversation(situation, turn)
        cast[it.thread] = situation
        STORIES[situation](it, dialogue, turn)
    plot.seal()
    if conversations:
        stray = Text(at=now - timedelta(hours=3), thread=(company.pool[-1].phone, NO_LINE), body="Is this the clinic?",
            carrier_id=str(plot.uuid()))  # fmt: skip
        plot.events.append(Stray(at=stray.at, text=stray))
    return Plan(sorted(plot.events, key=lambda event: event.at), cast)


def roles(conversations: int) -> Iterator[tuple[Situation, int]]:
    """Which situations, and how often each: first one of every kind, the rest in proportion, resolved ones to fill."""
    scale = conversations / WHOLE
    wanted = {situation: max(1, round(part.number * scale)) for situation, part in PARTS.items()}
    everything = [(situation, turn) for situation, count in wanted.items() for turn in range(count)]
    everything.sort(key=lambda role: role[1] > 0)
    yield from everything[:conversations]
    yield from ((Situation.RESOLVED, turn) for turn in range(conversations - len(everything)))


class Company:
    """Finds the person and the dialogue for each role."""

    def __init__(self, plot: Plot, size: int) -> None:
        self.plot, self.rng = plot, plot.rng
        self.pool = people(plot.rng, size + 1, languages=OWN_TONGUE)
        self.regulars: list[tuple[Person, str]] = []
        self.unused: dict[str, list[Dialogue]] = {}

    def conversation(self, situation: Situation, turn: int) -> tuple[Conversation, Dialogue]:
        part = PARTS.get(situation, Part(0))
        if part.names:
            dialogue, line = dialogues.named(part.names[turn % len(part.names)]), part.lines[turn % len(part.lines)]
        else:
            line, topic, _ = self.rng.choices(EVERYDAY, [weight for *_, weight in EVERYDAY])[0]
            dialogue = self.dialogue(topic)
        if situation == Situation.RESOLVED and self.regulars and self.rng.random() < SECOND_LINES:
            person, line = self.regulars.pop(self.rng.randrange(len(self.regulars)))
            dialogue = self.dialogue(topic_of(line))
        else:
            person = self.person(dialogue)
            if situation == Situation.RESOLVED and person.is_known:
                self.regulars.append((person, self.rng.choice([other for other, *_ in EVERYDAY if other != line])))
        owner = part.owners[turn % len(part.owners)] if part.owners else ""
        it = Conversation(self.plot, person, line, owner or self.rng.choices(AUTHORS, (45, 40, 15))[0])
        if owner and situation in SINCE:
            self.give(it)
        return it, dialogue

    def give(self, it: Conversation) -> None:
        """Somebody's own conversation: they know the person from before, or it was given to them today."""
        it.person.is_known = True
        if self.rng.random() < 0.6:
            STORIES[Situation.RESOLVED](it, self.dialogue(topic_of(it.line)), 0)
        else:
            it.owner = it.author

    def dialogue(self, topic: str) -> Dialogue:
        """One that was not used for as long as possible."""
        if not self.unused.get(topic):
            self.unused[topic] = self.rng.sample(dialogues.library()[topic], len(dialogues.library()[topic]))
        return self.unused[topic].pop()

    def person(self, dialogue: Dialogue) -> Person:
        """Somebody new who speaks the dialogue's language."""

        def fits(person: Person) -> bool:
            theirs = person.language if person.language in OWN_TONGUE else "en"
            return theirs == dialogue.language

        person = next(filter(fits, self.pool), self.pool[0])
        self.pool.remove(person)
        person.is_known = dialogue.says_who or self.rng.random() > 0.3
        return person


def topic_of(line: str) -> str:
    return next(topic for number, topic, _ in EVERYDAY if number == line)
