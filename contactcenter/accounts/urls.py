"""Included at ``/``."""

from django.urls import path

from contactcenter.accounts import views

urlpatterns = [
    path("login/", views.login, name="login"),
    path("logout/", views.logout, name="logout"),
    path("theme/", views.theme, name="theme"),
    path("settings/", views.settings, name="settings"),
    path("settings/password/", views.password, name="password"),
]
