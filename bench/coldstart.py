"""From nothing to a page: a clone of this repository, `make demo` in it, and /healthz says that all is well.

pip's cache is warm: what a first installation ever takes depends on the network alone. Only what is committed counts.
"""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import requests

from bench import stage
from bench.figures import clock
from bench.report import Figure, at_most, tell
from tests.product import OURS, ROOT, eventually, free_port

BOUND = 300


class Start(NamedTuple):
    """Seconds since the beginning: `.venv` has all that it needs, and /healthz says yes."""

    installed: float
    ready: float

    @property
    def own(self) -> float:
        """Without what pip took."""
        return self.ready - self.installed


def run(*, quick: bool) -> bool:
    """There is no shorter form."""
    if not (ROOT / ".git").exists():
        print("\ncoldstart: skipped, this is no git repository")
        return True
    with tempfile.TemporaryDirectory(prefix="cc-bench-", ignore_cleanup_errors=True) as name:
        directory = Path(name)
        directory.chmod(0o711)  # PostgreSQL may have to run as another user
        with clone(directory) as code, (directory / "setup.log").open("wb") as log:
            # Warms pip's cache; what was installed then serves a start that has nothing else to do.
            subprocess.run(["make", "setup"], cwd=code, env=environment(), stdout=log, stderr=log, check=True)
            empty = start(code, began=clock(), DEMO_CONVERSATIONS="0")
        began = clock()
        with clone(directory) as code:
            cloned = clock() - began
            whole = start(code, began=began, DEMO_CONVERSATIONS="400")
    tell(
        f"coldstart: from `git clone` to a healthy demo, pip's cache warm, commit {stage.commit()}",
        [
            Figure("all of it, with 400 conversations of three weeks", whole.ready, "s", at_most(60)),
            Figure("  of it the product's own part, once installed", whole.own, "s"),
            Figure("  the same without conversations", empty.own, "s"),
            Figure("reference: git clone, python -m venv and pip install", whole.installed, "s"),
            Figure("reference: git clone alone", cloned, "s"),
        ],
    )
    return True


@contextmanager
def clone(directory: Path) -> Iterator[Path]:
    code = directory / "clone"
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", ROOT, code], check=True)
    try:
        yield code
    finally:
        stage.forget(code / "var")
        shutil.rmtree(code, ignore_errors=True)


def environment(**env: str) -> dict[str, str]:
    """A clean clone has no configuration."""
    ours = OURS | {"VAR_DIR"}
    return {name: value for name, value in os.environ.items() if name not in ours and "VONAGE" not in name} | env


def start(code: Path, *, began: float, **env: str) -> Start:
    """One `make demo`, which is stopped again."""
    port = free_port()
    with (
        (code.parent / "demo.log").open("wb") as log,
        subprocess.Popen(
            ["make", "demo"],
            cwd=code,
            env=environment(PORT=str(port), **env),
            stdout=log,
            stderr=log,
            start_new_session=True,
        ) as make,
    ):

        def is_well() -> bool:
            assert make.poll() is None, (code.parent / "demo.log").read_text()[-4000:]
            return bool(requests.get(f"http://127.0.0.1:{port}/healthz", timeout=5).json()["ok"])

        try:
            eventually((code / ".venv" / "installed").exists, BOUND, "everything is installed")
            installed = clock() - began
            eventually(is_well, BOUND, "the demo is well")
            return Start(installed, clock() - began)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(make.pid, signal.SIGTERM)
            make.wait(60)
