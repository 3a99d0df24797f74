"""Whether a webhook really comes from Vonage, and was not changed on its way. Pure.

Vonage signs a JWT (HS256, with the account's signature secret) that holds the SHA-256 of the raw body, and
sends it as a bearer token: https://developer.vonage.com/en/getting-started/concepts/webhooks. The SDK's own
check looks at the signature alone, so body, issuer, account and age are checked here.

An unsigned callback is Vonage's own internal error, and is sent again after a 5xx. A refused one is not sent
again after a 4xx, which makes a wrong secret of *ours* the way to lose messages: hence ``well_formed``.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

import jwt
from jwt.algorithms import HMACAlgorithm

ISSUER = "Vonage"
_ALGORITHM = "HS256"
_SHA256 = re.compile(r"[0-9A-Fa-f]{64}")


class Outcome(StrEnum):
    """What to answer: 503 for ``missing``, 401 for ``refused``; only ``ok`` may be stored."""

    MISSING = "missing"
    OK = "ok"
    REFUSED = "refused"


class Problem(StrEnum):
    """Why a token was refused, in the words an operator reads."""

    MALFORMED = "malformed token"
    SECRET = "wrong secret"  # noqa: S105 - a message
    BODY = "body does not match payload_hash"
    ISSUER = "wrong issuer"
    API_KEY = "wrong api_key"
    APPLICATION = "wrong application_id"
    OLD = "too old"
    FUTURE = "issued in the future"


@dataclass(frozen=True, slots=True)
class Verdict:
    """``secret_index`` tells which of the secrets verified, None if none did.

    ``well_formed`` is whether a refused token at least looked like Vonage's. Then our own settings (or, for
    ``Problem.OLD`` and ``FUTURE``, our clock) are the likely fault, and ``/healthz`` should turn red.
    """

    outcome: Outcome
    problem: Problem | None = None
    well_formed: bool = False
    secret_index: int | None = None


_jws = jwt.PyJWS()


def verify(
    *,
    raw: bytes,
    authorization: str | None,
    secrets: Sequence[str],
    now: float,
    max_age: float = 86400,
    skew: float = 300,
    api_key: str | None,
    application_id: str | None = None,
) -> Verdict:
    """Judge one webhook by its raw body and its ``Authorization`` header.

    Any of ``secrets`` may verify, so that a secret can be changed without losing a message. ``now`` is in
    seconds since the epoch, ``max_age`` and ``skew`` in seconds: a day, because Vonage retries for a day and
    may not sign anew. ``api_key`` and ``application_id`` are compared where given (and, the latter, where
    the token names one). Raises ``ValueError`` without a secret: with nothing to compare to, a 401 would
    throw messages away.
    """
    if not any(secrets):
        raise ValueError("No signature secret is set; put the account's into VONAGE_SIGNATURE_SECRET.")
    token = _bearer_token(authorization)
    if not token:
        return Verdict(Outcome.MISSING)
    try:
        claims, signature = _claims(token)
    except (jwt.PyJWTError, ValueError, RecursionError):
        return Verdict(Outcome.REFUSED, Problem.MALFORMED)
    index = _matching_secret(token, signature, secrets)
    if index is None:
        return Verdict(Outcome.REFUSED, Problem.SECRET, well_formed=True)
    problem = _body_problem(claims, raw) or _sender_problem(claims, api_key, application_id)
    problem = problem or _age_problem(claims, now, max_age, skew)
    outcome = Outcome.REFUSED if problem else Outcome.OK
    return Verdict(outcome, problem, well_formed=True, secret_index=index)


def _bearer_token(authorization: str | None) -> str:
    scheme, _, token = (authorization or "").strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _claims(token: str) -> tuple[dict[str, Any], bytes]:
    """Return the claims, without trusting them, and the signature; raises unless they are all there, once, and of their
    type."""
    decoded = _jws.decode_complete(token, options={"verify_signature": False})
    if decoded["header"].get("alg") != _ALGORITHM:
        raise ValueError("another algorithm")
    claims = json.loads(decoded["payload"], object_pairs_hook=_distinct)
    if not isinstance(claims, dict):
        raise ValueError("no claims")
    if not all(isinstance(claims.get(name), str) for name in ("iss", "api_key", "payload_hash")):
        raise ValueError("a claim is missing")
    if not _SHA256.fullmatch(claims["payload_hash"]):
        raise ValueError("no SHA-256")
    issued_at = claims.get("iat")
    # A bool is an int, and JSON as Python reads it has NaN, which is neither early nor late.
    if isinstance(issued_at, bool) or not isinstance(issued_at, int | float) or issued_at != issued_at:
        raise ValueError("no time of issue")
    return claims, decoded["signature"]


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    claims = dict(pairs)
    if len(claims) < len(pairs):
        raise ValueError("a claim twice: readers differ on which one counts")
    return claims


def _matching_secret(token: str, signature: bytes, secrets: Sequence[str]) -> int | None:
    """HS256 is one HMAC; asking PyJWT would take the token apart once more for each secret, a quarter of all the work
    that a webhook makes."""
    signed = token.encode().rpartition(b".")[0]
    for index, secret in enumerate(secrets):
        key = _key(secret)
        if key and hmac.compare_digest(hmac.digest(key, signed, "sha256"), signature):
            return index
    return None


@lru_cache(8)
def _key(secret: str) -> bytes:
    """Empty for what is no secret: a public key, which everybody may know."""
    try:
        return HMACAlgorithm(HMACAlgorithm.SHA256).prepare_key(secret)
    except jwt.InvalidKeyError:
        return b""


def _body_problem(claims: dict[str, Any], raw: bytes) -> Problem | None:
    expected = hashlib.sha256(raw).hexdigest()
    return None if hmac.compare_digest(expected, claims["payload_hash"].lower()) else Problem.BODY


def _sender_problem(claims: dict[str, Any], api_key: str | None, application_id: str | None) -> Problem | None:
    if claims["iss"] != ISSUER:
        return Problem.ISSUER
    if api_key is not None and claims["api_key"] != api_key:
        return Problem.API_KEY
    if application_id is not None and claims.get("application_id", application_id) != application_id:
        return Problem.APPLICATION
    return None


def _age_problem(claims: dict[str, Any], now: float, max_age: float, skew: float) -> Problem | None:
    if claims["iat"] < now - max_age:
        return Problem.OLD
    return Problem.FUTURE if claims["iat"] > now + skew else None
