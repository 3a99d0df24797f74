"""Numbers that nothing is sent to until somebody has looked."""

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from consent.admin.finding import BY_NUMBER, hashes
from consent.models import Hold
from contactcenter.accounts.site import Group, IsSet, Record, bounded_count


class IsReleased(IsSet):
    title, parameter_name = _("state"), "released_at"
    unset, set = _("In force"), _("Released")


@admin.register(Hold)
class HoldAdmin(Record[Hold]):
    group = Group.CONSENT
    list_display = ("phone", "since", "reason", "released_at", "released_by")
    list_filter = (IsReleased,)
    list_select_related = ("released_by",)
    ordering = ("-id",)
    search_fields = ("phone_hash",)
    search_help_text = BY_NUMBER
    actions = ("release",)

    def find(self, term: str) -> Q:
        return Q(phone_hash__in=hashes(term))

    def waiting(self) -> tuple[str, str] | None:
        many = bounded_count(Hold.objects.filter(released_at=None))
        words = ngettext(
            "%d number is held: nothing is sent to it until somebody releases it.",
            "%d numbers are held: nothing is sent to them until somebody releases them.",
            many,
        )
        return (words % many, "released_at=no") if many else None

    def offers(self, action: str, row: Hold) -> bool:
        return row.released_at is None

    def has_release_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("consent.change_hold")

    @admin.action(description=_("Release"), permissions=["release"])
    def release(self, request: HttpRequest, queryset: QuerySet[Hold]) -> None:
        released = queryset.filter(released_at=None).update(released_at=timezone.now(), released_by_id=request.user.pk)
        text = ngettext("%d number may be texted again.", "%d numbers may be texted again.", released)
        self.message_user(request, text % released, messages.SUCCESS if released else messages.WARNING)
