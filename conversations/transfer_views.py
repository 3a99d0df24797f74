"""The dialog that hands a conversation on."""

from uuid import uuid4

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from contactcenter.accounts import access
from conversations import notes, transferring
from conversations.actions import own_ref, somebody, undoable
from conversations.models import Conversation
from conversations.views import WRITERS, desks_of_colleagues, kept_nowhere, number


@access.allow(*WRITERS)
@require_http_methods(["GET", "HEAD", "POST"])
@kept_nowhere
def transfer(request: HttpRequest, pk: int) -> HttpResponse:
    """To whom it can go; or to ``to``, which is ``team:…`` or ``user:…``. ``was_team`` and ``was`` are what the page
    showed. 204, or 422 with the reason in words."""
    shown = get_object_or_404(Conversation, pk=pk)
    if request.method != "POST":
        context = {
            "conversation": shown,
            "queues": transferring.queues(now=timezone.now()),
            "desks": desks_of_colleagues(request),
            "longest": notes.LONGEST,
            "ref": uuid4(),
        }
        return render(request, "inbox/_transfer.html", context)
    kind, _, chosen = request.POST.get("to", "").partition(":")
    return undoable(
        lambda: transferring.transfer(
            conversation=shown,
            team_id=number(chosen) if kind == "team" else None,
            to_id=number(chosen) if kind == "user" else None,
            was=(somebody(request, "was_team"), somebody(request, "was")),
            author=request.user,  # type: ignore[arg-type]
            note=request.POST.get("note", ""),
            ref=own_ref(request),
            now=timezone.now(),
        )
    )
