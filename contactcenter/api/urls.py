"""Included at ``/api/v1/``. For the middleware these are public: they ask for a token themselves."""

from django.urls import path, re_path

from contactcenter.api import consents, messages, problems, schema

urlpatterns = [
    path("consents/", consents.consents, name="api-consents"),
    path("consents/revocations/", consents.revocations, name="api-revocations"),
    path("messages/", messages.messages, name="api-messages"),
    path("messages/<uuid:ref>/", messages.message, name="api-message"),
    path("schema/", schema.described, name="api-schema"),
    re_path(r"", problems.nowhere, name="api-nowhere"),
]
