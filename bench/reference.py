"""What ``bench.inbound`` is compared with: the same webhook as a plain Django view, one row at a time by the ORM.

The rules are those that the tests compare the batched ingest with (``tests/conversations/oracle.py``), in one
transaction per request. It has no middleware, and the server, threads and kept connections of the product's own pages.

    python -m bench.reference FD      one process, on the listening socket FD
"""

import os
import socket
import sys
import time

import uvicorn
from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "contactcenter.settings")
settings.MIDDLEWARE = []
settings.ROOT_URLCONF = __name__
django_application = get_wsgi_application()

from django.db import transaction  # noqa: E402 the apps must be loaded
from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.urls import path  # noqa: E402
from django.utils import timezone  # noqa: E402

from contactcenter.lib.wsgi import Threads  # noqa: E402
from conversations import reading  # noqa: E402
from conversations.carriers import signature  # noqa: E402
from conversations.reading import Arrival  # noqa: E402
from tests.conversations import oracle  # noqa: E402


def inbound(request: HttpRequest) -> HttpResponse:
    verdict = signature.verify(
        raw=request.body,
        authorization=request.headers.get("Authorization"),
        secrets=settings.VONAGE_SIGNATURE_SECRETS,
        now=time.time(),
        api_key=settings.VONAGE_API_KEY,
        application_id=settings.VONAGE_APPLICATION_ID,
    )
    if verdict.outcome != signature.Outcome.OK:
        return HttpResponse(status=401, headers={"Content-Length": "0"})
    now = timezone.now()
    with transaction.atomic():
        oracle.take([reading.delivery(Arrival(request.path, request.body, now))], now)
    return HttpResponse(headers={"Content-Length": "0"})


urlpatterns = [path("webhooks/vonage/inbound", inbound)]


if __name__ == "__main__":
    server = uvicorn.Server(uvicorn.Config(Threads(django_application, threads=8), access_log=False, lifespan="off"))
    server.run(sockets=[socket.socket(fileno=int(sys.argv[1]))])
