"""The web process: sockets to Channels, webhooks raw, everything else to Django's WSGI handler in bounded threads."""

import gc
import os
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "contactcenter.settings")
django_application = get_wsgi_application()

from channels.auth import AuthMiddlewareStack  # noqa: E402 the apps must be loaded
from channels.routing import URLRouter  # noqa: E402
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402

from contactcenter.api import problems  # noqa: E402
from contactcenter.lib.wsgi import Threads  # noqa: E402
from conversations.groupcommit import GroupCommit  # noqa: E402
from conversations.hub import hub  # noqa: E402
from conversations.sockets import websocket_urlpatterns  # noqa: E402
from conversations.webhooks import Webhooks  # noqa: E402

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

group_commit = GroupCommit()
webhooks = Webhooks(group_commit)
pages = Threads(django_application, threads=8, refusal=problems.too_large)
# Long files, one at a time: those who read and write wait for none of them.
uploads = Threads(django_application, threads=1, body_limit=21 * 1024 * 1024)
health = Threads(django_application, threads=1)  # answers also when every page's thread is stuck
sockets = AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter(websocket_urlpatterns)))


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
    elif scope["type"] == "websocket":
        await sockets(scope, receive, send)
    elif scope["path"].startswith("/webhooks/"):
        await webhooks(scope, receive, send)
    elif scope["path"] == "/healthz":
        await health(scope, receive, send)
    elif scope["path"] == "/consent/import/" and scope["method"] == "POST":
        await uploads(scope, receive, send)
    else:
        await pages(scope, receive, send)


async def lifespan(receive: Receive, send: Send) -> None:
    """What lives as long as the process; stopping writes what has arrived."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            share_the_interpreter()
            group_commit.start()
            await hub.start()
            await send({"type": "lifespan.startup.complete"})
        else:
            await hub.stop()
            await group_commit.stop()
            await send({"type": "lifespan.shutdown.complete"})
            return


def share_the_interpreter() -> None:
    """The event loop answers webhooks and feeds sockets while threads render pages, all in one interpreter.

    What was imported stays for ever, and sockets stay long: looking through them all, as the collector would, stops
    everything for a tenth of a second. And a thread that computes hands over after one millisecond instead of five,
    which the loop would wait for once per thread.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)
    sys.setswitchinterval(0.001)
