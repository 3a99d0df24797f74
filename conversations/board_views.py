"""The live board (``/board/``): for supervisors, who move work by it, and for administrators, who look."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from contactcenter.accounts import access
from contactcenter.accounts.models import Role
from conversations import board, live, notes
from conversations.views import counted, etag, kept_nowhere, page_of, unless_unchanged, user_id, wanted_rows

WATCHERS = (Role.SUPERVISOR, Role.ADMINISTRATOR)


@access.allow(*WATCHERS)
@require_GET
@kept_nowhere
def index(request: HttpRequest) -> HttpResponse:
    tag, context = shown(request, fresh=True)
    return render(request, "board/page.html", page_of(request) | context | {"board_etag": tag, "is_board": True})


@access.allow(*WATCHERS)
@require_GET
@kept_nowhere
def fragment(request: HttpRequest) -> HttpResponse:
    tag, context = shown(request, fresh=request.headers.get("Cache-Control") == "no-cache")
    return unless_unchanged(request, tag, "board/_board.html", lambda: context)


def shown(request: HttpRequest, *, fresh: bool) -> tuple[str, dict[str, Any]]:
    """The fragment's ETag, and what its template is given."""
    seen = board.board(fresh=fresh)
    context = {
        "board": seen,
        "waiting": counted(wanted_rows(request), fresh=fresh).needs_reply,
        "called": notes.unseen(user_id(request), fresh=fresh),
    }
    tag = etag(request, ("board", seen.key, context["waiting"], context["called"], live.moment(timezone.now())))
    return tag, context | {"may_move": request.user.role == Role.SUPERVISOR}  # type: ignore[union-attr]
