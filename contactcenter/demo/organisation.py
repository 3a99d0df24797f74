"""Who there is: two brands, their programs and lines, and the people who work there."""

from dataclasses import replace
from typing import NamedTuple

from consent import phrases
from consent.elements import Offer
from consent.purposes import Category, Level

CLINIC, PHARMACY = "Harbor Clinic", "Harbor Pharmacy"
FRONT_DESK, BILLING, REFILLS = "+12015550100", "+12015550101", "+18005550100"
# A number that people text although it is no line: a typo on a leaflet.
NO_LINE = "+12015550102"


class Brand(NamedTuple):
    """The legal sender that people know."""

    name: str
    legal_name: str
    help_contact: str


class Program(NamedTuple):
    """One kind of messages."""

    slug: str
    brand: str
    name: str
    category: Category
    level: Level
    frequency: str
    description: str
    keyword: str = ""
    is_double_opt_in: bool = False


class Line(NamedTuple):
    """A number; ``kind`` is ``Line.Kind``'s word, ``program`` the one that its conversations belong to."""

    number: str
    name: str
    kind: str
    brand: str
    program: str
    carrier_answers_stop: bool = False


class Team(NamedTuple):
    """People who answer together; ``members`` by user name."""

    name: str
    members: tuple[str, ...]
    gives_out: bool


class Rule(NamedTuple):
    """Which team a text goes to; asked in order."""

    name: str
    team: str
    words: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()


class User(NamedTuple):
    """Somebody who signs in; ``role`` is ``Role``'s word."""

    username: str
    first_name: str
    last_name: str
    role: str


USERS = (
    User("agent", "Priya", "Nair", "agent"),
    User("agent2", "Dana", "Ruiz", "agent"),
    User("supervisor", "Samuel", "Osei", "supervisor"),
    User("compliance", "Celia", "Marsh", "compliance"),
    User("admin", "Ada", "Berg", "administrator"),
)
# Whoever tries this out is to see everybody's hands full, and nobody refused.
CAPACITY = 60
BRANDS = (
    Brand(CLINIC, "Harbor Clinic LLC", "+1 (201) 555-0199"),
    Brand(PHARMACY, "Harbor Pharmacy Inc.", "+1 (800) 555-0199"),
)
TERMS, PRIVACY = "https://harbor.example/texts/terms", "https://harbor.example/texts/privacy"
PROGRAMS = (
    Program(
        "harbor-care", CLINIC, "Patient conversations", Category.CONVERSATIONAL, Level.CONVERSATIONAL,
        "Message frequency varies", "your care and your visits",
    ),
    Program(
        "harbor-reminders", CLINIC, "Appointment reminders", Category.INFORMATIONAL, Level.EXPRESS,
        "Up to 6 messages a month", "appointment reminders", "REMINDERS",
    ),
    Program(
        "harbor-billing", CLINIC, "Billing notices", Category.INFORMATIONAL, Level.EXPRESS,
        "Up to 4 messages a month", "billing notices",
    ),
    Program(
        "harbor-classes", CLINIC, "Health classes", Category.INFORMATIONAL, Level.EXPRESS,
        "Up to 2 messages a month", "free health classes near you", "CLASSES", is_double_opt_in=True,
    ),
    Program(
        "harbor-offers", CLINIC, "Clinic offers", Category.PROMOTIONAL, Level.WRITTEN,
        "Up to 2 messages a month", "offers on checkups", "CHECKUPS",
    ),
    Program(
        "pharmacy-care", PHARMACY, "Pharmacy conversations", Category.CONVERSATIONAL, Level.CONVERSATIONAL,
        "Message frequency varies", "your prescriptions",
    ),
    Program(
        "pharmacy-refills", PHARMACY, "Refill reminders", Category.INFORMATIONAL, Level.EXPRESS,
        "Up to 8 messages a month", "refill reminders", "REFILLS",
    ),
    Program(
        "pharmacy-offers", PHARMACY, "Wellness offers", Category.PROMOTIONAL, Level.WRITTEN,
        "Up to 2 messages a month", "wellness offers", "OFFERS",
    ),
)  # fmt: skip


def offer(program: Program) -> Offer:
    """The program as its wordings speak of it."""
    contacts = {brand.name: brand.help_contact for brand in BRANDS}
    return Offer(
        brand=program.brand,
        program=program.name,
        description=program.description,
        category=program.category,
        level=program.level,
        frequency=program.frequency,
        contact=contacts[program.brand],
        terms_url=TERMS,
        privacy_url=PRIVACY,
    )


LINES = (
    Line(FRONT_DESK, "Front desk", "10dlc", CLINIC, "harbor-care"),
    Line(BILLING, "Billing", "10dlc", CLINIC, "harbor-care"),
    Line(REFILLS, "Toll-free", "toll_free", PHARMACY, "pharmacy-care", carrier_answers_stop=True),
)
# What people of each line agree to beyond being answered.
OFFERED = {
    FRONT_DESK: ("harbor-reminders",),
    BILLING: ("harbor-billing", "harbor-reminders"),
    REFILLS: ("pharmacy-refills", "pharmacy-refills", "pharmacy-offers"),
}
TEAMS = (
    Team("Scheduling", ("agent", "agent2"), gives_out=False),
    Team("Billing", ("agent", "agent2", "supervisor"), gives_out=False),
    Team("Pharmacy", ("agent2",), gives_out=False),
)
RULES = (
    Rule("Billing questions", "Billing", words=("bill*", "charge*", "invoice", "refund*", "copay*", "factura")),
    Rule("The billing line", "Billing", lines=(BILLING,)),
    Rule("The pharmacy's line", "Pharmacy", lines=(REFILLS,)),
    Rule("Visits", "Scheduling", words=("appointment*", "reschedul*", "cancel*", "visit*", "cita", "rendez-vous")),
)
DISPOSITIONS = ("Appointment", "Billing", "Prescription", "Wrong number", "No answer needed")
AUTHORS = ("agent", "agent2", "supervisor")
FIRST_NAMES = {user.username: user.first_name for user in USERS}
JOINED_BY = frozenset(program.keyword for program in PROGRAMS if program.keyword) | {"YES", "KEEP REMINDERS"}
LEVELS = {program.slug: program.level for program in PROGRAMS}
# The words in which people agree to each (version 1, English), and in Spanish where a clinic's people ask for it.
DISCLOSURES = {program.slug: phrases.disclosure(offer(program)) for program in PROGRAMS}
IN_SPANISH = {
    "harbor-reminders": phrases.disclosure(replace(offer(PROGRAMS[1]), description="recordatorios de sus citas"), "es")
}
