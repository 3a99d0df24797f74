"""The people who text: invented names, and numbers that nobody has (555-01xx in area codes that exist)."""

from dataclasses import dataclass, field
from random import Random

# Given names, family names and the language that some of them prefer.
FAMILIES = (
    ("Emma Liam Grace Owen Hannah Tyler Brooke Wesley", "Whitfield Carver Sutton Hale Brennan Lockwood Pruitt", "en"),
    ("Maria José Lucía Mateo Ximena Rafael Pilar Andrés", "Torres Delgado Ibáñez Quintero Salazar Cabrera Rojas", "es"),
    ("Aaliyah Marcus Imani Darnell Nia Terrence Jada", "Baptiste Freeman Gaines Tolliver Booker Mayfield", "en"),
    ("Wei Mei Jun Xiu Hao Lan", "Chen Zhao Liang Huang Guo Fong", "zh"),
    ("Arjun Kavya Rohan Meera Sanjay Divya", "Iyer Deshmukh Bhatt Menon Chaudhry Rao", "en"),
    ("Ngozi Chidi Amara Kwame Efua Tunde", "Okafor Adeyemi Mensah Boateng Eze Danjuma", "en"),
    ("Olga Dmitri Irina Sergei Natalia", "Volkova Sokolov Petrenko Kuzmin Belov", "ru"),
    ("Yusuf Layla Omar Samira Tariq Noor", "Haddad Khalil Mansour Rahimi Aziz", "ar"),
    ("Min-jun Ji-woo Seo-yeon Hyun", "Kim Park Cho Seong Bae", "ko"),
    ("Linh Minh Thuy Bao Huong", "Nguyen Tran Pham Vo Dang", "vi"),
    ("Marie Luc Chantal Étienne Josette Réginald", "Desrosiers Lavoie Moreau Pierre-Louis Gagnon", "fr"),
    ("Angelica Jomar Maricel Rey", "Santos Manalo Bautista Villanueva", "tl"),
    ("Giulia Nico Bridget Declan Anneliese Pavel", "Romano Gallagher Vogel Novak Kowalczyk Lindqvist", "en"),
    ("Beatriz Caio Thaís João", "Almeida Ferreira Nogueira Prado", "pt"),
    ("Leilani Kai Ayasha Tashina", "Kealoha Nakai Begaye Tsosie", "en"),
)
# Area codes, most of them near; the zone is what an agent notes of people whose number comes from elsewhere.
NEAR = ("201", "551", "212", "718", "917", "973", "732", "609", "215", "610", "203", "302")
FAR = {
    "312": "America/Chicago", "214": "America/Chicago", "713": "America/Chicago", "615": "America/Chicago",
    "303": "America/Denver", "602": "America/Phoenix", "213": "America/Los_Angeles", "415": "America/Los_Angeles",
    "206": "America/Los_Angeles", "808": "Pacific/Honolulu", "787": "America/Puerto_Rico", "305": "America/New_York",
    "404": "America/New_York", "617": "America/New_York",
}  # fmt: skip
NEAR_SHARE = 0.7
TAGS = ("new patient", "check-up due", "afternoons", "interpreter", "prefers calls", "VIP", "wheelchair")


@dataclass
class Person:
    """Somebody with one number. ``is_known``: an agent has noted who this is."""

    phone: str
    first: str
    last: str
    language: str
    zone: str
    reference: str
    manner: str
    is_known: bool = True
    tags: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"{self.first} {self.last}"


def numbers(rng: Random) -> list[tuple[str, str]]:
    """(E.164, zone) of every fictional number, near ones first more often than not; none of ours or of the handsets."""
    last_four = [f"01{n:02}" for n in range(100)]
    near = [(f"+1{code}555{last}", "") for code in NEAR for last in last_four if code != "201" or last > "0129"]
    near = [pair for pair in near if pair[0] != "+12015550199"]
    far = [(f"+1{code}555{last}", zone) for code, zone in FAR.items() for last in last_four]
    rng.shuffle(near)
    rng.shuffle(far)
    return [(near if far == [] or (near and rng.random() < NEAR_SHARE) else far).pop() for _ in range(len(near + far))]


def people(rng: Random, number: int, *, languages: frozenset[str]) -> list[Person]:
    """So many people, no two with the same name or number. ``languages`` are those that dialogues are written in."""
    everybody = [
        (first, last, language)
        for given, family, language in FAMILIES
        for first in given.split()
        for last in family.split()
    ]
    rng.shuffle(everybody)
    found = []
    for (first, last, language), (phone, zone) in zip(everybody * (number // len(everybody) + 1), numbers(rng)):  # noqa: B905
        speaks = language if language in languages and rng.random() < 0.6 else "en"
        found.append(
            Person(
                phone=phone,
                first=first,
                last=last,
                language=speaks if speaks != "en" else rng.choice(("en", "", "", language)),
                zone=zone if rng.random() < 0.6 else "",
                reference=f"HC-{rng.randrange(200_000, 260_000)}" if rng.random() < 0.7 else "",
                manner=rng.choices(("plain", "lower", "emoji", "typo"), (55, 25, 8, 12))[0],
                tags=rng.sample(TAGS, rng.choices((0, 1, 2), (82, 15, 3))[0]),
            )
        )
        if len(found) == number:
            break
    return found
