"""Messages, threads and the carrier's events: the tables."""

from conversations.models.carrier import Bucket, CarrierEvent, Heartbeat, Receipt
from conversations.models.lines import Line
from conversations.models.mail import Mail
from conversations.models.messages import Message, MessageQuerySet, Wait
from conversations.models.people import OPEN, UNTIL_THEY_REPLY, Contact, Conversation, Disposition, Tag, Team
from conversations.models.teams import Holiday, Membership, OpeningHours, Presence, RoutingRule
from conversations.models.timeline import Draft, Entry, Mention, Note

__all__ = [
    "OPEN",
    "UNTIL_THEY_REPLY",
    "Bucket",
    "CarrierEvent",
    "Contact",
    "Conversation",
    "Disposition",
    "Draft",
    "Entry",
    "Heartbeat",
    "Holiday",
    "Line",
    "Mail",
    "Membership",
    "Mention",
    "Message",
    "MessageQuerySet",
    "Note",
    "OpeningHours",
    "Presence",
    "Receipt",
    "RoutingRule",
    "Tag",
    "Team",
    "Wait",
]
