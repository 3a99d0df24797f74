"""How fast we may send: token buckets that all workers share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction

from conversations.models import Bucket, Line

# The day of the carriers' daily caps: it begins at midnight Pacific time, for every sender.
CARRIERS_DAY = ZoneInfo("America/Los_Angeles")


@dataclass(frozen=True)
class Limit:
    """So many messages ``per`` second, minute or day.

    The second's bucket holds a quarter of what it lets through, so that a burst after a pause stays small; a minute
    and a day are windows of the clock, as the carriers count them.
    """

    key: str
    number: int
    per: Literal["second", "minute", "day"]

    @property
    def capacity(self) -> int:
        return max(1, self.number // 4) if self.per == "second" else self.number

    def filled(self, tokens: float, since: datetime, now: datetime) -> float:
        """What is in the bucket now if it held ``tokens`` at ``since``. A clock set back adds nothing."""
        if self.per == "second":
            seconds = max((now - since).total_seconds(), 0.0)
            return min(float(self.capacity), tokens + seconds * self.number)
        return tokens if self.window(since) >= self.window(now) else float(self.capacity)

    def window(self, at: datetime) -> datetime:
        """When the minute or day of ``at`` began."""
        if self.per == "minute":
            return at.replace(second=0, microsecond=0)
        return at.astimezone(CARRIERS_DAY).replace(hour=0, minute=0, second=0, microsecond=0)

    def seconds_until_next(self, tokens: float, now: datetime) -> float:
        """How long until there is a whole token."""
        if tokens >= 1:
            return 0.0
        if self.per == "second":
            return (1 - tokens) / self.number
        length = timedelta(minutes=1) if self.per == "minute" else timedelta(days=1)
        return max((self.window(now) + length - now).total_seconds(), 0.0)


@dataclass(frozen=True)
class Taken:
    """Tokens taken, and seconds until the next one (0 when some are left)."""

    number: int
    wait_seconds: float


def account() -> Limit:
    """The carrier's limit for all our lines together."""
    return Limit(f"account:{settings.VONAGE_API_KEY}", settings.VONAGE_REQUESTS_PER_SECOND, "second")


def limits_of(line: Line) -> list[Limit]:
    limits = [Limit(f"line:{line.pk}:second", line.per_second, "second")]
    if line.per_minute:
        limits.append(Limit(f"line:{line.pk}:minute", line.per_minute, "minute"))
    if line.per_day:
        limits.append(Limit(f"line:{line.pk}:day", line.per_day, "day"))
    return limits


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
            got[pk] = Taken(taken, max(limits[key].seconds_until_next(buckets[key].tokens, now) for key in keys))
        save(list(buckets.values()))
    return got


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
        bucket.tokens = limits[key].filled(bucket.tokens, bucket.filled_at, now)
        bucket.filled_at = now  # also backwards: a clock that once ran ahead must not stop sending until then
    return buckets


SAVED = """
UPDATE conversations_bucket bucket SET tokens = now.tokens, filled_at = now.filled_at
FROM unnest(%s::bigint[], %s::float8[], %s::timestamptz[]) AS now (id, tokens, filled_at)
WHERE bucket.id = now.id
"""


def save(buckets: Sequence[Bucket]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(SAVED, [[getattr(bucket, name) for bucket in buckets] for name in ("pk", "tokens", "filled_at")])


def drain(key: str, *, now: datetime) -> None:
    """The carrier says "slow down": nothing more from this bucket for a moment."""
    Bucket.objects.filter(key=key).update(tokens=0, filled_at=now)
