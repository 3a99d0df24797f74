"""The audit views: what is recorded of consent, and the settings it rests on."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import models, transaction
from django.db.models import Max, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from consent.models import (
    Brand,
    ConsentEvent,
    Decision,
    Disclosure,
    Evidence,
    Hold,
    Program,
    Seal,
    Standing,
    Subject,
    phone_hash,
)
from contactcenter.accounts.site import Attached, Group, IsSet, Page, Record, as_numbers, as_uuid, bounded_count, pretty

BY_NUMBER = _("A phone number, exactly; one that was erased is found too.")


def hashes(term: str) -> list[str]:
    """The keyed hashes that a typed number may be known by; it may be one itself."""
    return [term.lower(), *map(phone_hash, as_numbers(term))]


def of_number(term: str) -> Q:
    # Ids, not a subquery: OR-ed with other conditions, a subquery would cost the indexes.
    return Q(subject__in=list(Subject.objects.filter(phone_hash__in=hashes(term)).values_list("pk", flat=True)))


# --- Settings ------------------------------------------------------------------------------------------------


@admin.register(Brand)
class BrandAdmin(Page[Brand]):
    group = Group.SETTINGS
    list_display = ("name", "legal_name", "help_contact")
    search_fields = ("name", "legal_name")


@admin.register(Program)
class ProgramAdmin(Page[Program]):
    group = Group.SETTINGS
    list_display = ("name", "brand", "category", "consent_level", "is_active")
    list_filter = ("is_active", "category")
    list_select_related = ("brand",)
    search_fields = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}


class ByProgram(admin.RelatedFieldListFilter):
    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> list[Any]:
        return [(program.pk, str(program)) for program in Program.objects.select_related("brand")]


class DisclosureForm(forms.ModelForm[Disclosure]):
    class Meta:
        model = Disclosure
        fields = ("program", "language", "text")


@admin.register(Disclosure)
class DisclosureAdmin(Page[Disclosure]):
    """People agreed to these words, so a new wording is a new version and no version ever changes."""

    group = Group.SETTINGS
    form = DisclosureForm
    list_display = ("program", "language", "version", "created_at", "sha256")
    list_filter = (("program", ByProgram),)
    list_select_related = ("program__brand",)

    def has_change_permission(self, request: HttpRequest, obj: Disclosure | None = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: Disclosure | None = None) -> tuple[str, ...]:
        shown = ("version", "sha256", "created_at") if obj else ()
        return ("program", "language", "text", *shown)

    def save_model(self, request: HttpRequest, obj: Disclosure, form: Any, change: bool) -> None:
        with transaction.atomic():  # two people at once get two versions
            program = Program.objects.select_for_update(no_key=True).get(pk=obj.program_id)
            earlier = program.disclosures.filter(language=obj.language).aggregate(last=Max("version"))
            obj.version = (earlier["last"] or 0) + 1
            super().save_model(request, obj, form, change)


class IsReleased(IsSet):
    title, parameter_name = _("state"), "released_at"
    unset, set = _("In force"), _("Released")


@admin.register(Hold)
class HoldAdmin(Record[Hold]):
    group = Group.CONSENT
    list_display = ("phone", "since", "reason", "released_at", "released_by")
    list_filter = (IsReleased,)
    list_select_related = ("released_by",)
    ordering = ("-id",)
    search_fields = ("phone_hash",)
    search_help_text = BY_NUMBER
    actions = ("release",)

    def find(self, term: str) -> Q:
        return Q(phone_hash__in=hashes(term))

    def waiting(self) -> tuple[str, str] | None:
        many = bounded_count(Hold.objects.filter(released_at=None))
        words = ngettext(
            "%d number is held: nothing is sent to it until somebody releases it.",
            "%d numbers are held: nothing is sent to them until somebody releases them.",
            many,
        )
        return (words % many, "released_at=no") if many else None

    def offers(self, action: str, row: Hold) -> bool:
        return row.released_at is None

    def has_release_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("consent.change_hold")

    @admin.action(description=_("Release"), permissions=["release"])
    def release(self, request: HttpRequest, queryset: QuerySet[Hold]) -> None:
        released = queryset.filter(released_at=None).update(released_at=timezone.now(), released_by_id=request.user.pk)
        text = ngettext("%d number may be texted again.", "%d numbers may be texted again.", released)
        self.message_user(request, text % released, messages.SUCCESS if released else messages.WARNING)


# --- Records -------------------------------------------------------------------------------------------------


class EvidenceInline(Attached):
    model = Evidence
    fields = ("name", "value", "digest")


class StandingInline(Attached):
    model = Standing
    fields = ("brand", "revoked_at", "resumed_at", "suspected_at", "cleared_at", "version")


@admin.register(Subject)
class SubjectAdmin(Record[Subject]):
    group = Group.CONSENT
    list_display = ("__str__", "head_seq", "sealed_seq", "created_at")
    fields = ("phone", "phone_hash", "head_seq", "head_hash", "sealed_seq", "created_at")
    ordering = ("-id",)
    search_fields = ("phone_hash",)
    search_help_text = BY_NUMBER
    inlines = (StandingInline,)

    def find(self, term: str) -> Q:
        return Q(phone_hash__in=hashes(term))


@admin.register(Standing)
class StandingAdmin(Record[Standing]):
    group = Group.CONSENT
    list_display = ("subject", "brand", "is_suppressed", "is_suspected", "revoked_at", "resumed_at")
    list_select_related = ("subject", "brand")
    ordering = ("-id",)
    search_fields = ("subject",)
    search_help_text = BY_NUMBER

    def find(self, term: str) -> Q:
        return of_number(term)

    @admin.display(description=_("opted out"), boolean=True)
    def is_suppressed(self, standing: Standing) -> bool:
        return standing.state.is_suppressed

    @admin.display(description=_("may have opted out"), boolean=True)
    def is_suspected(self, standing: Standing) -> bool:
        return standing.state.is_suspected


@admin.register(ConsentEvent)
class ConsentEventAdmin(Record[ConsentEvent]):
    group = Group.CONSENT
    list_display = ("recorded_at", "subject", "brand", "kind", "source", "effect", "occurred_at")
    list_select_related = ("subject", "brand")
    exclude = ("body",)
    readonly_fields = ("recorded_text",)
    search_fields = ("subject",)
    search_help_text = _("A phone number, the carrier's id of a text, or an event's hash; exactly.")
    inlines = (EvidenceInline,)

    def find(self, term: str) -> Q:
        return of_number(term) | Q(message_ref=term) | Q(hash=term.lower())

    @admin.display(description=_("text that the hash covers"))
    def recorded_text(self, event: ConsentEvent) -> SafeString:
        return pretty(event.facts)


@admin.register(Evidence)
class EvidenceAdmin(Record[Evidence]):
    group = Group.CONSENT
    list_display = ("event", "name", "value", "digest")
    list_select_related = ("event",)
    ordering = ("-id",)
    search_fields = ("event",)
    search_help_text = BY_NUMBER

    def find(self, term: str) -> Q:
        return Q(event__in=ConsentEvent.objects.filter(of_number(term)))


@admin.register(Seal)
class SealAdmin(Record[Seal]):
    group = Group.CONSENT
    list_display = ("seq", "sealed_at", "hash")
    search_fields = ("hash",)
    search_help_text = _("A seal's number or hash, exactly.")

    def find(self, term: str) -> Q:
        is_number = term.isascii() and term.isdigit() and int(term) <= models.BigIntegerField.MAX_BIGINT
        return Q(seq=int(term)) if is_number else Q(hash=term.lower())


@admin.register(Decision)
class DecisionAdmin(Record[Decision]):
    group = Group.CONSENT
    list_display = ("decided_at", "subject", "brand", "purpose", "verdict", "why")
    list_select_related = ("subject", "brand")
    exclude = ("facts",)
    readonly_fields = ("facts_seen",)
    search_fields = ("message_ref",)
    search_help_text = _("A phone number or a message's id, exactly.")

    def find(self, term: str) -> Q:
        ref = as_uuid(term)
        return Q(message_ref=ref) if ref else of_number(term)

    @admin.display(description=_("reasons"))
    def why(self, decision: Decision) -> str:
        return ", ".join(decision.reasons)

    @admin.display(description=_("facts that the gate saw"))
    def facts_seen(self, decision: Decision) -> SafeString:
        return pretty(decision.facts)
