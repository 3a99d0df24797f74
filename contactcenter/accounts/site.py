"""The admin site, and what its pages share: groups, exact search, bounded lists, buttons, and pages that only show.

A page that is no table's (a summary, the rules) is a ``screen``.

Lists here are over tables that grow for ever, so nothing on them may cost more for a larger table.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar, cast
from uuid import UUID

from django.conf import settings
from django.contrib import admin
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Model, Q, QuerySet, TextChoices
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from contactcenter.lib import phone

Row = TypeVar("Row", bound=Model)


class Group(TextChoices):
    """What people look for, in the order in which the index and the sidebar show it; apps are how code is cut."""

    MESSAGES = "messages", _("Messages")
    CONSENT = "consent", _("Consent")
    SETTINGS = "settings", _("Settings")
    PEOPLE = "people", _("People")


@dataclass(frozen=True, kw_only=True)
class Screen:
    """A page of the admin that is no table's. ``path`` follows ``/admin/``; its URL is named ``admin:name``."""

    path: str
    name: str
    title: Any
    group: Group
    permission: str
    view: "ScreenView"


@dataclass(frozen=True, kw_only=True)
class Elsewhere:
    """A page of the inbox's side that whoever works in the admin looks for here. ``url`` is its name."""

    url: str
    title: Any
    group: Group
    permission: str


ScreenView = Callable[[HttpRequest], TemplateResponse]


def screen(path: str, *, name: str, title: Any, group: Group, permission: str) -> Callable[[ScreenView], ScreenView]:
    """Puts a view among the admin's pages, for those who have the permission; the site adds what all its pages show."""

    def register(view: ScreenView) -> ScreenView:
        shown = Screen(path=path, name=name, title=title, group=group, permission=permission, view=view)
        cast("Site", admin.site).screens.append(shown)
        return view

    return register


def lead_to(url: str, *, title: Any, group: Group, permission: str) -> None:
    """Lists a page that is not of the admin among its pages."""
    cast("Site", admin.site).elsewhere.append(Elsewhere(url=url, title=title, group=group, permission=permission))


class Site(admin.AdminSite):
    """Django's admin behind our own sign-in page. Agents are refused: signing in again would not help them."""

    site_title = site_header = _("Contact center")
    index_title = _("Records and settings")
    site_url = None  # the header leads to the inbox

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        self.screens: list[Screen] = []
        self.elsewhere: list[Elsewhere] = []

    def get_urls(self) -> list[URLPattern | URLResolver]:
        return [*map(self.url_of, self.screens), *super().get_urls()]

    def url_of(self, shown: Screen) -> URLPattern:
        def checked(request: HttpRequest) -> HttpResponse:
            if not request.user.has_perm(shown.permission):
                raise PermissionDenied
            response = shown.view(request)
            response.context_data = {**self.each_context(request), **(response.context_data or {})}
            return response

        view = self.admin_view(checked)
        view.admin_site = self  # type: ignore[attr-defined]  # RoleMiddleware knows the admin's pages by it
        return path(shown.path, view, name=shown.name)

    def has_permission(self, request: HttpRequest) -> bool:
        if request.user.is_authenticated and not request.user.is_staff:
            raise PermissionDenied
        return super().has_permission(request)

    @login_not_required
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        wanted = request.GET.get(REDIRECT_FIELD_NAME) or reverse("admin:index", current_app=self.name)
        return redirect_to_login(wanted, str(settings.LOGIN_URL))

    def password_change(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return redirect("password")  # one's own is changed at one place

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[dict[str, Any]]:
        """By group, each in the order of registration; what has none (libraries) follows by app."""
        apps = super().get_app_list(request, app_label)
        if app_label:
            return apps
        entries = {entry["model"]: (app, entry) for app in apps for entry in app["models"]}
        home = reverse("admin:index", current_app=self.name)
        sections: dict[str, dict[str, Any]] = {
            group: {"name": group.label, "app_label": group.value, "app_url": home, "models": []} for group in Group
        }
        for shown in self.screens:
            if request.user.has_perm(shown.permission):
                url = reverse(f"admin:{shown.name}", current_app=self.name)
                entry = {"name": shown.title, "object_name": shown.name, "admin_url": url, "view_only": True}
                sections[shown.group]["models"].append(entry)
        for led in self.elsewhere:
            if request.user.has_perm(led.permission):
                entry = {"name": led.title, "object_name": led.url, "admin_url": reverse(led.url), "view_only": True}
                sections[led.group]["models"].append(entry)
        for model, page in self._registry.items():
            if model in entries:
                app, entry = entries[model]
                section = sections.setdefault(getattr(page, "group", app["app_label"]), {**app, "models": []})
                section["models"].append(entry)
        return [section for section in sections.values() if section["models"]]

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        return super().index(request, {"waiting": list(self.waiting(request)), **(extra_context or {})})

    def waiting(self, request: HttpRequest) -> Iterator[tuple[str, str]]:
        """What somebody has to look into: in words, and where."""
        for model, page in self._registry.items():
            if isinstance(page, Page) and page.has_view_permission(request) and (found := page.waiting()):
                words, query = found
                name = f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"
                yield words, f"{reverse(name, current_app=self.name)}?{query}"


class FirstPages(Paginator):  # type: ignore[type-arg]
    """Counts no further than anybody turns pages; beyond that, one searches."""

    LIMIT = 5000

    @cached_property
    def count(self) -> int:
        return cast("QuerySet[Model]", self.object_list)[: self.LIMIT].count()

    @property
    def is_cut(self) -> bool:
        """There may be more than it says."""
        return self.count >= self.LIMIT


def bounded_count(rows: "QuerySet[Any]") -> int:
    """How many, counted no further than a list would."""
    return rows[: FirstPages.LIMIT].count()


class IsSet(admin.SimpleListFilter):
    """Those rows whose ``parameter_name`` is set, and those where it is not, each in words of its own."""

    unset: ClassVar[Any]
    set: ClassVar[Any]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("no", self.unset), ("yes", self.set)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in {"no", "yes"}:
            return queryset
        return queryset.filter(**{f"{self.parameter_name}__isnull": self.value() == "no"})


class Page(admin.ModelAdmin[Row]):
    """A list with exact search (``find``), whose actions are also buttons on each row's own page.

    Nothing is ever deleted here: rows are history, or history names them.
    """

    group: ClassVar[Group]
    change_form_template = "admin/page_with_buttons.html"
    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
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

    def get_field_queryset(self, db: str | None, db_field: Any, request: HttpRequest) -> QuerySet[Any] | None:
        """Choices name what they belong to (a program its brand), which is fetched with them as in their own list."""
        choices = super().get_field_queryset(db, db_field, request)
        listed = self.admin_site._registry.get(db_field.remote_field.model)
        if listed is None or not isinstance(listed.list_select_related, tuple | list) or not listed.list_select_related:
            return choices
        rows = db_field.remote_field.model._default_manager.all() if choices is None else choices
        return cast("QuerySet[Any]", rows.select_related(*listed.list_select_related))

    def waiting(self) -> tuple[str, str] | None:
        """What of this somebody has to look into, in words, and the query of the list that shows it."""
        return None

    def offers(self, action: str, row: Row) -> bool:
        """Whether this action's button would do anything on the row's own page."""
        return True

    def has_delete_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:
        return False

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        row: Row | None = kwargs.get("obj")
        choices = self.get_action_choices(request, default_choices=[])
        context["buttons"] = [(action, label) for action, label in choices if row and self.offers(action, row)]
        return super().render_change_form(request, context, *args, **kwargs)


class Record(Page[Row]):
    """Rows that nobody adds, changes or deletes by hand, whatever their role."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:
        return False


class Attached(admin.TabularInline[Any, Any]):
    """Rows shown on the page of the row that they belong to."""

    template = "admin/attached.html"
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
