"""Filters over tables that grow for ever: each leads to rows that an index finds."""

from datetime import timedelta
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from consent import record
from consent.models import ConsentEvent, Standing
from consent.purposes import Verdict
from consent.reasons import REASONS


class Lately(admin.SimpleListFilter):
    """The rows of the last day, week or month by ``at``."""

    title, parameter_name = _("time"), "within"
    at: ClassVar[str]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("1", _("Last 24 hours")), ("7", _("Last 7 days")), ("30", _("Last 30 days"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in {"1", "7", "30"}:
            return queryset
        return queryset.filter(**{f"{self.at}__gt": timezone.now() - timedelta(days=int(self.value() or 0))})


class Recorded(Lately):
    at = "recorded_at"


class Decided(Lately):
    at = "decided_at"


class Reason(admin.SimpleListFilter):
    """Why something was not sent at once; the sentences are too long for a filter, so the codes stand for them."""

    title, parameter_name = _("reason"), "reason"
    AGAINST = (Verdict.BLOCKED, Verdict.HELD)

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(code, code.replace("_", " ").capitalize()) for code in REASONS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        code = self.value()
        return queryset.filter(verdict__in=self.AGAINST, reasons__contains=[code]) if code in REASONS else queryset


class OptedOut(admin.SimpleListFilter):
    title, parameter_name = _("standing"), "opted_out"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Opted out"))]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Standing]") -> "QuerySet[Standing]":
        return queryset & Standing.objects.suppressed() if self.value() == "yes" else queryset


class Proof(admin.SimpleListFilter):
    """What to complete while whoever agreed is still remembered. No index knows it, so it looks at one quarter."""

    title, parameter_name = _("proof"), "proof"
    looks_at = timedelta(days=90)

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("incomplete", _("Incomplete (last 90 days)"))]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[ConsentEvent]") -> "QuerySet[ConsentEvent]":
        if self.value() != "incomplete":
            return queryset
        return record.only_incomplete(queryset.filter(recorded_at__gt=timezone.now() - self.looks_at))
