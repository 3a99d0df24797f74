"""Run the sandbox: ``python -m sandbox --var VAR_DIR --tls-port N --http-port N --webhooks URL``."""

import argparse
import asyncio
import logging
import signal
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from sandbox import carrier, credentials, handsets, state
from sandbox.api import MessagesApi
from sandbox.carrier import Carrier
from sandbox.control import Control, explain
from sandbox.state import State
from sandbox.webhooks import Courier

_HOST = "127.0.0.1"
logger = logging.getLogger("sandbox")


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    asyncio.run(_run(_arguments()))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("--var", type=Path, required=True, help="folder that keeps the account, in sandbox/")
    parser.add_argument("--tls-port", type=int, required=True, help="port of the Messages API")
    parser.add_argument("--http-port", type=int, required=True, help="port of the handset pages")
    parser.add_argument("--webhooks", default="http://127.0.0.1:8000", help="base address of the product")
    parser.add_argument("--lines", default=state.DEFAULT_LINES, help="number:kind,…  (default: %(default)s)")
    parser.add_argument("--retry-scale", type=float, default=1.0, help="factor on the waits between attempts")
    return parser.parse_args()


async def _run(options: argparse.Namespace) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with serving(options):
        logger.info("ready, on ports %s (API) and %s (handsets)", options.tls_port, options.http_port)
        await stopped.wait()


@asynccontextmanager
async def serving(options: argparse.Namespace) -> AsyncIterator[None]:
    """Listen on both ports for as long as the context lasts."""
    files = credentials.prepare(options.var)
    account = credentials.load_account(files)
    lines = state.parse_lines(options.lines)

    def fresh() -> State:
        return State(dict(lines))

    async with Courier(account, retry_scale=options.retry_scale, changed=lambda: network.state.changed()) as courier:
        network = Carrier(fresh(), courier, options.webhooks.rstrip("/"), carrier.utc_now)
        messages = MessagesApi(network, account.application_id, credentials.load_public_key(files))
        pages = web.Application(middlewares=[explain])
        pages.add_routes([*handsets.routes(), *Control(network, fresh).routes()])
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(files.server)
        async with (
            _listening(messages.application(), options.tls_port, tls),
            _listening(pages, options.http_port, None),
        ):
            yield


@asynccontextmanager
async def _listening(app: web.Application, port: int, tls: ssl.SSLContext | None) -> AsyncIterator[None]:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, _HOST, port, ssl_context=tls).start()
        yield
    finally:
        await runner.cleanup()


if __name__ == "__main__":
    main()
