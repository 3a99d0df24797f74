"""`kill -9` of the supervisor itself. Of everything else: tests/faults."""

import os
import signal

import psutil
import pytest

from tests.product import eventually

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("processes")]


def test_a_killed_supervisor_leaves_no_process_that_takes_work(cc):
    family = psutil.Process(cc.process.pid).children(recursive=True)
    assert len(family) > 10
    os.kill(cc.process.pid, signal.SIGKILL)
    cc.process.wait()
    _, alive = psutil.wait_procs(family, timeout=40)
    assert [process.cmdline() for process in alive] == []
    cc.start()
    eventually(lambda: cc.health().get("ok"), 60, "it starts again at once")
    assert cc.stop() == 0
