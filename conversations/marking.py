"""A note as its readers see it: who is called stands out, and addresses are links."""

import re
from collections.abc import Sequence

from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

from contactcenter.accounts.models import User
from conversations import notes

# No further than a sentence's own punctuation.
LINK = re.compile(r"\bhttps?://[^\s<>\"]*[^\s<>\"'.,;:!?)\]}]")


def marked(body: str, called: Sequence[User], *, reader_id: int | None = None) -> SafeString:
    """The text as HTML. ``called`` are those it calls; the reader's own name stands out more."""
    pieces, last = [], 0
    for call in notes.calls(body, called):
        (user,) = call.users[:1]
        pieces.append(linked(body[last : call.start]))
        name = '<b class="called called--me">@{}</b>' if user.pk == reader_id else '<b class="called">@{}</b>'
        pieces.append(format_html(name, user))
        last = call.end
    return mark_safe("".join([*pieces, linked(body[last:])]))  # noqa: S308 every piece is escaped


def linked(text: str) -> str:
    pieces, last = [], 0
    for link in LINK.finditer(text):
        pieces += [
            escape(text[last : link.start()]),
            format_html('<a href="{0}" target="_blank" rel="noopener noreferrer">{0}</a>', link[0]),
        ]
        last = link.end()
    return "".join([*pieces, escape(text[last:])])
