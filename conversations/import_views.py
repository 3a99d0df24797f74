"""Importing consents and opt-outs (``/consent/import/``): upload, look, start, watch, take the refused rows home."""

import csv
from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from consent import acquiring, import_rows, importing
from consent.models import ConsentImport
from contactcenter.accounts import access
from contactcenter.accounts.models import Role
from conversations import import_wording, imports, joining
from conversations.import_forms import PlanForm, UploadForm
from conversations.views import user_id

IMPORTERS = (Role.SUPERVISOR, Role.COMPLIANCE, Role.ADMINISTRATOR)
LATEST = 20
kept_nowhere = cache_control(no_store=True, private=True)
page = require_http_methods(["GET", "HEAD", "POST"])


@access.allow(*IMPORTERS)
@page
@kept_nowhere
def index(request: HttpRequest) -> HttpResponse:
    form = UploadForm(request.POST or None, request.FILES or None, initial={"kind": ConsentImport.Kind.CONSENTS})
    if form.is_valid():
        file = form.cleaned_data["file"]
        try:
            draft = importing.upload(
                file=file.file,
                file_name=file.name,
                kind=form.cleaned_data["kind"],
                created_by_id=user_id(request),
                now=timezone.now(),
            )
        except import_rows.Unreadable as error:
            form.add_error("file", import_wording.unreadable(error))
        else:
            return redirect("consent-import", pk=draft.pk)
    latest = ConsentImport.objects.select_related("created_by", "program__brand", "brand")[:LATEST]
    context = {"form": form, "imports": latest}
    return render(request, "consent/imports.html", context, status=422 if form.is_bound else 200)


@access.allow(*IMPORTERS)
@page
@kept_nowhere
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """A draft: what its columns hold, and what would become of the first rows. Later: how far it is."""
    of = get_object_or_404(ConsentImport.objects.select_related("program__brand", "brand", "created_by"), pk=pk)
    if of.state != ConsentImport.State.DRAFT:
        return render(request, "consent/import_progress.html", progress_of(of))
    form = PlanForm(of, request.POST if request.method == "POST" else None)
    if request.POST.get("do") == "start" and form.is_valid() and has_started(of, form):
        return redirect("consent-import", pk=pk)
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "consent/import_draft.html", draft_of(of, form), status=status)


def has_started(draft: ConsentImport, form: PlanForm) -> bool:
    """Whether it is in the queue now; otherwise the form says what is missing."""
    try:
        imports.start(draft=draft, plan=form.plan(), now=timezone.now())
    except importing.CannotStart as error:
        form.add_missing(error.missing)
    except acquiring.NotOffered:
        form.add_error("program", _("This program has been switched off. Choose another."))
    except joining.NoLine as error:
        form.add_error("program", str(error))
    except importing.TooLate:
        return True
    return not form.errors


def draft_of(of: ConsentImport, form: PlanForm) -> dict[str, Any]:
    if form.is_bound and form.is_valid():
        plan = form.plan()
    else:
        plan = importing.Plan(columns=of.columns, is_day_first=of.is_day_first)
    is_judged = bool(plan.program or "program" in plan.columns) or of.kind == ConsentImport.Kind.OPT_OUTS
    rows = importing.preview(of, plan, now=timezone.now())
    same = ConsentImport.objects.filter(sha256=of.sha256).exclude(pk=of.pk).exclude(state=ConsentImport.State.DRAFT)
    return {
        "of": of,
        "form": form,
        "is_judged": is_judged,
        "rows": [(row, import_wording.refusal(why) if why else "") for row, why in rows],
        "consequence": imports.consequence(of.kind, plan.program),
        "same": same.first(),
    }


@access.allow(*IMPORTERS)
@require_GET
@kept_nowhere
def progress(request: HttpRequest, pk: int) -> HttpResponse:
    """How far it is, asked for every two seconds; when it is over, the whole page anew."""
    of = get_object_or_404(ConsentImport, pk=pk)
    response = render(request, "consent/_progress.html", progress_of(of))
    if not of.is_under_way:
        response["HX-Refresh"] = "true"
    return response


def progress_of(of: ConsentImport) -> dict[str, Any]:
    first = [(refusal, import_wording.refusal(refusal)) for refusal in of.refusals.order_by("row")[:10]]
    words = ngettext("%(n)d row was refused", "%(n)d rows were refused", of.refused) % {"n": of.refused}
    return {
        "of": of,
        "refusals": first,
        "refused": words,
        "are_refusals_kept": bool(first),
        "consequence": imports.consequence(of.kind, of.program),
    }


@access.allow(*IMPORTERS)
@require_POST
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    of = get_object_or_404(ConsentImport, pk=pk)
    try:
        importing.cancel(of=of, now=timezone.now())
    except importing.TooLate:
        messages.warning(request, _("Too late: it is over already."))
    else:
        messages.success(request, _("Cancelled. What was taken in before stays."))
    return redirect("consent-import", pk=pk)


@access.allow(*IMPORTERS)
@require_POST
def go_on(request: HttpRequest, pk: int) -> HttpResponse:
    of = get_object_or_404(ConsentImport, pk=pk)
    try:
        imports.go_on(of=of, now=timezone.now())
    except importing.TooLate:
        messages.warning(request, _("It is under way, or over already."))
    return redirect("consent-import", pk=pk)


@access.allow(*IMPORTERS)
@require_GET
@kept_nowhere
def refusals(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """The rows that were refused, each with its reason, to be mended and imported again."""
    of = get_object_or_404(ConsentImport, pk=pk)
    return StreamingHttpResponse(
        refused_rows(of),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="refused-{of.pk}.csv"'},
    )


class Line:
    """What a CSV writer writes to: each row comes back."""

    def write(self, text: str) -> str:
        return text


def refused_rows(of: ConsentImport) -> Iterator[str]:
    writer = csv.writer(Line())
    yield "\ufeff" + writer.writerow([*map(import_rows.disarmed, of.headings), _("Row"), _("Why it was refused")])
    for refusal in of.refusals.order_by("row").iterator(chunk_size=500):
        cells = [*refusal.cells, *[""] * (len(of.headings) - len(refusal.cells))]
        yield writer.writerow([*map(import_rows.disarmed, cells), refusal.row, import_wording.refusal(refusal)])
