"""Every page of the product, and one with nothing on it: what any page costs before it does anything."""

from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from contactcenter.accounts import access


@access.allow(*access.EVERYONE)
def empty(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


urlpatterns = [path("empty/", empty), path("", include("contactcenter.urls"))]
