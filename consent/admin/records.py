"""What is recorded of consent, to be looked up and never changed."""

from django.contrib import admin
from django.db import models
from django.db.models import Q
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from consent.admin.finding import BY_NUMBER, hashes, of_number
from consent.admin.lately import OptedOut, Recorded
from consent.models import ConsentEvent, Evidence, Seal, Standing, Subject
from contactcenter.accounts.site import Attached, Group, Record, pretty


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
    list_filter = ("kind", "source", Recorded)
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
