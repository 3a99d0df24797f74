"""The inbox's pages. A fragment is the same template inside the page, as an htmx answer and as a refresh."""

import hashlib
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import condition, require_GET, require_POST

from contactcenter.accounts import access
from contactcenter.accounts.models import Role, User
from conversations import inbox, outbound, unread, waits
from conversations.models import Conversation, Message

WRITERS = (Role.AGENT, Role.SUPERVISOR)
# Answers hold what people wrote: no cache may keep them. The page remembers their ETags itself.
kept_nowhere = cache_control(no_store=True, private=True)


# --- Pages -----------------------------------------------------------------------------------------------------


@access.allow(*access.EVERYONE)
@require_GET
@kept_nowhere
def index(request: HttpRequest) -> HttpResponse:
    return render(request, "inbox/page.html", list_context(request))


@access.allow(*access.EVERYONE)
@require_GET
@kept_nowhere
def conversation(request: HttpRequest, pk: int) -> HttpResponse:
    # ETags first: what arrives in between is then fetched once too often, and never missed.
    etags = {"thread_etag": thread_etag(request, pk), "panel_etag": panel_etag(request, pk)}
    shown = get_object_or_404(inbox.conversations(), pk=pk)
    context = list_context(request, shown.pk) | thread_context(request, shown) | panel_context(request, shown)
    return render(request, "inbox/page.html", context | etags)


# --- Fragments ---------------------------------------------------------------------------------------------------


def etag(request: HttpRequest, key: tuple[object, ...] | None) -> str | None:
    """Everything that a rendering depends on: the data, the language, what this role may do."""
    if key is None:
        return None
    parts = (key, get_language(), may_write(request))
    return f'"{hashlib.sha256(repr(parts).encode()).hexdigest()[:32]}"'


def list_etag(request: HttpRequest) -> str | None:
    return etag(request, ("list", open_id(request), *inbox.list_key(after=after(request))))


def thread_etag(request: HttpRequest, pk: int) -> str | None:
    key = inbox.thread_key(pk, now=timezone.now())
    return etag(request, key and ("thread", before(request), *key))


def panel_etag(request: HttpRequest, pk: int) -> str | None:
    key = inbox.thread_key(pk, now=timezone.now())
    return etag(request, key and ("panel", *key))


@access.allow(*access.EVERYONE)
@require_GET
@kept_nowhere
@condition(etag_func=list_etag)
def list_fragment(request: HttpRequest) -> HttpResponse:
    return render(request, "inbox/_list.html", list_context(request, open_id(request)))


@access.allow(*access.EVERYONE)
@require_GET
@kept_nowhere
@condition(etag_func=thread_etag)
def thread_fragment(request: HttpRequest, pk: int) -> HttpResponse:
    shown = get_object_or_404(inbox.conversations(), pk=pk)
    return render(request, "inbox/_thread.html", thread_context(request, shown))


@access.allow(*access.EVERYONE)
@require_GET
@kept_nowhere
@condition(etag_func=panel_etag)
def panel_fragment(request: HttpRequest, pk: int) -> HttpResponse:
    shown = get_object_or_404(inbox.conversations(), pk=pk)
    return render(request, "inbox/_panel.html", panel_context(request, shown))


def list_context(request: HttpRequest, open_pk: int | None = None) -> dict[str, Any]:
    begin = after(request)
    key = ("list", open_pk, *inbox.list_key(after=begin))  # before the rows: see conversation
    page = inbox.rows(after=begin)
    return {"page": page, "after": begin, "open_id": open_pk, "list_etag": etag(request, key), "now": timezone.now()}


def thread_context(request: HttpRequest, shown: Conversation) -> dict[str, Any]:
    now = timezone.now()
    thread = inbox.thread(shown, now=now, before=before(request))
    return {
        "conversation": shown,
        "thread": thread,
        "may_write": may_write(request),
        "most_segments": outbound.MAX_SEGMENTS,
        "now": now,
    }


def panel_context(request: HttpRequest, shown: Conversation) -> dict[str, Any]:
    now = timezone.now()
    return {"conversation": shown, "panel": inbox.panel(shown, now=now), "now": now}


def may_write(request: HttpRequest) -> bool:
    return isinstance(request.user, User) and request.user.role in WRITERS


def after(request: HttpRequest) -> inbox.Place | None:
    text = request.GET.get("after", "")
    try:
        return inbox.Place.parse(text) if text else None
    except (ValueError, OverflowError):
        raise Http404("no such place in the list") from None


def before(request: HttpRequest) -> int | None:
    return number(request.GET.get("before", ""))


def open_id(request: HttpRequest) -> int | None:
    return number(request.GET.get("open", ""))


def number(text: str) -> int | None:
    """An id from a query string; not one that is longer than any id can be."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None


# --- What people do ----------------------------------------------------------------------------------------------

DONE = 204


def refused(error: Exception) -> HttpResponse:
    """The reason in words, which the page shows where the action was."""
    return HttpResponse(str(error), status=422, content_type="text/plain; charset=utf-8")


@access.allow(*WRITERS)
@require_POST
def message_send(request: HttpRequest, pk: int) -> HttpResponse:
    """201, also when this ``ref`` was accepted before; 422 with the reason in words."""
    shown = get_object_or_404(Conversation, pk=pk)
    try:
        ref = UUID(request.POST.get("ref", ""))
    except ValueError:
        return refused(outbound.CannotSend(_("This page is out of date. Reload it: your text is kept.")))
    return attempted(
        lambda: outbound.send(
            conversation=shown,
            body=request.POST.get("body", "").replace("\r\n", "\n"),
            author_id=author_id(request),
            ref=ref,
            now=timezone.now(),
        )
    )


@access.allow(*WRITERS)
@require_POST
def message_retry(request: HttpRequest, pk: int) -> HttpResponse:
    message = get_object_or_404(Message.objects.select_related("conversation"), pk=pk)
    return attempted(lambda: outbound.retry(message=message, author_id=author_id(request), now=timezone.now()))


def attempted(send: Callable[[], Message]) -> HttpResponse:
    try:
        send()
    except outbound.CannotSend as error:
        return refused(error)
    return HttpResponse(status=201)


@access.allow(*WRITERS)
@require_POST
def message_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    message = get_object_or_404(Message, pk=pk)
    if not outbound.cancel(message=message, now=timezone.now()):
        return refused(outbound.CannotSend(_("Too late: this message has left already.")))
    return HttpResponse(status=DONE)


@access.allow(*WRITERS)
@require_POST
def no_answer_needed(request: HttpRequest, pk: int) -> HttpResponse:
    shown = get_object_or_404(Conversation, pk=pk)
    waits.end(conversation=shown, by_id=author_id(request), now=timezone.now())
    return HttpResponse(status=DONE)


@access.allow(*WRITERS)
@require_POST
def read(request: HttpRequest, pk: int) -> HttpResponse:
    """Somebody saw the messages up to ``up_to``: only ever said by a visible page, never by a refetch."""
    shown = get_object_or_404(Conversation, pk=pk)
    unread.mark_read(conversation=shown, up_to=number(request.POST.get("up_to", "")) or 0)
    return HttpResponse(status=DONE)


def author_id(request: HttpRequest) -> int:
    assert isinstance(request.user, User)  # noqa: S101 access.allow saw to it; this tells mypy
    return request.user.pk
