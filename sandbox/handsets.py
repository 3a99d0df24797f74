"""The pages at ``/sandbox/`` on which a person plays the customer.

They work under the product's own strict Content-Security-Policy, because its web process passes them on.
"""

from pathlib import Path

from aiohttp import web

_STATIC = Path(__file__).parent / "static"
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "font-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}


def routes() -> list[web.AbstractRouteDef]:
    """Return the page, its script and its styles."""
    return [
        web.get("/", _to_page),
        web.get("/sandbox", _to_page),
        web.get("/sandbox/", _page),
        web.static("/sandbox/static", _STATIC),
    ]


async def _to_page(_: web.Request) -> web.Response:
    return web.Response(status=308, headers={"Location": "/sandbox/"})


async def _page(_: web.Request) -> web.FileResponse:
    return web.FileResponse(_STATIC / "handsets.html", headers=_HEADERS)
