"""What an operator needs of messages: the carrier's events, what became of each message, and the lines."""

from collections import Counter
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from contactcenter.accounts.site import (
    Attached,
    Group,
    IsSet,
    Page,
    Record,
    as_numbers,
    as_uuid,
    bounded_count,
    lead_to,
    pretty,
)
from contactcenter.lib import phone
from conversations import contacts, lines, parked
from conversations.models import CarrierEvent, Contact, Conversation, Line, Mail, Message, Receipt, Tag


@admin.register(CarrierEvent)
class CarrierEventAdmin(Record[CarrierEvent]):
    """Everything the carrier told us. What could not be applied is parked, says why, and can be tried again."""

    group = Group.MESSAGES
    list_display = ("received_at", "kind", "state", "key", "what_failed")
    list_filter = ("state",)
    fields = ("kind", "state", "error", "attempts", "received_at", "key", "sha256", "as_received")
    readonly_fields = ("as_received",)
    search_fields = ("key",)
    search_help_text = _("The carrier's id of a text, exactly.")
    actions = ("try_again",)

    def find(self, term: str) -> Q:
        return Q(key__in=[term, f"in:{term}"])

    def waiting(self) -> tuple[str, str] | None:
        many = bounded_count(CarrierEvent.objects.filter(state=CarrierEvent.State.PARKED))
        words = ngettext("%d carrier event could not be applied.", "%d carrier events could not be applied.", many)
        return (words % many, "state__exact=parked") if many else None

    def offers(self, action: str, row: CarrierEvent) -> bool:
        return row.state == CarrierEvent.State.PARKED

    def has_operate_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("conversations.change_carrierevent")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        is_parked = CarrierEvent.objects.filter(state=CarrierEvent.State.PARKED)
        if request.method == "GET" and "state__exact" not in request.GET and is_parked.exists():
            text = _now("Some events could not be applied and wait for you.")
            messages.warning(request, format_html('{} <a href="?state__exact=parked">{}</a>', text, _now("Show them")))
        return super().changelist_view(request, extra_context)

    @admin.action(description=_("Try again"), permissions=["operate"])
    def try_again(self, request: HttpRequest, queryset: QuerySet[CarrierEvent]) -> None:
        events = queryset.filter(state=CarrierEvent.State.PARKED).values_list("pk", flat=True)
        after = parked.try_again(events, now=timezone.now())
        for event in after:
            if event.state == CarrierEvent.State.PARKED:
                self.message_user(request, f"{event.key}: {event.error}", messages.ERROR)
        states = Counter(event.state for event in after)
        if waiting := states[CarrierEvent.State.STORED]:  # the clock's sweep took them first and is not done
            text = ngettext(
                "%d event is being applied: look again.", "%d events are being applied: look again.", waiting
            )
            self.message_user(request, text % waiting, messages.INFO)
        applied = states[CarrierEvent.State.THREADED]
        text = ngettext("%d event is applied.", "%d events are applied.", applied) % applied
        self.message_user(request, text, messages.SUCCESS if applied else messages.WARNING)

    @admin.display(description=_("error"))
    def what_failed(self, event: CarrierEvent) -> str:
        return Truncator(event.error).chars(240)

    @admin.display(description=_("as received, redacted"))
    def as_received(self, event: CarrierEvent) -> SafeString:
        return pretty(event.payload)


class IsBlocked(IsSet):
    title, parameter_name = _("nuisance"), "blocked_at"
    unset, set = _("Not blocked"), _("Blocked")


@admin.register(Contact)
class ContactAdmin(Record[Contact]):
    """Agents change a person's details in the inbox, where the change is seen by whoever has it open."""

    group = Group.MESSAGES
    list_display = ("phone", "name", "reference", "language", "time_zone", "blocked_at", "created_at")
    list_filter = (IsBlocked,)
    fields = ("phone", "name", "reference", "language", "time_zone", "tags", "blocked_at", "blocked_by", "created_at")
    ordering = ("-id",)
    search_fields = ("phone",)
    search_help_text = _("A phone number, exactly.")

    def find(self, term: str) -> Q:
        return Q(phone__in=as_numbers(term))


class ReceiptInline(Attached):
    model = Receipt
    fields = ("status", "occurred_at", "code", "detail", "segments", "price", "currency", "event")
    show_change_link = False


@admin.register(Message)
class MessageAdmin(Record[Message]):
    group = Group.MESSAGES
    list_display = ("created_at", "conversation", "direction", "purpose", "status", "error_code", "beginning")
    list_select_related = ("conversation__contact",)
    ordering = ("-id",)
    exclude = ("lease_token", "decision")
    readonly_fields = ("ref", "verdict", "created_at")
    search_fields = ("ref",)
    search_help_text = _("A phone number, a message's id or the carrier's, exactly.")
    inlines = (ReceiptInline,)

    def find(self, term: str) -> Q:
        ref = as_uuid(term)
        if ref:
            return Q(ref=ref) | Q(carrier_id=term)
        return Q(conversation__in=Conversation.objects.filter(contact__phone__in=as_numbers(term)))

    @admin.display(description=_("text"))
    def beginning(self, message: Message) -> str:
        return Truncator(message.body).chars(60)

    @admin.display(description=_("decision of the gate"))
    def verdict(self, message: Message) -> str:
        if message.decision is None:
            return _now("None: it has not reached the gate.")
        url = reverse("admin:consent_decision_change", args=[message.decision_id])
        return format_html('<a href="{}">{}</a>', url, message.decision)


class LineForm(forms.ModelForm[Line]):
    """Catches what the database would refuse, in words that say what to do."""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        kind, number = cleaned.get("kind"), cleaned.get("number", "")
        if kind == Line.Kind.SHORT_CODE:
            if not (number.isascii() and number.isdigit() and len(number) in range(3, 7)):
                self.add_error("number", _("A short code is 3 to 6 digits."))
        elif number:
            try:
                cleaned["number"] = self.instance.number = phone.normalize(number)
            except phone.InvalidPhone as error:
                self.add_error("number", str(error))
        if kind == Line.Kind.TOLL_FREE and not cleaned.get("carrier_answers_stop"):
            self.add_error(
                "carrier_answers_stop",
                _("On toll-free lines the network always answers STOP itself. Tick this, or people get two answers."),
            )
        if cleaned.get("per_second") == 0:
            self.add_error("per_second", _("At least 1. To stop a line from sending, switch it off instead."))
        program, brand = cleaned.get("program"), cleaned.get("brand")
        if program and brand and program.brand_id != brand.pk:
            self.add_error("program", _("This program belongs to another brand."))
        return cleaned


class TagForm(forms.ModelForm[Tag]):
    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if Tag.objects.exclude(pk=self.instance.pk).filter(name__iexact=name).exists():
            raise forms.ValidationError(_("There is a tag of this name already."))
        return name


@admin.register(Tag)
class TagAdmin(Page[Tag]):
    """Renaming a tag renames it on everybody who has it."""

    group = Group.SETTINGS
    form = TagForm
    list_display = ("name",)
    search_fields = ("name",)

    def save_model(self, request: HttpRequest, obj: Tag, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        contacts.show_tag(obj)


class IsPaused(IsSet):
    title, parameter_name = _("pause"), "paused_at"
    unset, set = _("Sending"), _("Paused")


@admin.register(Mail)
class MailAdmin(Record[Mail]):
    """Copies of what people agreed to. Not their words: the link in them is for their reader, who confirms by it."""

    group = Group.MESSAGES
    list_display = ("created_at", "to", "subject", "state", "attempts", "confirmed_at")
    list_filter = ("state",)
    fields = ("created_at", "to", "subject", "event", "state", "attempts", "due_at", "error", "confirmed_at")
    list_select_related = ("event",)

    def waiting(self) -> tuple[str, str] | None:
        many = bounded_count(Mail.objects.filter(state=Mail.State.FAILED))
        words = ngettext("%d email could not be sent.", "%d emails could not be sent.", many)
        return (words % many, "state__exact=failed") if many else None


@admin.register(Line)
class LineAdmin(Page[Line]):
    group = Group.SETTINGS
    form = LineForm
    list_display = ("number", "name", "kind", "brand", "is_active", "paused_at", "paused_reason")
    list_select_related = ("brand",)
    list_filter = (IsPaused, "is_active")
    search_fields = ("number", "name")
    readonly_fields = ("paused_at", "paused_reason")
    actions = ("resume",)

    def waiting(self) -> tuple[str, str] | None:
        many = bounded_count(Line.objects.filter(is_active=True).exclude(paused_at=None))
        words = ngettext("%d line is paused and sends nothing.", "%d lines are paused and send nothing.", many)
        return (words % many, "paused_at=yes") if many else None

    def offers(self, action: str, row: Line) -> bool:
        return row.paused_at is not None

    def get_readonly_fields(self, request: HttpRequest, obj: Line | None = None) -> tuple[str, ...]:
        """A "no" was said to this number's brand: neither may change under the people who said it."""
        fixed = ("number", "kind", "brand") if obj and obj.conversations.exists() else ()
        return (*self.readonly_fields, *fixed)

    @admin.action(description=_("Resume"), permissions=["change"])
    def resume(self, request: HttpRequest, queryset: QuerySet[Line]) -> None:
        resumed = sum(lines.resume(line=line) for line in queryset)
        text = ngettext("%d line sends again.", "%d lines send again.", resumed) % resumed
        self.message_user(request, text, messages.SUCCESS if resumed else messages.WARNING)


# Consent's pages come after these; the program's is ours, since of lines consent knows nothing.
from conversations import admin_programs, admin_teams  # noqa: E402, F401

for url, title in (
    ("consent-record", _("Write down a consent or an opt-out")),
    ("consent-imports", _("Import consents or opt-outs")),
):
    lead_to(url, title=title, group=Group.CONSENT, permission="consent.view_consentevent")
