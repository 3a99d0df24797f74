"""How often strangers may use a public form: counted in the database, so that it holds for all processes."""

import ipaddress
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Count

from consent.models import Attempt, phone_hash

KEPT = timedelta(days=1)
COUNTING_LOCK = 0x11F7  # any number, the same in every process


def network(address: str) -> str:
    """Whom an address stands for: itself, or an IPv6 customer's whole network (/64), in which addresses cost
    nothing. What is no address comes back as it is."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is None:
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(getattr(found, "ipv4_mapped", None) or found)


def used(limits: Mapping[str, tuple[int, int]], *, now: datetime) -> bool:
    """Counts one use by each of these ("ip:192.0.2.1", "phone:+1201…"), unless one of them has none left; then false.

    Each key says how many uses in how many seconds (a day at most).
    """
    by_hash = {phone_hash(key): limit for key, limit in limits.items()}
    with transaction.atomic():
        with connection.cursor() as cursor:  # two uses at once count as two
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [COUNTING_LOCK])
        Attempt.objects.filter(at__lt=now - KEPT).delete()
        for key, (many, seconds) in by_hash.items():
            since = now - timedelta(seconds=seconds)
            found = Attempt.objects.filter(key=key, at__gt=since).aggregate(many=Count("pk"))
            if found["many"] >= many:
                return False
        Attempt.objects.bulk_create([Attempt(key=key, at=now) for key in by_hash])
    return True
