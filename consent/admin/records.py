"""What is recorded of consent, to be looked up and never changed."""

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from consent import record, telling
from consent.admin.finding import BY_NUMBER, hashes, of_number
from consent.admin.lately import OptedOut, Proof, Recorded
from consent.models import ConsentEvent, Evidence, Seal, Standing, Subject
from consent.purposes import Kind
from consent.reasons import sentences
from contactcenter.accounts.site import Attached, Group, Record, pretty


class EvidenceInline(Attached):
    model = Evidence
    fields = ("name", "value", "digest")


class StandingInline(Attached):
    model = Standing
    fields = ("brand", "revoked_at", "resumed_at", "suspected_at", "cleared_at", "version")


@admin.register(Subject)
class SubjectAdmin(Record[Subject]):
    """A number's page leads to everything on record about it: to read and print, and as a file to check and keep."""

    group = Group.CONSENT
    change_form_template = "admin/consent/subject.html"
    list_display = ("__str__", "head_seq", "sealed_seq", "created_at")
    fields = ("phone", "phone_hash", "head_seq", "head_hash", "sealed_seq", "created_at")
    ordering = ("-id",)
    search_fields = ("phone_hash",)
    search_help_text = BY_NUMBER
    inlines = (StandingInline,)

    def find(self, term: str) -> Q:
        return Q(phone_hash__in=hashes(term))

    def get_urls(self) -> list[URLPattern]:
        pages = (("record/", self.whole, "consent_subject_record"), ("record.json", self.file, "consent_subject_file"))
        urls = []
        for tail, page, name in pages:
            view = self.admin_site.admin_view(page)
            view.model_admin = self  # type: ignore[attr-defined]  # RoleMiddleware knows the admin's pages by it
            urls.append(path(f"<int:pk>/{tail}", view, name=name))
        return [*urls, *super().get_urls()]

    def read(self, request: HttpRequest, pk: int) -> record.Record:
        if not self.has_view_permission(request):
            raise PermissionDenied
        with transaction.atomic():
            return record.read(get_object_or_404(Subject, pk=pk), now=timezone.now())

    def whole(self, request: HttpRequest, pk: int) -> HttpResponse:
        read = self.read(request, pk)
        context = {
            **self.admin_site.each_context(request),
            "title": _now("Record of %(number)s") % {"number": read.subject},
            "opts": self.opts,
            "record": read,
            "events": [
                (
                    event,
                    telling.event(event),
                    telling.source(event),
                    record.incomplete(event, read.events),
                    read.disclosure_of(event),
                )
                for event in read.events
            ],
            "decisions": [(decision, sentences(decision.reasons)) for decision in read.decisions],
        }
        return TemplateResponse(request, "admin/consent/record.html", context)

    def file(self, request: HttpRequest, pk: int) -> HttpResponse:
        read = self.read(request, pk)
        name = f"record-{read.subject.phone_hash[:12]}-{read.as_of:%Y%m%dT%H%M%SZ}.json"
        return JsonResponse(
            record.as_json(read),
            json_dumps_params={"ensure_ascii": False, "indent": 2},
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )


@admin.register(Standing)
class StandingAdmin(Record[Standing]):
    group = Group.CONSENT
    list_display = ("subject", "brand", "is_suppressed", "is_suspected", "revoked_at", "resumed_at")
    list_filter = (OptedOut,)
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
    list_filter = ("kind", "source", Proof, Recorded)
    list_select_related = ("subject", "brand")
    exclude = ("body",)
    readonly_fields = ("proof", "recorded_text")
    search_fields = ("subject",)
    search_help_text = _("A phone number, the carrier's id of a text, or an event's hash; exactly.")
    inlines = (EvidenceInline,)

    def find(self, term: str) -> Q:
        return of_number(term) | Q(message_ref=term) | Q(hash=term.lower())

    @admin.display(description=_("record of the consent"))
    def proof(self, event: ConsentEvent) -> str:
        """By the fields of 16 CFR 310.5(a)(8)."""
        if event.kind not in record.CONSENTS:
            return "–"
        asked = ConsentEvent.objects.filter(subject=event.subject_id, seq__lt=event.seq, kind=Kind.REQUESTED)
        if lacks := record.incomplete(event, asked.order_by("seq")):
            return _now("Lacks: %(fields)s.") % {"fields": "; ".join(lacks)}
        return _now("Complete.")

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
