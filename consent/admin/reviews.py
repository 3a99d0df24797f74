"""Texts that may have been a "no": a person reads each and judges, most urgent first."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.text import Truncator
from django.utils.timesince import timesince
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from consent import reviews, telling
from consent.admin.finding import BY_NUMBER, of_number
from consent.models import ConsentEvent, Decision, Review
from consent.purposes import Kind, Verdict
from contactcenter.accounts.site import Group, IsSet, Record, bounded_count

# Of one review: the first says what it began with, the last ones what it is about.
TEXTS = 20


class IsDecided(IsSet):
    title, parameter_name = _("state"), "decided_at"
    unset, set = _("Waiting"), _("Judged")


class Judgement(forms.Form):
    """``up_to`` is the last text that was on the page."""

    is_revocation = forms.TypedChoiceField(choices=[("yes", ""), ("no", "")], coerce=lambda value: value == "yes")
    up_to = forms.IntegerField()


@admin.register(Review)
class ReviewAdmin(Record[Review]):
    group = Group.CONSENT
    change_form_template = "admin/consent/review.html"
    fields = ()
    list_display = ("number", "brand", "words", "deadline", "verdict", "decided_by", "took")
    list_select_related = ("subject", "brand", "first_event", "last_event", "decision", "decided_by")
    list_filter = (IsDecided,)
    ordering = (F("decided_at").desc(nulls_first=True), "due_at", "id")
    search_fields = ("subject",)
    search_help_text = BY_NUMBER

    def find(self, term: str) -> Q:
        return of_number(term)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Review]:
        return super().get_queryset(request).prefetch_related("last_event__evidence")

    def waiting(self) -> tuple[str, str] | None:
        many = bounded_count(Review.objects.open())
        overdue = bounded_count(Review.objects.open().filter(due_at__lt=timezone.now()))
        words = ngettext("%d text waits for a judgement", "%d texts wait for a judgement", many) % many
        late = ngettext(", %d of them is overdue", ", %d of them are overdue", overdue) % overdue if overdue else ""
        return (f"{words}{late}.", "decided_at=no") if many else None

    def has_judge_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("consent.change_review")

    # --- The list

    @admin.display(description=_("number"))
    def number(self, review: Review) -> str:
        return str(review.subject)

    @admin.display(description=_("text"))
    def words(self, review: Review) -> str:
        return Truncator(words_of(review.last_event)).chars(120)

    @admin.display(description=_("due"))
    def deadline(self, review: Review) -> str:
        if review.decided_at is not None:
            return "–"
        now = timezone.now()
        if review.due_at < now:
            late = _now("overdue by %(time)s") % {"time": timesince(review.due_at, now, depth=1)}
            return format_html('<strong class="late">{}</strong>', late)
        return _now("in %(time)s") % {"time": timesince(now, review.due_at, depth=1)}

    @admin.display(description=_("judgement"))
    def verdict(self, review: Review) -> str:
        return judged(review)

    @admin.display(description=_("from text to judgement"))
    def took(self, review: Review) -> str:
        return took(review)

    # --- One review

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.judge))
        view.model_admin = self  # type: ignore[attr-defined]  # RoleMiddleware knows the admin's pages by it
        return [path("<int:pk>/judge/", view, name="consent_review_judge"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        review = self.get_object(request, object_id)
        shown = {} if review is None else self.shown(request, review)
        return super().change_view(request, object_id, form_url, {**shown, **(extra_context or {})})

    def shown(self, request: HttpRequest, review: Review) -> dict[str, Any]:
        """What the page says of a review."""
        now = timezone.now()
        suspected = ConsentEvent.objects.filter(
            subject=review.subject_id,
            brand=review.brand_id,
            kind=Kind.SUSPECTED,
            seq__gte=review.first_event.seq,
            seq__lte=review.last_event.seq,
        )
        texts = list(suspected.order_by("-seq").prefetch_related("evidence")[:TEXTS])[::-1]
        sent = Decision.objects.filter(
            subject=review.subject_id,
            brand=review.brand_id,
            verdict=Verdict.ALLOWED,
            decided_at__lte=review.first_event.occurred_at,
        )
        return {
            "title": _now("Was this an opt-out?"),
            "review": review,
            "texts": [(event, words_of(event), telling.matched(event.facts["rule"])) for event in texts],
            "earlier": suspected.count() - len(texts) if len(texts) == TEXTS else 0,
            "sent_before": sent.select_related("program").first(),
            "is_overdue": review.decided_at is None and review.due_at < now,
            "time_left": timesince(min(now, review.due_at), max(now, review.due_at), depth=1),
            "judged": judged(review),
            "took": took(review),
            "may_judge": self.has_judge_permission(request) and review.decided_at is None and review.subject.phone,
            "next": following(review),
        }

    def judge(self, request: HttpRequest, pk: int) -> HttpResponse:
        if not self.has_judge_permission(request):
            raise PermissionDenied
        review, form = get_object_or_404(Review, pk=pk), Judgement(request.POST)
        if not form.is_valid():
            return HttpResponseBadRequest(_now("Say whether it was an opt-out, and which text you read last."))
        try:
            reviews.decide(review=review, actor_id=int(request.user.pk or 0), now=timezone.now(), **form.cleaned_data)
        except reviews.HasChanged:
            review.refresh_from_db()
            told = _now("Somebody else has judged this one.")
            if review.decided_at is None:
                told = _now("Another text came while you were reading. Nothing is decided yet: read it, then decide.")
            messages.warning(request, told)
            return redirect("admin:consent_review_change", pk)
        said = _now("Opted out.") if form.cleaned_data["is_revocation"] else _now("Not an opt-out.")
        review_url = reverse("admin:consent_review_change", args=[pk])
        told = format_html('<a href="{}">{}</a>: {}', review_url, str(review), said)
        messages.success(request, told)
        upcoming = Review.objects.open().first()
        if upcoming:
            return redirect("admin:consent_review_change", upcoming.pk)
        messages.success(request, _now("Nothing else waits for a judgement."))
        return redirect("admin:consent_review_changelist")


def words_of(event: ConsentEvent) -> str:
    """The text itself, as far as it is still kept."""
    kept = {proof.name: proof.value for proof in event.evidence.all()}
    if kept.get("words") is not None:
        return str(kept["words"])
    return _now("(the text was erased)") if "words" in kept else _now("(the text was not kept)")


def judged(review: Review) -> str:
    if review.decision is None:
        return "–"
    return _now("An opt-out") if review.decision.kind == Kind.REVOKED else _now("Not an opt-out")


def took(review: Review) -> str:
    """From the first text to the judgement."""
    return timesince(review.first_event.recorded_at, review.decided_at) if review.decided_at else "–"


def following(review: Review) -> Review | None:
    """The next one in the queue, for who would rather judge this one later."""
    later = Q(due_at__gt=review.due_at) | Q(due_at=review.due_at, pk__gt=review.pk)
    return Review.objects.open().filter(later).first()
