"""The officer's first page: what waits, how fast a "no" counts, what was not sent and why, who joined."""

from dataclasses import asdict
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from consent import overview, telling
from consent.overview import Overview
from consent.purposes import Kind, Verdict
from consent.reasons import REASONS
from contactcenter.accounts.site import Group, screen

KEPT_FOR = timedelta(seconds=60)
KEY = "consent-overview"
# The chart, in pixels.
BAR, GAP, HEIGHT = 8, 3, 56


@screen("consent/overview/", name="consent_overview", title=_("Overview"), group=Group.CONSENT,
        permission="consent.view_consentevent")  # fmt: skip
def show(request: HttpRequest) -> HttpResponse:
    """Read at most once a minute by each process, however many look."""
    seen = cache.get_or_set(KEY, latest, KEPT_FOR.total_seconds())
    assert isinstance(seen, Overview)  # noqa: S101 for the types
    context = {
        "title": _now("Consent overview"),
        "seen": seen,
        "tiles": tiles(seen),
        "speeds": [
            (
                telling.SOURCES[speed.source],
                speed.count,
                [duration(seconds) for seconds in (speed.median, speed.p90, speed.slowest)],
                events(kind=Kind.REVOKED, source=speed.source),
            )
            for speed in seen.speeds
        ],
        "reasons": [
            (REASONS.get(why.reason, why.reason), why, decisions(verdict=why.verdict, reason=why.reason))
            for why in seen.reasons
        ],
        "consents": [(telling.SOURCES[source], many, events(source=source)) for source, many in seen.consents],
        "chart": chart(seen),
        "opted_out": sum(day.opted_out for day in seen.days),
        "came_back": sum(day.came_back for day in seen.days),
        "revoked_url": events(kind=Kind.REVOKED),
        "blocked_url": decisions(verdict=Verdict.BLOCKED),
    }
    return TemplateResponse(request, "admin/consent/overview.html", context)


def latest() -> Overview:
    return overview.read(now=timezone.now(), zone=timezone.get_current_timezone_name())


def tiles(seen: Overview) -> list[dict[str, Any]]:
    """Each figure with what it means, the list behind it, and whether somebody has to act."""
    late = seen.suspects_overdue
    return [
        {
            "words": _now("texts wait for a judgement"),
            "many": many(seen.suspects_waiting),
            "note": ngettext("%d overdue", "%d overdue", late) % late if late else _now("none overdue"),
            "tone": "bad" if late else "warn" if seen.suspects_waiting else "",
            "url": listed("review", decided_at="no"),
        },
        {
            "words": _now("numbers on hold"),
            "many": many(seen.numbers_on_hold),
            "note": _now("nothing is sent to them until somebody releases them"),
            "tone": "warn" if seen.numbers_on_hold else "",
            "url": listed("hold", released_at="no"),
        },
        {
            "words": _now("messages held"),
            "many": many(seen.held_now),
            "note": _now("until an hour at which they may be sent"),
            "url": listed("decision", verdict__exact=Verdict.HELD, held_until__gt=seen.as_of.isoformat()),
        },
        {
            "words": _now("numbers have opted out"),
            "many": many(seen.opted_out_now),
            "note": _now("of a brand altogether, and have not come back"),
            "url": listed("standing", opted_out="yes"),
        },
        {
            "words": _now("opt-in questions wait for a YES"),
            "many": many(seen.questions_waiting),
            "note": _now("%(many)s more of the last 30 days were never answered")
            % {"many": many(seen.questions_unanswered)},
            "url": events(kind=Kind.REQUESTED),
        },
    ]


def many(count: int) -> str:
    return f"{count:,}+" if count >= overview.MOST else f"{count:,}"


def duration(seconds: float) -> str:
    """As exact as matters: “0.4 s”, “12 s”, “3 min”, “5 h”, “2 d”."""
    if seconds < 10:
        return _now("%(n).1f s") % {"n": seconds}
    for words, unit, most in ((_now("%d s"), 1, 60), (_now("%d min"), 60, 60), (_now("%d h"), 3600, 48)):
        if seconds < unit * most:
            return words % (seconds / unit)
    return _now("%d d") % (seconds / 86400)


def chart(seen: Overview) -> dict[str, Any]:
    """Bars, one a day, with what they say in words."""
    most = max(max(day.opted_out, day.came_back) for day in seen.days) or 1
    bars = [
        {
            **asdict(day),
            "x": number * (2 * BAR + GAP),
            "down": share(day.opted_out, most),
            "up": share(day.came_back, most),
        }
        for number, day in enumerate(seen.days)
    ]
    return {
        "bars": [
            {**bar, "down_y": HEIGHT - bar["down"], "up_x": bar["x"] + BAR, "up_y": HEIGHT - bar["up"]} for bar in bars
        ],
        "bar": BAR - 1,
        "width": len(bars) * (2 * BAR + GAP) - GAP,
        "height": HEIGHT,
        "most": most,
    }


def share(count: int, most: int) -> int:
    """Of the chart's height; whatever happened at all can be seen."""
    return max(2, round(HEIGHT * count / most)) if count else 0


def listed(model: str, **filters: object) -> str:
    return f"{reverse(f'admin:consent_{model}_changelist')}?{urlencode(filters)}"


def events(**filters: object) -> str:
    return listed("consentevent", **{f"{name}__exact": value for name, value in filters.items()}, within=overview.DAYS)


def decisions(*, verdict: str, reason: str = "") -> str:
    reasons = {"reason": reason} if reason else {}
    return listed("decision", verdict__exact=verdict, within=overview.DAYS, **reasons)
