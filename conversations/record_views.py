"""Writing down what somebody said or signed elsewhere (``/consent/record/``)."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods

from consent import acquiring
from consent.models import ConsentEvent
from consent.purposes import Category, Effect, Kind, Level
from contactcenter.accounts import access
from contactcenter.lib import phone
from conversations import joining, records, wording
from conversations.record_forms import GaveForm, RecordForm, TookBackForm
from conversations.views import user_id

kept_nowhere = cache_control(no_store=True, private=True)
page = require_http_methods(["GET", "HEAD", "POST"])


@access.allow(*access.EVERYONE)
@page
@kept_nowhere
def gave(request: HttpRequest) -> HttpResponse:
    """Consent on paper, by telephone, in a conversation or by email."""
    form = GaveForm(request.POST or None, initial=initial(request))
    if form.is_valid() and (words := written_down(form, request)):
        return back(request, words)
    return shown(request, form, "consent/gave.html")


def written_down(form: GaveForm, request: HttpRequest) -> str:
    """What came of it, in words; empty when the form says what is missing."""
    said, program = form.cleaned_data, form.cleaned_data["wording"].program
    try:
        event = records.gave(
            program=program,
            phone=said["phone"],
            source=form.source,
            evidence=form.evidence(),
            occurred_at=said["occurred_at"],
            actor_id=user_id(request),
            now=timezone.now(),
        )
    except acquiring.NotEnoughProof as error:
        form.add_missing(error.missing)
    except acquiring.NotOffered:
        form.add_error("wording", _("This program has been switched off. Choose another."))
    except joining.NoLine as error:
        form.add_error("wording", str(error))
    except records.OptedOut as error:
        when = wording.moment(error.said_at)
        form.add_error(
            "phone",
            _(
                "They have opted out (%(when)s), and nothing that we write down lifts that. Ask them to text START, or "
                "the program's keyword, from this phone."
            )
            % {"when": when},
        )
    else:
        return agreed(event, said["phone"])
    return ""


def agreed(event: ConsentEvent, number: str) -> str:
    """What a consent that was written down means from now on."""
    who, program = {"who": phone.display(number)}, event.program
    assert program is not None  # noqa: S101 a consent is always to a program
    if event.kind == Kind.REQUESTED and not program.is_double_opt_in:
        words = _("Written down. It permits nothing: %(who)s said no before, and only their own phone takes that back.")
        return words % who
    if event.kind == Kind.REQUESTED:
        return _("Written down. %(who)s is asked by text now, and may be texted after a YES.") % who
    held = records.standing_after(event).level(program.pk, Category(program.category))
    if held == Level.NONE:
        return _("Written down. It changes nothing: %(who)s said no after that.") % who
    if event.effect == Effect.NOTHING:
        return _("Written down. %(who)s had agreed already.") % who
    return _("Written down. %(who)s gets a confirmation by text.") % who


@access.allow(*access.EVERYONE)
@page
@kept_nowhere
def took_back(request: HttpRequest) -> HttpResponse:
    """A "no" by letter, telephone or email, or in a conversation."""
    form = TookBackForm(request.POST or None, initial=initial(request))
    if not form.is_valid():
        return shown(request, form, "consent/took_back.html")
    said = form.cleaned_data
    events = records.took_back(
        phone=said["phone"],
        brand=said["brand"],
        source=form.source,
        evidence=form.evidence(),
        occurred_at=said["occurred_at"],
        actor_id=user_id(request),
        now=timezone.now(),
    )
    return back(request, ended(events, said["phone"]))


def ended(events: list[ConsentEvent], number: str) -> str:
    """What a "no" that was written down means from now on."""
    who = {"who": phone.display(number)}
    if all(records.standing_after(event).is_suppressed for event in events):
        return _("Written down. %(who)s gets no more texts.") % who
    return _("Written down. %(who)s has said yes again after that, which stands.") % who


# --- Both ------------------------------------------------------------------------------------------------------------


def initial(request: HttpRequest) -> dict[str, Any]:
    number = request.GET.get("phone", "")
    return {"phone": phone.display(number), "occurred_at": timezone.localtime()}


def shown(request: HttpRequest, form: RecordForm, template: str) -> HttpResponse:
    here = urlencode({name: request.GET[name] for name in ("phone", "next") if name in request.GET})
    context = {"form": form, "here": here, "next": next_of(request), "query": request.GET.urlencode()}
    return render(request, template, context, status=422 if form.is_bound else 200)


def next_of(request: HttpRequest) -> str:
    """Where somebody came from, if it is a page of ours."""
    wanted = request.GET.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if is_ours else reverse("inbox")


def back(request: HttpRequest, words: str) -> HttpResponse:
    """To an empty form that says what happened, so that reloading writes nothing twice."""
    messages.success(request, words)
    query = urlencode({"next": next_of(request)})
    return redirect(f"{request.path}?{query}")
