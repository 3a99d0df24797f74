"""A small shift, whole: what the great one (``python -m tests.shift``) proves, in a minute."""

import subprocess
import sys

import pytest

from tests.product import ROOT

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("processes")]


def test_a_small_shift() -> None:
    asked = ["--minutes", "0.3", "--agents", "8", "--people", "40"]
    run = subprocess.run(
        [sys.executable, "-m", "tests.shift", *asked],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-3000:]
    assert "nothing was broken, audit clean" in run.stdout
