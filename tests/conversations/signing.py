"""Signs webhooks as Vonage does, written apart from the verifier so that the two can disagree."""

import base64
import hashlib
import hmac
import json
from typing import Any


def sign(
    *,
    raw: bytes,
    secret: str,
    api_key: str,
    application_id: str,
    now: float,
    jti: str = "c5ba8f24-1a14-4c10-bfdf-3fbe8ce511b5",
    **changes: Any,
) -> str:
    """Return the ``Authorization`` header of a webhook; ``changes`` replace claims, None removes one."""
    claims = {
        "iat": int(now),
        "jti": jti,
        "iss": "Vonage",
        "payload_hash": hashlib.sha256(raw).hexdigest(),
        "api_key": api_key,
        "application_id": application_id,
    } | changes
    claims = {name: value for name, value in claims.items() if value is not None}
    return "Bearer " + token(json.dumps(claims), secret)


def token(payload: str, secret: str, *, header: str = '{"alg":"HS256","typ":"JWT"}', digest: str = "sha256") -> str:
    """Return a JWT over any payload and header, well formed or not."""
    signed = f"{base64url(header.encode())}.{base64url(payload.encode())}"
    return f"{signed}.{base64url(hmac.digest(secret.encode(), signed.encode(), digest))}"


def base64url(raw: bytes) -> str:
    """Encode without padding (RFC 7515)."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
