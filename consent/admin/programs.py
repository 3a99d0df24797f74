"""Brands, their programs, and the exact words that people agree to."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db import models, transaction
from django.db.models import Max
from django.http import HttpRequest

from consent.models import Brand, Disclosure, Program
from contactcenter.accounts.site import Group, Page


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
