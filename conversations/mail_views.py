"""Where the links in our emails lead: confirming, unsubscribing; and in the demo, the mailbox that they are read in.

Mail scanners follow links, so looking changes nothing.
"""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from consent import limits
from contactcenter.accounts import access
from contactcenter.lib import phone
from conversations import by_email, joining
from conversations.models import Mail
from conversations.public_views import NAMES, chosen, closed, page

MAILBOX = 50


@access.public
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, slug: str, token: str) -> HttpResponse:
    """What was agreed to and one button; 404 for a link that is none of ours, 410 for one that is good no more."""
    now = timezone.now()
    try:
        asked = by_email.read(slug=slug, token=token, now=now)
        number = phone.display(joining.line_of(asked.program).number)
    except by_email.LinkTooOld:
        return page(request, "public/link_too_old.html", {"slug": slug}, chosen(request, list(NAMES), "en"), status=410)
    except (by_email.NoSuchLink, joining.NoLine):
        return closed(request)
    language = chosen(request, list(NAMES), asked.program.language)
    with translation.override(language):
        words = _("Yes, I agreed to get these texts from %(brand)s") % {"brand": asked.program.brand.name}
    context = {"asked": asked, "program": asked.program, "words": words, "number": number}
    if request.method != "POST" or asked.is_confirmed:
        return page(request, "public/confirm.html", context, language)
    address = limits.network(request.META.get("REMOTE_ADDR", ""))
    if not limits.used({f"confirm-ip:{address}": settings.JOINS_PER_ADDRESS}, now=now):
        return page(request, "public/too_often.html", {"program": asked.program}, language, status=429)
    by_email.confirm(asked=asked, evidence=evidence_of(request, words), now=now)
    return page(request, "public/confirmed.html", context, language)


# As with the page of preferences: the address is the secret. Mail programs post without cookies (RFC 8058), and would
# not follow a redirect.
@csrf_exempt
@access.public
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """One button ends all texts of a brand to a number. Tells nobody what the number gets, or got."""
    language = chosen(request, list(NAMES), "en")
    try:
        out = by_email.way_out(token)
    except by_email.NoSuchLink:
        return page(request, "public/no_preferences.html", {}, language, status=404)
    with translation.override(language):
        words = _("Stop all texts from %(brand)s") % {"brand": out.brand.name}
    context = {"out": out, "brand": out.brand, "words": words}
    if request.method == "POST":
        said = "List-Unsubscribe=One-Click" if "List-Unsubscribe" in request.POST else words
        by_email.unsubscribe(out=out, evidence=evidence_of(request, said), now=timezone.now())
        context["is_done"] = True
    return page(request, "public/unsubscribe.html", context, language)


def evidence_of(request: HttpRequest, words: str) -> dict[str, str]:
    return {
        "words": words,
        "url": request.build_absolute_uri(),
        "ip": request.META.get("REMOTE_ADDR", ""),
        "user_agent": request.headers.get("User-Agent", "") or "(none sent)",
    }


@access.public
@require_safe
def mailbox(request: HttpRequest) -> HttpResponse:
    """The demo's emails, newest first, for whoever plays the customer. Elsewhere there is no such page: their links are
    for their readers alone."""
    if not settings.MAILBOX:
        raise Http404
    return render(request, "mail/mailbox.html", {"mails": Mail.objects.all()[:MAILBOX]})
