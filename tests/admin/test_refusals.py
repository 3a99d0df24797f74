"""Settings that can't be used, as an operator meets them: one sentence and status 1, whatever command it was."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def ran(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """``manage.py`` with this environment and no other."""
    return subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("name", "value", "remedy"),
    [
        ("TIME_ZONE", "Mars", "America/New_York"),
        ("DATABASE_URL", "mysql://user:s3cret@host/name", "postgresql://"),
        ("DATABASE_URL", "postgresql://user:s3cret@host:port/name", "postgresql://"),
        ("DATABASE_URL", "//user:s3cret@host/name", "postgresql://"),
        ("LOG_LEVEL", "LOUD", "WARNING"),
        ("EMAIL_URL", "nonsense", "smtp+tls://"),
        ("SECRET_KEY_FILE", "/no/such/file", "correct the path"),
        ("PORT", "70000", "from 1 to 65535"),
        ("PORT", "many", "like 8000"),
        ("VAR_DIR", "/dev/null/var", "name a folder"),
    ],
)
def test_the_doctor_says_it_in_one_sentence_with_what_to_do(tmp_path, name, value, remedy):
    done = ran("doctor", **{"VAR_DIR": str(tmp_path), name: value})
    assert done.returncode == 1
    assert not done.stdout
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"{name} ")
    assert remedy in line
    assert "s3cret" not in line


@pytest.mark.parametrize("command", ["up", "migrate"])
def test_so_do_the_commands_that_start(tmp_path, command):
    done = ran(command, VAR_DIR=str(tmp_path), TIME_ZONE="Mars")
    assert done.returncode == 1
    assert done.stderr.startswith("TIME_ZONE cannot be used: ")
    assert len(done.stderr.splitlines()) == 1


def test_the_doctor_makes_no_folder_where_there_is_none(tmp_path):
    done = ran("doctor", VAR_DIR=str(tmp_path / "var"))
    assert done.returncode == 1, done.stderr
    assert "where there is no folder yet" in done.stdout
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "var").exists()
