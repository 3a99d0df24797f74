"""What supervisors decide: teams with their hours and members, where texts go, and how conversations end."""

from itertools import pairwise
from typing import Any, ClassVar
from zoneinfo import available_timezones

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from contactcenter.accounts.site import Group, Page, screen
from conversations import assigning, opening, outbound, routing, triage, wording
from conversations.models import (
    Disposition,
    Holiday,
    Line,
    Membership,
    OpeningHours,
    Presence,
    RoutingRule,
    Tag,
    Team,
)
from conversations.triage import Facts

LANGUAGES = (("", _("Any")), ("en", _("English")), ("es", _("Spanish")), ("fr", _("French")))


class TeamForm(forms.ModelForm[Team]):
    """Catches what the database would refuse, in words that say what to do."""

    def clean_time_zone(self) -> str:
        name: str = self.cleaned_data["time_zone"]
        if name not in available_timezones():
            raise forms.ValidationError(_("Write it as in “America/New_York”."))
        return name

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if Team.objects.exclude(pk=self.instance.pk).filter(name__iexact=name).exists():
            raise forms.ValidationError(_("There is a team of this name already."))
        return name

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for name in ("first_response", "next_response"):
            if cleaned.get(name) == 0:
                self.add_error(name, _("At least one minute."))
        for name in ("greeting", "out_of_office"):
            try:
                cleaned[name] = cleaned.get(name) and outbound.sendable(cleaned[name])
            except outbound.CannotSend as refused:
                self.add_error(name, str(refused))
        return cleaned


class HoursFormSet(BaseInlineFormSet[OpeningHours, Team, Any]):
    def clean(self) -> None:
        """Two intervals of a day may touch, not overlap."""
        super().clean()
        shifts = sorted(
            (row["weekday"], row["opens"], row["closes"])
            for row in (form.cleaned_data for form in self.forms if form.is_valid())
            if row and not row.get("DELETE")
        )
        for (day, _opens, closes), (other, begins, _closes) in pairwise(shifts):
            if day == other and (begins < closes or f"{closes:%H%M}" == "0000"):
                raise forms.ValidationError(_("Two intervals of one day overlap. Join them into one."))


class Editable(admin.TabularInline[Any, Team]):
    template = "admin/editable.html"
    extra = 3
    show_change_link = False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request, obj)


class HoursInline(Editable):
    model = OpeningHours
    formset = HoursFormSet
    verbose_name_plural = _("opening hours: none means always open")


class HolidayInline(Editable):
    model = Holiday


class MemberInline(Editable):
    model = Membership
    verbose_name_plural = _("members")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "user":
            kwargs["queryset"] = assigning.owners()
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if field is not None:  # people are not made here
            for way in ("add", "change", "delete", "view"):
                setattr(field.widget, f"can_{way}_related", False)
        return field


@admin.register(Team)
class TeamAdmin(Page[Team]):
    """A team that is switched off leaves what is open to everybody."""

    group = Group.SETTINGS
    form = TeamForm
    list_display = ("name", "people", "hours_now", "first_response", "next_response", "gives_out", "is_active")
    inlines = (MemberInline, HoursInline, HolidayInline)
    fieldsets = (
        (None, {"fields": ("name", "time_zone", "is_active", "gives_out", "idle_after")}),
        (
            _("How soon it answers, in minutes of its opening hours"),
            {"fields": ("first_response", "next_response", "warns_before", "escalates_after")},
        ),
        (_("What it answers by itself"), {"fields": ("greeting", "out_of_office", "answers_again_after")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Team]:
        return super().get_queryset(request).annotate(many=Count("memberships"))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        self.weeks = opening.staffed(Team.objects.values_list("pk", flat=True))
        return super().changelist_view(request, extra_context)

    @admin.display(description=_("members"))
    def people(self, team: Team) -> int:
        return int(getattr(team, "many", 0))

    @admin.display(description=_("now"))
    def hours_now(self, team: Team) -> str:
        return wording.opening(self.weeks[team.pk], timezone.now())

    def save_model(self, request: HttpRequest, obj: Team, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if not obj.is_active and (freed := assigning.leave_to_everybody(obj, now=timezone.now())):
            words = _now("%d open conversations of this team are in everybody’s queue now.") % freed
            self.message_user(request, words, messages.INFO)


class RuleForm(forms.ModelForm[RoutingRule]):
    language = forms.ChoiceField(label=_("in the language"), choices=LANGUAGES, required=False)

    class Meta:
        widgets: ClassVar[dict[str, Any]] = {
            "lines": forms.CheckboxSelectMultiple,
            "tags": forms.CheckboxSelectMultiple,
        }


@admin.register(RoutingRule)
class RoutingRuleAdmin(Page[RoutingRule]):
    """The list is the order in which they are asked."""

    group = Group.SETTINGS
    form = RuleForm
    list_display = ("name", "position", "team", "when", "is_active")
    list_select_related = ("team", "program")
    fields = ("name", "position", "is_active", "team", "words", "lines", "program", "language", "tags", "hours")

    def get_queryset(self, request: HttpRequest) -> QuerySet[RoutingRule]:
        return super().get_queryset(request).prefetch_related("lines", "tags")

    @admin.display(description=_("when"))
    def when(self, rule: RoutingRule) -> str:
        return "; ".join(wording.rule(rule)) or _now("always")


@admin.register(Presence)
class PresenceAdmin(Page[Presence]):
    """How much each of the people who answer takes on. A row is there from when they first open the inbox."""

    group = Group.PEOPLE
    list_display = ("user", "availability", "seen_at", "capacity")
    list_select_related = ("user",)
    ordering = ("user__username",)
    fields = ("user", "availability", "seen_at", "active_at", "given_at", "capacity")
    readonly_fields = ("user", "availability", "seen_at", "active_at", "given_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


class DispositionForm(forms.ModelForm[Disposition]):
    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if Disposition.objects.exclude(pk=self.instance.pk).filter(name__iexact=name).exists():
            raise forms.ValidationError(_("There is one of this name already."))
        return name


@admin.register(Disposition)
class DispositionAdmin(Page[Disposition]):
    """How a conversation ended. What was chosen stays where it was: switch one off instead of changing its meaning."""

    group = Group.SETTINGS
    form = DispositionForm
    list_display = ("name", "position", "is_active")
    search_fields = ("name",)


class ExampleForm(forms.Form):
    """A text that might come."""

    text = forms.CharField(label=_("What they write"), max_length=1600, widget=forms.Textarea(attrs={"rows": 3}))
    line = forms.ModelChoiceField(Line.objects.order_by("name"), label=_("To the line"))
    language = forms.ChoiceField(label=_("Language noted of them"), choices=LANGUAGES, required=False)
    tags = forms.ModelMultipleChoiceField(Tag.objects.all(), label=_("Their tags"), required=False)
    at = forms.DateTimeField(
        label=_("When"), required=False, widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
        help_text=_("Empty: now."),
    )  # fmt: skip


@screen("conversations/try-routing/", name="try_routing", title=_("Try the routing rules"), group=Group.SETTINGS,
        permission="conversations.view_routingrule")  # fmt: skip
def try_routing(request: HttpRequest) -> TemplateResponse:
    """Which rule an example meets, and why each one before it did not fit."""
    form = ExampleForm(request.GET if "text" in request.GET else None)
    context: dict[str, Any] = {"title": _now("Try the routing rules"), "form": form}
    if form.is_valid():
        context |= tried(form.cleaned_data)
    context["has_rules"] = RoutingRule.objects.filter(is_active=True, team__is_active=True).exists()
    return TemplateResponse(request, "admin/conversations/try_routing.html", context)


def tried(example: dict[str, Any]) -> dict[str, Any]:
    rows = RoutingRule.objects.filter(is_active=True, team__is_active=True)
    rows = rows.select_related("team", "program").prefetch_related("lines", "tags")
    asked = [(row, routing.as_rule(row)) for row in rows]
    at = example["at"] or timezone.now()
    facts = Facts(
        body=example["text"],
        line_id=example["line"].pk,
        language=example["language"],
        tag_ids=frozenset(tag.pk for tag in example["tags"]),
        open_teams=routing.teams_open({rule.team_id for _row, rule in asked if rule.hours}, now=at),
    )
    decided = triage.decide([rule for _row, rule in asked], facts)
    judged = [(row, wording.judged(row, triage.conditions(rule, facts)), rule == decided) for row, rule in asked]
    last = next((place for place, (_row, _why, is_it) in enumerate(judged) if is_it), len(judged) - 1)
    return {"judged": judged[: last + 1], "decided": next((row for row, rule in asked if rule == decided), None)}
