"""Every refusal of the API as ``application/problem+json`` (RFC 9457): what is wrong, where, and what to do."""

import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any, ClassVar

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import exceptions, serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from contactcenter import maintenance
from contactcenter.accounts import access
from contactcenter.lib import wsgi

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
# Ours are named; what HTTP itself says enough about is "about:blank".
TYPE = "urn:contactcenter:problem:"

TITLES = {
    400: gettext_lazy("This request can't be read."),
    401: gettext_lazy("This needs a token."),
    403: gettext_lazy("This token may not do that."),
    404: gettext_lazy("There is nothing here."),
    405: gettext_lazy("This address does not take that method."),
    406: gettext_lazy("There is no answer in that format."),
    413: gettext_lazy("The body is too large."),
    415: gettext_lazy("The body is in a format that is not understood."),
    422: gettext_lazy("Something in this request is not right."),
    429: gettext_lazy("Too many requests."),
    500: gettext_lazy("Something went wrong on our side."),
    503: gettext_lazy("The database does not answer."),
}
REMEDIES = {
    401: gettext_lazy("Send the header “Authorization: Bearer cc_…” with a token from the administration."),
    404: gettext_lazy("Compare the address with /api/v1/schema/; addresses end with a slash."),
    405: gettext_lazy("The header “Allow” names those that it takes."),
    406: gettext_lazy("Accept application/json."),
    413: gettext_lazy("Send at most 1 MB; several consents or alerts are several requests."),
    415: gettext_lazy("Send the body as application/json."),
    429: gettext_lazy("Wait as many seconds as the header “Retry-After” says."),
    500: gettext_lazy("It is in the log. Send it again with the same Idempotency-Key: nothing happens twice."),
    503: gettext_lazy("Send it again in a moment, with the same Idempotency-Key: nothing happens twice."),
}


# Of a body, in bytes: a consent with the whole text of a page as proof has room in it.
BODY_LIMIT = 1_000_000


class TooLarge(exceptions.APIException):
    status_code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    default_detail = ""


class Problem(exceptions.APIException):
    """A refusal with a name of its own. ``errors`` maps a field of the body to what is wrong with it."""

    def __init__(
        self, status: int, name: str, title: str, detail: str, errors: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status_code, self.type, self.title, self.errors = status, TYPE + name, title, errors or {}


def answer(error: Exception, context: Mapping[str, Any]) -> Response:
    """DRF's exception handler."""
    request = context["request"]
    known = as_known(error)
    status = known.status_code
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        logger.warning("The database does not answer %s %s: %r", request.method, request.path, error)
    elif status == HTTPStatus.INTERNAL_SERVER_ERROR:
        logger.error("%s %s failed.", request.method, request.path, exc_info=error)
    data: dict[str, Any] = {"type": "about:blank", "title": str(TITLES.get(status, HTTPStatus(status).phrase))}
    if isinstance(known, Problem):
        data = {"type": known.type, "title": known.title}
    data["status"] = status
    errors: Iterable[tuple[str, str]] = ()
    if isinstance(known.detail, str):
        data["detail"] = " ".join(str(part) for part in (known.detail, REMEDIES.get(status, "")) if part)
        errors = known.errors.items() if isinstance(known, Problem) else errors
    else:
        data["detail"] = _("Mend what “errors” names and send it again.")
        errors = flat(known.detail)
    is_query = request.method in {"GET", "HEAD"}
    places = [({"parameter": path} if is_query else {"pointer": f"#/{path}"}, text) for path, text in errors]
    if places:
        data["errors"] = [{**place, "detail": text} for place, text in places]
    return Response(data, status, headers=headers_of(known), content_type=MEDIA_TYPE)


def too_large(scope: wsgi.Scope) -> wsgi.Response:
    """What ``wsgi.Threads`` answers to a body that it does not even read to its end."""
    if not scope["path"].startswith("/api/"):
        return wsgi.too_large(scope)
    data = {"type": "about:blank", "title": str(TITLES[413]), "status": 413, "detail": str(REMEDIES[413])}
    return 413, [(b"content-type", MEDIA_TYPE.encode())], json.dumps(data).encode()


def as_known(error: Exception) -> exceptions.APIException:
    """The error as DRF would have raised it; everything unforeseen is a 500, and says nothing of its insides."""
    if isinstance(error, exceptions.ValidationError):
        error.status_code = HTTPStatus.UNPROCESSABLE_ENTITY
    if isinstance(error, exceptions.APIException):
        return error
    if isinstance(error, Http404):
        return exceptions.NotFound()
    if isinstance(error, PermissionDenied):
        return exceptions.PermissionDenied()
    if isinstance(error, RecursionError):
        return exceptions.ParseError(_("The body is nested too deeply."))
    unforeseen = exceptions.APIException("")
    if maintenance.is_away(error):
        unforeseen.status_code = HTTPStatus.SERVICE_UNAVAILABLE
        unforeseen.wait = maintenance.RETRY_SECONDS  # type: ignore[attr-defined]
    return unforeseen


def headers_of(error: exceptions.APIException) -> dict[str, str]:
    headers = {}
    if scheme := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = scheme
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(int(wait))
    return headers


def flat(detail: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """A serializer's nested complaints as (path within the body, sentence)."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            yield from flat(inner, path if name == "non_field_errors" else f"{path}/{name}".lstrip("/"))
    elif isinstance(detail, list):
        for inner in detail:
            yield from flat(inner, path)
    else:
        yield path, str(detail)


class ErrorSerializer(serializers.Serializer[Any]):
    """Where something is wrong, and what to do about it."""

    pointer = serializers.CharField(required=False, help_text="Where in the body, as a JSON Pointer (RFC 6901).")
    parameter = serializers.CharField(required=False, help_text="Which parameter of the address.")
    detail = serializers.CharField()


class ProblemSerializer(serializers.Serializer[Any]):
    """A refusal (RFC 9457)."""

    type = serializers.CharField(help_text="Its name as a URN, or about:blank where the status says it all.")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField(help_text="What to do.")
    errors = ErrorSerializer(many=True, required=False)  # type: ignore[assignment]


class Nowhere(APIView):
    """Every address below the API that is none."""

    default_response_headers: ClassVar[dict[str, str]] = {}

    def initial(self, request: Any, *args: Any, **kwargs: Any) -> None:
        raise exceptions.NotFound


nowhere = access.public(Nowhere.as_view(authentication_classes=[], schema=None))
