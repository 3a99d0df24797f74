"""Signing in and out, and light or dark."""

from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from contactcenter.accounts import access

THEMES = {"auto", "light", "dark"}
A_YEAR_SECONDS = 365 * 24 * 3600

login = access.public(LoginView.as_view(redirect_authenticated_user=True))
logout = access.allow(*access.EVERYONE)(LogoutView.as_view())


def page_too_old(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that was open while somebody signed in or out elsewhere: its protection against forgery has expired."""
    return render(request, "page_too_old.html", status=403)


@access.allow(*access.EVERYONE)
@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Remembers light, dark or the system's choice in a cookie, so that the server renders it and nothing flashes."""
    chosen = request.POST.get("theme", "")
    if chosen not in THEMES:
        return HttpResponseBadRequest("theme is auto, light or dark")
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure()):
        back = resolve_url("inbox")
    response = HttpResponseRedirect(back)
    response.set_cookie(
        "theme", chosen, max_age=A_YEAR_SECONDS, samesite="Lax", secure=request.is_secure(), httponly=True
    )
    return response
