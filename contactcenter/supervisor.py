"""Start a list of services in order, keep them running, stop them in the opposite order.

Knows nothing of Django or of what the services are. Each runs under a minder (`contactcenter.minder`), so
that killing the supervisor, even with `kill -9`, ends them too.
"""

import asyncio
import contextlib
import fcntl
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from contactcenter import minder

BACKOFF_SECONDS = (1.0, 2.0, 4.0, 8.0, 15.0)
STABLE_SECONDS = 30.0
POLL_SECONDS = 0.05
LOOK_SECONDS = 1.0
PREVIOUS_RUN_SECONDS = 60
COLOURS = (36, 32, 33, 35, 34, 31)
LINE_BYTES = 65536


@dataclass(frozen=True, kw_only=True)
class Service:
    """A program and how to treat it.

    `env` is its whole environment (ours when None). To stop it the main process gets each of `signals` in
    turn, `grace_seconds` apart; then its process group is killed. `run_as` is what `minder.become` takes. The
    next service starts once `ready()` is true or, after one that runs only `once`, when that ended with 0. It inherits
    the descriptors `fds`. With `silent_seconds` it must write a byte to the descriptor that its environment calls
    `LIFE_FD` again and again: after so long a silence it is killed and started again, as if it had ended.
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] | None = None
    signals: tuple[signal.Signals, ...] = (signal.SIGTERM,)
    grace_seconds: float = 10
    run_as: str = ""
    ready: Callable[[], bool] | None = None
    ready_seconds: float = 60
    once: bool = False
    fds: tuple[int, ...] = ()
    silent_seconds: float = 0

    @property
    def minded(self) -> list[str]:
        """The command that runs it under a minder, which stops it when its standard input closes."""
        names = ",".join(number.name.removeprefix("SIG") for number in self.signals)
        options = [names, str(self.grace_seconds), self.run_as or "-"]
        return [sys.executable, "-I", "-S", minder.__file__, *options, *self.argv]


class AlreadyRunningError(Exception):
    """Another supervisor holds this directory; the message says which, where, and how to stop it."""


class StartError(Exception):
    """A service ended, or was not ready in time, while everything was being started."""


@contextlib.contextmanager
def claim(var_dir: Path, url: str) -> Iterator[int]:
    """Hold `var_dir` for one supervisor that serves `url`; yield the descriptor its minders must inherit.

    That descriptor is a lock which lasts as long as any process of any service: after a `kill -9` of the
    supervisor the next one waits here until the old services have ended. Raises AlreadyRunningError.
    """
    var_dir.mkdir(parents=True, exist_ok=True)
    with (var_dir / "up.lock").open("a+") as holder, (var_dir / "services.lock").open("a") as services:
        try:
            fcntl.flock(holder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunningError(_who(holder)) from None
        holder.truncate(0)
        holder.write(f"{os.getpid()} {url}\n")
        holder.flush()
        _await_previous_run(services)
        yield services.fileno()


def _who(holder: TextIO) -> str:
    holder.seek(0)
    pid, _, url = holder.read().strip().partition(" ")
    return f"already running (pid {pid}) at {url}; stop it with Ctrl-C there or `kill {pid}`"


def _await_previous_run(services: TextIO) -> None:
    deadline = time.monotonic() + PREVIOUS_RUN_SECONDS
    while True:
        try:
            return fcntl.flock(services, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise AlreadyRunningError(
                    f"services of an earlier run have not ended; `fuser {services.name}` names them"
                ) from None
            time.sleep(POLL_SECONDS)


class Supervisor:
    """Runs `services`; `lock` is what `claim` yields. Output goes to `out`, a prefixed line at a time."""

    def __init__(self, services: Sequence[Service], *, lock: int, out: TextIO = sys.stdout) -> None:
        width = max(len(service.name) for service in services)
        self._kept = [
            _Kept(service, lock=lock, say=_printer(out, service.name.ljust(width), COLOURS[i % len(COLOURS)]))
            for i, service in enumerate(services)
        ]
        self._stop = asyncio.Event()
        self._why = ""
        self._out = out

    def _say(self, line: str) -> None:
        with contextlib.suppress(OSError):  # a closed terminal must not keep anything running
            print(line, file=self._out, flush=True)

    async def run(self, *, on_started: Callable[[], None] = lambda: None) -> None:
        """Start everything, call `on_started`, return after SIGINT, SIGTERM or SIGHUP and a clean stop.

        Raises StartError, after stopping what had been started.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._stop_or_hurry, number)
        try:
            stopping = asyncio.create_task(self._stop.wait())
            starting = asyncio.create_task(self._start_all())
            await asyncio.wait({stopping, starting}, return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                starting.result()
                on_started()
                await stopping
            stopping.cancel()
            starting.cancel()
        finally:
            self._say(f"Stopping{self._why}…")
            for kept in reversed(self._kept):
                await kept.stop()
            self._say("Stopped.")

    async def _start_all(self) -> None:
        for kept in self._kept:
            await kept.start()

    def _stop_or_hurry(self, number: signal.Signals) -> None:
        self._why = f" after {number.name}"
        if self._stop.is_set():
            for kept in self._kept:
                kept.hurry()
        self._stop.set()


class _Kept:
    """One service and the task that keeps it running."""

    def __init__(self, service: Service, *, lock: int, say: Callable[[str], None]) -> None:
        self._service = service
        self._lock = lock
        self._say = say
        self._process: asyncio.subprocess.Process | None = None
        self._task: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()

    async def start(self) -> None:
        """Start it and wait until it is ready, or has ended when it runs only once."""
        ended = asyncio.create_task(self._run())
        if self._service.once:
            self._task = ended.get_loop().create_task(_discard(ended))
            status = await asyncio.shield(ended)
            if status:
                raise StartError(f"{self._service.name} failed with status {status}")
            return
        self._task = asyncio.create_task(self._keep(ended))
        await self._until_ready(ended)

    async def _until_ready(self, ended: "asyncio.Task[int]") -> None:
        service = self._service
        deadline = time.monotonic() + service.ready_seconds
        while service.ready and not await asyncio.to_thread(service.ready):
            if ended.done():
                raise StartError(f"{service.name} ended with status {ended.result()} before it was ready")
            if time.monotonic() > deadline:
                raise StartError(f"{service.name} was not ready after {service.ready_seconds:.0f} s")
            await asyncio.sleep(POLL_SECONDS)

    async def _keep(self, ended: "asyncio.Task[int]") -> None:
        failures = 0
        while True:
            began = time.monotonic()
            status = await ended
            if self._stopping.is_set():
                return
            if time.monotonic() - began >= STABLE_SECONDS:
                failures = 0
            delay = BACKOFF_SECONDS[min(failures, len(BACKOFF_SECONDS) - 1)]
            failures += 1
            self._say(f"ended with status {status}; starting again in {delay:g} s")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), delay)
                return
            ended = asyncio.create_task(self._run())

    async def _run(self) -> int:
        """One life of the process, its output relayed; its exit status."""
        with _life_signs(self._service.silent_seconds, self._give_up) as life_fds:
            self._process = process = await asyncio.create_subprocess_exec(
                *self._service.minded,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                env=dict(self._service.env or os.environ) | {"LIFE_FD": "".join(map(str, life_fds))},
                pass_fds=[self._lock, *self._service.fds, *life_fds],
                start_new_session=True,
            )
            if self._stopping.is_set():
                self._cut_lifeline()
            return await self._relay(process)

    async def _relay(self, process: asyncio.subprocess.Process) -> int:
        assert process.stdout is not None  # noqa: S101 - asked for above
        rest = b""
        while chunk := await process.stdout.read(LINE_BYTES):
            *lines, rest = (rest + chunk).split(b"\n")
            if len(rest) > LINE_BYTES:
                lines, rest = [*lines, rest], b""
            for line in lines:
                self._say(line.decode(errors="replace"))
        if rest:
            self._say(rest.decode(errors="replace"))
        return await process.wait()

    def _give_up(self) -> None:
        if not self._stopping.is_set():
            self._say(f"no sign of life for {self._service.silent_seconds:g} s; killing it")
            self._push()

    async def stop(self) -> None:
        """Stop it, and return when every process of it has ended."""
        self._stopping.set()
        self._cut_lifeline()
        if self._task:
            await self._task

    def hurry(self) -> None:
        """Go one step further than the last signal it got: at the latest the second time, kill it."""
        self._stopping.set()
        self._push()

    def _push(self) -> None:
        self._cut_lifeline()
        if self._process and self._process.returncode is None:
            self._process.terminate()

    def _cut_lifeline(self) -> None:
        if self._process and self._process.stdin:
            self._process.stdin.close()


@contextlib.contextmanager
def _life_signs(silent_seconds: float, give_up: Callable[[], None]) -> Iterator[list[int]]:
    """The descriptor to write signs of life to, if silence matters; each second of too long a silence calls `give_up`.

    Silence counts from the first sign: how long a program may take to start is `ready_seconds`.
    """
    if not silent_seconds:
        yield []
        return
    loop = asyncio.get_running_loop()
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)  # while nobody reads, as when we are frozen ourselves, they may be lost
    heard_at = 0.0
    looking: asyncio.TimerHandle

    def hear() -> None:
        nonlocal heard_at
        os.read(read_end, 4096)
        heard_at = loop.time()

    def look() -> None:
        nonlocal looking
        looking = loop.call_later(LOOK_SECONDS, look)
        if heard_at and loop.time() - heard_at > silent_seconds:
            give_up()

    loop.add_reader(read_end, hear)
    look()
    try:
        yield [write_end]
    finally:
        looking.cancel()
        loop.remove_reader(read_end)
        os.close(read_end)
        os.close(write_end)


async def _discard(task: "asyncio.Task[int]") -> None:
    await asyncio.wait({task})


def _printer(out: TextIO, name: str, colour: int) -> Callable[[str], None]:
    prefix = f"\x1b[{colour}m{name} |\x1b[0m" if out.isatty() else f"{name} |"

    def say(line: str) -> None:
        with contextlib.suppress(OSError):  # nobody reads it any more; that must not stop the services
            print(f"{prefix} {line}".rstrip(), file=out, flush=True)

    return say
