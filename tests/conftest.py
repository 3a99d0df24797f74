"""What all tests share."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db.backends.postgresql.operations import DatabaseOperations


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
