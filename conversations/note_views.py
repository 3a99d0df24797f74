"""Notes over HTTP: written, seen, whom they can call, and (``/inbox/mentions/``) who called oneself."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from contactcenter.accounts import access
from contactcenter.accounts.models import User
from conversations import notes, outbound
from conversations.actions import ACCEPTED, DONE, in_words, own_ref, up_to
from conversations.models import Conversation
from conversations.views import WRITERS, kept_nowhere, number, user_id


@access.allow(*WRITERS)
@require_POST
def write(request: HttpRequest, pk: int) -> HttpResponse:
    """201, also when this ``ref`` was accepted before; 422 with the reason in words."""
    shown = get_object_or_404(Conversation, pk=pk)
    assert isinstance(request.user, User)  # noqa: S101 access.allow saw to it; this tells mypy
    try:
        notes.write(
            conversation=shown,
            author=request.user,
            ref=own_ref(request),
            body=request.POST.get("body", ""),
            now=timezone.now(),
        )
    except (notes.CannotNote, outbound.CannotSend) as refused:
        return in_words(str(refused), 422)
    return HttpResponse(status=ACCEPTED)


@access.allow(*access.EVERYONE)
@require_POST
def seen(request: HttpRequest, pk: int) -> HttpResponse:
    """Somebody saw the notes up to ``up_to``: only ever said by a visible page, never by a refetch."""
    shown = get_object_or_404(Conversation, pk=pk)
    notes.seen(user_id=user_id(request), conversation=shown, now=timezone.now(), up_to=up_to(request))
    return HttpResponse(status=DONE)


@access.allow(*WRITERS)
@require_GET
@kept_nowhere
def colleagues(request: HttpRequest) -> HttpResponse:
    """Whom a note can call, for the list that opens at an @."""
    people = notes.callable_by(user_id(request))
    rows = [{"username": one.username, "name": str(one), "role": one.get_role_display()} for one in people]
    return JsonResponse({"people": rows})


@access.allow(*access.EVERYONE)
@require_GET
@kept_nowhere
def mentions(request: HttpRequest) -> HttpResponse:
    before = number(request.GET.get("before", ""))
    waiting, done, following = notes.mentions(user_id(request), before=before)
    context = {"waiting": waiting, "done": done, "next": following, "is_first": before is None}
    return render(request, "inbox/mentions.html", context)
