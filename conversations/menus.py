"""The menus around the list: its views, the queues, its filters, and what an empty list says."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from conversations.counting import Counts
from conversations.listing import OF_WHO_WAITS, Listing, Show, View
from conversations.models import Line
from conversations.queues import EVERYBODYS, Staff

VIEWS = {
    View.NEEDS_REPLY: _l("Needs reply"),
    View.MINE: _l("Mine"),
    View.UNASSIGNED: _l("Unassigned"),
    View.ALL: _l("All"),
    View.SNOOZED: _l("Snoozed"),
}
HEADINGS = VIEWS | {View.MINE: _l("My conversations"), View.ALL: _l("All conversations")}
SHOWS = {
    Show.EVERYTHING: _l("Everything open"),
    Show.WAITING: _l("Needs a reply"),
    Show.UNREAD: _l("Unread"),
    Show.FAILED: _l("Not delivered"),
    Show.RESOLVED: _l("Resolved"),
}


def address(asked: Listing) -> str:
    return reverse("inbox") + asked.suffix


def heading(asked: Listing, staff: Staff) -> str:
    if asked.view == View.QUEUE:
        return _("Everybody’s queue") if asked.team_id == EVERYBODYS else staff.names.get(asked.team_id, _("Queue"))
    return str(HEADINGS[asked.view])


def views(asked: Listing, counts: Counts) -> dict[str, dict[str, Any]]:
    """By name: those that are tabs, and the one that is in the menu beside the heading."""
    return {
        view.name.lower(): {
            "name": name,
            "view": view,
            "count": counts.of(view),
            "url": address(Listing(asked.user_id, view)),
            "is_current": view == asked.view,
        }
        for view, name in VIEWS.items()
    }


def queues(asked: Listing, counts: Counts) -> list[dict[str, Any]]:
    """Those that this person answers, each with who waits for anybody in it."""
    return [
        {
            "name": queue.name or _("Everybody’s queue"),
            "waiting": queue.waiting,
            "due_at": queue.due_at,
            "url": address(Listing(asked.user_id, View.QUEUE, team_id=queue.team_id)),
            "is_current": asked.view == View.QUEUE and asked.team_id == queue.team_id,
        }
        for queue in counts.queues
    ]


def filters(asked: Listing, lines: list[Line]) -> list[dict[str, Any]]:
    """The groups of the filter menu that leave a choice."""
    shows = [(name, asked.but(show=show), show == asked.show) for show, name in offered(asked).items()]
    every = [(_("All lines"), asked.but(line_id=None), asked.line_id is None)]
    every += [(line.name, asked.but(line_id=line.pk), line.pk == asked.line_id) for line in lines]
    return [
        {
            "name": name,
            "choices": [{"name": word, "url": address(to), "is_current": is_current} for word, to, is_current in group],
        }
        for name, group in ((_("Show"), shows), (_("Line"), every))
        if len(group) > 1 and (group is shows or len(lines) > 1)
    ]


def offered(asked: Listing) -> dict[Show, Any]:
    if asked.view not in OF_WHO_WAITS:
        return SHOWS
    return {Show.EVERYTHING: _("Everybody who waits")} | {show: SHOWS[show] for show in (Show.UNREAD, Show.FAILED)}


def empty(asked: Listing) -> dict[str, str]:
    """What an empty list says, and the next step."""
    everything = {"url": address(Listing(asked.user_id, View.ALL)), "action": _("Show all conversations")}
    if asked.search:
        words = _("Nothing found for “%(words)s”. Search looks at names, numbers and whole words of texts.")
        return {"words": words % {"words": asked.search}, **everything}
    if asked.show or asked.line_id:
        return {"words": _("Nothing here with these filters."), **everything}
    return {
        View.NEEDS_REPLY: {
            "words": _("Nobody waits for an answer. Whoever texts one of your numbers appears here at once."),
            **everything,
        },
        View.QUEUE: {
            "words": _("Nobody waits in this queue."),
            "url": address(Listing(asked.user_id)),
            "action": _("Show who needs a reply"),
        },
        View.MINE: {
            "words": _("Nothing waits for you. Take the next one from Unassigned."),
            "url": address(Listing(asked.user_id, View.UNASSIGNED)),
            "action": _("Show unassigned"),
        },
        View.UNASSIGNED: {"words": _("Everything has an owner."), **everything},
        View.ALL: {"words": _("All done. When somebody texts one of your numbers, they appear here at once.")},
        View.SNOOZED: {"words": _("Nothing is snoozed. Press S in a conversation to put it off until later.")},
    }[asked.view]
