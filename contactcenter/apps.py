from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class ContactCenterConfig(AppConfig):
    """The composition root: pages that belong to no app, checks and management commands."""

    name = "contactcenter"
    verbose_name = "Contact center"

    def ready(self) -> None:
        from contactcenter import checks  # noqa: F401 registers them


class AdminConfig(admin_apps.AdminConfig):
    """Django's admin with our own site."""

    default = False
    default_site = "contactcenter.accounts.site.Site"
