"""Run one program and leave nothing of it behind.

    python -I -S minder.py SIGNALS GRACE RUN_AS PROGRAM [ARGUMENT…]

The minder is the program's parent, in a process of its own, because a supervisor that is killed with
`kill -9` can end nothing any more: its end of the pipe on our standard input closes, and that is the order
to stop. The program gets each of SIGNALS ("INT,QUIT") in turn, GRACE seconds apart, and then KILL. When it
has ended, for whatever reason, the rest of its process group is killed before we exit, so that a restarted
worker never competes with the orphans of the one before. SIGTERM means stop too; once stopping, hurry.

Only the standard library's lightest modules are imported: a minder lives as long as its program.
Exits with the program's status, or 128 + the signal that ended it.
"""

import contextlib
import ctypes
import os
import pwd
import select
import signal
import sys
import time
from collections.abc import Iterator, Sequence

NAMESPACE = "namespace"
"""RUN_AS: a user namespace in which we are no longer root; the files stay the real user's."""

ORPHANS_SECONDS = 10
CLONE_NEWUSER = 0x10000000
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36


def become(run_as: str) -> None:
    """Turn this process into an ordinary user: NAMESPACE, a user's name, or "" to stay.

    Raises OSError where the system refuses, KeyError when there is no such user.
    """
    if run_as == NAMESPACE:
        _enter_user_namespace()
    elif run_as:
        user = pwd.getpwnam(run_as)
        os.setgroups([])
        os.setgid(user.pw_gid)
        os.setuid(user.pw_uid)


def mind(program: list[str], *, signals: Sequence[signal.Signals], grace_seconds: float, run_as: str) -> int:
    """Run `program` until it ends or we are told to stop; return its exit status."""
    # Orphans of the program become our children instead of init's: we can wait until they are gone.
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    wakeups = _wakeups()
    pid = _start(program, run_as, orphaned=signals[0])
    escalation = iter([*signals, signal.SIGKILL])
    watched: list[int] = [sys.stdin.fileno(), wakeups]
    deadline: float | None = None
    while (status := _reap(pid)) is None:
        timeout = None if deadline is None else max(0.0, deadline - time.monotonic())
        readable, _, _ = select.select(watched, [], [], timeout)
        lifeline_cut = sys.stdin.fileno() in readable
        if lifeline_cut:
            watched.remove(sys.stdin.fileno())
        told = wakeups in readable and signal.SIGTERM in os.read(wakeups, 512)
        if told or not readable or (lifeline_cut and deadline is None):
            _signal(pid, next(escalation, signal.SIGKILL))
            deadline = time.monotonic() + grace_seconds
    _end_group(pid)
    return status if status >= 0 else 128 - status


def _start(program: list[str], run_as: str, *, orphaned: signal.Signals) -> int:
    pid = os.fork()
    if pid:
        return pid
    try:
        os.setsid()
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        become(run_as)
        _prctl(PR_SET_PDEATHSIG, orphaned)  # should somebody kill -9 the minder itself
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.execvp(program[0], program)  # noqa: S606
    except (OSError, KeyError) as error:
        os.write(2, f"cannot run {program[0]}: {error}\n".encode())
    os._exit(127)


def _wakeups() -> int:
    """A descriptor on which the numbers of the signals that arrive can be read."""
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    signal.set_wakeup_fd(write_end)
    for number in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the supervisor
    return read_end


def _reap(pid: int) -> int | None:
    """Wait for whatever has ended; `pid`'s exit status once it is among them."""
    return next((status for ended, status in _ended() if ended == pid), None)


def _ended() -> Iterator[tuple[int, int]]:
    try:
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            yield pid, os.waitstatus_to_exitcode(status)
    except ChildProcessError:
        return


def _end_group(group: int) -> None:
    """Kill what is left of the program's group and wait for all of its orphans.

    PostgreSQL's backends left the group, but end by themselves when their postmaster is gone.
    """
    deadline = time.monotonic() + ORPHANS_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # nothing, or only zombies (macOS)
            os.killpg(group, signal.SIGKILL)
        try:
            if os.waitpid(-1, os.WNOHANG)[0]:
                continue
        except ChildProcessError:
            return
        time.sleep(0.01)


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        if number is signal.SIGKILL:
            os.killpg(pid, number)
        else:
            os.kill(pid, number)  # the program knows best how to stop its own children


def _enter_user_namespace() -> None:
    uid, gid = os.geteuid(), os.getegid()
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "unshare") or libc.unshare(CLONE_NEWUSER):
        raise OSError(ctypes.get_errno(), "user namespaces are not available")
    for name, text in (("setgroups", "deny"), ("uid_map", f"1000 {uid} 1"), ("gid_map", f"1000 {gid} 1")):
        with open(f"/proc/self/{name}", "w") as file:  # noqa: PTH123 - pathlib is a heavy import here
            file.write(text)


def _prctl(option: int, value: int) -> None:
    """Linux only; elsewhere the process group is what we have."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


if __name__ == "__main__":
    names, grace, user, *command = sys.argv[1:]
    sys.exit(
        mind(
            command,
            signals=[signal.Signals[f"SIG{name}"] for name in names.split(",")],
            grace_seconds=float(grace),
            run_as="" if user == "-" else user,
        )
    )
