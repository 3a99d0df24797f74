"""What the screens say about states, verdicts and standings: every code of ours in a sentence for people."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.timezone import localdate, localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from consent import hours as rules_hours
from consent import reasons, zones
from consent.policy import Ruling
from consent.purposes import Category, Purpose
from conversations.models import UNTIL_THEY_REPLY, Contact, Message, RoutingRule
from conversations.opening import Staffed
from conversations.states import Status
from conversations.triage import Condition

# What the carrier's codes mean to somebody who is about to write again; all others keep the carrier's own words.
CARRIER_CODES = {
    "1000": gettext_lazy("the carrier was too busy"),
    "1050": gettext_lazy("the number is barred"),
    "1170": gettext_lazy("the number is not valid or cannot get texts"),
    "1180": gettext_lazy("the phone is unreachable"),
    "1240": gettext_lazy("this person has opted out with the carrier"),
    "1241": gettext_lazy("too many texts without an answer"),
    "1250": gettext_lazy("the number is unknown to its network"),
    "1260": gettext_lazy("the carrier could not deliver it"),
    "1210": gettext_lazy("the carrier took it for spam"),
}

AUTOMATIC = {
    Purpose.OPT_OUT_CONFIRMATION: gettext_lazy("Opt-out confirmation"),
    Purpose.DOUBLE_OPT_IN: gettext_lazy("Opt-in question"),
    Purpose.OPT_IN_CONFIRMATION: gettext_lazy("Opt-in confirmation"),
    Purpose.HELP: gettext_lazy("Help"),
    Purpose.OUT_OF_OFFICE: gettext_lazy("Out of office"),
    Purpose.GREETING: gettext_lazy("Greeting"),
    Purpose.CAMPAIGN: gettext_lazy("Campaign"),
    Purpose.ALERT: gettext_lazy("Alert"),
}

# Ages and deadlines. The browser keeps them current with the very same forms (static/js/times.js).
AGES = {
    "now": pgettext_lazy("age", "now"),
    "minutes": pgettext_lazy("age", "%(n)s min"),
    "hours": pgettext_lazy("age", "%(n)s h"),
    "days": pgettext_lazy("age", "%(n)s d"),
    "ago": pgettext_lazy("age", "%(age)s ago"),
    "just_now": pgettext_lazy("age", "just now"),
    "left": pgettext_lazy("deadline", "%(age)s left"),
    "over": pgettext_lazy("deadline", "%(age)s over"),
    "due": pgettext_lazy("deadline", "due now"),
    "leaves": gettext_lazy("Sending in %(n)s s"),
    "leaving": gettext_lazy("Sending…"),
}
DUE_SOON = timedelta(minutes=10)
# The carrier sends no receipt after this.
SETTLED_BY = timedelta(hours=72)


@dataclass(frozen=True)
class State:
    """A message's state in words, with a tone (``""``, ``"bad"`` or ``"warn"``) and an icon's name."""

    words: str
    icon: str
    tone: str = ""


def state(message: Message) -> State:
    """How an outbound message stands."""
    words = {
        Status.QUEUED: (_("Queued"), "clock"),
        Status.SENDING: (_("Sending"), "clock"),
        Status.SENT: (_("Sent"), "check"),
        Status.DELIVERED: (_("Delivered"), "checks"),
        Status.EXPIRED: (_("Expired: it was too late to be of use"), "alert"),
        Status.CANCELLED: (_("Cancelled"), "cross"),
    }
    status = Status(message.status)
    if is_scheduled(message):
        return State(_("Scheduled for %(when)s") % {"when": here(message.due_at)}, "clock")
    if status == Status.QUEUED and message.error_detail and message.conversation.line.paused_at is None:
        return State(_("Queued, trying again: %(why)s") % {"why": message.error_detail}, "clock", "warn")
    if status in words:
        return State(*words[status])
    if status == Status.FAILED:
        return State(_("Not delivered: %(why)s") % {"why": failure(message)}, "alert", "bad")
    if status == Status.BLOCKED:
        why = reasons.sentences(message.decision.reasons if message.decision else [])
        return State(_("Blocked: %(why)s") % {"why": why}, "alert", "bad")
    if status == Status.HELD:
        return State(_("Held until %(when)s") % {"when": here(message.due_at)}, "clock", "warn")
    if timezone.now() - message.status_at > SETTLED_BY:
        return State(_("Unknown for good: the carrier never said what became of it."), "alert", "warn")
    return State(
        _(
            "Unknown: the carrier did not answer. It may have arrived. Wait for its receipt, or send again if that "
            "matters more than a double."
        ),
        "alert",
        "warn",
    )


def is_scheduled(message: Message) -> bool:
    """Whether somebody chose a later time for it, and that time is still to come."""
    return (
        message.status == Status.QUEUED
        and message.due_at is not None
        and message.due_at - message.occurred_at > timedelta(minutes=1)
        and not message.error_detail
        and message.due_at > timezone.now()
    )


def is_leaving(message: Message) -> bool:
    """Whether it waits only for its author to change their mind."""
    return (
        message.status == Status.QUEUED
        and message.due_at is not None
        and timedelta() < message.due_at - message.occurred_at <= timedelta(minutes=1)
        and not message.error_detail
        and message.due_at > timezone.now()
    )


def leaves(seconds_left: float) -> str:
    """“Sending in 5 s”."""
    return AGES["leaves"] % {"n": math.ceil(seconds_left)} if seconds_left > 0 else str(AGES["leaving"])


def asleep(until: datetime) -> str:
    """Until when something is out of sight."""
    return _("Until they reply") if until == UNTIL_THEY_REPLY else moment(until)


def failure(message: Message) -> str:
    """Why the carrier did not deliver, with its code."""
    words = CARRIER_CODES.get(message.error_code) or message.error_detail or _("the carrier gave no reason")
    return f"{words} ({message.error_code})" if message.error_code else str(words)


def label(message: Message) -> str:
    """Who speaks, where that is not the person: an agent's name, or what kind of automatic message it is."""
    if message.purpose in AUTOMATIC:
        return _("%(what)s · automatic") % {"what": AUTOMATIC[Purpose(message.purpose)]}
    return str(message.author) if message.author else ""


PERMISSIONS = {
    "opted_in": gettext_lazy("Opted in"),
    "asked": gettext_lazy("Asked, not confirmed"),
    "opted_out": gettext_lazy("Opted out"),
    "paused": gettext_lazy("Paused until judged"),
    "when_they_write": gettext_lazy("When they write"),
    "no_consent": gettext_lazy("No consent"),
}


def moment(at: datetime | None) -> str:
    """A time as people say it: “Nov 20, 4:31 PM”, with its year where that is another one."""
    if at is None:
        return ""
    local = localtime(at)
    return date_format(local, "M j, g:i A" if local.year == localtime().year else "M j, Y, g:i A")


def here(at: datetime | None) -> str:
    """A moment that is awaited, with whose clock says so: “Nov 20, 4:31 PM EST”."""
    return f"{moment(at)} {date_format(localtime(at), 'T')}" if at else ""


def day(at: date) -> str:
    """A day's rule in the thread: “Today”, “Yesterday”, “Friday, November 20”, with its year where that is another."""
    today = localdate()
    if at == today:
        return _("Today")
    if at == today - timedelta(days=1):
        return _("Yesterday")
    return date_format(at, "l, F j" if at.year == today.year else "l, F j, Y")


def soon(at: datetime, now: datetime) -> str:
    """A time to come: “Tue 8:00 AM” within the week, else “Dec 7, 8:00 AM”."""
    return date_format(localtime(at), "D g:i A") if at - now < timedelta(days=6) else moment(at)


def snoozes(now: datetime) -> list[tuple[str, datetime, str]]:
    """When people put things off to: words, times in the center's time zone, and these in words."""
    local = localtime(now)
    morning = local.replace(hour=8, minute=0, second=0, microsecond=0)
    evening = morning.replace(hour=17)
    monday = morning + timedelta(days=7 - local.weekday())
    choices = [
        (_("In 1 hour"), (local + timedelta(hours=1)).replace(second=0, microsecond=0)),
        (_("This afternoon"), evening),
        (_("Tomorrow morning"), morning + timedelta(days=1)),
        (_("Monday morning"), monday),
        (_("In two weeks"), morning + timedelta(days=14)),
    ]
    return [(words, at, soon(at, now)) for words, at in choices if at > local]


def clocks(contact: Contact, now: datetime) -> list[tuple[str, str]]:
    """What time it is where this person is: zones and times. Two when their area code has two; none when it has more.

    What an agent noted of them comes before what their number says.
    """
    times: dict[str, str] = {}
    for zone in sorted(zones_of(contact)):
        local = localtime(now, ZoneInfo(zone))
        times.setdefault(date_format(local, "g:i A"), zone)
    return [(zone, at) for at, zone in times.items()] if len(times) <= 2 else []


def zones_of(contact: Contact) -> frozenset[str]:
    """Where this person may be: what an agent noted of them, else by their postal code or number."""
    if contact.time_zone:
        return frozenset({contact.time_zone})
    return zones.candidates(contact.phone, contact.postal_code or None)


def hours(ruling: Ruling, contact: Contact) -> str:
    """Until or from when a program's texts may go: on the person's clock where there is one, else on the center's."""
    at = ruling.closes_at or ruling.held_until
    if at is None:
        return ""
    places = zones_of(contact)
    zone = ZoneInfo(next(iter(places))) if len(places) == 1 else None
    when = date_format(localtime(at, zone), "D g:i A")
    if zone is not None:
        when = _("%(when)s there") % {"when": when}
    return (_("until %(when)s") if ruling.closes_at else _("from %(when)s")) % {"when": when}


def morning_there(contact: Contact, now: datetime) -> datetime | None:
    """When nobody is woken any more, wherever this person may be; ``None`` while nobody is."""
    regions = zones.regions(contact.phone, contact.postal_code or None)
    return rules_hours.opening(zones_of(contact), regions, Category.INFORMATIONAL, now).opens_at


def opening(staffed: Staffed, now: datetime) -> str:
    """Whether a team is there: “Open”, or “Closed until Monday 8:00 AM” on its own clock."""
    if staffed.week.is_open(now):
        return _("Open")
    return _("Closed until %(when)s") % {"when": opens(staffed, now)}


def opens(staffed: Staffed, now: datetime) -> str:
    """When a team is there next, on its own clock; “soon” where nobody knows."""
    at = staffed.week.next_opening(now)
    return (
        _("further notice") if at is None else date_format(localtime(at, ZoneInfo(staffed.team.time_zone)), "l g:i A")
    )


def rule(row: RoutingRule) -> list[str]:
    """A routing rule's conditions in words."""
    return [words for _kind, words in terms(row)]


def judged(row: RoutingRule, conditions: Sequence[Condition]) -> list[tuple[bool, str]]:
    """Each condition of a rule in words, and whether it holds for an example."""
    words = dict(terms(row))
    found = {one.kind: one.found for one in conditions if one.found}
    return [(one.holds, words[one.kind] + (f" ({found[one.kind]})" if one.kind in found else "")) for one in conditions]


def terms(row: RoutingRule) -> Iterator[tuple[str, str]]:
    if lines := ", ".join(line.name for line in row.lines.all()):
        yield "line", _("to %(lines)s") % {"lines": lines}
    if row.program is not None:
        yield "program", _("about %(program)s") % {"program": row.program.name}
    if words := ", ".join(filter(None, map(str.strip, row.words.splitlines()))):
        yield "words", _("has one of: %(words)s") % {"words": words}
    if row.language:
        yield "language", _("in the language %(language)s") % {"language": row.language}
    if tags := ", ".join(tag.name for tag in row.tags.all()):
        yield "tags", _("from somebody tagged %(tags)s") % {"tags": tags}
    if row.hours:
        yield "hours", str(row.get_hours_display())


def age(seconds: float) -> str:
    """How much time that is, roughly: “3 min”."""
    minutes = int(abs(seconds) // 60)
    if minutes < 1:
        return str(AGES["now"])
    if minutes < 60:
        return AGES["minutes"] % {"n": minutes}
    if minutes < 60 * 24:
        return AGES["hours"] % {"n": minutes // 60}
    return AGES["days"] % {"n": minutes // (60 * 24)}


def took(seconds: float) -> str:
    """How long something lasted: “38 s”, “4 min”, “1 h 20 min”."""
    minutes = round(seconds / 60)
    if seconds < 59.5:
        return _("%(n)s s") % {"n": round(seconds)}
    if minutes < 60:
        return AGES["minutes"] % {"n": minutes}
    return _("%(hours)s h %(minutes)s min") % {"hours": minutes // 60, "minutes": minutes % 60}


def ago(seconds: float) -> str:
    return str(AGES["just_now"]) if abs(seconds) < 60 else AGES["ago"] % {"age": age(seconds)}


def deadline(seconds_left: float) -> str:
    """How a deadline stands: “4 min left”, “12 min over”."""
    if abs(seconds_left) < 60:
        return str(AGES["due"])
    return AGES["left" if seconds_left > 0 else "over"] % {"age": age(seconds_left)}
