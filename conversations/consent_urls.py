"""Consent that comes in by other ways than a text. Included at ``/consent/``."""

from django.urls import path

from conversations import import_views, record_views

urlpatterns = [
    path("record/", record_views.gave, name="consent-record"),
    path("record/opt-out/", record_views.took_back, name="consent-record-opt-out"),
    path("import/", import_views.index, name="consent-imports"),
    path("import/<int:pk>/", import_views.detail, name="consent-import"),
    path("import/<int:pk>/progress/", import_views.progress, name="consent-import-progress"),
    path("import/<int:pk>/cancel/", import_views.cancel, name="consent-import-cancel"),
    path("import/<int:pk>/go-on/", import_views.go_on, name="consent-import-go-on"),
    path("import/<int:pk>/refused.csv", import_views.refusals, name="consent-import-refusals"),
]
