"""A program's page, with what consent can't know: whether anything can carry its texts."""

from django.contrib import admin
from django.utils.translation import gettext as _

from consent.admin import programs
from consent.models import Brand, Disclosure, Program
from consent.models.readiness import Item
from conversations.models import Line


@admin.register(Program)
class ProgramAdmin(programs.ProgramAdmin):
    def besides(self, brand: Brand) -> list[Item]:
        remedy = _("Add an active line of %(brand)s under Lines: nothing can carry these texts.") % {"brand": brand}
        return [Item(_("a line that sends"), Line.objects.filter(brand=brand, is_active=True).exists(), remedy)]


admin.site.register(Disclosure, programs.DisclosureAdmin)  # after its program, as people look for them
