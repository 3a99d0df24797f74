"""Brands, their programs, and the exact words that people agree to."""

from typing import Any, ClassVar, cast

from django import forms
from django.contrib import admin, messages
from django.db import models, transaction
from django.db.models import Max
from django.http import HttpRequest, HttpResponseRedirect, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from consent import elements, phrases
from consent.models import Brand, ConsentEvent, Disclosure, Program, readiness
from consent.models.programs import LANGUAGES
from consent.models.readiness import Item
from contactcenter.accounts.site import Group, Page
from contactcenter.lib import segments


@admin.register(Brand)
class BrandAdmin(Page[Brand]):
    group = Group.SETTINGS
    list_display = ("name", "legal_name", "help_contact")
    search_fields = ("name", "legal_name")
    fields = ("name", "legal_name", "help_contact", "unready")
    readonly_fields = ("unready",)

    @admin.display(description=_("active programs that lack something"))
    def unready(self, brand: Brand) -> SafeString | str:
        """Their words name the brand: a new name makes them incomplete until they are written anew."""
        if brand._state.adding:
            return ""
        lines = [
            (reverse("admin:consent_program_change", args=[program.pk]), program.name, " ".join(missing))
            for program, missing in readiness.unready(brand)
        ]
        return format_html("<ul>{}</ul>", format_html_join("", '<li><a href="{}">{}</a>: {}</li>', lines))

    def save_model(self, request: HttpRequest, obj: Brand, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        for program, missing in readiness.unready(obj) if change else ():
            words = _now("%(program)s goes on, but now lacks something: %(missing)s")
            messages.warning(request, words % {"program": program.name, "missing": " ".join(missing)})


class ProgramForm(forms.ModelForm[Program]):
    class Meta:
        model = Program
        fields = ("slug", "opt_in_keyword", "is_double_opt_in")  # the rest is the page's: nothing is built from it here
        labels: ClassVar = {"opt_in_keyword": _("Keyword to join"), "is_double_opt_in": _("Double opt-in")}
        help_texts: ClassVar = {
            "slug": _("The end of the form's address, /join/…/. People keep it: change it only before anybody has it."),
            "opt_in_keyword": _("What people text to join, for example REMINDERS. Empty: they join by form only."),
        }

    page: ClassVar["ProgramAdmin"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("is_active") and (brand := cleaned.get("brand")):
            for item in self.page.besides(brand):
                if not item.is_done:
                    self.add_error(item.field, item.remedy)
        return cleaned


class ProgramAdmin(Page[Program]):
    """Registered above (``conversations.admin_programs``), where more is known of what a program needs."""

    group = Group.SETTINGS
    form = ProgramForm
    list_display = ("name", "brand", "category", "consent_level", "is_active")
    list_filter = ("is_active", "category")
    list_select_related = ("brand",)
    search_fields = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}
    readonly_fields = ("needs", "confirmation_sent", "question_sent", "public_form")
    fieldsets = (
        (None, {"fields": ("brand", "name", "slug", "category", "consent_level", "is_active", "needs")}),
        (
            _("What people are told"),
            {"fields": ("description", "frequency", "language", "help_contact", "terms_url", "privacy_url")},
        ),
        (_("How they join"), {"fields": ("public_form", "opt_in_keyword", "is_double_opt_in", "confirmed_by")}),
        (
            _("What their phone is told"),
            {"fields": ("confirmation_text", "confirmation_sent", "question_text", "question_sent")},
        ),
    )

    def besides(self, brand: Brand) -> list[Item]:
        """What a brand's programs need that consent knows nothing of."""
        return []

    def get_readonly_fields(self, request: HttpRequest, obj: Program | None = None) -> tuple[str, ...]:
        """Whose texts these are, and of what kind, is what people agreed to: the database refuses to change it."""
        is_agreed_to = obj is not None and ConsentEvent.objects.filter(program=obj).exists()
        return (*self.readonly_fields, *(("brand", "category") if is_agreed_to else ()))

    def get_form(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        form = cast("type[ProgramForm]", super().get_form(request, *args, **kwargs))
        form.page = self
        return form

    @admin.display(description=_("needed to be active"))
    def needs(self, program: Program) -> SafeString | str:
        """Every element, done or missing, in words."""
        if program._state.adding:
            return _now("Save it first, not active. Then this lists what is still missing.")
        lines = [
            (item.label, item.note or _now("done"), "") if item.is_done else (item.label, _now("missing"), item.remedy)
            for item in [*readiness.checklist(program), *self.besides(program.brand)]
        ]
        add = reverse("admin:consent_disclosure_add", current_app=self.admin_site.name)
        links = format_html_join(
            " · ",
            '<a href="{}?program={}&amp;language={}" hreflang="{}">{}</a>',
            ((add, program.pk, code, code, name) for code, name in LANGUAGES),
        )
        return format_html(
            "<ul>{}</ul><p>{} {}</p>",
            format_html_join("", "<li>{}: <b>{}</b> {}</li>", lines),
            _now("Write the wording for me, in:"),
            links,
        )

    @admin.display(description=_("confirmation as it is sent"))
    def confirmation_sent(self, program: Program) -> SafeString | str:
        return "" if program._state.adding else as_sent(program.confirmation)

    @admin.display(description=_("question as it is sent"))
    def question_sent(self, program: Program) -> SafeString | str:
        return "" if program._state.adding else as_sent(program.question)

    @admin.display(description=_("public form"))
    def public_form(self, program: Program) -> SafeString | str:
        if program._state.adding:
            return ""
        url = reverse("join", args=[program.slug])
        if not program.is_active:
            return _now("It will be at %(address)s once the program is active.") % {"address": url}
        return format_html('<a href="{0}">{0}</a>', url)


def as_sent(text: str) -> SafeString:
    """A text and what it costs."""
    size = segments.count(text)
    words = ngettext("%(many)d segment, %(encoding)s", "%(many)d segments, %(encoding)s", size.segments)
    return format_html("<p>{}</p><p>{}</p>", text, words % {"many": size.segments, "encoding": size.encoding})


class ByProgram(admin.RelatedFieldListFilter):
    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> list[Any]:
        return [(program.pk, str(program)) for program in Program.objects.select_related("brand")]


class DisclosureForm(forms.ModelForm[Disclosure]):
    class Meta:
        model = Disclosure
        fields = ("program", "language", "text")
        help_texts: ClassVar = {
            "text": _("Left empty, it is written for you in the language chosen above, to read before you save it.")
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "text" in self.fields:
            self.fields["text"].required = False

    def clean(self) -> dict[str, Any]:
        """Nobody may be asked to agree to words that lack something: the latest wording is what the form shows."""
        cleaned = super().clean() or {}
        program, language, text = (cleaned.get(name, "") for name in ("program", "language", "text"))
        if program and language and not self.is_somebody_s(text, program, language):
            typed = cast("QueryDict", self.data).copy()
            typed[self.add_prefix("text")] = readiness.wording_for(program, language)
            self.data = typed
            words = _now("This is written for you in %(language)s. Read it, change what you like, and save.")
            self.add_error("text", words % {"language": dict(LANGUAGES)[language]})
        elif program and text:
            missing = elements.missing_in_disclosure(text, program.offer)
            for element in missing:
                self.add_error("text", readiness.unsaid((element,), _now("The wording")))
        return cleaned

    def is_somebody_s(self, text: str, program: Program, language: str) -> bool:
        """Whether a person has written it, or left what we wrote in the language that is chosen now."""
        others = [other for other in phrases.LANGUAGES if other != language]
        return bool(text.strip()) and text.strip() not in {readiness.wording_for(program, other) for other in others}


class DisclosureAdmin(Page[Disclosure]):
    """People agreed to these words, so a new wording is a new version and no version ever changes."""

    group = Group.SETTINGS
    form = DisclosureForm
    list_display = ("program", "language", "version", "created_at", "sha256")
    list_filter = (("program", ByProgram),)
    list_select_related = ("program__brand",)

    def has_change_permission(self, request: HttpRequest, obj: Disclosure | None = None) -> bool:
        return False

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Asked from a program's page, it is written already: every element is in it, and people may edit it."""
        initial = dict(super().get_changeform_initial_data(request))
        chosen, language = str(initial.get("program", "")), str(initial.get("language", ""))
        program = Program.objects.filter(pk=chosen).first() if chosen.isdecimal() else None
        if program is not None and not language:
            language = initial["language"] = program.language
        if program is not None and language in phrases.LANGUAGES:
            initial["text"] = readiness.wording_for(program, language)
        return initial

    def get_fields(self, request: HttpRequest, obj: Disclosure | None = None) -> tuple[str, ...]:
        shown = ("version", "sha256", "created_at") if obj else ()
        return ("program", "language", "text", *shown)

    def save_model(self, request: HttpRequest, obj: Disclosure, form: Any, change: bool) -> None:
        with transaction.atomic():  # two people at once get two versions
            program = Program.objects.select_for_update(no_key=True).get(pk=obj.program_id)
            earlier = program.disclosures.filter(language=obj.language).aggregate(last=Max("version"))
            obj.version = (earlier["last"] or 0) + 1
            super().save_model(request, obj, form, change)
        seems = elements.language_of(obj.text)
        if seems and seems != obj.language:
            words = _now(
                "This wording is filed as %(stated)s and reads like %(seems)s. If that is wrong, add it again."
            )
            names = dict(LANGUAGES)
            messages.warning(request, words % {"stated": names[obj.language], "seems": names[seems]})

    def response_post_save_add(self, request: HttpRequest, obj: Disclosure) -> HttpResponseRedirect:
        """Back to the program, which says what else it needs."""
        return redirect("admin:consent_program_change", obj.program_id)
