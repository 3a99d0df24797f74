"""Who there is: two brands, their programs and lines, and the people who work there."""

from typing import NamedTuple

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
    """One kind of messages, and the words in which people agree to it (version 1, English)."""

    slug: str
    brand: str
    name: str
    category: Category
    level: Level
    frequency: str
    disclosure: str


class Line(NamedTuple):
    """A number; ``kind`` is ``Line.Kind``'s word, ``program`` the one that its conversations belong to."""

    number: str
    name: str
    kind: str
    brand: str
    program: str
    carrier_answers_stop: bool = False


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
BRANDS = (
    Brand(CLINIC, "Harbor Clinic LLC", "+1 (201) 555-0199"),
    Brand(PHARMACY, "Harbor Pharmacy Inc.", "+1 (800) 555-0199"),
)
RATES = "Msg & data rates may apply. Reply HELP for help, STOP to opt out. Agreeing is no condition of any purchase."
PROGRAMS = (
    Program(
        "harbor-care", CLINIC, "Patient conversations", Category.CONVERSATIONAL, Level.CONVERSATIONAL,
        "Message frequency varies",
        f"Text Harbor Clinic and we answer by text. {RATES}",
    ),
    Program(
        "harbor-reminders", CLINIC, "Appointment reminders", Category.INFORMATIONAL, Level.EXPRESS,
        "Up to 6 messages a month",
        f"I agree to get texts from Harbor Clinic about my appointments, up to 6 a month. {RATES}",
    ),
    Program(
        "harbor-billing", CLINIC, "Billing notices", Category.INFORMATIONAL, Level.EXPRESS,
        "Up to 4 messages a month",
        f"I agree to get texts from Harbor Clinic about my bills, up to 4 a month. {RATES}",
    ),
    Program(
        "pharmacy-care", PHARMACY, "Pharmacy conversations", Category.CONVERSATIONAL, Level.CONVERSATIONAL,
        "Message frequency varies",
        f"Text Harbor Pharmacy and we answer by text. {RATES}",
    ),
    Program(
        "pharmacy-refills", PHARMACY, "Refill reminders", Category.INFORMATIONAL, Level.EXPRESS,
        "Up to 8 messages a month",
        f"I agree to get texts from Harbor Pharmacy when a refill is due or ready, up to 8 a month. {RATES}",
    ),
    Program(
        "pharmacy-offers", PHARMACY, "Wellness offers", Category.PROMOTIONAL, Level.WRITTEN,
        "Up to 2 messages a month",
        "By signing I authorize Harbor Pharmacy to send me marketing texts by automated technology at this number, "
        f"up to 2 a month. {RATES}",
    ),
)  # fmt: skip
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
AUTHORS = ("agent", "agent2", "supervisor")
FIRST_NAMES = {user.username: user.first_name for user in USERS}
LEVELS = {program.slug: program.level for program in PROGRAMS}
DISCLOSURES = {program.slug: program.disclosure for program in PROGRAMS}
