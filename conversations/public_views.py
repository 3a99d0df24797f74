"""Consumers' own pages: joining a program, and ending what they get. No sign-in, no script, no cookie but the forgery
token of the form to join."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.cache import add_never_cache_headers, patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from consent import acquiring, limits
from consent.models import Disclosure, Program
from consent.purposes import Category
from contactcenter.accounts import access
from contactcenter.lib import phone
from conversations import enrolling, joining, links, preferences
from conversations.public_forms import JoinForm

NAMES = {"en": "English", "es": "Español", "fr": "Français"}
FIELDS = ("phone", "name", "email", "agree")


def page(
    request: HttpRequest, template: str, context: Mapping[str, Any], language: str, status: int = 200
) -> HttpResponse:
    """A page in the language that was chosen. Kept by nobody: a phone may be somebody else's tomorrow."""
    with translation.override(language):
        response = render(request, template, dict(context), status=status)
    response["Content-Language"] = language
    patch_vary_headers(response, ["Accept-Language"])
    add_never_cache_headers(response)
    return response


def chosen(request: HttpRequest, offered: list[str], default: str) -> str:
    """The language asked for (``?lang=``, else the browser's) among those offered."""
    wanted = [request.GET.get("lang", ""), translation.get_language_from_request(request).partition("-")[0]]
    return next((language for language in wanted if language in offered), default)


# --- Joining -----------------------------------------------------------------------------------------------------


def offered_to_join(slug: str) -> tuple[Program, dict[str, Disclosure]] | None:
    """An active program and its latest wording in each language, its own first; two statements."""
    program = Program.objects.select_related("brand").filter(slug=slug, is_active=True).first()
    if program is None:
        return None
    latest = {found.language: found for found in program.disclosures.order_by("version")}
    return (program, latest) if latest else None


@access.public
@require_http_methods(["GET", "HEAD"])
def programs(request: HttpRequest) -> HttpResponse:
    """What there is to join, for whoever has lost the end of the address."""
    language = chosen(request, list(NAMES), "en")
    return page(request, "public/programs.html", {"programs": joining.open_to_all()}, language)


@access.public
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, slug: str) -> HttpResponse:
    """The form; 303 to what happens next, 422 with what is wrong beside what was typed, 429 after too many."""
    found = offered_to_join(slug)
    if found is None:
        return closed(request)
    program, latest = found
    default = program.language if program.language in latest else next(iter(latest))
    language = chosen(request, list(latest), default)
    shown = latest[language]
    if request.method != "POST":
        return page(request, "public/join.html", as_shown(program, latest, language), language)
    with translation.override(language):
        typed = request.POST.copy()
        if is_changed := typed.get("wording", "") != shown.sha256:
            typed.pop("agree", None)  # what was agreed to was something else
        form = form_of(program, typed)
        if not form.is_valid() or is_changed:
            context = {**as_shown(program, latest, language), "form": form, "is_changed": is_changed}
            context["errors"] = [(name, form.errors[name][0]) for name in FIELDS if name in form.errors]
            return page(request, "public/join.html", context, language, status=422)
        email = form.cleaned_data.get("email", "")
        if not is_within_limits(request, form.cleaned_data["phone"], email):
            return page(request, "public/too_often.html", {"program": program}, language, status=429)
        page_shown = render_to_string("public/join.html", as_shown(program, latest, language))
    try:
        enrolling.enroll(
            program=program,
            phone=form.cleaned_data["phone"],
            name=form.cleaned_data["name"],
            email=email,
            shown=enrolling.Shown(
                disclosure=shown,
                page=page_shown,
                url=request.build_absolute_uri(),
                ip=request.META.get("REMOTE_ADDR", ""),
                user_agent=request.headers.get("User-Agent", ""),
            ),
            now=timezone.now(),
        )
    except (acquiring.NotOffered, joining.NoLine):
        return closed(request)
    # The same for everybody, known or not, so that nobody can find out whose number is here.
    asked = {"lang": language, **({"mail": "1"} if email else {})}
    response = redirect(f"{reverse('join-done', args=[program.slug])}?{urlencode(asked)}")
    response.status_code = 303
    return response


def as_shown(program: Program, latest: Mapping[str, Disclosure], language: str) -> dict[str, Any]:
    """What the page says before anybody types; rendered without a request, it is what the person had before them."""
    return {
        "program": program,
        "disclosure": latest[language],
        "languages": [(code, NAMES.get(code, code)) for code in latest if code != language],
        "form": form_of(program),
    }


def form_of(program: Program, typed: QueryDict | None = None) -> JoinForm:
    return JoinForm(typed, can_mail=settings.CAN_MAIL, needs_mail=program.is_confirmed_by_email)


def is_within_limits(request: HttpRequest, number: str, email: str) -> bool:
    address = limits.network(request.META.get("REMOTE_ADDR", ""))
    keys = {f"ip:{address}": settings.JOINS_PER_ADDRESS, f"phone:{number}": settings.JOINS_PER_NUMBER}
    if email:  # somebody else's, perhaps
        keys[f"email:{email.casefold()}"] = settings.MAILS_PER_ADDRESS
    return limits.used(keys, now=timezone.now())


@access.public
@require_http_methods(["GET", "HEAD"])
def join_done(request: HttpRequest, slug: str) -> HttpResponse:
    """What happens next."""
    found = offered_to_join(slug)
    if found is None:
        return closed(request)
    program, latest = found
    context: dict[str, Any] = {
        "program": program,
        "is_mailed": "mail" in request.GET,
        "has_mailbox": settings.MAILBOX,
        "help_has_link": links.is_public(),
    }
    try:
        context["number"] = phone.display(joining.line_of(program).number)
    except joining.NoLine:
        return closed(request)
    return page(request, "public/join_done.html", context, chosen(request, list(latest), program.language))


def closed(request: HttpRequest) -> HttpResponse:
    return page(request, "public/closed.html", {}, chosen(request, list(NAMES), "en"), status=404)


# --- Ending ------------------------------------------------------------------------------------------------------


# The address itself is the secret, and a "no" must work where cookies don't: a forged one would only stop texts.
@csrf_exempt
@access.public
@require_http_methods(["GET", "HEAD", "POST"])
def own_preferences(request: HttpRequest, token: str) -> HttpResponse:
    """What a number gets from a brand. Looking changes nothing; one press ends all, or one kind."""
    language = chosen(request, list(NAMES), "en")
    try:
        found = preferences.read(token)
    except preferences.NoSuchPage:
        return page(request, "public/no_preferences.html", {}, language, status=404)
    if request.method == "POST":
        asked = request.POST.get("scope", "")
        scope = Category(asked) if asked in found.categories else None  # what is not understood means everything
        preferences.stop(
            page=found,
            scope=scope,
            evidence={
                "words": label(found, scope, language),
                "url": request.build_absolute_uri(),
                "ip": request.META.get("REMOTE_ADDR", ""),
                "user_agent": request.headers.get("User-Agent", ""),
            },
            now=timezone.now(),
        )
        response = redirect(f"{reverse('preferences', args=[token])}?lang={language}")
        response.status_code = 303
        return response
    context = {
        "page": found,
        "number": phone.display(found.line.number) if found.line else "",
        "stop_all": label(found, None, language),
        "stops": [(category, label(found, category, language)) for category in found.categories],
    }
    return page(request, "public/preferences.html", context, language)


def label(found: preferences.Preferences, scope: Category | None, language: str) -> str:
    """The words on the button: what the person says by pressing it."""
    with translation.override(language):
        words = {
            None: _("Stop all texts from %(brand)s"),
            Category.CONVERSATIONAL: _("Stop only conversations from %(brand)s"),
            Category.INFORMATIONAL: _("Stop only reminders and notices from %(brand)s"),
            Category.PROMOTIONAL: _("Stop only offers from %(brand)s"),
        }
        return words[scope] % {"brand": found.brand.name}
