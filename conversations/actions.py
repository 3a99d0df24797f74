"""What people do in the inbox. A page posts, gets 201, 204, or 422 with the reason in words, and refetches."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from contactcenter.accounts import access
from conversations import (
    assigning,
    blocking,
    bulk,
    contacts,
    handling,
    inbox,
    notes,
    outbound,
    presence,
    undoing,
    unread,
    waits,
)
from conversations.models import UNTIL_THEY_REPLY, Conversation, Entry, Message
from conversations.shifts import Availability
from conversations.views import WRITERS, bulk_menus, kept_nowhere, number, user_id

DONE, ACCEPTED = 204, 201
REFUSALS = (
    outbound.CannotSend,
    handling.Refused,
    assigning.CannotAssign,
    waits.WrittenSince,
    contacts.TooManyTags,
    notes.CannotNote,
)


def attempted(act: Callable[[], Any], status: int = DONE) -> HttpResponse:
    """Does it; what was refused says why in words, which the page shows where the action was."""
    try:
        act()
    except REFUSALS as error:
        return in_words(str(error), 422)
    return HttpResponse(status=status)


def undoable(act: Callable[[], list[Entry]]) -> HttpResponse:
    """As ``attempted``; its header ``X-Undo`` names what was done, for ``undo``."""
    try:
        entries = act()
    except REFUSALS as error:
        return in_words(str(error), 422)
    response = HttpResponse(status=DONE)
    if entries:
        response["X-Undo"] = ",".join(str(entry.pk) for entry in entries)
    return response


def in_words(words: str, status: int) -> HttpResponse:
    return HttpResponse(words, status=status, content_type="text/plain; charset=utf-8")


# --- Messages ----------------------------------------------------------------------------------------------------


@access.allow(*WRITERS)
@require_POST
def message_send(request: HttpRequest, pk: int) -> HttpResponse:
    """201, also when this ``ref`` was accepted before; 409 with what has come since the page showed ``seen``, for its
    author to decide; 422 with the reason in words."""
    shown = get_object_or_404(Conversation, pk=pk)

    def send() -> None:
        outbound.send(
            conversation=shown,
            body=request.POST.get("body", "").replace("\r\n", "\n"),
            author_id=user_id(request),
            ref=own_ref(request),
            now=timezone.now(),
            due_at=local_time(request, "due_at"),
            seen=number(request.POST.get("seen", "")),
            delay=timedelta(seconds=request.user.undo_seconds),  # type: ignore[union-attr]
        )

    try:
        return attempted(send, ACCEPTED)
    except outbound.ChangedSince as since:
        return render(request, "inbox/_since.html", {"since": since, "may_write": True}, status=409)


def own_ref(request: HttpRequest) -> UUID:
    try:
        return UUID(request.POST.get("ref", ""))
    except ValueError:
        raise outbound.CannotSend(_("This page is out of date. Reload it: your text is kept.")) from None


def local_time(request: HttpRequest, name: str) -> datetime | None:
    """What a ``datetime-local`` field says, in the center's time zone; ``None`` for nothing."""
    text = request.POST.get(name, "")
    if not text:
        return None
    try:
        at = parse_datetime(text)
    except ValueError:
        at = None
    if at is None:
        raise handling.Refused(_("This is no date and time. Choose one from the calendar."))
    return at if timezone.is_aware(at) else timezone.make_aware(at)


@access.allow(*WRITERS)
@require_POST
def message_retry(request: HttpRequest, pk: int) -> HttpResponse:
    message = get_object_or_404(Message.objects.select_related("conversation"), pk=pk)
    seen = number(request.POST.get("seen", ""))
    try:
        return attempted(
            lambda: outbound.retry(message=message, author_id=user_id(request), now=timezone.now(), seen=seen), ACCEPTED
        )
    except outbound.ChangedSince as since:
        return in_words(str(since), 422)


@access.allow(*WRITERS)
@require_POST
def message_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    message = get_object_or_404(Message, pk=pk)

    def cancel() -> None:
        if not handling.cancel(message=message, now=timezone.now()):
            raise outbound.CannotSend(_("Too late: this message has left already."))

    return attempted(cancel)


# --- Conversations -----------------------------------------------------------------------------------------------


@access.allow(*WRITERS)
@require_POST
def no_answer_needed(request: HttpRequest, pk: int) -> HttpResponse:
    shown = get_object_or_404(Conversation, pk=pk)
    seen = up_to(request)
    return undoable(
        lambda: handling.no_answer_needed(conversation=shown, by_id=user_id(request), now=timezone.now(), up_to=seen)
    )


@access.allow(*WRITERS)
@require_POST
def resolve(request: HttpRequest, pk: int) -> HttpResponse:
    shown = get_object_or_404(Conversation, pk=pk)
    seen, disposition = up_to(request), number(request.POST.get("disposition", ""))
    return undoable(
        lambda: handling.resolve(
            conversation=shown,
            by_id=user_id(request),
            now=timezone.now(),
            up_to=seen,
            disposition_id=disposition,
        )
    )


def up_to(request: HttpRequest) -> int:
    """The last message that the page showed; none, unless it says so."""
    return number(request.POST.get("up_to", "")) or 0


@access.allow(*WRITERS)
@require_POST
def reopen(request: HttpRequest, pk: int) -> HttpResponse:
    shown = get_object_or_404(Conversation, pk=pk)
    return attempted(lambda: handling.reopen(conversation=shown, by_id=user_id(request), now=timezone.now()))


@access.allow(*WRITERS)
@require_POST
def snooze(request: HttpRequest, pk: int) -> HttpResponse:
    """Until ``until``, which may be ``reply``; without one, it wakes."""
    shown = get_object_or_404(Conversation, pk=pk)

    def put_off() -> list[Entry]:
        until, by_id, now = bedtime(request), user_id(request), timezone.now()
        if until is None:
            return handling.unsnooze(conversation=shown, by_id=by_id, now=now)
        return handling.snooze(conversation=shown, until=until, by_id=by_id, now=now)

    return undoable(put_off)


def bedtime(request: HttpRequest) -> datetime | None:
    """Until when something is to be out of sight."""
    return UNTIL_THEY_REPLY if request.POST.get("until") == "reply" else local_time(request, "until")


@access.allow(*WRITERS)
@require_POST
def assign(request: HttpRequest, pk: int) -> HttpResponse:
    """To ``owner``; without one, to nobody. ``was`` is the owner that the page showed."""
    shown = get_object_or_404(Conversation, pk=pk)
    return undoable(
        lambda: assigning.assign(
            conversation=shown,
            to_id=somebody(request, "owner"),
            was_id=somebody(request, "was"),
            by_id=user_id(request),
            now=timezone.now(),
        )
    )


def somebody(request: HttpRequest, name: str) -> int | None:
    """Whoever a field names; nobody where it is empty."""
    text = request.POST.get(name, "")
    return (number(text) or 0) if text else None


@access.allow(*WRITERS)
@require_POST
def availability(request: HttpRequest) -> HttpResponse:
    """Whether the one who asks takes work."""
    choice = request.POST.get("availability", "")
    if choice not in set(Availability):
        return HttpResponse(_("This page is out of date. Reload it."), status=422)
    presence.choose(user_id(request), Availability(choice), now=timezone.now())
    return redirect(request.POST.get("next", "") if is_local(request) else "inbox")


def is_local(request: HttpRequest) -> bool:
    return url_has_allowed_host_and_scheme(request.POST.get("next", ""), allowed_hosts={request.get_host()})


@access.allow(*WRITERS)
@require_POST
def read(request: HttpRequest, pk: int) -> HttpResponse:
    """Somebody saw the messages up to ``up_to``: only ever said by a visible page, never by a refetch."""
    shown = get_object_or_404(Conversation, pk=pk)
    return attempted(lambda: unread.mark_read(conversation=shown, up_to=up_to(request)))


@access.allow(*WRITERS)
@require_POST
def mark_unread(request: HttpRequest, pk: int) -> HttpResponse:
    shown = get_object_or_404(Conversation, pk=pk)
    return attempted(lambda: unread.mark_unread(conversation=shown))


# --- People ------------------------------------------------------------------------------------------------------


@access.allow(*WRITERS)
@require_POST
def contact_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """204; or 422 with the form again and what is wrong with it."""
    shown = get_object_or_404(inbox.conversations(), pk=pk)
    form = contacts.DetailsForm(request.POST, instance=shown.contact)
    if not form.is_valid():
        return render(request, "inbox/_contact_form.html", {"conversation": shown, "form": form}, status=422)
    form.save()
    return HttpResponse(status=DONE)


@access.allow(*WRITERS)
@require_POST
def tag_add(request: HttpRequest, pk: int) -> HttpResponse:
    shown = get_object_or_404(inbox.conversations(), pk=pk)
    return attempted(lambda: contacts.add_tag(contact=shown.contact, name=request.POST.get("name", "")))


@access.allow(*WRITERS)
@require_POST
def tag_remove(request: HttpRequest, pk: int, tag: int) -> HttpResponse:
    shown = get_object_or_404(inbox.conversations(), pk=pk)
    return attempted(lambda: contacts.remove_tag(contact=shown.contact, tag_id=tag))


# --- Taking back, blocking ---------------------------------------------------------------------------------------


@access.allow(*WRITERS)
@require_POST
def undo(request: HttpRequest) -> HttpResponse:
    """Takes back the deeds named by an earlier answer's ``X-Undo``. 204; 200 with words where some were left alone."""
    entries = [pk for text in request.POST.get("entries", "").split(",") if (pk := number(text))]
    try:
        words = undoing.undo(entry_ids=entries, by_id=user_id(request), now=timezone.now())
    except handling.Refused as refused:
        return in_words(str(refused), 422)
    return in_words(words, 200) if words else HttpResponse(status=DONE)


@access.allow(*WRITERS)
@require_POST
def block(request: HttpRequest, pk: int) -> HttpResponse:
    """The number that this conversation is with."""
    shown = get_object_or_404(inbox.conversations(), pk=pk)
    return undoable(lambda: blocking.block(contact=shown.contact, by_id=user_id(request), now=timezone.now()))


@access.allow(*WRITERS)
@require_POST
def unblock(request: HttpRequest, pk: int) -> HttpResponse:
    shown = get_object_or_404(inbox.conversations(), pk=pk)
    return attempted(lambda: blocking.unblock(contact=shown.contact, by_id=user_id(request), now=timezone.now()))


# --- Several at once ---------------------------------------------------------------------------------------------


@access.allow(*WRITERS)
@require_http_methods(["GET", "HEAD", "POST"])
@kept_nowhere
def several(request: HttpRequest) -> HttpResponse:
    """The menus; or ``deed`` with its ``value`` to each of ``seen`` (``id:version,…``): 200 with what came of it, in
    words."""
    if request.method != "POST":
        return bulk_menus(request)
    try:
        to_id = somebody(request, "value") if request.POST.get("deed") == "assign" else None
        outcome = bulk.act(deed=deed_asked(request), seen=versions_seen(request), to_id=to_id)
    except REFUSALS as error:
        return in_words(str(error), 422)
    response = in_words(str(outcome), 200)
    if outcome.entries:
        response["X-Undo"] = ",".join(str(entry.pk) for entry in outcome.entries)
    return response


def deed_asked(request: HttpRequest) -> bulk.Deed:
    value, by_id, now = request.POST.get("value", ""), user_id(request), timezone.now()
    match request.POST.get("deed"):
        case "resolve":
            ended = number(value)
            return lambda one: handling.resolve(conversation=one, by_id=by_id, now=now, disposition_id=ended)
        case "assign":
            owner = somebody(request, "value")
            return lambda one: assigning.assign(
                conversation=one, to_id=owner, was_id=one.owner_id, by_id=by_id, now=now
            )
        case "snooze":
            until = UNTIL_THEY_REPLY if value == "reply" else local_time(request, "value")
            if until is None:
                raise handling.Refused(_("Choose a time first."))
            return lambda one: handling.snooze(conversation=one, until=until, by_id=by_id, now=now)
        case "tag":
            return lambda one: bulk.tag(one, name=value, by_id=by_id, now=now)
    raise handling.Refused(_("This page is out of date. Reload it."))


def versions_seen(request: HttpRequest) -> dict[int, int]:
    pairs = (pair.partition(":") for pair in request.POST.get("seen", "").split(","))
    return {pk: version for one, _, other in pairs if (pk := number(one)) and (version := number(other)) is not None}
