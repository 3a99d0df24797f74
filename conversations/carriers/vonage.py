"""Handing a text to Vonage's Messages API with its own SDK.

One client for each thread: the SDK is not thread-safe. ``pool_maxsize=1``: with more, the SDK itself sends a text again
when the connection drops. The token is cached: making one costs 30 ms of CPU. These functions never touch the database.
"""

import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import requests
from django.conf import settings
from jwt import PyJWTError
from pydantic import ValidationError
from urllib3 import exceptions as urllib3
from vonage import Auth, HttpClientOptions, Vonage
from vonage_http_client.errors import HttpRequestError
from vonage_jwt.errors import VonageJwtError
from vonage_messages.models import Sms

from contactcenter.lib import phone, uptime
from conversations.carriers.outcomes import Kind, Outcome

# A token lives 900 seconds.
TOKEN_SECONDS = 600
UNAUTHORIZED = 401
OUR_ACCOUNT = frozenset({UNAUTHORIZED, 402, 403, 404})
# The transport failed before the request was written. Of TLS errors only a refused certificate proves that.
NEVER_LEFT = (
    ssl.SSLCertVerificationError,
    requests.exceptions.ConnectTimeout,
    urllib3.ConnectTimeoutError,
    urllib3.NewConnectionError,
)


class CachedAuth(Auth):  # type: ignore[misc]
    """The SDK makes a fresh token for each request; this one keeps it for ten minutes."""

    lock = threading.Lock()
    tokens: dict[tuple[str, str], tuple[str, float]] = {}

    def create_jwt_auth_string(self) -> bytes | str:
        key = (settings.VONAGE_APPLICATION_ID, settings.VONAGE_PRIVATE_KEY)
        with self.lock:
            token, until = self.tokens.get(key, ("", 0.0))
            if uptime.seconds() >= until:
                token, until = super().create_jwt_auth_string(), uptime.seconds() + TOKEN_SECONDS
                self.tokens[key] = (token, until)
        return token


clients = threading.local()


def client() -> Vonage:
    """This thread's client."""
    if not hasattr(clients, "vonage"):
        clients.vonage = Vonage(
            CachedAuth(application_id=settings.VONAGE_APPLICATION_ID, private_key=settings.VONAGE_PRIVATE_KEY),
            HttpClientOptions(
                api_host=settings.VONAGE_API_HOST,
                timeout=settings.VONAGE_TIMEOUT_SECONDS,
                pool_connections=1,
                pool_maxsize=1,
                max_retries=0,
            ),
        )
    return clients.vonage


def is_configured() -> bool:
    return bool(settings.VONAGE_APPLICATION_ID and settings.VONAGE_PRIVATE_KEY)


def send(*, to: str, sender: str, body: str, ref: str) -> Outcome:
    """Hands one text over; blocks for at most the timeout. Numbers are E.164; ``ref`` comes back in every receipt."""
    if not is_configured():
        return Outcome(
            Kind.ACCOUNT,
            code="setup",
            detail="Set VONAGE_APPLICATION_ID and VONAGE_PRIVATE_KEY, then resume the line.",
        )
    try:
        text = Sms(to=phone.to_carrier(to), from_=phone.to_carrier(sender), text=body, client_ref=ref)
    except ValidationError as error:
        return Outcome(Kind.REFUSED, code="invalid", detail=str(error.errors()[0]["msg"]))
    try:
        vonage = client()
        vonage.http_client.auth.create_jwt_auth_string()
    except (ValueError, PyJWTError, VonageJwtError) as error:  # the private key is no key
        return Outcome(Kind.ACCOUNT, code="setup", detail=f"VONAGE_PRIVATE_KEY cannot be used: {error}")
    try:
        return Outcome(Kind.SENT, carrier_id=vonage.messages.send(text).message_uuid)
    except HttpRequestError as error:
        if error.response.status_code == UNAUTHORIZED:
            CachedAuth.tokens.clear()  # perhaps it was only the token that is no good
        return from_answer(error.response)
    except requests.exceptions.RequestException as error:
        return from_transport(error)
    except (TypeError, ValueError):  # taken, with an answer that the SDK cannot read: the receipt will tell
        return Outcome(Kind.UNKNOWN, code="no_answer", detail="The carrier's answer could not be read.")


def from_answer(response: requests.Response) -> Outcome:
    """What an error answer means for the message."""
    status, problem = response.status_code, problem_of(response)
    code = str(problem.get("type", "")).rpartition("#")[2] or str(status)
    said = (str(problem.get("title") or response.reason), str(problem.get("detail") or ""))
    detail = ". ".join(words.rstrip(". ") for words in said if words)
    if status == 429 or status == 503:
        return Outcome(
            Kind.NOT_SENT, code=code[:30], detail=detail, retry_after=retry_after(response), is_throttled=status == 429
        )  # fmt: skip
    if status in OUR_ACCOUNT:
        return Outcome(Kind.ACCOUNT, code=code[:30], detail=detail)
    if status >= 500:
        return Outcome(Kind.UNKNOWN, code=code[:30], detail=detail)
    return Outcome(Kind.REFUSED, code=code[:30], detail=detail)


def problem_of(response: requests.Response) -> dict[str, Any]:
    with suppress(requests.exceptions.JSONDecodeError):
        problem = response.json()
        if isinstance(problem, dict):
            return problem
    return {}


def retry_after(response: requests.Response) -> float:
    with suppress(ValueError):
        return min(max(float(response.headers.get("Retry-After", "")), 0.0), 60.0)
    return 0.0


def from_transport(error: requests.exceptions.RequestException) -> Outcome:
    """Not sent only when the request was surely never written; in doubt unknown."""
    never_left = next((cause for cause in causes(error) if isinstance(cause, NEVER_LEFT)), None)
    if never_left is not None:
        return Outcome(Kind.NOT_SENT, code="no_connection", detail=f"No connection to the carrier: {never_left}")
    return Outcome(Kind.UNKNOWN, code="no_answer", detail="The carrier did not answer.")


def causes(error: object) -> Iterator[BaseException]:
    """An exception and what is behind it, wherever requests and urllib3 put that."""
    while isinstance(error, BaseException):
        yield error
        error = getattr(error, "reason", None) or error.__cause__ or next(iter(error.args), None)
