"""What a team answers by itself: a greeting to whoever writes for the first time; while it is closed, when it is back.

Neither is an answer that anybody waited for: no wait ends by it. Two machines never talk to each other for long: what
reads as a machine's gets none, nobody gets a second one within the team's period, and nobody more than a few a day.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.db.models import OuterRef, Subquery
from django.utils import formats
from django.utils.translation import gettext as _

from consent.models import ConsentEvent
from consent.purposes import Purpose
from conversations import automatic, machines, nudging, opening, outbound
from conversations.models import Conversation, Message, Team
from conversations.opening import Staffed

WELCOMES = (Purpose.GREETING, Purpose.OUT_OF_OFFICE)
# Whatever a team has chosen, and however many lines somebody writes to.
AT_LEAST = timedelta(hours=1)
MOST_A_DAY = 3
DAY = timedelta(days=1)
# What was on its way for longer is answered by people.
FRESH = timedelta(minutes=15)
# As many minutes as the column of a team's period holds.
LONGEST = timedelta(minutes=32_767)
OPENS = "{opens}"


class Place(NamedTuple):
    """Where somebody has written. ``first`` is the first message there."""

    team_id: int
    contact_id: int
    first: int


def welcome(texts: Sequence[Message], events: Mapping[str, ConsentEvent], *, now: datetime) -> None:
    """Queues what these texts call for. One statement where no team answers by itself, five at most for any number.

    The caller holds the conversations' locks and leaves out whoever is blocked; ``events`` are what texts did to the
    ledger, by the carrier's id.
    """
    first: dict[int, Message] = {}
    for text in texts:
        if is_for_people(text, events, now):
            first.setdefault(text.conversation_id, text)
    answering = Team.objects.filter(is_active=True).exclude(greeting="", out_of_office="")
    team_ids = list(answering.values_list("pk", flat=True)) if first else []
    if not team_ids:
        return
    places = places_of(first, team_ids)
    said = said_to({place.contact_id for place in places.values()}, now)
    teams = opening.staffed(place.team_id for place in places.values())
    messages = []
    for pk, place in places.items():
        one, text = teams[place.team_id], first[pk]
        if is_enough(said, pk, place.contact_id, one.team, now):
            continue
        purpose, body = wording(one, is_first=place.first == text.pk, now=now)
        if body:
            said.append((pk, place.contact_id, now))
            messages.append(
                outbound.automatic(
                    conversation=text.conversation,
                    body=body,
                    purpose=purpose,
                    cause=str(text.carrier_id),
                    program_id=None,
                    now=now,
                )
            )
    if messages:
        Message.objects.bulk_create(messages, ignore_conflicts=True)
        nudging.nudge(Message.Lane.AGENTS)


def is_for_people(text: Message, events: Mapping[str, ConsentEvent], now: datetime) -> bool:
    """Not what consent or a keyword has answered, nor a machine's, nor what comes late."""
    return (
        text.kind == Message.Kind.TEXT
        and str(text.carrier_id) not in events
        and not automatic.meaning_of(text.body)
        and not machines.wrote(text.body)
        and now - text.occurred_at < FRESH
    )


def places_of(first: Mapping[int, Message], team_ids: Sequence[int]) -> dict[int, Place]:
    """Of these conversations, those of teams that answer by themselves."""
    earliest = Message.objects.filter(conversation=OuterRef("pk")).order_by("pk").values("pk")[:1]
    rows = Conversation.objects.filter(pk__in=first, team__in=team_ids).annotate(first=Subquery(earliest))
    return {pk: Place(*place) for pk, *place in rows.values_list("pk", "team_id", "contact_id", "first").order_by("pk")}


def said_to(contact_ids: set[int], now: datetime) -> list[tuple[int, int, datetime]]:
    """What these people were told by a machine of ours lately: conversation, contact, when."""
    since = now - LONGEST
    told = Message.objects.filter(conversation__contact__in=contact_ids, purpose__in=WELCOMES, occurred_at__gt=since)
    return list(told.values_list("conversation_id", "conversation__contact_id", "occurred_at"))


def is_enough(
    said: Sequence[tuple[int, int, datetime]], conversation_id: int, contact_id: int, team: Team, now: datetime
) -> bool:
    period = max(AT_LEAST, timedelta(minutes=team.answers_again_after))
    if any(pk == conversation_id and now - at < period for pk, _contact, at in said):
        return True
    return Counter(contact for _pk, contact, at in said if now - at < DAY)[contact_id] >= MOST_A_DAY


def wording(one: Staffed, *, is_first: bool, now: datetime) -> tuple[Purpose, str]:
    """What a team says now; nothing where it has no words for it."""
    if one.week.is_open(now):
        return Purpose.GREETING, one.team.greeting if is_first else ""
    return Purpose.OUT_OF_OFFICE, one.team.out_of_office.replace(OPENS, opens(one, now))


def opens(one: Staffed, now: datetime) -> str:
    """When somebody is there again, as the team's own clock says it."""
    at = one.week.next_opening(now)
    if at is None:
        return _("soon")
    local = at.astimezone(ZoneInfo(one.team.time_zone))
    is_soon = local.date() - now.astimezone(local.tzinfo).date() < timedelta(days=7)
    day = formats.date_format(local, "l" if is_soon else "F j")
    return _("%(day)s at %(time)s") % {"day": day, "time": formats.date_format(local, "g:i A")}
