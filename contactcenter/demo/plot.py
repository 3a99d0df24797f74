"""From dialogues to events: the means by which ``stories`` tell what happens in one conversation."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from consent import keywords, revocation
from consent.purposes import Kind, Source
from contactcenter.demo import dialogues, organisation
from contactcenter.demo.desk import Desk, Rush
from contactcenter.demo.dialogues import Blanks, Dialogue, Turn
from contactcenter.demo.events import Act, Event, Fate, Judge, Leave, Note, Remark, Reply, Said, Seal, Text
from contactcenter.demo.people import Person

# Of those who write, so many agreed to more than being answered.
AGREED_SHARE = 0.4
PAGES = {
    organisation.FRONT_DESK: "https://harborclinic.example/join/",
    organisation.BILLING: "https://harborclinic.example/pay/",
    organisation.REFILLS: "https://harborpharmacy.example/join/",
}
BROWSERS = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15",
    "Mozilla/5.0 (Linux; Android 16; Pixel 9) AppleWebKit/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36",
)


class Plot:
    """All events so far, and the dice. ``now`` is the moment of seeding; nothing happens after it."""

    def __init__(self, rng: Random, now: datetime) -> None:
        self.rng, self.now = rng, now
        self.desk = Desk(rng, now)
        self.events: list[Event] = []
        self.leaves: set[datetime] = set()

    def uuid(self) -> UUID:
        return UUID(int=self.rng.getrandbits(128), version=4)

    def seconds(self, least: int, most: int) -> timedelta:
        return timedelta(seconds=self.rng.uniform(least, most))

    def leave(self, at: datetime) -> None:
        """What is due leaves at that round."""
        if at not in self.leaves:
            self.leaves.add(at)
            self.events.append(Leave(at=at))

    def seal(self) -> None:
        """Every evening."""
        evenings = {rush[-1].date(): rush[-1] for rush in self.desk.rushes}
        self.events += [Seal(at=at + timedelta(minutes=30)) for at in evenings.values()]


class Conversation:
    """One person on one line, and how far their story has got (``at``)."""

    def __init__(self, plot: Plot, person: Person, line: str, author: str) -> None:
        self.plot, self.rng = plot, plot.rng
        self.person, self.line, self.author = person, line, author
        self.thread = (person.phone, line)
        self.owner = ""
        self.at = plot.desk.rushes[0][0] - timedelta(days=1)
        self.is_noted = False
        self.is_in_doubt = False

    # --- The person

    def text(self, at: datetime, body: str) -> None:
        """The person writes; what their words do by themselves happens a second later."""
        self.at = at
        is_picture = body == dialogues.PHOTO
        self.plot.events.append(
            Text(
                at=at,
                thread=self.thread,
                body="" if is_picture else body,
                carrier_id=str(self.plot.uuid()),
                is_picture=is_picture,
            )
        )
        judged = revocation.classify(body).kind
        self.is_in_doubt |= judged == "suspect"
        if keywords.match(body, join=organisation.JOINED_BY) or judged == "revoke":
            self.plot.events.append(Leave(at=at + timedelta(seconds=1.2), thread=self.thread))

    def texts(self, dialogue: Dialogue, start: datetime, *, gap: tuple[int, int]) -> None:
        """Several in a row, that nobody has answered yet; ``gap`` in seconds."""
        blanks = self.blanks(start)
        for turn in dialogue.turns:
            self.text(start, self.worded(turn, blanks))
            start += self.plot.seconds(*gap)

    # --- The desk

    def reply(self, at: datetime, body: str, fate: Fate = Fate.DELIVERED, due_at: datetime | None = None) -> UUID:
        """An agent writes; it leaves with the next ``Leave``."""
        self.at, ref = at, self.plot.uuid()
        self.plot.events.append(
            Reply(at=at, thread=self.thread, body=body, author=self.author, ref=ref, fate=fate, due_at=due_at)
        )
        return ref

    def answer(self, body: str, fate: Fate = Fate.DELIVERED) -> UUID:
        """A reply in the next round: typed a few seconds before the desk's texts leave."""
        at = self.plot.desk.next(self.at + timedelta(seconds=25))
        self.plot.leave(at)
        ref = self.reply(at - self.plot.seconds(1, 12), body, fate)
        if fate == Fate.THROTTLED:
            self.plot.leave(at + timedelta(seconds=6))
        self.at = at + timedelta(seconds=9)
        return ref

    def act(self, kind: Act.Kind, *, author: str = "", until: datetime | None = None) -> None:
        self.at += self.plot.seconds(1, 4)
        self.plot.events.append(Act(at=self.at, thread=self.thread, kind=kind, author=author, until=until))

    def resolve(self) -> None:
        """With the desk's next round, or after the last one of a rush."""
        self.at += timedelta(seconds=10)
        round_at = self.plot.desk.next(self.at)
        self.at = round_at + timedelta(seconds=9) if round_at < self.at + timedelta(minutes=10) else self.at
        self.act(Act.Kind.RESOLVE, author=self.author)

    def remark(self, body: str, author: str = "") -> None:
        """A note for colleagues."""
        self.at += timedelta(seconds=2)
        self.plot.events.append(
            Remark(at=self.at, thread=self.thread, body=body, author=author or self.author, ref=self.plot.uuid())
        )

    def note(self, tags: tuple[str, ...] = ()) -> None:
        """The agent notes who this is, once."""
        if self.is_noted or not self.person.is_known:
            return
        self.is_noted = True
        self.at += timedelta(seconds=1)
        details = {
            "name": self.person.name,
            "reference": self.person.reference,
            "language": self.person.language,
            "time_zone": self.person.zone,
        }
        tags = tuple(dict.fromkeys([*(tag for tag in tags if self.rng.random() < 0.7), *self.person.tags]))
        self.plot.events.append(Note(at=self.at, thread=self.thread, details=details, tags=tags))

    # --- Both

    def blanks(self, at: datetime, **known: str) -> Blanks:
        person = self.person
        first = person.first if person.is_known else ""
        return Blanks(
            self.rng,
            at,
            me=person.name,
            first=first,
            hi=dialogues.greeting(self.rng, first),
            agent=dialogues.signature(self.rng, organisation.FIRST_NAMES[self.author]),
            **known,
        )

    def worded(self, turn: Turn, blanks: Blanks) -> str:
        """A text of the person's in their own manner; keywords stay as they are."""
        text = turn.filled(blanks)
        return text if turn.text.startswith("{") else dialogues.in_manner(self.rng, self.person.manner, text)

    def play(
        self,
        dialogue: Dialogue,
        start: datetime,
        *,
        turns: slice = slice(None),
        fates: Mapping[int, Fate] | None = None,
        blanks: Blanks | None = None,
    ) -> list[UUID]:
        """A dialogue, or some of its turns, from ``start`` on. ``fates`` of our texts by place; their ids."""
        blanks = blanks or self.blanks(start)
        self.at = start
        refs: list[UUID] = []
        was_ours: bool | None = None
        for turn in dialogue.turns[turns]:
            body = turn.filled(blanks)
            if turn.is_ours:
                refs.append(self.answer(body, (fates or {}).get(len(refs), Fate.DELIVERED)))
                self.note(dialogue.tags)
            else:
                pause = (4, 25) if was_ours is False else (12, 80) if was_ours else (0, 1)
                self.text(self.at + self.plot.seconds(*pause), self.worded(turn, blanks))
            was_ours = turn.is_ours
        return refs

    def at_rush(self, rush: Rush, replies: int) -> datetime:
        """When a person writes so that the desk's answers fit into this rush, mostly."""
        first = rush[self.rng.randrange(max(1, len(rush) - replies))]
        return first - self.plot.seconds(40, 110)

    # --- Consent

    def judge(self, *, is_revocation: bool) -> None:
        """An officer reads what may have been a "no", if any of it was."""
        if self.is_in_doubt:
            self.at += timedelta(seconds=40)
            self.plot.events.append(
                Judge(at=self.at, thread=self.thread, judged_by="compliance", is_revocation=is_revocation)
            )

    def agree(self, before: datetime) -> None:
        """Agrees to a program, days or minutes before writing: on paper, which somebody types in later, or online."""
        if self.rng.random() > AGREED_SHARE:
            return
        program = self.rng.choice(organisation.OFFERED[self.line])
        evidence = {"name": self.person.name, "words": organisation.DISCLOSURES[program]}
        if self.rng.random() < 0.8:  # forms are typed in together, when a rush is over
            self.said(
                Kind.GRANTED,
                Source.PAPER,
                at=self.plot.desk.evening(before),
                occurred_at=before - timedelta(days=self.rng.randrange(1, 90), minutes=self.rng.randrange(300)),
                program=program,
                evidence={**evidence, "form": "Paper form HC-12, filed under the person's name"},
            )
        else:
            at = before - self.plot.seconds(200, 4000)
            evidence |= {
                "page": PAGES[self.line],
                "ip": f"203.0.113.{self.rng.randrange(1, 255)}",
                "browser": self.rng.choice(BROWSERS),
            }
            self.said(Kind.GRANTED, Source.WEB, at=at, occurred_at=at, program=program, evidence=evidence)

    def said(
        self,
        kind: Kind,
        source: Source,
        *,
        at: datetime,
        occurred_at: datetime,
        program: str = "",
        evidence: Mapping[str, str] | None = None,
        message_ref: str = "",
    ) -> None:
        is_ours = source in {Source.AGENT, Source.PAPER}
        self.plot.events.append(
            Said(
                at=at,
                thread=self.thread,
                kind=kind,
                source=source,
                occurred_at=occurred_at,
                program=program,
                author=self.author if is_ours else "",
                message_ref=message_ref,
                evidence=evidence or {},
            )
        )
