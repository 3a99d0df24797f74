"""Tokens are issued and revoked by administrators; nobody, not even we, can read one again."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime

from consent.models import Brand
from contactcenter.api.models import SEEN_EVERY, ApiToken

MARK = "cc_"  # so that scanners of leaked secrets know one when they see it
SHOWN = len(MARK) + 5


def hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def issue(
    *,
    name: str,
    scopes: Iterable[str],
    created_by_id: int,
    brand: Brand | None = None,
    expires_at: datetime | None = None,
) -> tuple[ApiToken, str]:
    """A new token and its secret, which is nowhere else and is not kept."""
    secret = MARK + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        name=name,
        scopes=sorted(set(scopes)),
        created_by_id=created_by_id,
        brand=brand,
        expires_at=expires_at,
        prefix=secret[:SHOWN],
        sha256=hashed(secret),
    )
    return token, secret


def find(*, secret: str, now: datetime) -> ApiToken | None:
    """The token in force that has this secret; notes its use. One query, and once a minute another."""
    token = ApiToken.objects.in_force(now).select_related("brand").filter(sha256=hashed(secret)).first()
    if token is not None:
        is_fresh = token.last_used_at is not None and token.last_used_at > now - SEEN_EVERY
        if not is_fresh:
            ApiToken.objects.filter(pk=token.pk).seen(now)
    return token


def revoke(*, tokens: Iterable[ApiToken], now: datetime) -> int:
    """From this moment on they open nothing; how many did until now."""
    ids = [token.pk for token in tokens]
    return ApiToken.objects.filter(pk__in=ids, revoked_at=None).update(revoked_at=now)
