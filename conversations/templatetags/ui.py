"""Icons and times. The browser keeps the times current (static/js/times.js) from the same words."""

import json
from datetime import datetime

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from consent.models import ConsentEvent
from conversations import wording
from conversations.models import Message

register = template.Library()

# 16 × 16, drawn with a stroke.
ICONS = {
    "alert": "M8 2.5 14 13H2zM8 6.5v3M8 11.3v.1",
    "back": "M10 3 5 8l5 5",
    "check": "M3 8.5l3.2 3L13 4.5",
    "checks": "M1.5 8.5l2.8 2.8L10 5M7 10.8l.6.5L14 5",
    "clock": "M8 14a6 6 0 1 0 0-12 6 6 0 0 0 0 12zM8 4.8V8l2.2 1.6",
    "cross": "M8 14a6 6 0 1 0 0-12 6 6 0 0 0 0 12zM4 4l8 8",
    "down": "M4 6.2 8 10l4-3.8",
    "inbox": "M2.5 9.5 4 3.5h8l1.5 6v3h-11zM2.5 9.5h3l1 1.5h3l1-1.5h3",
    "pause": "M5.5 3.5v9M10.5 3.5v9",
    "send": "M2.5 8 13.5 3l-3.2 10-2.6-4zM7.7 9l5.8-6",
    "shield": "M8 2.2 13 4v4c0 3-2.2 5-5 5.9C5.2 13 3 11 3 8V4zM5.8 8l1.6 1.6L10.4 6.5",
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
def moment(at: datetime) -> str:
    return wording.moment(at)


@register.filter
def told(event: ConsentEvent) -> str:
    return wording.event(event)


@register.filter
def source(event: ConsentEvent) -> str:
    return wording.source(event)


@register.filter
def state_of(message: Message) -> wording.State:
    return wording.state(message)


@register.filter
def initials(name: object) -> str:
    """Of a name; a hash for a number."""
    letters = [word[0] for word in str(name).split() if word[0].isalpha()]
    return "".join(letters[:1] + letters[1:][-1:]).upper() or "#"
