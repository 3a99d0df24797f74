"""Taking back what was just done, from the line of the timeline that says so.

By compare-and-set: what somebody, or the person, has done since stays, and whoever wanted to undo is told.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from conversations import assigning, blocking, live, timeline, waits
from conversations.handling import Refused
from conversations.models import Contact, Conversation, Entry, Message

# Longer than any page offers it: a clock that is off, or a toast that is being read, costs nobody their way back.
WITHIN = timedelta(minutes=15)
AT_MOST = 200
NAMED = 3


def undo(*, entry_ids: Sequence[int], by_id: int, now: datetime) -> str:
    """Takes these deeds back, where they are still the last word; in words, which were left alone: empty for none.

    Raises ``Refused`` where all were.
    """
    with transaction.atomic():
        asked = Entry.objects.filter(pk__in=entry_ids[:AT_MOST], by=by_id, at__gt=now - WITHIN, kind__in=INVERSES)
        entries = list(asked.select_related("conversation__contact").order_by("conversation", "-pk"))
        blocking.lock(entry.conversation.contact_id for entry in entries if entry.kind == Entry.Kind.BLOCKED)
        assigning.lock(filter(None, {entry.facts.get("was_id") for entry in entries}))
        live.changed(entry.conversation_id for entry in entries)
        undone_before = {
            entry.facts.get("undoes")
            for entry in Entry.objects.filter(
                conversation__in={entry.conversation_id for entry in entries}, by=by_id, at__gt=now - WITHIN
            )
        }
        left = []
        for entry in entries:
            takes_back, kind = INVERSES[Entry.Kind(entry.kind)]
            if entry.pk in undone_before or not takes_back(entry, now):
                left.append(entry.conversation.contact)
            else:
                timeline.record([entry.conversation_id], kind, at=now, by_id=by_id, undoes=entry.pk)
        if len(left) == len(entries):
            raise Refused(_("This has changed since, so nothing was undone."))
    return words(left)


def words(left: Sequence[Contact]) -> str:
    if not left:
        return ""
    text = ngettext(
        "Undone, but for %(number)d that has changed since: %(names)s",
        "Undone, but for %(number)d that have changed since: %(names)s",
        len(left),
    )
    names = ", ".join(str(contact) for contact in left[:NAMED]) + ("…" if len(left) > NAMED else "")
    return text % {"number": len(left), "names": names}


def moved(entry: Entry, expected: dict[str, Any], **changes: Any) -> bool:
    """Changes the conversation, if it still is as the deed left it."""
    return Conversation.objects.filter(pk=entry.conversation_id, **expected).update(**changes) == 1


def time_of(entry: Entry, name: str) -> datetime | None:
    text = entry.facts.get(name)
    return datetime.fromisoformat(text) if text else None


def later(at: datetime | None, now: datetime) -> datetime | None:
    return at if at and at > now else None


def unresolve(entry: Entry, now: datetime) -> bool:
    back = {"resolved_at": None, "disposition": None, "snoozed_until": later(time_of(entry, "was_until"), now)}
    if not moved(entry, {"resolved_at": entry.at}, **back):
        return False
    resume(entry, now)
    return True


def resume(entry: Entry, now: datetime) -> bool:
    assert entry.by_id is not None  # noqa: S101 ``undo`` asked for the deeds of somebody
    return waits.resume(conversation=entry.conversation, ended_at=entry.at, by_id=entry.by_id)


def unsnooze(entry: Entry, now: datetime) -> bool:
    was_until, was_resolved_at = later(time_of(entry, "was_until"), now), time_of(entry, "was_resolved_at")
    expected: dict[str, Any] = {"snoozed_until": time_of(entry, "until"), "resolved_at": None}
    if was_resolved_at and moved(entry, expected | {"due_at": None}, snoozed_until=None, resolved_at=was_resolved_at):
        return True
    return moved(entry, expected, snoozed_until=was_until)


def sleep_again(entry: Entry, now: datetime) -> bool:
    texts = Message.objects.filter(conversation=entry.conversation_id, direction=Message.Direction.IN)
    until = later(time_of(entry, "was_until"), now)
    if until is None or texts.filter(status_at__gte=entry.at).exists():
        return False
    return moved(entry, {"snoozed_until": None, "resolved_at": None}, snoozed_until=until)


def unassign(entry: Entry, now: datetime) -> bool:
    was_id = entry.facts.get("was_id")
    if was_id is not None and not assigning.has_room(was_id):
        return False
    return moved(entry, {"owner": entry.facts.get("owner_id")}, owner=was_id, owned_since=was_id and now)


def untransfer(entry: Entry, now: datetime) -> bool:
    was_id, facts = entry.facts.get("was_id"), entry.facts
    if was_id is not None and not assigning.has_room(was_id):
        return False
    expected = {"owner": facts.get("owner_id"), "team": facts.get("team_id")}
    return moved(entry, expected, owner=was_id, owned_since=was_id and now, team=facts.get("was_team_id"))


def untag(entry: Entry, now: datetime) -> bool:
    return bool(entry.conversation.contact.tags.through.objects.filter(
        contact=entry.conversation.contact_id, tag=entry.facts.get("tag_id")
    ).delete()[0])  # fmt: skip


def unblock(entry: Entry, now: datetime) -> bool:
    return blocking.lift(entry, now=now)


# What takes each kind of deed back, and the line that says so.
INVERSES: dict[Entry.Kind, tuple[Callable[[Entry, datetime], bool], Entry.Kind]] = {
    Entry.Kind.RESOLVED: (unresolve, Entry.Kind.REOPENED),
    Entry.Kind.NO_ANSWER_NEEDED: (resume, Entry.Kind.REOPENED),
    Entry.Kind.SNOOZED: (unsnooze, Entry.Kind.WOKE),
    Entry.Kind.WOKE: (sleep_again, Entry.Kind.SNOOZED),
    Entry.Kind.ASSIGNED: (unassign, Entry.Kind.ASSIGNED),
    Entry.Kind.CLAIMED: (unassign, Entry.Kind.RETURNED),
    Entry.Kind.RETURNED: (unassign, Entry.Kind.ASSIGNED),
    Entry.Kind.TRANSFERRED: (untransfer, Entry.Kind.TRANSFERRED),
    Entry.Kind.TAGGED: (untag, Entry.Kind.TAGGED),
    Entry.Kind.BLOCKED: (unblock, Entry.Kind.UNBLOCKED),
}
