"""Throw-away engines for a test run.

Loaded with `-p tests.plugin`: pytest-django imports the settings before any conftest.py is read.
"""

import contextlib
import os
import tempfile
from collections.abc import Generator

import pytest

from contactcenter import engines


@pytest.hookimpl(wrapper=True)  # around every other plugin's, so before the settings are imported
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None]:
    os.environ["REDIS_PREFIX"] = f"test-{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
    os.environ.setdefault("SECRET_KEY", "only-for-tests-" + "x" * 50)
    if "DATABASE_URL" not in os.environ:  # the workers of xdist inherit what the controller set here
        stack = contextlib.ExitStack()
        early_config.add_cleanup(stack.close)
        urls = stack.enter_context(engines.throwaway())
        var_dir = stack.enter_context(tempfile.TemporaryDirectory(prefix="cc-var-"))
        os.environ |= {"DATABASE_URL": urls.database, "REDIS_URL": urls.redis, "VAR_DIR": var_dir}
    return (yield)
