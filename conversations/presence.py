"""Who is here, as their pages tell it. What follows from that is in ``shifts``."""

from datetime import datetime

from django.db import connection

from conversations.models import Presence
from conversations.shifts import CAPACITY, SEEN_FOR, Availability

# Whoever comes back after a while has just touched something, or there would be no page.
SEEN = """
INSERT INTO conversations_presence AS presence (user_id, availability, capacity, seen_at, active_at)
SELECT id, 'available', %(capacity)s, %(now)s, %(now)s FROM accounts_user WHERE id = %(id)s
ON CONFLICT (user_id) DO UPDATE SET seen_at = greatest(presence.seen_at, excluded.seen_at),
    active_at = CASE WHEN presence.seen_at >= %(gone)s AND NOT %(active)s THEN presence.active_at
        ELSE excluded.active_at END
"""


def seen(user_id: int, *, now: datetime, is_active: bool = False) -> None:
    """A page of this person is connected; ``is_active``: and they have touched a key or the pointer lately."""
    with connection.cursor() as cursor:
        cursor.execute(
            SEEN, {"id": user_id, "now": now, "gone": now - SEEN_FOR, "capacity": CAPACITY, "active": is_active}
        )


def choose(user_id: int, availability: Availability, *, now: datetime) -> None:
    """Somebody says whether they take work."""
    seen(user_id, now=now, is_active=True)
    Presence.objects.filter(user=user_id).update(availability=availability)


def availability(user_id: int) -> Availability:
    found = Presence.objects.filter(user=user_id).values_list("availability", flat=True).first()
    return Availability(found or Availability.AVAILABLE)
