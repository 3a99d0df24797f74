"""What colleagues say to each other about a conversation. The person never sees it, and nobody has answered by it: no
wait ends, no deadline moves, nothing becomes read."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Count, QuerySet
from django.utils.translation import gettext as _

from contactcenter.accounts.models import User
from contactcenter.lib import redact
from conversations import drafts, live
from conversations.kept import kept
from conversations.models import Conversation, Draft, Mention, Note

LONGEST = 4000
ROWS = 50
UNSEEN_SHOWN = 100
PEOPLE = 1000
# Not within an email address or a link.
BEGINS = r"(?<![\w.+/@-])@"
# “@ana.” at a sentence's end is Ana, “@ana.b” is somebody else.
ENDS = r"(?!\w|[.@+-]\w)"
ANYBODY = re.compile(rf"{BEGINS}([^\W\d_][\w.+-]*\w|[^\W\d_])")


class CannotNote(Exception):
    """Says, in words for its author, why a note was not written and what to do."""


class Call(NamedTuple):
    """A place in a text that names somebody: “@ana” or “@Ana Ruiz”."""

    start: int
    end: int
    users: Sequence[User]


# --- Writing -----------------------------------------------------------------------------------------------------


def write(*, conversation: Conversation, author: User, ref: UUID, body: str, now: datetime) -> Note:
    """Writes a note and calls whom it names. The same ``ref`` again answers with the note that is already there. Card
    and social security numbers are taken out. Raises ``CannotNote``."""
    body = writable(body)
    called = mentioned(body)
    with transaction.atomic():
        live.changed([conversation.pk])
        note = Note(conversation=conversation, ref=ref, author=author, body=body, created_at=now)
        try:
            with transaction.atomic():
                note.save(force_insert=True)
        except IntegrityError:
            return written_before(note)
        drafts.sent(user_id=author.pk, conversation_id=conversation.pk, kind=Draft.Kind.NOTE, body=body)
        Mention.objects.bulk_create([Mention(note=note, user=user) for user in called if user.pk != author.pk])
    return note


def writable(body: str) -> str:
    body = redact.redact(body.replace("\x00", "").replace("\r\n", "\n").strip())
    if not body:
        raise CannotNote(_("There is nothing to note yet: write something first."))
    if len(body) > LONGEST:
        raise CannotNote(
            _("This has %(length)d characters; a note may have %(limit)d. Shorten it or write two.")
            % {"length": len(body), "limit": LONGEST}
        )
    return body


def written_before(note: Note) -> Note:
    twin = Note.objects.filter(ref=note.ref).first()
    if twin is None or (twin.conversation_id, twin.author_id, twin.body) != (
        note.conversation_id,
        note.author_id,
        note.body,
    ):
        raise CannotNote(_("Another note already has this id. Reload the page and write it again."))
    return twin


def mentioned(body: str) -> list[User]:
    """Whom a text calls, each once, by id. Raises ``CannotNote`` where nobody would see it: a name that nobody has, or
    that two have, or of somebody who was switched off."""
    if not ANYBODY.search(body):
        return []
    found = list(calls(body, list(User.objects.all())))
    covered = {place for call in found for place in range(call.start, call.end)}
    for name in ANYBODY.finditer(body):
        if name.start() not in covered:
            raise CannotNote(
                _("Nobody here is called %(name)s. Choose somebody from the list, or leave out the @.")
                % {"name": name[0]}
            )
    people: dict[int, User] = {}
    for call in found:
        if len(call.users) > 1:
            names = ", ".join(f"@{user.username}" for user in call.users)
            raise CannotNote(_("More than one has this name. Write which: %(names)s.") % {"names": names})
        (user,) = call.users
        if not user.is_active:
            raise CannotNote(
                _("%(name)s was switched off and would not see this. Mention somebody else.") % {"name": user}
            )
        people[user.pk] = user
    return sorted(people.values(), key=lambda user: user.pk)


def calls(body: str, people: Sequence[User]) -> Iterator[Call]:
    """Where a text names any of these people, by user name or by full name; the longest name counts."""
    by_name = handles(people)
    if not by_name:
        return
    names = "|".join(re.escape(name).replace(r"\ ", r"\s+") for name in sorted(by_name, key=len, reverse=True))
    for match in re.finditer(rf"{BEGINS}({names}){ENDS}", body, re.IGNORECASE):
        users = by_name.get(" ".join(match[1].lower().split()))
        if users:
            yield Call(match.start(), match.end(), users)


def handles(people: Sequence[User]) -> dict[str, list[User]]:
    """Who is meant by what follows an @, in lower case. A user name goes before a full name, and somebody who is here
    before who was switched off."""
    by_name: dict[str, list[User]] = {}
    for user in people:
        if name := " ".join(user.get_full_name().lower().split()):
            by_name.setdefault(name, []).append(user)
    by_name = {name: [user for user in users if user.is_active] or users for name, users in by_name.items()}
    return by_name | {user.username.lower(): [user] for user in people}


def callable_by(user_id: int) -> list[User]:
    """Whom this person can call."""
    people = User.objects.filter(is_active=True).exclude(pk=user_id)
    return list(people.order_by("first_name", "last_name", "username")[:PEOPLE])


# --- Seeing ------------------------------------------------------------------------------------------------------


def seen(*, user_id: int, conversation: Conversation, now: datetime, up_to: int | None = None) -> int:
    """Somebody looked at a conversation, and at its notes up to that id: what called them there waits no longer. How
    many."""
    waiting = calling(user_id, conversation.pk)
    if up_to is not None:
        waiting = waiting.filter(note__lte=up_to)
    with transaction.atomic():
        if not waiting.exists():
            return 0
        live.changed([conversation.pk])
        return waiting.update(seen_at=now)


def calling(user_id: int, conversation_id: int) -> QuerySet[Mention]:
    """What calls somebody in a conversation and is not seen yet."""
    return Mention.objects.filter(user=user_id, seen_at=None, note__conversation=conversation_id)


def unseen(user_id: int, *, fresh: bool = False) -> int:
    """How many notes call somebody who has not looked. Of everybody at once, because all screens ask at once."""

    def counted(_: object) -> dict[int, int]:
        waiting = Mention.objects.filter(seen_at=None).order_by().values("user").annotate(many=Count("pk"))
        return dict(waiting.values_list("user", "many"))

    return kept.value("mentions", counted, fresh=fresh).get(user_id, 0)


def mentions(user_id: int, *, before: int | None = None) -> tuple[list[Mention], list[Mention], int | None]:
    """Who called somebody: what they have not seen, a page of what they have, and the id before which the next begins.
    The newest first."""
    related = ("note__author", "note__conversation__contact", "note__conversation__line")
    of = Mention.objects.filter(user=user_id).select_related(*related).prefetch_related("note__mentions__user")
    waiting = [] if before else list(of.filter(seen_at=None).order_by("-pk")[:UNSEEN_SHOWN])
    done = of.filter(seen_at__isnull=False).order_by("-pk")
    rows = list((done.filter(pk__lt=before) if before else done)[: ROWS + 1])
    return waiting, rows[:ROWS], rows[ROWS - 1].pk if len(rows) > ROWS else None
