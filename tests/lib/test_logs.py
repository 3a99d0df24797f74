"""What the log leaves out."""

import logging
from types import SimpleNamespace

import pytest

from contactcenter.lib.logs import Refusals


def record(level, name="django.request", **fields):
    made = logging.LogRecord(name, level, "", 0, "message", (), (ValueError, ValueError("x"), None))
    made.__dict__.update(fields)
    return made


def test_a_refused_page_is_a_line_and_a_failure_keeps_its_traceback():
    refused, failed = record(logging.WARNING), record(logging.ERROR)
    assert Refusals().filter(refused)
    assert Refusals().filter(failed)
    assert refused.exc_info is None
    assert failed.exc_info is not None


@pytest.mark.parametrize(("path", "is_kept"), [("/healthz", False), ("/inbox/", True)])
def test_only_the_health_page_s_own_verdict_is_left_out(path, is_kept):
    assert Refusals().filter(record(logging.ERROR, request=SimpleNamespace(path=path), status_code=503)) == is_kept
