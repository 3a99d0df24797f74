"""Where the browser saves what is being written."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from contactcenter.accounts import access
from conversations import drafts
from conversations.actions import DONE, in_words
from conversations.models import Conversation, Draft
from conversations.views import WRITERS, number, user_id

OLDER = 409


@access.allow(*WRITERS)
@require_POST
def save(request: HttpRequest, pk: int) -> HttpResponse:
    """``body`` as of ``version``, a ``kind`` of draft. 204; 409 where a newer one is there; 422 with why in words."""
    shown = get_object_or_404(Conversation.objects.only("pk"), pk=pk)
    kind, version = request.POST.get("kind", ""), number(request.POST.get("version", ""))
    if kind not in set(Draft.Kind) or version is None:
        return in_words(_("This page is out of date. Reload it."), 422)
    try:
        is_newest = drafts.save(
            user_id=user_id(request),
            conversation_id=shown.pk,
            kind=Draft.Kind(kind),
            body=request.POST.get("body", "").replace("\r\n", "\n"),
            version=version,
            now=timezone.now(),
        )
    except drafts.CannotKeep as refused:
        return in_words(str(refused), 422)
    return HttpResponse(status=DONE if is_newest else OLDER)
