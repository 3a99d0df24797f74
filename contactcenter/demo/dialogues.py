"""What is said: dialogues read from ``texts/``, their blanks filled in, each person in a manner of their own.

A dialogue begins with ``== name | tags | language``; ``>`` is a text of the person's, ``<`` one of ours, and an
indented line goes on with the text before it. ``{blank}`` is filled in, ``[one|other]`` leaves a choice, and
``[photo]`` is a picture.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random

PHOTO = "[photo]"
EMOJI = ("🙂", "👍", "🙏", "😅")
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
TIMES = ("8:20", "8:40", "9:15", "9:45", "10:20", "11:10", "11:40", "1:30", "2:15", "2:45", "3:20", "4:10", "4:40")
# What the blanks are filled with. A number after a blank's name asks for another value of the same kind.
POOLS: Mapping[str, tuple[str, ...]] = {
    "day": DAYS,
    "dia": ("lunes", "martes", "miércoles", "jueves", "viernes"),
    "jour": ("lundi", "mardi", "mercredi", "jeudi", "vendredi"),
    "time": TIMES,
    "doctor": ("Dr. Feld", "Dr. Castellano", "Dr. Nakamura", "Dr. Iyer", "Dr. Brandt", "Dr. Abara"),
    "med": ("lisinopril", "metformin", "atorvastatin", "levothyroxine", "amlodipine", "sertraline", "omeprazole"),
    "dose": ("10 mg", "20 mg", "25 mg", "40 mg", "500 mg"),
    "test": ("blood test", "ultrasound", "thyroid panel", "A1C", "MRI", "stress test", "x-ray"),
    "body": ("knee", "shoulder", "ankle", "wrist", "lower back", "hip"),
    "child": ("Noah", "Zoe", "Eli", "Sofia", "Kofi", "Anya", "Leo", "Maya"),
    "insurer": ("Aetna", "Cigna", "Horizon", "UnitedHealthcare", "Medicare", "Oscar"),
    "street": ("Maple Ave", "2nd Street", "Garden Road", "Bergen Blvd", "Willow Ct", "Orchard Lane"),
    "city": ("Denver", "Tampa", "Cleveland", "Portland", "Austin", "Baltimore"),
    "minutes": ("10", "15", "20", "25"),
    "upper": tuple(str(n) for n in range(117, 133)),
    "lower": tuple(str(n) for n in range(72, 86)),
    "high": tuple(str(n) for n in range(141, 156)),
    "pulse": tuple(str(n) for n in range(62, 81)),
    "sugar": tuple(str(n) for n in range(92, 127)),
    "sugarhigh": tuple(str(n) for n in range(168, 199)),
    "pain": ("2", "3", "4", "5"),
    "bend": ("70", "80", "85", "90", "100"),
    "hours": ("5", "6", "7"),
}
# (lowest, beyond the highest)
RANGES = {"n": (100, 1000), "rx": (60_100, 89_900), "claim": (40_000, 99_000)}
THANKS = {
    "en": (
        "Thank you!",
        "Thanks so much",
        "thx",
        "👍",
        "Great, thank you",
        "ok thanks",
        "Perfect!",
        "Awesome, thanks",
        "🙏",
    ),
    "es": ("¡Gracias!", "Muchas gracias", "👍", "Perfecto, gracias"),
    "fr": ("Merci beaucoup !", "Parfait, merci", "👍"),
}


CHOICE = re.compile(r"\[([^\[\]]*\|[^\[\]]*)\]")


@dataclass(frozen=True)
class Turn:
    """One text with its blanks and choices."""

    is_ours: bool
    text: str

    def filled(self, blanks: "Blanks") -> str:
        """The text as it is said this time."""
        chosen = CHOICE.sub(lambda choice: blanks.rng.choice(choice[1].split("|")), self.text)
        return chosen.format_map(blanks).strip()


@dataclass(frozen=True)
class Dialogue:
    """A few turns about one thing. ``topic`` is the file's name: whose line it is for."""

    topic: str
    name: str
    tags: tuple[str, ...]
    language: str
    turns: tuple[Turn, ...]

    @property
    def replies(self) -> int:
        return sum(turn.is_ours for turn in self.turns)

    @property
    def says_who(self) -> bool:
        """Whether the person's name is in it."""
        return any(blank in turn.text for turn in self.turns for blank in ("{me}", "{first}"))


@cache
def library() -> Mapping[str, tuple[Dialogue, ...]]:
    """All dialogues by topic."""
    folder = Path(__file__).parent / "texts"
    return {path.stem: tuple(read(path.stem, path.read_text("utf-8"))) for path in sorted(folder.glob("*.txt"))}


def named(name: str) -> Dialogue:
    """The dialogue of that name. Raises ``LookupError``."""
    for dialogues in library().values():
        for dialogue in dialogues:
            if dialogue.name == name:
                return dialogue
    raise LookupError(name)


def read(topic: str, text: str) -> Iterator[Dialogue]:
    """The dialogues of one file."""
    for block in text.split("== ")[1:]:
        head, *lines = block.strip().split("\n")
        name, tags, language = (part.strip() for part in (f"{head} | | ").split("|")[:3])
        turns: list[Turn] = []
        for line in lines:
            if line.startswith("  "):
                turns[-1] = Turn(turns[-1].is_ours, f"{turns[-1].text}\n{line.strip()}")
            else:
                turns.append(Turn(line[0] == "<", line[2:]))
        words = tuple(tag.strip() for tag in tags.split(",") if tag.strip())
        yield Dialogue(topic, name, words, language or "en", tuple(turns))


class Blanks(dict[str, str]):
    """Fills blanks as they are met and remembers what it said."""

    def __init__(self, rng: Random, at: datetime, **known: str) -> None:
        super().__init__(known)
        self.rng, self.at = rng, at

    def __missing__(self, blank: str) -> str:
        kind = blank.rstrip("0123456789")
        self[blank] = value = self.drawn(kind)
        return value

    def drawn(self, kind: str) -> str:
        if kind == "date":
            day = self.at + timedelta(days=self.rng.randrange(3, 18))
            return f"{day:%B} {day.day}"
        if kind == "amount":
            return f"${self.rng.randrange(18, 480)}.{self.rng.choice(('00', '20', '45', '50', '80'))}"
        if kind in RANGES:
            number = str(self.rng.randrange(*RANGES[kind]))
            return f"HC-{number}" if kind == "claim" else number
        taken = {value for blank, value in self.items() if blank.rstrip("0123456789") == kind}
        return self.rng.choice([value for value in POOLS[kind] if value not in taken])


def greeting(rng: Random, first: str) -> str:
    """How one of ours begins; ``first`` is empty when nobody knows who this is."""
    word = rng.choice(("Hi", "Hi", "Hello"))
    return f"{word} {first}," if first else f"{word},"


def signature(rng: Random, first: str) -> str:
    """How one of ours ends."""
    return rng.choice((first, f"– {first}", f"– {first}, Harbor", ""))


def in_manner(rng: Random, manner: str, text: str) -> str:
    """As this person types it."""
    if text == PHOTO or len(text) < 4:
        return text
    if manner == "lower":
        return text.replace("I'm", "im").replace("don't", "dont").lower().rstrip(".!")
    if manner == "emoji" and rng.random() < 0.5:
        return f"{text} {rng.choice(EMOJI)}"
    if manner == "typo" and rng.random() < 0.5:
        words = text.split(" ")
        places = [place for place, word in enumerate(words) if len(word) > 4 and word.isascii() and word.isalpha()]
        if places:
            place = rng.choice(places)
            word, at = words[place], rng.randrange(1, len(words[place]) - 2)
            words[place] = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        return " ".join(words)
    return text
