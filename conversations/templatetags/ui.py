"""Icons and times. The browser keeps the times current (static/js/times.js) from the same words."""

import json
from collections.abc import Iterable
from datetime import date, datetime

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from consent import telling
from consent.models import ConsentEvent
from contactcenter.lib import phone, segments
from conversations import contacts, links, marking, wording
from conversations.models import Conversation, Mention, Message, Note

register = template.Library()

# 16 × 16, drawn with a stroke.
ICONS = {
    "alert": "M8 2.5 14 13H2zM8 6.5v3M8 11.3v.1",
    "assign": "M6.5 7.5a2.3 2.3 0 1 0 0-4.6 2.3 2.3 0 0 0 0 4.6zM2 13c0-2.2 2-3.6 4.5-3.6 1 0 1.9.2 2.6.6"
    "M12 9v4M10 11h4",
    "at": "M10.6 8a2.6 2.6 0 1 1-5.2 0 2.6 2.6 0 0 1 5.2 0zM10.6 5.4v3.3a1.7 1.7 0 0 0 3.4 0V8A6 6 0 1 0 11.6 12.8",
    "back": "M10 3 5 8l5 5",
    "check": "M3 8.5l3.2 3L13 4.5",
    "checks": "M1.5 8.5l2.8 2.8L10 5M7 10.8l.6.5L14 5",
    "clock": "M8 14a6 6 0 1 0 0-12 6 6 0 0 0 0 12zM8 4.8V8l2.2 1.6",
    "close": "M4 4l8 8M12 4l-8 8",
    "columns": "M2.5 3h3v10h-3zM6.5 3h3v7h-3zM10.5 3h3v4.5h-3z",
    "cross": "M8 14a6 6 0 1 0 0-12 6 6 0 0 0 0 12zM4 4l8 8",
    "down": "M4 6.2 8 10l4-3.8",
    "filter": "M2.5 4.5h11M4.5 8h7M6.5 11.5h3",
    "gear": "M8 10.2a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.4zM8 1.8v2M8 12.2v2M1.8 8h2M12.2 8h2M3.6 3.6 5 5"
    "M11 11l1.4 1.4M3.6 12.4 5 11M11 5l1.4-1.4",
    "inbox": "M2.5 9.5 4 3.5h8l1.5 6v3h-11zM2.5 9.5h3l1 1.5h3l1-1.5h3",
    "moon": "M12.8 9.8A5.2 5.2 0 0 1 6.2 3.2 5.4 5.4 0 1 0 12.8 9.8z",
    "more": "M3.5 8h.01M8 8h.01M12.5 8h.01",
    "note": "M4 2.5h5l3 3v8H4zM9 2.5v3h3M6 8.5h4M6 11h4",
    "pause": "M5.5 3.5v9M10.5 3.5v9",
    "tag": "M2.5 2.5h5l6 6-5 5-6-6zM5.2 5.2v.1",
    "plus": "M8 3v10M3 8h10",
    "print": "M4.5 5.5v-3h7v3M4.5 11.5h-2v-6h11v6h-2M4.5 9.5h7v4h-7z",
    "search": "M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM10.5 10.5l3 3",
    "send": "M2.5 8 13.5 3l-3.2 10-2.6-4zM7.7 9l5.8-6",
    "shield": "M8 2.2 13 4v4c0 3-2.2 5-5 5.9C5.2 13 3 11 3 8V4zM5.8 8l1.6 1.6L10.4 6.5",
    "sun": "M8 10.7a2.7 2.7 0 1 0 0-5.4 2.7 2.7 0 0 0 0 5.4zM8 1.8v1.4M8 12.8v1.4M1.8 8h1.4M12.8 8h1.4M3.6 3.6l1 1"
    "M11.4 11.4l1 1M12.4 3.6l-1 1M4.6 11.4l-1 1",
}


@register.simple_tag
def icon(name: str, size: int = 12, stroke: str = "1.6") -> SafeString:
    return format_html(
        '<svg width="{0}" height="{0}" viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="{1}" '
        'stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d="{2}"/></svg>',
        size,
        stroke,
        ICONS[name],
    )


@register.simple_tag
def own_page(conversation: Conversation) -> str:
    """The address of this person's own page, to be given to them."""
    return links.preferences(conversation.contact.subject_id, conversation.line.brand_id)


@register.simple_tag
def age(at: datetime) -> SafeString:
    """How long ago, briefly: “3 min”."""
    return stamp(at, "age", wording.age((timezone.now() - at).total_seconds()))


@register.simple_tag
def ago(at: datetime) -> SafeString:
    """How long ago, within a sentence: “3 min ago”."""
    return stamp(at, "ago", wording.ago((timezone.now() - at).total_seconds()))


@register.simple_tag
def deadline(at: datetime) -> SafeString:
    """“4 min left”, “12 min over”."""
    return stamp(at, "deadline", wording.deadline((at - timezone.now()).total_seconds()))


@register.simple_tag
def leaves(at: datetime) -> SafeString:
    """“Sending in 5 s”."""
    return stamp(at, "leaves", wording.leaves((at - timezone.now()).total_seconds()))


def stamp(at: datetime, form: str, words: str) -> SafeString:
    return format_html(
        '<time datetime="{}" title="{}" data-form="{}">{}</time>', at.isoformat(), wording.moment(at), form, words
    )


@register.simple_tag
def due_tone(at: datetime) -> str:
    """Grey while there is time, then warning, then overdue."""
    left = at - timezone.now()
    return "bad" if left.total_seconds() < 0 else "warn" if left <= wording.DUE_SOON else ""


@register.simple_tag
def age_words() -> str:
    return json.dumps({name: str(words) for name, words in wording.AGES.items()})


@register.filter
def took(seconds: float | None) -> str:
    """How long something lasted; a dash for what has not happened."""
    return "–" if seconds is None else wording.took(seconds)


@register.filter
def moment(at: datetime) -> str:
    return wording.moment(at)


@register.filter
def day(at: date) -> str:
    return wording.day(at)


@register.filter
def localtime_input(at: datetime) -> str:
    """As a ``datetime-local`` field writes it, in the center's time zone."""
    return f"{timezone.localtime(at):%Y-%m-%dT%H:%M}"


@register.filter
def localtime_value(value: datetime | str) -> str:
    """A bound ``datetime-local`` field's value: local time already, or what somebody typed."""
    return value if isinstance(value, str) else f"{value:%Y-%m-%dT%H:%M}"


@register.filter(name="phone")
def phone_as_read(number: str) -> str:
    return phone.display(number)


@register.filter
def language(code: str) -> str:
    return str(dict(contacts.LANGUAGES).get(code, code))


@register.filter
def zone(name: str) -> str:
    """“America/New_York” → “New York”."""
    return name.rpartition("/")[2].replace("_", " ")


@register.filter
def permission(code: str) -> str:
    return str(wording.PERMISSIONS[code])


@register.filter
def size(body: str) -> str:
    """“120 characters · 1 segment · GSM-7”."""
    counted = segments.count(body)
    parts = ngettext("%(n)d segment", "%(n)d segments", counted.segments) % {"n": counted.segments}
    return f"{len(body)} {_('characters')} · {parts} · {counted.encoding}"


@register.filter
def is_scheduled(message: Message) -> bool:
    return wording.is_scheduled(message)


@register.filter
def is_leaving(message: Message) -> bool:
    return wording.is_leaving(message)


@register.filter
def asleep(until: datetime) -> str:
    return wording.asleep(until)


@register.simple_tag
def note_body(note: Note, mentions: Iterable[Mention], reader_id: int | None) -> SafeString:
    """What a note says, with whom it calls."""
    return marking.marked(note.body, [mention.user for mention in mentions], reader_id=reader_id)


@register.filter
def told(event: ConsentEvent) -> str:
    return telling.event(event)


@register.filter
def source(event: ConsentEvent) -> str:
    return telling.source(event)


@register.filter
def state_of(message: Message) -> wording.State:
    return wording.state(message)


@register.filter
def initials(name: object) -> str:
    """Of a name; a hash for a number."""
    letters = [word[0] for word in str(name).split() if word[0].isalpha()]
    return "".join(letters[:1] + letters[1:][-1:]).upper() or "#"
