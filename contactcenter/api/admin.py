"""Tokens, for administrators: made, shown once, revoked."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from contactcenter.accounts.site import Group, IsSet, Page, Record
from contactcenter.api import tokens
from contactcenter.api.models import ApiToken, Scope


class TokenForm(forms.ModelForm[ApiToken]):
    scopes = forms.MultipleChoiceField(
        label=_("May"), choices=Scope, widget=forms.CheckboxSelectMultiple(attrs={"class": "radiolist"})
    )

    class Meta:
        model = ApiToken
        fields = ("name", "scopes", "brand", "expires_at")

    def clean_expires_at(self) -> Any:
        at = self.cleaned_data["expires_at"]
        if at is not None and at <= timezone.now():
            raise forms.ValidationError(_("Choose a time that is still to come, or none."))
        return at


class IsRevoked(IsSet):
    title, parameter_name = _("state"), "revoked_at"
    unset, set = _("In force"), _("Revoked")


@admin.register(ApiToken)
class ApiTokenAdmin(Record[ApiToken]):
    """What a token may do never changes: whoever needs more gets another one."""

    group = Group.SETTINGS
    form = TokenForm
    list_display = ("name", "may", "last_used_at", "brand", "revoked_at", "expires_at", "created_by")
    list_filter = (IsRevoked,)
    list_select_related = ("brand", "created_by")
    search_fields = ("name", "prefix")
    actions = ("revoke",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return Page.has_add_permission(self, request)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """One way on, since every way shows the secret."""
        one_way = {"show_save_and_add_another": False, "show_save_and_continue": False}
        return super().add_view(request, form_url, {**one_way, **(extra_context or {})})

    def get_fields(self, request: HttpRequest, obj: ApiToken | None = None) -> tuple[str, ...]:
        if obj is None:
            return ("name", "scopes", "brand", "expires_at")
        made = ("created_by", "created_at", "last_used_at", "expires_at", "revoked_at")
        return ("name", "prefix", "may", "brand", *made)

    def get_readonly_fields(self, request: HttpRequest, obj: ApiToken | None = None) -> tuple[str, ...]:
        return self.get_fields(request, obj) if obj else ()

    def save_model(self, request: HttpRequest, obj: ApiToken, form: Any, change: bool) -> None:
        made, secret = tokens.issue(
            name=obj.name,
            scopes=obj.scopes,
            brand=obj.brand,
            expires_at=obj.expires_at,
            created_by_id=request.user.pk or 0,
        )
        obj.pk, obj.prefix = made.pk, made.prefix
        request.token_secret = secret  # type: ignore[attr-defined]

    def response_add(self, request: HttpRequest, obj: ApiToken, post_url_continue: str | None = None) -> HttpResponse:
        """Answered directly, with no redirect: a message would leave the secret in a cookie or a session. Never cached,
        like all of the admin."""
        secret = request.token_secret  # type: ignore[attr-defined]
        context = {**self.admin_site.each_context(request), "opts": self.opts, "token": obj, "secret": secret}
        context["title"] = _("Copy this secret now")
        return TemplateResponse(request, "admin/token_secret.html", context)

    def offers(self, action: str, row: ApiToken) -> bool:
        return row.revoked_at is None

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("api.change_apitoken")

    @admin.action(description=_("Revoke"), permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        revoked = tokens.revoke(tokens=queryset, now=timezone.now())
        text = ngettext("%d token opens nothing any more.", "%d tokens open nothing any more.", revoked)
        self.message_user(request, text % revoked, messages.SUCCESS if revoked else messages.WARNING)

    @admin.display(description=_("may"))
    def may(self, token: ApiToken) -> str:
        return ", ".join(token.scopes)
