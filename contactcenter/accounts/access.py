"""Who may open what. Fails closed: a page that names no roles is open to nobody.

Pages say ``@access.allow(Role.AGENT, …)`` or ``@access.public``. The admin asks Django's permissions instead, which
``RoleBackend`` answers from ``ADMIN``. ``tests/access`` tries every URL as every role and as nobody.
"""

from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any, TypeVar

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponseBase

from contactcenter.accounts.models import Role, User

View = TypeVar("View", bound=Callable[..., HttpResponseBase])

EVERYONE = tuple(Role)

# Permissions by role, as patterns over "app.action_model". What history forbids, the admin classes refuse to all.
ADMIN: dict[str, tuple[str, ...]] = {
    Role.AGENT: (),
    Role.SUPERVISOR: ("consent.view_*", "conversations.view_*", "conversations.*_disposition"),
    Role.COMPLIANCE: ("consent.*", "conversations.view_*"),
    Role.ADMINISTRATOR: ("accounts.*", "api.*", "consent.*", "conversations.*", "django_q.view_*"),
}


def allow(*roles: Role) -> Callable[[View], View]:
    def declare(view: View) -> View:
        view.allowed_roles = frozenset(roles)  # type: ignore[attr-defined]
        return view

    return declare


def public(view: View) -> View:
    """No sign-in: for the sign-in page itself, health checks, consumers' own pages."""
    return login_not_required(allow(*Role)(view))


class RoleMiddleware:
    """Refuses a page to whoever its view does not name. Runs after Django's ``LoginRequiredMiddleware``."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any) -> None:
        if hasattr(view, "admin_site") or hasattr(view, "model_admin"):
            return  # the admin checks permissions itself
        if not getattr(view, "login_required", True):
            return  # public, by declaration
        if getattr(request.user, "role", None) not in getattr(view, "allowed_roles", ()):
            raise PermissionDenied


class RoleBackend(ModelBackend):
    """Signs in by user name and password; answers permissions from the role."""

    def has_perm(self, user_obj: Any, perm: str, obj: Model | None = None) -> bool:
        if not isinstance(user_obj, User) or not user_obj.is_active:
            return False
        return any(fnmatchcase(perm, pattern) for pattern in ADMIN[user_obj.role])

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        if not isinstance(user_obj, User) or not user_obj.is_active:
            return False
        return any(pattern.startswith(f"{app_label}.") for pattern in ADMIN[user_obj.role])

    def get_all_permissions(self, user_obj: Any, obj: Model | None = None) -> set[str]:
        return set(ADMIN[user_obj.role]) if isinstance(user_obj, User) and user_obj.is_active else set()
