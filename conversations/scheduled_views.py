"""What is written for later (``/inbox/scheduled/``): one's own or everybody's, to be moved or called back."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET, require_POST

from contactcenter.accounts import access
from conversations import handling, outbound, scheduled, wording
from conversations.actions import local_time
from conversations.models import Message
from conversations.views import WRITERS, user_id

kept_nowhere = cache_control(no_store=True, private=True)


@access.allow(*WRITERS)
@require_GET
@kept_nowhere
def index(request: HttpRequest) -> HttpResponse:
    return shown(request)


def shown(request: HttpRequest, problem: str = "") -> HttpResponse:
    is_all, after = request.GET.get("of") == "all", request.GET.get("after", "")
    try:
        place = scheduled.Place.parse(after) if after else None
    except ValueError:
        raise Http404("no such place in the list") from None
    rows, following = scheduled.find(now=timezone.now(), author_id=None if is_all else user_id(request), after=place)
    context: dict[str, Any] = {"rows": rows, "is_all": is_all, "is_first": place is None, "problem": problem}
    if following:
        context["next"] = "?" + urlencode(({"of": "all"} if is_all else {}) | {"after": str(following)})
    context |= {
        "now": timezone.now(),
        "zone_name": timezone.get_current_timezone_name(),
        "query": request.GET.urlencode(),
    }
    return render(request, "inbox/scheduled.html", context, status=422 if problem else 200)


@access.allow(*WRITERS)
@require_POST
@kept_nowhere
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """To ``due_at``; without one, called back. The list again, with what came of it."""
    message = get_object_or_404(Message.objects.select_related("conversation__contact"), pk=pk)
    now = timezone.now()
    try:
        if (due_at := local_time(request, "due_at")) is not None:
            scheduled.move(message=message, due_at=due_at, now=now)
            done = _("It will be sent on %(when)s.") % {"when": wording.here(due_at)}
        elif handling.cancel(message=message, now=now):
            done = _("Cancelled. Its text stays in the conversation with %(contact)s.")
            done %= {"contact": message.conversation.contact}
        else:
            return shown(request, _("Too late: this message has left already."))
    except (outbound.CannotSend, handling.Refused) as refused:
        return shown(request, str(refused))
    messages.success(request, done)
    return redirect(reverse("scheduled") + (f"?{request.GET.urlencode()}" if request.GET else ""))
