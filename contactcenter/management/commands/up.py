"""Run the whole product under one supervisor: engines, web, workers, clock and, on request, the sandbox."""

import asyncio
import http.client
import os
import secrets
import socket
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from contactcenter import address, engines, supervisor
from contactcenter.supervisor import Service

# A healthy event loop never stands still for so long; browsers and carriers ask again at about that time.
SILENT_WEB_SECONDS = 15
# Its duties may each wait for a database that is slow or stands still. Killing it does no harm.
SILENT_CLOCK_SECONDS = 60
DEMO_USERS = ("agent", "agent2", "supervisor", "compliance", "admin")


class Command(BaseCommand):
    """`manage.py up`. Ends with status 0 after Ctrl-C or SIGTERM and a clean stop."""

    help = "Run everything: engines (unless DATABASE_URL and REDIS_URL are set), web, workers and clock."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--sandbox", action="store_true", help="with a stand-in for the carrier")
        parser.add_argument("--demo", action="store_true", help="with the sandbox, demo users and demo data")
        parser.add_argument("--port", type=int, help="default: the environment's PORT, else 8000")

    def handle(self, *_: Any, port: int | None, sandbox: bool, demo: bool, **options: Any) -> None:
        var_dir = engines.default_var_dir()
        port = port or settings.PORT
        url = address.url(settings.HOST, port)
        if settings.WEB_PROCESSES < 1:
            raise CommandError("WEB_PROCESSES must be 1 or more: nobody would answer.")
        try:
            with supervisor.claim(var_dir, url) as lock, address.listening(settings.HOST, port) as listener:
                env = os.environ | {"PORT": str(port), "VAR_DIR": str(var_dir), "PYTHONUNBUFFERED": "1"}
                password = _demo_password(var_dir) if demo else ""
                services = [
                    *_engines(var_dir, env),
                    *_sandbox(var_dir, env, port, url, wanted=sandbox or demo),
                    *_product(env, listener, url, demo_password=password),
                ]
                running = supervisor.Supervisor(_in_order(services), lock=lock)
                asyncio.run(running.run(on_started=lambda: self._announce(url, env, password)))
        except (
            supervisor.AlreadyRunningError,
            supervisor.StartError,
            engines.EngineError,
            address.AddressError,
        ) as error:
            raise CommandError(str(error)) from error
        except PermissionError as error:
            raise CommandError(f"{error}; another user's? VAR_DIR can name another folder") from error

    def _announce(self, url: str, env: dict[str, str], password: str) -> None:
        lines = ["", f"Ready: {url}/"]
        if "SANDBOX_URL" in env:
            lines += [f"Handsets, to play the customer: {url}/sandbox/"]
        if password:
            lines += [f"Demo users: {', '.join(DEMO_USERS)}", f"Password for all of them: {password}"]
        self.stdout.write("\n".join([*lines, "Ctrl-C stops everything.", ""]))
        self.stdout.flush()


def _in_order(services: list[Service]) -> list[Service]:
    """Started in this order, stopped in the opposite one."""
    first = ("postgres", "valkey", "migrate", "seed", "sandbox", "campaigns", "agents", "clock", "web")
    return sorted(services, key=lambda service: first.index(service.name.partition("-")[0]))


def _engines(var_dir: Path, env: dict[str, str]) -> Iterator[Service]:
    """The engines nobody else provides; `env` learns where they are."""
    embedded = engines.urls(var_dir)
    if not (env.get("DATABASE_URL") or env.get("DATABASE_URL_FILE")):
        env["DATABASE_URL"] = embedded.database
        yield engines.postgres(var_dir)
    if not (env.get("REDIS_URL") or env.get("REDIS_URL_FILE")):
        env["REDIS_URL"] = embedded.redis
        yield engines.valkey(var_dir)


def _sandbox(var_dir: Path, env: dict[str, str], port: int, url: str, *, wanted: bool) -> Iterator[Service]:
    """The stand-in for the carrier; `env` learns its credentials and where it is."""
    if not wanted:
        return
    from sandbox import credentials  # not a part of the product

    tls_port = int(env.get("SANDBOX_TLS_PORT") or _free_port(port + 443))
    http_port = int(env.get("SANDBOX_HTTP_PORT") or _free_port(port + 444))
    env.update(credentials.environment(var_dir, tls_port=tls_port, http_port=http_port))
    ports = ["--tls-port", str(tls_port), "--http-port", str(http_port)]
    yield Service(
        name="sandbox",
        argv=[sys.executable, "-m", "sandbox", "--var", str(var_dir), *ports, "--webhooks", url],
        env=env,
        ready=lambda: _accepts("127.0.0.1", tls_port),
    )


def _product(env: dict[str, str], listener: socket.socket, url: str, *, demo_password: str) -> Iterator[Service]:
    manage = [sys.executable, str(settings.BASE_DIR / "manage.py")]
    yield Service(name="migrate", argv=[*manage, "migrate", "--no-input"], env=env, once=True)
    if demo_password:
        seed = [*manage, "seed_demo", f"--password={demo_password}"]
        yield Service(name="seed", argv=seed, env=env, once=True)
    for cluster in ("campaigns", "agents"):
        worker_env = env | {"Q_CLUSTER_NAME": cluster}
        yield Service(name=cluster, argv=[*manage, "qcluster"], env=worker_env, grace_seconds=20)
    yield Service(name="clock", argv=[*manage, "clock"], env=env, silent_seconds=SILENT_CLOCK_SECONDS)
    argv = [sys.executable, "-m", "contactcenter.web", str(listener.fileno())]
    for number in range(settings.WEB_PROCESSES):
        web = Service(
            name=f"web-{number + 1}", argv=argv, env=env, fds=(listener.fileno(),), silent_seconds=SILENT_WEB_SECONDS
        )
        yield web if number else replace(web, ready=lambda: _answers(url))


def _free_port(preferred: int) -> int:
    """`preferred` where it is free, so that bookmarks stay good; else any."""
    for port in (preferred, 0):
        try:
            with socket.create_server(("127.0.0.1", port)) as server:
                return int(server.getsockname()[1])
        except (OSError, OverflowError):
            continue
    raise CommandError("no free port for the sandbox")


def _accepts(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


def _answers(url: str) -> bool:
    """Whether the web process answers, even if /healthz reports a part that is not well."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=5)
    try:
        connection.request("GET", "/healthz")
        return bool(connection.getresponse().status)
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _demo_password(var_dir: Path) -> str:
    """The demo users' password: random, made once, readable by its owner only."""
    path = var_dir / "demo-password"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(9))
    return path.read_text().strip()
