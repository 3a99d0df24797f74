"""The admin site, and what its pages share: exact search, bounded lists, buttons, and pages that only show.

Lists here are over tables that grow for ever, so nothing on them may cost more for a larger table.
"""

import json
from contextlib import suppress
from typing import Any, ClassVar, TypeVar, cast
from uuid import UUID

from django.conf import settings
from django.contrib import admin
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from contactcenter.lib import phone

Row = TypeVar("Row", bound=Model)


class Site(admin.AdminSite):
    """Django's admin behind our own sign-in page. Agents are refused: signing in again would not help them."""

    site_title = site_header = _("Contact center")
    index_title = _("Records and settings")

    def has_permission(self, request: HttpRequest) -> bool:
        if request.user.is_authenticated and not request.user.is_staff:
            raise PermissionDenied
        return super().has_permission(request)

    @login_not_required
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        wanted = request.GET.get(REDIRECT_FIELD_NAME) or reverse("admin:index", current_app=self.name)
        return redirect_to_login(wanted, str(settings.LOGIN_URL))


class FirstPages(Paginator):  # type: ignore[type-arg]
    """Counts no further than anybody turns pages; beyond that, one searches."""

    LIMIT = 5000

    @cached_property
    def count(self) -> int:
        return cast("QuerySet[Model]", self.object_list)[: self.LIMIT].count()


class Page(admin.ModelAdmin[Row]):
    """A list with exact search (``find``), whose actions are also buttons on each row's own page.

    Nothing is ever deleted here: rows are history, or history names them.
    """

    change_form_template = "admin/page_with_buttons.html"
    list_per_page = 50
    show_full_result_count = False
    paginator = FirstPages
    sortable_by: ClassVar[tuple[str, ...]] = ()

    def find(self, term: str) -> Q:
        """The rows that somebody who types ``term`` means. Only conditions that an index answers."""
        raise NotImplementedError

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Row], search_term: str
    ) -> tuple[QuerySet[Row], bool]:
        if type(self).find is Page.find:
            return super().get_search_results(request, queryset, search_term)
        term = search_term.replace("\x00", "").strip()
        return (queryset.filter(self.find(term)) if term else queryset), False

    def has_delete_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:
        return False

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        context["buttons"] = self.get_action_choices(request, default_choices=[])
        return super().render_change_form(request, context, *args, **kwargs)


class Record(Page[Row]):
    """Rows that nobody adds, changes or deletes by hand, whatever their role."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:
        return False


class Attached(admin.TabularInline[Any, Any]):
    """Rows shown on the page of the row that they belong to."""

    extra = 0
    can_delete = False
    show_change_link = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def as_numbers(term: str) -> list[str]:
    """How a typed phone number may be stored: as the carrier writes it, or as people do."""
    with suppress(phone.InvalidPhone):
        return [phone.from_carrier(term), phone.normalize(term)]
    return [phone.from_carrier(term)]


def as_uuid(term: str) -> UUID | None:
    try:
        return UUID(term)
    except ValueError:
        return None


def pretty(value: Any) -> SafeString:
    """JSON as people read it."""
    return format_html("<pre>{}</pre>", json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True))
