"""Why a text was allowed, held or blocked: the verdict, its reasons in sentences, and the facts that the gate saw."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.timezone import is_aware, localtime
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from consent import hours, rulebook, telling
from consent.admin.finding import of_number
from consent.admin.lately import Decided, Reason
from consent.models import ConsentEvent, Decision
from consent.reasons import REASONS
from contactcenter.accounts.site import Group, Record, as_uuid, pretty

# Of the ledger as it stood; the rest is behind the link.
LINES = 20

# In the order in which people ask. A fact of a later release is shown under its own name.
FACTS = {
    "is_suppressed": _("Had opted out"),
    "is_suspected": _("May have opted out"),
    "is_on_hold": _("Number on hold"),
    "revoked_at": _("Last opted out"),
    "is_awaiting_yes": _("Had been asked for a YES"),
    "has_asked_anew": _("Asked to join by text after opting out"),
    "category": _("Category"),
    "level_needed": _("Consent needed"),
    "level_held": _("Consent held"),
    "is_program_active": _("Program active"),
    "wrote_at": _("Last wrote to this line"),
    "zones": _("Time where they may be"),
    "regions": _("States whose rules may apply"),
    "opens_at": _("Sending hours begin"),
    "closes_at": _("Sending hours end"),
    "recent": _("Promotional texts lately"),
}
# Said elsewhere on the page.
ELSEWHERE = {"purpose"}


@admin.register(Decision)
class DecisionAdmin(Record[Decision]):
    group = Group.CONSENT
    change_form_template = "admin/consent/decision.html"
    fields = ()
    list_display = ("decided_at", "subject", "brand", "purpose", "verdict", "why")
    list_filter = ("verdict", Decided, Reason)
    list_select_related = ("subject", "brand", "program__brand")
    search_fields = ("message_ref",)
    search_help_text = _("A phone number or a message's id, exactly.")

    def find(self, term: str) -> Q:
        ref = as_uuid(term)
        return Q(message_ref=ref) if ref else of_number(term)

    @admin.display(description=_("reasons"))
    def why(self, decision: Decision) -> str:
        return ", ".join(decision.reasons)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        decision = self.get_object(request, object_id)
        shown = {} if decision is None else explained(decision)
        return super().change_view(request, object_id, form_url, {**shown, **(extra_context or {})})


def explained(decision: Decision) -> dict[str, Any]:
    """What the page says of a decision."""
    seen = ConsentEvent.objects.filter(subject=decision.subject_id)
    filters: dict[str, object] = {"subject__exact": decision.subject_id}
    if decision.ledger_seq is not None:
        seen, filters = seen.filter(seq__lte=decision.ledger_seq), {**filters, "seq__lte": decision.ledger_seq}
    else:
        seen = seen.filter(recorded_at__lte=decision.decided_at)
    are_rules_current = decision.rules_version == rulebook.version()
    return {
        "title": _now("Why this text was allowed, held or blocked"),
        "subtitle": f"{decision.get_purpose_display()} · {decision.subject}",
        "decision": decision,
        "reasons": [REASONS.get(code, code) for code in decision.reasons],
        "facts": list(facts(decision.facts, decision.decided_at)),
        "lines": [
            (event, telling.event(event), telling.source(event))
            for event in seen.filter(brand=decision.brand_id).order_by("-seq")[:LINES]
        ],
        "ledger_url": f"{reverse('admin:consent_consentevent_changelist')}?{urlencode(filters)}",
        "stored": pretty(decision.facts),
        "closures": closures(decision) if are_rules_current else [],
        "are_rules_current": are_rules_current,
    }


def closures(decision: Decision) -> list[tuple[str, str, str]]:
    """Which rules' hours were over, and what the clocks there said; asked again of the same rules and facts."""
    seen = decision.facts
    if "quiet_hours" not in decision.reasons or not seen.get("zones") or not seen.get("category"):
        return []
    zones, regions = frozenset(seen["zones"]), frozenset(seen.get("regions", ()))
    closed_by = hours.opening(zones, regions, seen["category"], decision.decided_at).closed_by
    return [(closure.rule, closure.zone, date_format(closure.local, "D g:i A")) for closure in closed_by]


def facts(seen: dict[str, Any], at: datetime) -> Iterator[tuple[Any, list[str]]]:
    """Each fact's name in words and its value as lines of text; those that we know first. Empty lists are left out: it
    was not asked, because it could not matter."""
    asked = {name for name, value in seen.items() if value not in ([], {})} - ELSEWHERE
    for name in [*(name for name in FACTS if name in asked), *sorted(asked - FACTS.keys())]:
        yield FACTS.get(name, name.replace("_", " ").capitalize()), said(seen[name], at)


def said(value: Any, at: datetime) -> list[str]:
    """A value of the stored facts as lines for people. A time zone says what time it was there ``at`` the decision."""
    if value is None:
        return [_now("none")]
    if isinstance(value, bool):
        return [_now("yes") if value else _now("no")]
    if isinstance(value, dict):
        return [f"{name}: {', '.join(said(inner, at))}" for name, inner in value.items()]
    if isinstance(value, list):
        return [line for inner in value for line in said(inner, at)]
    return [text_of(value, at) if isinstance(value, str) else str(value)]


def text_of(value: str, at: datetime) -> str:
    if "/" in value:
        try:
            there = at.astimezone(ZoneInfo(value))
        except (ZoneInfoNotFoundError, ValueError):
            return value
        place = value.rpartition("/")[2].replace("_", " ")
        return _now("%(time)s in %(place)s (%(zone)s)") % {
            "time": date_format(there, "D g:i A"), "place": place, "zone": value,
        }  # fmt: skip
    try:
        moment = parse_datetime(value)
    except ValueError:
        moment = None
    if moment is not None and is_aware(moment):
        return date_format(localtime(moment), "M j, Y, g:i:s A e")
    return value.replace("_", " ")
