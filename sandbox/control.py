"""The control API under ``/sandbox/api/``: what tests and the handset pages ask and tell the sandbox.

Every POST must be JSON by its content type. That keeps a foreign web page from posting here behind the
back of whoever runs the demo: it would need a preflight, which is never granted.
"""

import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from typing import Any

from aiohttp import web

from sandbox.carrier import Carrier
from sandbox.state import State, digits

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_PAGE = 500


class Control:
    """The JSON endpoints. ``fresh`` makes the state that a reset starts from."""

    def __init__(self, carrier: Carrier, fresh: Callable[[], State]) -> None:
        self._carrier = carrier
        self._fresh = fresh
        self._boot = uuid.uuid4().hex

    def routes(self) -> list[web.RouteDef]:
        """Return the routes, to be added to the page's application."""
        return [
            web.get("/sandbox/api/state", self.state),
            web.get("/sandbox/api/handsets", self.handsets),
            web.post("/sandbox/api/handsets", self.add_handset),
            web.post("/sandbox/api/lines", self.add_line),
            web.get("/sandbox/api/faults", self.faults),
            web.post("/sandbox/api/faults", self.switch),
            web.post("/sandbox/api/settings", self.settings),
            web.post("/sandbox/api/opted-out", self.opted_out),
            web.get("/sandbox/api/requests", self.requests),
            web.get("/sandbox/api/webhooks", self.webhooks),
            web.post("/sandbox/api/inbound", self.inbound),
            web.post("/sandbox/api/reset", self.reset),
        ]

    async def state(self, _: web.Request) -> web.Response:
        """The whole picture except the logs."""
        return web.json_response(self._picture())

    async def handsets(self, request: web.Request) -> web.Response:
        """Every handset with its thread; 304 when nothing happened since the ETag."""
        tag = f"{self._boot}-{self._carrier.state.version}"
        headers = {"ETag": f'"{tag}"', "Cache-Control": "no-store"}
        if request.if_none_match and any(known.value == tag for known in request.if_none_match):
            return web.Response(status=304, headers=headers)
        state = self._carrier.state
        phones = [
            {
                "number": number,
                "name": name,
                "opted_out": sorted(line for line, handset in state.opted_out if handset == number),
                "texts": [text.as_json() for text in state.threads.get(number, ())],
            }
            for number, name in state.handsets.items()
        ]
        return web.json_response({**self._picture(), "handsets": phones}, headers=headers)

    async def add_handset(self, request: web.Request) -> web.Response:
        """{number, name?} → {number}."""
        asked = await _asked(request)
        number = self._carrier.state.add_handset(str(asked.get("number", "")), str(asked.get("name", "")))
        return web.json_response({"number": number}, status=201)

    async def add_line(self, request: web.Request) -> web.Response:
        """{number, kind} adds a line, or changes its kind."""
        asked = await _asked(request)
        self._carrier.state.add_line(str(asked.get("number", "")), str(asked.get("kind", "10dlc")))
        return web.json_response(self._picture(), status=201)

    async def faults(self, _: web.Request) -> web.Response:
        """What can be switched, and what is on."""
        return web.json_response(self._carrier.state.faults.as_json())

    async def switch(self, request: web.Request) -> web.Response:
        """{kind, value?, times?, to?} on · {kind, on: false} off · {clear: true} all off."""
        asked = await _asked(request)
        state = self._carrier.state
        if asked.get("clear"):
            state.faults.switch_off()
        elif asked.get("on") is False:
            state.faults.switch_off(str(asked.get("kind")))
        else:
            state.faults.switch_on(
                str(asked.get("kind")),
                value=_maybe(asked, "value", float),
                times=_maybe(asked, "times", int),
                to=_maybe(asked, "to", lambda to: digits(str(to))),
            )
        state.changed()
        return web.json_response(state.faults.as_json())

    async def settings(self, request: web.Request) -> web.Response:
        """{rate?: API requests per second, 0 = no ceiling; opt_out_assist?: bool}."""
        asked = await _asked(request)
        state = self._carrier.state
        rate = _maybe(asked, "rate", int)
        state.ceiling = state.ceiling if rate is None else max(0, rate)
        state.opt_out_assist = bool(asked.get("opt_out_assist", state.opt_out_assist))
        state.changed()
        return web.json_response(self._picture())

    async def opted_out(self, request: web.Request) -> web.Response:
        """{line, number, opted_out?: bool} blocks a line for a handset, or lifts the block."""
        asked = await _asked(request)
        line = digits(str(asked.get("line", "")), shortest=4)
        number = digits(str(asked.get("number", "")))
        self._carrier.state.set_opted_out(line, number, bool(asked.get("opted_out", True)))
        return web.json_response(self._picture())

    async def requests(self, request: web.Request) -> web.Response:
        """The last API requests, newest first; ?client_ref= and ?to= filter, ?limit= is at most 500."""
        state, asked = self._carrier.state, request.query
        found = (
            {
                **asdict(item),
                "at": item.at.isoformat(),
                "accepted_times": state.accepted.get(item.client_ref or "", 0),
            }
            for item in reversed(state.requests)
            if asked.get("client_ref") in (None, item.client_ref) and asked.get("to") in (None, item.to)
        )
        return web.json_response({"requests": _first(found, asked)})

    async def webhooks(self, request: web.Request) -> web.Response:
        """The last webhooks, newest first; ?kind=inbound|status and ?state= filter, ?limit= at most 500."""
        asked = request.query
        found = (
            item.as_json()
            for item in reversed(self._carrier.courier.deliveries)
            if asked.get("kind") in (None, item.kind) and asked.get("state") in (None, item.state)
        )
        return web.json_response({"webhooks": _first(found, asked)})

    async def inbound(self, request: web.Request) -> web.Response:
        """{from, to, text, copies?, message_uuid?} sends a text from a handset to a line."""
        asked = await _asked(request)
        text = asked.get("text")
        if not isinstance(text, str) or not text or len(text) > 3200:
            raise ValueError("“text” must be a string of 1 to 3200 characters.")
        deliveries = self._carrier.text_in(
            handset=digits(str(asked.get("from", ""))),
            line=digits(str(asked.get("to", "")), shortest=4),
            text=text,
            copies=_maybe(asked, "copies", int),
            message_uuid=_maybe(asked, "message_uuid", str),
        )
        uuids = {"message_uuid": deliveries[0].body["message_uuid"]}
        return web.json_response({**uuids, "webhooks": [item.id for item in deliveries]}, status=202)

    async def reset(self, _: web.Request) -> web.Response:
        """Forget everything: threads, faults, logs, webhooks under way, lines and handsets added."""
        version = self._carrier.state.version
        self._carrier.courier.cancel()
        self._carrier.courier.deliveries.clear()
        self._carrier.state = self._fresh()
        self._carrier.state.version = version + 1
        return web.json_response(self._picture())

    def _picture(self) -> dict[str, object]:
        state = self._carrier.state
        deliveries = Counter(delivery.state for delivery in self._carrier.courier.deliveries)
        return {
            "lines": [{"number": number, "kind": kind} for number, kind in state.lines.items()],
            "opted_out": [{"line": line, "number": handset} for line, handset in sorted(state.opted_out)[:_PAGE]],
            "settings": {"rate": state.ceiling, "opt_out_assist": state.opt_out_assist},
            "ceiling_hits": state.ceiling_hits,
            "requests": len(state.requests),
            "webhooks": dict(deliveries),
            "faults": state.faults.as_json(),
        }


@web.middleware
async def explain(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn what cannot be done into a 400 that says what to write instead; guard POST by content type."""
    if request.method == "POST" and request.content_type != "application/json":
        return web.json_response({"error": "Send JSON with Content-Type: application/json."}, status=415)
    try:
        return await handler(request)
    except ValueError as error:
        return web.json_response({"error": str(error)}, status=400)


async def _asked(request: web.Request) -> Mapping[str, Any]:
    asked = await request.json()
    if not isinstance(asked, dict):
        raise ValueError("The body must be a JSON object.")
    return asked


def _maybe(asked: Mapping[str, Any], name: str, convert: Callable[[Any], Any]) -> Any:
    if asked.get(name) is None:
        return None
    try:
        return convert(asked[name])
    except TypeError:
        raise ValueError(f"“{name}” cannot be {asked[name]!r}.") from None


def _first(found: Any, asked: Mapping[str, str]) -> list[dict[str, object]]:
    limit = min(int(asked.get("limit", _PAGE)), _PAGE)
    return [item for _, item in zip(range(limit), found, strict=False)]
