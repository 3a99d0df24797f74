"""One web process: ``python -m contactcenter.web FD``, uvicorn on the listening socket FD that its supervisor holds.

Not ``uvicorn --fd``, which takes every such socket for a Unix one: it would delay small answers and know no addresses.
"""

import resource
import socket
import sys
from contextlib import suppress

import uvicorn

from contactcenter.lib import life

FILES = 65536


class Server(uvicorn.Server):
    """Shows ten times a second that the event loop turns."""

    async def on_tick(self, counter: int) -> bool:
        life.sign()
        return await super().on_tick(counter)


def allow_files() -> None:
    """The usual soft limit of 1024 is less than the webhooks that may wait: nobody would be told to come again."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # a hard limit that the system does not mean, as on macOS
        resource.setrlimit(resource.RLIMIT_NOFILE, (FILES if most < 0 else min(FILES, most), most))


def main(descriptor: int) -> None:
    allow_files()
    config = uvicorn.Config(
        "contactcenter.asgi:application",
        access_log=False,
        timeout_graceful_shutdown=5,
        ws="websockets-sansio",  # the other implementation is deprecated by its library
    )
    server = Server(config)
    server.run(sockets=[socket.socket(fileno=descriptor)])
    if not server.started:
        sys.exit("The web process could not start.")


if __name__ == "__main__":
    main(int(sys.argv[1]))
