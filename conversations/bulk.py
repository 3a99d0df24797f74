"""The same deed on many conversations, each judged as the page showed it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from conversations import assigning, contacts, handling, timeline
from conversations.models import Conversation, Entry

AT_MOST = 200
NAMED = 3

Deed = Callable[[Conversation], list[Entry]]


@dataclass
class Outcome:
    """What came of it: the lines that ``undoing.undo`` takes back, and whom it left alone."""

    entries: list[Entry] = field(default_factory=list)
    left: list[Conversation] = field(default_factory=list)
    done: int = 0

    def __str__(self) -> str:
        sentences = [ngettext("%(number)d done.", "%(number)d done.", self.done) % {"number": self.done}]
        if self.left:
            names = ", ".join(str(one.contact) for one in self.left[:NAMED]) + ("…" if len(self.left) > NAMED else "")
            text = ngettext(
                "%(number)d left alone, which has changed since: %(names)s.",
                "%(number)d left alone, which have changed since: %(names)s.",
                len(self.left),
            )
            sentences.append(text % {"number": len(self.left), "names": names})
        return " ".join(sentences)


def act(*, deed: Deed, seen: Mapping[int, int], to_id: int | None = None) -> Outcome:
    """Does ``deed`` to each of these conversations whose version still is the one that was seen; all in one
    transaction, under locks that are taken in order: first that of who gets them, ``to_id``.

    Raises ``handling.Refused`` for none, for too many, and where the deed itself is refused: then nothing is done.
    """
    if not seen:
        raise handling.Refused(_("Select a conversation first."))
    if len(seen) > AT_MOST:
        raise handling.Refused(_("At most %(number)d at once. Select fewer.") % {"number": AT_MOST})
    outcome = Outcome()
    with transaction.atomic():
        assigning.lock([to_id] if to_id else [])
        for conversation in locked(seen):
            if conversation.version != seen[conversation.pk]:
                outcome.left.append(conversation)
                continue
            try:
                outcome.entries += deed(conversation)
            except contacts.TooManyTags:
                outcome.left.append(conversation)
            else:
                outcome.done += 1
    return outcome


def locked(ids: Iterable[int]) -> list[Conversation]:
    rows = Conversation.objects.filter(pk__in=list(ids)).select_related("contact").order_by("pk")
    return list(rows.select_for_update(no_key=True, of=("self",)))


def tag(conversation: Conversation, *, name: str, by_id: int, now: datetime) -> list[Entry]:
    """Puts a tag on its person; nothing where they have it. Raises ``contacts.TooManyTags``."""
    added = contacts.add_tag(contact=conversation.contact, name=name)
    if added is None:
        return []
    return timeline.record([conversation.pk], Entry.Kind.TAGGED, at=now, by_id=by_id, added=added.name, tag_id=added.pk)
