"""Every page. `tests/access` tries each of them as every role and as nobody."""

from django.conf import settings
from django.contrib import admin
from django.templatetags.static import static
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from contactcenter import health, sandbox
from contactcenter.accounts import access
from conversations import board_views, mail_views, public_views

urlpatterns: list[URLPattern | URLResolver] = [
    path("", access.allow(*access.EVERYONE)(RedirectView.as_view(pattern_name="inbox")), name="home"),
    path("inbox/", include("conversations.urls")),
    path("board/", board_views.index, name="board"),
    path("board/live/", board_views.fragment, name="board-live"),
    path("api/v1/", include("contactcenter.api.urls")),
    path("consent/", include("conversations.consent_urls")),
    path("join/", public_views.programs, name="join-programs"),
    path("join/<slug:slug>/", public_views.join, name="join"),
    path("join/<slug:slug>/thanks/", public_views.join_done, name="join-done"),
    path("join/<slug:slug>/confirm/<str:token>/", mail_views.confirm, name="join-confirm"),
    path("unsubscribe/<str:token>/", mail_views.unsubscribe, name="unsubscribe"),
    path("mailbox/", mail_views.mailbox, name="mailbox"),
    path("preferences/<str:token>/", public_views.own_preferences, name="preferences"),
    path("", include("contactcenter.accounts.urls")),
    path("admin/", admin.site.urls),
    path("favicon.ico", access.public(RedirectView.as_view(url=static("icons/favicon.svg"))), name="favicon"),
    path("healthz", health.healthz, name="healthz"),
]
if settings.SANDBOX_URL:
    urlpatterns.append(path("sandbox/<path:path>", sandbox.handsets, name="sandbox"))
    urlpatterns.append(path("sandbox/", sandbox.handsets, {"path": ""}, name="sandbox-home"))
