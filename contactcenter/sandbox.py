"""The sandbox's handsets, shown under the product's own address. Exists only while ``SANDBOX_URL`` is set (demo,
tests)."""

import requests
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from contactcenter.accounts import access

PASSED_ON = ("Content-Type", "ETag", "Cache-Control", "Location")


@csrf_exempt
@access.public
def handsets(request: HttpRequest, path: str) -> HttpResponse:
    """Passes the request on to the sandbox and its answer back."""
    try:
        answer = requests.request(
            str(request.method),
            f"{settings.SANDBOX_URL}/sandbox/{path}",
            params=request.GET.urlencode(),
            data=request.body,
            headers={
                name: request.headers[name]
                for name in ("Content-Type", "If-None-Match", "Accept")
                if name in request.headers
            },
            timeout=10,
            allow_redirects=False,
        )
    except requests.RequestException:
        return HttpResponse("The sandbox does not answer. Is it running?", status=502, content_type="text/plain")
    response = HttpResponse(answer.content, status=answer.status_code)
    for name in PASSED_ON:
        if name in answer.headers:
            response[name] = answer.headers[name]
    return response
