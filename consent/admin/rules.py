"""The law as this installation applies it, to be read: every rule with its dates and its source."""

from collections.abc import Iterable
from datetime import date
from itertools import groupby
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from consent import rulebook
from consent.rulebook import Rule, Word
from consent.telling import LANGUAGES
from contactcenter.accounts.site import Group, screen

MEANINGS = {
    "stop": _("Opts out"),
    "start": _("Opts in again"),
    "help": _("Asks for help"),
    "join": _("Joins"),
}
STATES = {
    "now": pgettext_lazy("a rule", "in force"),
    "past": pgettext_lazy("a rule", "no longer"),
    "coming": pgettext_lazy("a rule", "not yet"),
}


@screen("consent/rules/", name="consent_rules", title=_("Rules"), group=Group.CONSENT,
        permission="consent.view_decision")  # fmt: skip
def show(request: HttpRequest) -> HttpResponse:
    query = request.GET.get("q", "").strip()
    today = timezone.localdate()
    rules = [rule for rule in rulebook.all_rules() if is_about(rule, query)]
    words = [word for word in rulebook.words() if is_about(word, query)]
    context = {
        "title": _now("Rules"),
        "query": query,
        "today": today,
        "version": rulebook.version(),
        "groups": grouped(rules, today),
        "words": [
            (MEANINGS[meaning], [(word, LANGUAGES.get(word.language, word.language)) for word in several])
            for meaning in rulebook.MEANINGS
            if (several := [word for word in words if word.meaning == meaning])
        ],
        "found": len(rules) + len(words),
    }
    return TemplateResponse(request, "admin/consent/rules.html", context)


def is_about(entry: Rule | Word, query: str) -> bool:
    return query.casefold() in " ".join(map(str, vars(entry).values())).casefold()


def grouped(rules: Iterable[Rule], today: date) -> list[tuple[str, list[dict[str, Any]]]]:
    """By file, as counsel reads them, each period of a rule with how it stands today."""
    return [
        (file.replace("_", " ").capitalize(), [row(rule, today) for rule in several])
        for file, several in groupby(rules, key=lambda rule: rule.id.partition(".")[0])
    ]


def row(rule: Rule, today: date) -> dict[str, Any]:
    state = "now" if rule.is_in_force(today) else "coming" if today < rule.effective_from else "past"
    value = (_now("yes") if rule.value else _now("no")) if isinstance(rule.value, bool) else rule.value
    return {"rule": rule, "value": value, "state": state, "words": STATES[state]}
