"""Where the product listens, and how people on this machine reach it."""

import errno
import socket


class AddressError(Exception):
    """Nobody can listen there; ``remedy`` says what to do about it."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(f"{what} {remedy}")
        self.what, self.remedy = what, remedy


class TakenError(AddressError):
    """Somebody listens there already."""


def url(host: str, port: int) -> str:
    """The address to open in a browser here: who listens everywhere is also at 127.0.0.1."""
    reachable_at = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104
    return f"http://[{reachable_at}]:{port}" if ":" in reachable_at else f"http://{reachable_at}:{port}"


def listening(host: str, port: int) -> socket.socket:
    """The socket that all web processes accept from. While one is started again, the others take its connections; when
    there is no other, they wait instead of being refused. ``::`` is IPv4 as well. Raises AddressError."""
    try:
        if ":" in host:
            return socket.create_server((host, port), family=socket.AF_INET6, dualstack_ipv6=host == "::")
        return socket.create_server((host, port))
    except OverflowError as error:
        raise AddressError(f"There is no port {port}.", "Choose one from 1 to 65535 with PORT=…") from error
    except (OSError, ValueError) as error:  # the latter: no host name at all, or no IPv4 and IPv6 at once here
        code, why = getattr(error, "errno", None), getattr(error, "strerror", None) or error
        if code == errno.EADDRINUSE:
            what = f"Port {port} of {host} is taken by another program."
            raise TakenError(what, "Choose another one with PORT=…") from error
        if code == errno.EACCES:
            raise AddressError(
                f"Port {port} of {host} is not for this user.", "Choose another one with PORT=…"
            ) from error
        remedy = "Give an address of this machine with HOST=…, or leave it out for 127.0.0.1."
        raise AddressError(f"HOST is {host!r}, where nobody can listen here: {why}.", remedy) from error
