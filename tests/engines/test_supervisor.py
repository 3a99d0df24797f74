"""The supervisor and the minder, with small programs in the place of services."""

import asyncio
import contextlib
import io
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from contactcenter import supervisor
from contactcenter.supervisor import Service
from tests.engines.conftest import is_alive, wait_until

ROOT = Path(__file__).resolve().parents[2]

FORKING = """
    import os, signal, sys, time
    for _ in range(3):
        if not os.fork():
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            break
    with open(sys.argv[1], "a") as pids:
        pids.write(f"{os.getpid()}\\n")
    time.sleep(600)
"""


def python(script, *arguments):
    return [sys.executable, "-c", textwrap.dedent(script), *map(str, arguments)]


def pids_in(file, *, at_least):
    wait_until(lambda: file.exists() and len(file.read_text().split()) >= at_least)
    return [int(pid) for pid in file.read_text().split()]


def supervise(services, var_dir, *, act=lambda: None):
    """Run them, call `act` once all have started, then stop as Ctrl-C would; return the output."""
    out = io.StringIO()

    async def run():
        def on_started():
            task = asyncio.create_task(asyncio.to_thread(act))
            task.add_done_callback(lambda _: os.kill(os.getpid(), signal.SIGINT))
            tasks.append(task)

        tasks = []
        with supervisor.claim(var_dir, "http://here") as lock:
            await supervisor.Supervisor(services, lock=lock, out=out).run(on_started=on_started)
        for task in tasks:
            task.result()

    asyncio.run(run())
    return out.getvalue()


@pytest.fixture
def outside(tmp_path):
    """Start a supervisor of the forking program in a process of its own; the process and the file of pids."""
    started, left = [], []

    def start(*, wait=True):
        script = """
            import asyncio, sys
            from pathlib import Path
            from contactcenter import supervisor
            try:
                with supervisor.claim(Path(sys.argv[1]), "http://here:1") as lock:
                    service = supervisor.Service(name="work", argv=sys.argv[2:])
                    asyncio.run(supervisor.Supervisor([service], lock=lock).run())
            except supervisor.AlreadyRunningError as error:
                sys.exit(str(error))
        """
        pids = tmp_path / f"pids-{len(started)}"
        command = python(script, tmp_path / "var", *python(FORKING, pids))
        process = subprocess.Popen(command, cwd=ROOT, text=True, stderr=subprocess.PIPE)
        started.append(process)
        if not wait:
            return process, []
        left.extend(pids_in(pids, at_least=4))
        return process, left[-4:]

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stderr.close()
    for pid in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def test_output_is_relayed_line_by_line_under_the_services_name(tmp_path):
    talk = Service(name="talk", argv=python("print('one'); print('two', end='')"), once=True)
    silent = Service(name="a-long-name", argv=["true"], once=True)
    assert supervise([talk, silent], tmp_path).splitlines() == [
        "talk        | one",
        "talk        | two",
        "Stopping after SIGINT…",
        "Stopped.",
    ]


def test_services_start_in_order_and_stop_in_the_opposite_one(tmp_path):
    diary = tmp_path / "diary"
    script = """
        import signal, sys
        def note(what):
            with open(sys.argv[1], "a") as diary:
                diary.write(what + "\\n")
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        note(sys.argv[2] + " starts")
        signal.sigwait({signal.SIGTERM})
        note(sys.argv[2] + " stops")
    """

    def has_started(name):
        return lambda: diary.exists() and f"{name} starts" in diary.read_text()

    services = [
        Service(name=name, argv=python(script, diary, name), ready=has_started(name))
        for name in ("first", "second", "third")
    ]
    supervise(services, tmp_path / "var")
    assert diary.read_text().splitlines() == [
        "first starts",
        "second starts",
        "third starts",
        "third stops",
        "second stops",
        "first stops",
    ]


def test_what_dies_is_started_again_with_growing_pauses(tmp_path, monkeypatch):
    monkeypatch.setattr(supervisor, "BACKOFF_SECONDS", (0.01, 0.02, 0.04))
    lives = tmp_path / "lives"
    dying = Service(
        name="dying",
        argv=python("import sys; open(sys.argv[1], 'a').write('1\\n'); sys.exit(3)", lives),
    )
    output = supervise([dying], tmp_path / "var", act=lambda: pids_in(lives, at_least=5))
    pauses = [line.rpartition("in ")[2] for line in output.splitlines() if "status 3" in line]
    assert pauses[:5] == ["0.01 s", "0.02 s", "0.04 s", "0.04 s", "0.04 s"][: len(pauses)]
    assert len(pauses) >= 4


def test_pauses_are_short_again_after_a_stable_life(tmp_path, monkeypatch):
    monkeypatch.setattr(supervisor, "BACKOFF_SECONDS", (0.01, 0.02, 0.04))
    monkeypatch.setattr(supervisor, "STABLE_SECONDS", 0)
    lives = tmp_path / "lives"
    dying = Service(name="dying", argv=python("import sys; open(sys.argv[1], 'a').write('1\\n')", lives))
    output = supervise([dying], tmp_path / "var", act=lambda: pids_in(lives, at_least=4))
    assert {line.rpartition("in ")[2] for line in output.splitlines() if " | " in line} == {"0.01 s"}


TICKING = """
    import os, pathlib, sys, time
    with open(sys.argv[1], "a") as pids:
        pids.write(f"{os.getpid()}\\n")
    while True:
        os.write(int(os.environ["LIFE_FD"]), b".")
        time.sleep(0.05)
"""


def test_what_gives_no_sign_of_life_is_killed_and_started_again(tmp_path, monkeypatch):
    monkeypatch.setattr(supervisor, "LOOK_SECONDS", 0.1)
    monkeypatch.setattr(supervisor, "BACKOFF_SECONDS", (0.01,))
    pids = tmp_path / "pids"
    ticking = Service(name="ticking", argv=python(TICKING, pids), silent_seconds=1)

    def freeze():
        [first] = pids_in(pids, at_least=1)
        time.sleep(1.5)
        assert pids_in(pids, at_least=1) == [first]  # whoever ticks is let be
        os.kill(first, signal.SIGSTOP)
        _, second = pids_in(pids, at_least=2)
        assert not is_alive(first)
        assert is_alive(second)

    output = supervise([ticking], tmp_path / "var", act=freeze)
    assert "no sign of life for 1 s; killing it" in output
    assert "starting again" in output


def test_a_program_that_has_not_begun_to_give_signs_is_still_starting(tmp_path, monkeypatch):
    monkeypatch.setattr(supervisor, "LOOK_SECONDS", 0.05)
    slow = Service(name="slow", argv=["sleep", "600"], silent_seconds=0.2)
    assert "no sign" not in supervise([slow], tmp_path / "var", act=lambda: time.sleep(1))


def test_a_service_that_ends_before_it_is_ready_fails_the_start_and_stops_the_others(tmp_path):
    pids = tmp_path / "pids"
    fine = Service(name="fine", argv=python(FORKING, pids), ready=lambda: len(pids_in(pids, at_least=4)))
    broken = Service(name="broken", argv=["false"], ready=lambda: False)
    with pytest.raises(supervisor.StartError, match="broken ended with status 1 before it was ready"):
        supervise([fine, broken], tmp_path / "var")
    assert not any(is_alive(pid) for pid in pids_in(pids, at_least=4))


def test_a_step_that_fails_fails_the_start(tmp_path):
    with pytest.raises(supervisor.StartError, match="step failed with status 4"):
        supervise([Service(name="step", argv=python("raise SystemExit(4)"), once=True)], tmp_path / "var")


def test_a_program_that_does_not_exist_is_named(tmp_path, capfd):
    out = io.StringIO()

    async def run():
        with supervisor.claim(tmp_path, "") as lock:
            missing = Service(name="gone", argv=["/no/such/program"], once=True)
            await supervisor.Supervisor([missing], lock=lock, out=out).run()

    with pytest.raises(supervisor.StartError, match="127"):
        asyncio.run(run())
    assert "/no/such/program" in out.getvalue()


def test_when_the_main_process_dies_its_children_are_gone_before_the_next_life(tmp_path, monkeypatch):
    monkeypatch.setattr(supervisor, "BACKOFF_SECONDS", (0.01,))
    pids = tmp_path / "pids"
    alive_then = []

    def kill_the_parent():
        first_life = pids_in(pids, at_least=4)
        parent = next(pid for pid in first_life if os.getpgid(pid) == pid)
        os.kill(parent, signal.SIGKILL)
        pids_in(pids, at_least=8)
        alive_then.extend(pid for pid in first_life if is_alive(pid))

    supervise([Service(name="work", argv=python(FORKING, pids))], tmp_path / "var", act=kill_the_parent)
    assert alive_then == []
    assert not any(is_alive(pid) for pid in pids_in(pids, at_least=8))


def test_what_ignores_the_order_to_stop_is_killed_after_its_grace(tmp_path):
    pids = tmp_path / "pids"
    stubborn = """
        import os, signal, sys, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        open(sys.argv[1], "w").write(str(os.getpid()))
        time.sleep(600)
    """
    service = Service(name="stubborn", argv=python(stubborn, pids), grace_seconds=0.1)
    supervise([service], tmp_path / "var", act=lambda: pids_in(pids, at_least=1))
    assert not is_alive(pids_in(pids, at_least=1)[0])


def test_a_second_interrupt_does_not_wait_for_the_grace(tmp_path):
    pids = tmp_path / "pids"
    stubborn = """
        import os, signal, sys, time
        signal.signal(signal.SIGTERM, lambda *_: open(sys.argv[2], "w").write("told"))
        open(sys.argv[1], "w").write(str(os.getpid()))
        while True:
            time.sleep(600)
    """
    told = tmp_path / "told"
    service = Service(name="stubborn", argv=python(stubborn, pids, told), grace_seconds=3600)

    def interrupt():
        pids_in(pids, at_least=1)
        os.kill(os.getpid(), signal.SIGINT)
        wait_until(told.exists)  # supervise() now interrupts once more

    supervise([service], tmp_path / "var", act=interrupt)
    assert not is_alive(pids_in(pids, at_least=1)[0])


def test_killing_the_supervisor_ends_a_forking_service_altogether(outside):
    process, pids = outside()
    assert all(is_alive(pid) for pid in pids)
    process.kill()
    wait_until(lambda: not any(is_alive(pid) for pid in pids))


def test_killing_the_minder_ends_its_program_too(outside):
    if sys.platform != "linux":
        pytest.skip("only Linux tells a process that its parent died")
    _, pids = outside()
    parent = next(pid for pid in pids if os.getpgid(pid) == pid)
    minder = int(subprocess.check_output(["ps", "-o", "ppid=", "-p", str(parent)]))
    os.kill(minder, signal.SIGKILL)
    wait_until(lambda: not is_alive(parent))


def test_after_a_killed_supervisor_the_next_one_starts_once_the_old_services_are_gone(outside):
    first, old = outside()
    first.kill()
    _, new = outside()
    assert not any(is_alive(pid) for pid in old)
    assert all(is_alive(pid) for pid in new)


def test_a_second_supervisor_is_told_where_the_first_is_and_how_to_stop_it(outside):
    first, pids = outside()
    second, _ = outside(wait=False)
    message = second.stderr.read()
    assert second.wait() == 1
    assert message.strip() == (
        f"already running (pid {first.pid}) at http://here:1; stop it with Ctrl-C there or `kill {first.pid}`"
    )
    assert all(is_alive(pid) for pid in pids)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_everything_and_the_status_is_0(number, outside):
    process, pids = outside()
    process.send_signal(number)
    assert process.wait() == 0
    assert not any(is_alive(pid) for pid in pids)
