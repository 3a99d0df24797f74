"""Who may be given work now. Pure: no Django.

Somebody is on shift while a page of theirs is connected and they have not gone; they get work while they are
available as well, and not idle. Nobody gets work off shift.
"""

from datetime import datetime, timedelta
from enum import StrEnum

# A page shows itself every 30 seconds; a reload or a lost network takes longer than one of those.
SEEN_FOR = timedelta(minutes=2)
# Open conversations at once, until somebody says otherwise.
CAPACITY = 25
# For conversations of no team: whoever has touched nothing for so long is not at their desk.
IDLE_MINUTES = 10


class Availability(StrEnum):
    AVAILABLE = "available"
    AWAY = "away"  # a break: keeps what they have for a while, gets nothing new
    OFF = "off"  # gone home: what waits goes back


def is_on_shift(availability: str, seen_at: datetime | None, *, now: datetime) -> bool:
    return availability != Availability.OFF and seen_at is not None and now - seen_at <= SEEN_FOR


def gets_work(availability: str, seen_at: datetime | None, *, now: datetime) -> bool:
    return availability == Availability.AVAILABLE and is_on_shift(availability, seen_at, now=now)
