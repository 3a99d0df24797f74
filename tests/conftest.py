"""What all tests share."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db.backends.postgresql.creation import DatabaseCreation
from django.db.backends.postgresql.operations import DatabaseOperations
from django.test import override_settings


@pytest.fixture(scope="session", autouse=True)
def tests_may_empty_history() -> Iterator[None]:
    """Tests with real transactions end by truncating every table, which the triggers refuse, as they should.

    The database's own user is a superuser in tests only; replicas do not fire triggers.
    """
    flush = DatabaseOperations.execute_sql_flush

    def past_the_triggers(self: Any, sql_list: list[str]) -> None:
        flush(self, ["SET LOCAL session_replication_role = replica", *sql_list] if sql_list else sql_list)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "execute_sql_flush", past_the_triggers)
        yield


@pytest.fixture(scope="session", autouse=True)
def passwords_are_hashed_fast() -> Iterator[None]:
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


@pytest.fixture(scope="session", autouse=True)
def threads_do_not_keep_the_test_database() -> Iterator[None]:
    """Threads of event loops outlive their test, each with a connection; the database must go all the same."""
    destroy = DatabaseCreation._destroy_test_db

    def from_all_sessions(self: Any, name: str, verbosity: int) -> None:
        with self._nodb_cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        destroy(self, name, verbosity)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseCreation, "_destroy_test_db", from_all_sessions)
        yield


@pytest.fixture(autouse=True)
def nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that is rolled back commits nothing, so nothing tells that what was kept is out of date."""
    monkeypatch.setattr("conversations.kept.SECONDS", -1.0)
    monkeypatch.setattr("conversations.kept.drawn_rows.values", {})
