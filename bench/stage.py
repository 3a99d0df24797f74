"""What benchmarks run against: the whole product, or only its engines, in a directory that is gone afterwards."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from urllib.parse import unquote

from contactcenter import binaries, engines
from sandbox import credentials
from tests.product import ROOT, Product, running

LINE = "+12015550100"  # the demo's main one


@contextmanager
def directory() -> Iterator[Path]:
    """A ``VAR_DIR``; what the engines keep beside it goes with it."""
    with tempfile.TemporaryDirectory(prefix="cc-bench-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o711)  # PostgreSQL may have to run as another user
        var_dir = Path(name) / "var"
        try:
            yield var_dir
        finally:
            forget(var_dir)


def forget(var_dir: Path) -> None:
    """What engines leave outside of ``var_dir``, where that is hard to reach for them."""
    sockets = Path(unquote(engines.urls(var_dir).redis.removeprefix("unix://"))).parent
    for left in (sockets, binaries.public_home(var_dir)):
        shutil.rmtree(left, ignore_errors=True)


@contextmanager
def product(**env: str) -> Iterator[Product]:
    """`manage.py up --demo`, without conversations unless ``env`` says otherwise. This process's Django is the same
    installation's: its database, its keys."""
    with directory() as var_dir, running(var_dir, **env) as started:
        join(var_dir)
        yield started


@contextmanager
def database() -> Iterator[None]:
    """Engines alone, as durable as in production, and an empty, migrated database for this process's Django."""
    with directory() as var_dir, engines.running(var_dir):
        join(var_dir)
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        yield


def join(var_dir: Path) -> None:
    """Once per process: Django knows one database."""
    urls = engines.urls(var_dir)
    os.environ |= {
        "DATABASE_URL": urls.database,
        "REDIS_URL": urls.redis,
        "VAR_DIR": str(var_dir),  # holds the installation's SECRET_KEY
        "DJANGO_SETTINGS_MODULE": "contactcenter.settings",
    }
    import django

    django.setup()


def account(product: Product) -> dict[str, str]:
    """What a webhook is signed with, as ``signing.sign`` takes it."""
    known = asdict(credentials.load_account(credentials.prepare(product.var_dir)))
    return {"secret": known["signature_secret"], "api_key": known["api_key"], "application_id": known["application_id"]}


def commit() -> str:
    """The tree that is measured, for the report; empty where there is no repository."""
    said = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return said.stdout.strip()
