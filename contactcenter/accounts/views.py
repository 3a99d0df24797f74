"""Signing in and out, one's own settings, and light or dark."""

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.views import LoginView, LogoutView, PasswordChangeView
from django.contrib.messages.views import SuccessMessageMixin
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.shortcuts import redirect, render, resolve_url
from django.urls import reverse_lazy
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from contactcenter.accounts import access
from contactcenter.accounts.forms import THEMES, SettingsForm
from contactcenter.accounts.models import User

A_YEAR_SECONDS = 365 * 24 * 3600
JOINING = {"join", "join-confirm"}


class SignIn(LoginView):
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs, is_new=not User.objects.exists())


class Password(SuccessMessageMixin[Any], PasswordChangeView):
    template_name = "accounts/password.html"
    success_url = reverse_lazy("settings")
    success_message = _("Your password is changed.")


login = access.public(SignIn.as_view())
logout = access.allow(*access.EVERYONE)(LogoutView.as_view())
password = access.allow(*access.EVERYONE)(Password.as_view())


def page_too_old(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that was open while somebody signed in or out elsewhere: its protection against forgery has expired.

    Whoever joins by the public form never signs in, and is told in other words.
    """
    is_theirs = request.resolver_match is not None and request.resolver_match.url_name in JOINING
    return render(request, "public/page_too_old.html" if is_theirs else "page_too_old.html", status=403)


@access.allow(*access.EVERYONE)
@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: HttpRequest) -> HttpResponse:
    """What somebody chose for themselves, on whatever machine they sign in (the theme: on this one)."""
    theme = request.COOKIES.get("theme")
    chosen = {"theme": theme if theme in dict(THEMES) else "auto"}
    data = request.POST if request.method == "POST" else None
    form = SettingsForm(data, instance=cast("User", request.user), initial=chosen)
    if not form.is_valid():
        return render(request, "accounts/settings.html", {"form": form}, status=422 if form.is_bound else 200)
    form.save()
    messages.success(request, _now("Saved."))
    response = redirect("settings")
    remember_theme(request, response, form.cleaned_data["theme"])
    return response


@access.allow(*access.EVERYONE)
@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Light, dark or the system's choice, and back to the page that asked."""
    chosen = request.POST.get("theme", "")
    if chosen not in dict(THEMES):
        return HttpResponseBadRequest("theme is auto, light or dark")
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure()):
        back = resolve_url("inbox")
    response = HttpResponseRedirect(back)
    remember_theme(request, response, chosen)
    return response


def remember_theme(request: HttpRequest, response: HttpResponse, chosen: str) -> None:
    """In a cookie, so that the server renders it and nothing flashes."""
    response.set_cookie(
        "theme", chosen, max_age=A_YEAR_SECONDS, samesite="Lax", secure=request.is_secure(), httponly=True
    )
