"""The inbox's pages. A fragment is the same template inside the page, as an htmx answer and as a refresh."""

import hashlib
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.template.loader import get_template, render_to_string
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET

from contactcenter.accounts import access
from contactcenter.accounts.models import Role, User
from conversations import (
    assigning,
    contacts,
    counting,
    details,
    drafts,
    inbox,
    listing,
    menus,
    notes,
    outbound,
    presence,
    queues,
    wording,
)
from conversations.counting import Counts
from conversations.kept import drawn_rows, kept
from conversations.listing import Listing, View
from conversations.models import Conversation, Disposition, Line, Message
from conversations.shifts import Availability

WRITERS = (Role.AGENT, Role.SUPERVISOR)
DISPOSITIONS = 50
# Answers hold what people wrote: no cache may keep them. The page remembers their ETags itself.
kept_nowhere = cache_control(no_store=True, private=True)


# --- Pages -----------------------------------------------------------------------------------------------------


@access.allow(*access.EVERYONE)
@require_GET
@kept_nowhere
def index(request: HttpRequest) -> HttpResponse:
    if not Line.objects.exists():
        return render(request, "inbox/first_run.html")
    return render(request, "inbox/page.html", page_of(request) | list_context(request))


@access.allow(*access.EVERYONE)
@require_GET
@kept_nowhere
def conversation(request: HttpRequest, pk: int) -> HttpResponse:
    shown = opened(pk)
    context = page_of(request) | list_context(request, pk)
    context |= thread_context(request, shown) | panel_context(request, shown)
    # From here on the page asks for all that it shows: what comes pushes nothing off its upper end.
    begin = context["thread"].first_id if context["thread"].is_latest else None
    etags = {
        "thread_etag": etag(request, ("thread", wanted(request).suffix, begin, before(request), *shown.key)),
        "panel_etag": etag(request, ("panel", *shown.key)),
    }
    return render(request, "inbox/page.html", context | etags | {"open_id": pk})


def page_of(request: HttpRequest) -> dict[str, Any]:
    """What is around the list and the thread."""
    return {
        "may_write": may_write(request),
        "availability": presence.availability(user_id(request)),
        "availabilities": Availability,
        "drafts": drafts.of(user_id(request)) if may_write(request) else [],
    }


# --- Fragments ---------------------------------------------------------------------------------------------------


def etag(request: HttpRequest, key: tuple[object, ...]) -> str:
    """Everything that a rendering depends on: the data, the language, what this role may do."""
    parts = (key, get_language(), may_write(request))
    return f'"{hashlib.sha256(repr(parts).encode()).hexdigest()[:32]}"'


def opened(pk: int) -> inbox.Opened:
    found = inbox.opened(pk, now=timezone.now())
    if found is None:
        raise Http404("no such conversation")
    return found


def unless_unchanged(
    request: HttpRequest, tag: str, template: str, context: Callable[[], dict[str, Any]]
) -> HttpResponse:
    """The fragment; only a line that says so where the browser has this very rendering."""
    unchanged = get_conditional_response(request, etag=tag)
    if isinstance(unchanged, HttpResponse):
        return unchanged
    response = render(request, template, context())
    response["ETag"] = tag
    return response


@access.allow(*access.EVERYONE)
@require_GET
@kept_nowhere
def list_fragment(request: HttpRequest) -> HttpResponse:
    asked = wanted_rows(request)
    fresh = request.headers.get("Cache-Control") == "no-cache"
    rows, counts = rendered(asked, fresh=fresh), counted(asked, fresh=fresh)
    called = notes.unseen(asked.user_id, fresh=fresh)
    tag = etag(request, (asked, counts, called, rows.digest))
    return unless_unchanged(request, tag, "inbox/_list.html", lambda: rows_context(asked, rows, counts, called))


@access.allow(*access.EVERYONE)
@require_GET
@kept_nowhere
def thread_fragment(request: HttpRequest, pk: int) -> HttpResponse:
    shown = opened(pk)
    tag = etag(request, ("thread", wanted(request).suffix, since(request), before(request), *shown.key))
    return unless_unchanged(request, tag, "inbox/_thread.html", lambda: thread_context(request, shown))


@access.allow(*access.EVERYONE)
@require_GET
@kept_nowhere
def panel_fragment(request: HttpRequest, pk: int) -> HttpResponse:
    shown = opened(pk)
    tag = etag(request, ("panel", *shown.key))
    return unless_unchanged(request, tag, "inbox/_panel.html", lambda: panel_context(request, shown))


@access.allow(*WRITERS)
@require_GET
@kept_nowhere
def owners(request: HttpRequest, pk: int) -> HttpResponse:
    """The colleagues in the menu that assigns, fetched when it opens: there may be hundreds."""
    shown = get_object_or_404(Conversation, pk=pk)
    return render(request, "inbox/_owners.html", {"conversation": shown, "desks": desks_of_colleagues(request)})


def desks_of_colleagues(request: HttpRequest) -> list[assigning.Desk]:
    """Who can be given something comes first."""
    desks = assigning.desks(assigning.owners().exclude(pk=user_id(request)), now=timezone.now())
    return sorted(desks, key=lambda desk: not desk.is_on_shift)


@access.allow(*WRITERS)
@require_GET
@kept_nowhere
def dispositions(request: HttpRequest, pk: int) -> HttpResponse:
    """How a conversation may have ended, fetched when the menu beside Resolve opens."""
    shown = get_object_or_404(Conversation, pk=pk)
    offered = Disposition.objects.filter(is_active=True)[:DISPOSITIONS]
    return render(request, "inbox/_dispositions.html", {"conversation": shown, "dispositions": offered})


def bulk_menus(request: HttpRequest) -> HttpResponse:
    """What can be done with several conversations at once, and with which choices."""
    context = {
        "desks": desks_of_colleagues(request),
        "dispositions": Disposition.objects.filter(is_active=True)[:DISPOSITIONS],
        "snoozes": wording.snoozes(timezone.now()),
        "tag_names": contacts.tag_names(),
    }
    return render(request, "inbox/_bulk.html", context)


@access.allow(*WRITERS)
@require_GET
@kept_nowhere
def contact_form(request: HttpRequest, pk: int) -> HttpResponse:
    """The details of a person, to be edited where they stand."""
    shown = get_object_or_404(inbox.conversations(), pk=pk)
    form = contacts.DetailsForm(instance=shown.contact)
    return render(request, "inbox/_contact_form.html", {"conversation": shown, "form": form})


@access.allow(*access.EVERYONE)
@require_GET
@kept_nowhere
def message_details(request: HttpRequest, pk: int) -> HttpResponse:
    """The life of one message, for the dialog."""
    message = get_object_or_404(Message.objects.select_related("author", "decision", "conversation__line"), pk=pk)
    return render(request, "inbox/_details.html", {"message": message, "steps": details.steps(message)})


# --- What the templates are given --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rendered:
    """A page of the list as everybody sees it who may see it."""

    found: listing.Found
    digest: str
    html: SafeString

    def with_open(self, pk: int) -> SafeString:
        """For a page that is loaded; in one that is there, static/js/list.js marks the row."""
        row = f'<li id="c-{pk}"><a '
        return mark_safe(self.html.replace(row, f'{row}aria-current="true" ', 1))  # noqa: S308 a template made it


def rendered(asked: Listing, *, fresh: bool = False) -> Rendered:
    """Found and rendered once for all who ask at once; after a change only if it changes something here."""

    def read(before: Rendered | None) -> Rendered:
        found = listing.find(asked)  # which rows before what they say: see conversation
        if before is not None and before.found.key == found.key:
            return before
        digest = hashlib.sha256(repr(found.key).encode()).hexdigest()
        return Rendered(found, digest, render_to_string("inbox/_rows.html", page_context(asked, found)))

    if asked.search or asked.after:
        return read(None)  # seldom the same for two
    return kept.value(("rows", asked.shared, get_language()), read, fresh=fresh)


def list_context(request: HttpRequest, open_id: int | None = None) -> dict[str, Any]:
    asked = wanted_rows(request)
    rows, counts = rendered(asked, fresh=True), counted(asked, fresh=True)
    called = notes.unseen(asked.user_id, fresh=True)
    tag = etag(request, (asked, counts, called, rows.digest))
    context = {"list_etag": tag} | rows_context(asked, rows, counts, called)
    return context | ({"rows": rows.with_open(open_id)} if open_id else {})


def counted(asked: Listing, *, fresh: bool) -> Counts:
    return counting.count(asked.user_id, asked.teams, queues.staff(), fresh=fresh)


def rows_context(asked: Listing, rows: Rendered, counts: Counts, called: int) -> dict[str, Any]:
    lines = kept.value("lines", lambda _: listing.lines())
    return {
        "listing": asked,
        "rows": rows.html,
        "number_found": len(rows.found.versions),
        "heading": menus.heading(asked, queues.staff()),
        "views": menus.views(asked, counts),
        "queues": menus.queues(asked, counts),
        "filters": menus.filters(asked, lines),
        "empty": menus.empty(asked),
        "waiting": counts.needs_reply,
        "mine": counts.mine,
        "mine_unread": counts.mine_unread,
        "called": called,
    }


def page_context(asked: Listing, found: listing.Found) -> dict[str, Any]:
    lines = listing.lines()
    return {
        "listing": asked,
        "page": {
            "rows": drawn(asked, found, lines),
            "next": asked.but(after=found.next).suffix if found.next else None,
            "first": (asked.but().suffix or "?") if asked.after else None,
        },
        "filters": menus.filters(asked, lines),
        "empty": menus.empty(asked),
    }


def drawn(asked: Listing, found: listing.Found, lines: list[Line]) -> list[str]:
    """Each row's HTML. Only those that have changed are read and rendered: after a text that is one of fifty."""
    show_line = len(lines) > 1 and asked.line_id is None
    show_owner = asked.view not in {View.MINE, View.UNASSIGNED, View.QUEUE}
    look = (asked.suffix, get_language(), found.moment, show_owner, show_line and tuple(line.name for line in lines))
    names: dict[int, Hashable] = {pk: (pk, version, look) for pk, version in found.versions}
    known = {} if asked.search else drawn_rows.known(names.values())  # what a search shows is its own
    missing = found.only({pk for pk, name in names.items() if name not in known})
    context = {
        "listing": asked,
        "show_line": show_line,
        "show_owner": show_owner,
    }
    template = get_template("inbox/_row.html")
    rows = listing.rows(missing, search=asked.search)
    fresh = {names[row.pk]: template.render(context | {"row": row}) for row in rows}
    if not asked.search:
        drawn_rows.keep(fresh)
    known |= fresh
    return [known[name] for name in names.values() if name in known]


def thread_context(request: HttpRequest, shown: inbox.Opened) -> dict[str, Any]:
    now, conversation = timezone.now(), shown.conversation
    return {
        "conversation": conversation,
        "thread": inbox.thread(
            conversation,
            now=now,
            before=before(request),
            since=since(request),
            consent=shown.consent,
            reader_id=user_id(request),
        ),
        "clocks": wording.clocks(conversation.contact, now),
        "may_write": may_write(request),
        "snoozes": wording.snoozes(now) if may_write(request) else (),
        "morning_there": wording.morning_there(conversation.contact, now),
        "most_segments": outbound.MAX_SEGMENTS,
        "zone_name": timezone.get_current_timezone_name(),
        "now": now,
    }


def panel_context(request: HttpRequest, shown: inbox.Opened) -> dict[str, Any]:
    now, conversation = timezone.now(), shown.conversation
    return {
        "conversation": conversation,
        "panel": inbox.panel(conversation, now=now, consent=shown.consent),
        "tag_names": contacts.tag_names(),
        "clocks": wording.clocks(conversation.contact, now),
        "may_write": may_write(request),
        "now": now,
    }


# --- What was asked for ------------------------------------------------------------------------------------------


def may_write(request: HttpRequest) -> bool:
    return isinstance(request.user, User) and request.user.role in WRITERS


def wanted(request: HttpRequest) -> Listing:
    try:
        return Listing.parse(request.GET, user_id(request))
    except (ValueError, OverflowError):
        raise Http404("no such place in the list") from None


def wanted_rows(request: HttpRequest) -> Listing:
    """With the queues that whoever asks answers."""
    assert isinstance(request.user, User)  # noqa: S101 access.allow saw to it; this tells mypy
    return replace(wanted(request), teams=queues.staff().answered_by(request.user))


def before(request: HttpRequest) -> int | None:
    return number(request.GET.get("before", ""))


def since(request: HttpRequest) -> int | None:
    return number(request.GET.get("since", ""))


def number(text: str) -> int | None:
    """An id from a query string; not one that is longer than any id can be."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None


def user_id(request: HttpRequest) -> int:
    assert isinstance(request.user, User)  # noqa: S101 access.allow saw to it; this tells mypy
    return request.user.pk
