"""How fast we may send: token buckets that all workers share."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from conversations.models import Bucket, Line


@dataclass(frozen=True)
class Limit:
    """``capacity`` tokens at most, coming back over ``seconds``."""

    key: str
    capacity: int
    seconds: float


def filled(tokens: float, since: float, limit: Limit) -> float:
    """What is in the bucket ``since`` seconds after it held ``tokens``. A clock set back adds nothing."""
    return min(float(limit.capacity), tokens + max(since, 0.0) * limit.capacity / limit.seconds)


def limits_of(line: Line) -> list[Limit]:
    limits = [Limit(f"line:{line.pk}:second", line.per_second, 1)]
    if line.per_minute:
        limits.append(Limit(f"line:{line.pk}:minute", line.per_minute, 60))
    if line.per_day:
        limits.append(Limit(f"line:{line.pk}:day", line.per_day, 86400))
    return limits


@dataclass(frozen=True)
class Taken:
    """Tokens taken, and seconds until the next one (0 when some are left)."""

    number: int
    wait_seconds: float


def take(wanted: Mapping[int, int], *, account: Limit, lines: Mapping[int, Line], now: datetime) -> dict[int, Taken]:
    """Takes up to ``wanted`` tokens for each line (by id), from the account's bucket as well, and says how many it got.

    Takes row locks on the buckets only, for a moment: call it outside any other transaction.
    """
    limits = {limit.key: limit for pk in wanted for limit in limits_of(lines[pk])} | {account.key: account}
    with transaction.atomic():
        buckets = locked_buckets(limits, now)
        got = {}
        for pk, number in sorted(wanted.items()):
            keys = [account.key, *(limit.key for limit in limits_of(lines[pk]))]
            taken = max(min(number, *(int(buckets[key].tokens) for key in keys)), 0)
            for key in keys:
                buckets[key].tokens -= taken
            got[pk] = Taken(taken, max(seconds_until_next(buckets[key].tokens, limits[key]) for key in keys))
        Bucket.objects.bulk_update(buckets.values(), ["tokens", "filled_at"])
    return got


def seconds_until_next(tokens: float, limit: Limit) -> float:
    return max(0.0, (1 - tokens) * limit.seconds / limit.capacity)


def locked_buckets(limits: Mapping[str, Limit], now: datetime) -> dict[str, Bucket]:
    """The buckets of these limits, filled up to now, made (full) where missing, locked in order."""
    rows = Bucket.objects.filter(key__in=limits).order_by("key")
    if missing := sorted(limits.keys() - set(rows.values_list("key", flat=True))):
        Bucket.objects.bulk_create(
            [Bucket(key=key, tokens=limits[key].capacity, filled_at=now) for key in missing],
            ignore_conflicts=True,
        )
    buckets = {bucket.key: bucket for bucket in rows.select_for_update()}
    for key, bucket in buckets.items():
        bucket.tokens = filled(bucket.tokens, (now - bucket.filled_at).total_seconds(), limits[key])
        bucket.filled_at = max(bucket.filled_at, now)
    return buckets


def drain(key: str, *, now: datetime) -> None:
    """The carrier says "slow down": nothing more from this bucket for a moment."""
    Bucket.objects.filter(key=key).update(tokens=0, filled_at=now)
