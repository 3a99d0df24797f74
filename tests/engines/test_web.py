"""What a web process does before it serves; tests marked `processes` run it whole."""

import resource
import subprocess
import sys

import pytest

from contactcenter import web

LIMITED = """
import resource
_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
from contactcenter import web
web.allow_files()
print(*resource.getrlimit(resource.RLIMIT_NOFILE), hard)
"""


def test_it_takes_as_many_files_as_it_is_allowed_and_needs():
    told = subprocess.check_output([sys.executable, "-c", LIMITED], text=True)
    soft, hard, hard_before = map(int, told.split())
    assert soft == (web.FILES if hard < 0 else min(web.FILES, hard)) > 256
    assert hard == hard_before


@pytest.mark.parametrize("refusal", [ValueError, OSError])
def test_a_limit_that_the_system_refuses_keeps_nobody_from_serving(monkeypatch, refusal):
    asked = []

    def refuse(what, limits):
        asked.append(limits)
        raise refusal("not this one")

    monkeypatch.setattr(resource, "getrlimit", lambda what: (256, resource.RLIM_INFINITY))
    monkeypatch.setattr(resource, "setrlimit", refuse)
    web.allow_files()
    assert [soft for soft, _ in asked] == [web.FILES]
