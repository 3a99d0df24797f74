"""Messages, threads and the carrier's events: the tables."""

from conversations.models.carrier import Bucket, CarrierEvent, Heartbeat, Receipt
from conversations.models.lines import Line
from conversations.models.mail import Mail
from conversations.models.messages import Message, MessageQuerySet, Wait
from conversations.models.people import OPEN, Contact, Conversation, Tag

__all__ = [
    "OPEN",
    "Bucket",
    "CarrierEvent",
    "Contact",
    "Conversation",
    "Heartbeat",
    "Line",
    "Mail",
    "Message",
    "MessageQuerySet",
    "Receipt",
    "Tag",
    "Wait",
]
