from django.apps import AppConfig


class ContactCenterConfig(AppConfig):
    """The composition root: pages that belong to no app, checks and management commands."""

    name = "contactcenter"
    verbose_name = "Contact center"
