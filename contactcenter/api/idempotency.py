"""The same request sent again changes nothing more: it gets the answer that it had."""

import hashlib
import json
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from contactcenter.api.models import ApiToken, IdempotencyKey
from contactcenter.api.problems import Problem

HEADER = "Idempotency-Key"
KEY = re.compile(r"[\x21-\x7e]{1,100}")

Answer = tuple[int, dict[str, Any]]


def once(request: Request, token: ApiToken, act: Callable[[], Answer], *, now: datetime) -> Response:
    """Does what was asked, unless this token's key has been here: then that answer again.

    Two at once: the second waits for the first. What is refused leaves no key behind, so that it can be mended and sent
    under the same one.
    """
    key = key_of(request)
    digest = hash_of(request)
    with transaction.atomic():
        IdempotencyKey.objects.only_one(token, key)
        kept = IdempotencyKey.objects.filter(token=token, key=key).first()
        if kept is None:
            status, body = act()
            IdempotencyKey.objects.create(
                token=token, key=key, request_hash=digest, status=status, body=json.dumps(body), created_at=now
            )
            return answered(status, body)
    if kept.request_hash != digest:
        raise Problem(
            422,
            "idempotency-key-reused",
            _("This Idempotency-Key belongs to another request."),
            _("Make a new key (a UUID, for example) for each new request; repeat one only with the very same body."),
        )
    return answered(kept.status, json.loads(kept.body), {"Idempotency-Replayed": "true"})


def answered(status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    where = {"Location": body["url"]} if "url" in body else {}
    return Response(body, status, headers=where | (headers or {}))


def key_of(request: Request) -> str:
    key = request.headers.get(HEADER, "").strip()
    if KEY.fullmatch(key) is None:
        raise Problem(
            400,
            "idempotency-key-missing",
            _("The header “Idempotency-Key” is missing, or is no key."),
            _("Send 1 to 100 visible ASCII characters that are new for each request (a UUID, for example)."),
        )
    return key


def hash_of(request: Request) -> str:
    """SHA-256 over what is asked, however its JSON is written."""
    asked = [request.method, request.path, request.data]
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
