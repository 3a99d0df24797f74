"""The words that consent is about. Pure: no Django, so that the policy can be read and tested alone."""

from enum import StrEnum


class Purpose(StrEnum):
    """Why a message is sent. Every outbound message has exactly one."""

    REPLY = "reply"
    CAMPAIGN = "campaign"
    ALERT = "alert"
    DOUBLE_OPT_IN = "double_opt_in"
    OPT_IN_CONFIRMATION = "opt_in_confirmation"
    OPT_OUT_CONFIRMATION = "opt_out_confirmation"
    HELP = "help"
    OUT_OF_OFFICE = "out_of_office"
    GREETING = "greeting"


class Category(StrEnum):
    """What kind of messages a program sends (CTIA's three)."""

    CONVERSATIONAL = "conversational"
    INFORMATIONAL = "informational"
    PROMOTIONAL = "promotional"


class Level(StrEnum):
    """How firmly somebody agreed, weakest first; ``rank`` orders them."""

    NONE = "none"
    CONVERSATIONAL = "conversational"
    EXPRESS = "express"
    WRITTEN = "written"

    @property
    def rank(self) -> int:
        return list(Level).index(self)


class ConfirmedBy(StrEnum):
    """What answers the question of a double opt-in. A link in an email proves who reads that address; only a text from
    the phone proves whose phone it is."""

    TEXT = "text"
    EMAIL = "email"


class Kind(StrEnum):
    """What one line of the ledger says happened. ``requested`` permits nothing but the question whether it is so, which
    ``confirmed`` answers."""

    REQUESTED = "requested"
    GRANTED = "granted"
    CONFIRMED = "confirmed"
    REVOKED = "revoked"
    RESUMED = "resumed"
    SUSPECTED = "suspected"
    CLEARED = "cleared"


class Source(StrEnum):
    """Through what an event reached us."""

    KEYWORD = "keyword"
    FREE_TEXT = "free_text"
    CARRIER = "carrier"
    AGENT = "agent"
    WEB = "web"
    EMAIL = "email"
    PAPER = "paper"
    PHONE = "phone"
    API = "api"
    IMPORT = "import"


class Effect(StrEnum):
    """What an event changed, decided under the lock when it was recorded."""

    NOTHING = "nothing"
    REQUESTED = "requested"
    GRANTED = "granted"
    SUPPRESSED = "suppressed"
    RESUMED = "resumed"
    SUSPECTED = "suspected"
    CLEARED = "cleared"


class Verdict(StrEnum):
    ALLOWED = "allowed"
    HELD = "held"
    BLOCKED = "blocked"
