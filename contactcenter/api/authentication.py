"""``Authorization: Bearer cc_…``, and what that token may do. Never a cookie: no other site can make a browser call."""

from typing import Any, cast

from django.contrib.auth.models import AnonymousUser
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from contactcenter.api import tokens
from contactcenter.api.models import ApiToken


class Bearer(BaseAuthentication):
    """Nobody is signed in by it: ``request.auth`` is the token, ``request.user`` stays anonymous."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, ApiToken] | None:
        kind, _blank, secret = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer":
            return None
        token = tokens.find(secret=secret.strip(), now=timezone.now())
        if token is None:
            raise AuthenticationFailed(_("This token is unknown, revoked or expired."))
        return AnonymousUser(), token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


class HasScope(BasePermission):
    """The view's ``scopes`` say, by method, what a token must be allowed; a method without one has no handler."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        scopes = getattr(view, "scopes", {})
        needed = scopes.get("GET" if request.method == "HEAD" else request.method)
        self.message = _("It lacks the scope “%(scope)s”.") % {"scope": needed}
        token = cast("ApiToken | None", request.auth)
        return token is not None and (needed is None or token.may(needed))


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the schema says so."""

    target_class = Bearer
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "description": "A token that an administrator made (cc_…)."}
