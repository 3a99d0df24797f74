"""While the database is away, pages say so and come back by themselves.

Texts are safe meanwhile: the carrier repeats every webhook that got no 200.
"""

import logging
from collections.abc import Callable
from typing import Any

from django.db import InterfaceError, InternalError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

logger = logging.getLogger(__name__)

RETRY_SECONDS = 5
# SQLSTATE classes: connections refused, lost, or ended by the server (08, 57P); no room on its disk or for a connection
# (53). There is none when libpq itself says so.
AWAY = ("08", "53", "57P")
# The session was ended because its transaction rested: this process was frozen, or starved.
TOOK_TOO_LONG = "25P03"


def is_away(error: Exception) -> bool:
    """Whether the database does not answer; a deadlock or a statement that took too long is an error like any other."""
    if isinstance(error, InterfaceError):
        return True
    state = getattr(error.__cause__, "sqlstate", None)
    if isinstance(error, InternalError):
        return state == TOOK_TOO_LONG
    return isinstance(error, OperationalError) and (state is None or state.startswith(AWAY))


class MaintenanceMiddleware:
    """Answers 503 for a database that does not. Outside of sessions and users, which need it; inside of CSP."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """Finds out who asks before the middleware further in does: what that raises, Django makes a 500 of there."""
        if not getattr(view, "login_required", True):
            return None  # a public page asks for nobody; /healthz says itself what is wrong
        try:
            _known = request.user.is_authenticated
        except (OperationalError, InterfaceError, InternalError) as error:
            if not is_away(error):
                raise
            return unavailable(request, error)
        return None

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        return unavailable(request, error) if is_away(error) else None


def unavailable(request: HttpRequest, error: Exception) -> HttpResponse:
    """503 with Retry-After: a page for who looks at one, else a line of text. Asks the database for nothing."""
    logger.warning("The database does not answer %s %s: %r", request.method, request.path, error, exc_info=error)
    headers = {"Retry-After": str(RETRY_SECONDS), "Cache-Control": "no-store"}
    if "HX-Request" in request.headers or "html" not in request.headers.get("Accept", ""):
        line = _("The database does not answer. Try again in a moment.")
        return HttpResponse(line, "text/plain; charset=utf-8", status=503, headers=headers)
    may_reload = request.method in {"GET", "HEAD"}
    if may_reload:
        headers["Refresh"] = str(RETRY_SECONDS)
    # Of the request no more than this, so that no template reaches the session or the user.
    seen = {"request": {"COOKIES": request.COOKIES}, "may_reload": may_reload}
    return HttpResponse(render_to_string("503.html", seen), status=503, headers=headers)
