"""A system that calls the API: a token, and requests as it would make them."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from uuid import uuid4

import pytest
from django.core.cache import caches
from django.test import Client

from contactcenter.accounts.models import Role
from contactcenter.api import tokens
from contactcenter.api.models import ApiToken, Scope
from tests import factories

_counter = count(1)


@dataclass
class Caller:
    """``post`` brings a new Idempotency-Key unless it is told one."""

    token: ApiToken
    secret: str
    client: Client = field(default_factory=Client)

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        content = body if isinstance(body, str) else json.dumps(body)
        headers = {"Authorization": f"Bearer {self.secret}"} | headers
        return self.client.generic(method, f"/api/v1/{path}", content, "application/json", headers=headers)

    def post(self, path: str, body: Any, key: str | None = None) -> Any:
        return self.send("POST", path, body, **{"Idempotency-Key": key or f"key-{next(_counter)}"})

    def get(self, path: str, **query: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.secret}"}
        return self.client.get(f"/api/v1/{path}", query, headers=headers)


def caller(**fields: Any) -> Caller:
    fields = {"name": f"Bank {next(_counter)}", "scopes": Scope.values} | fields
    return Caller(*tokens.issue(created_by_id=factories.user(Role.ADMINISTRATOR).pk, **fields))


def statements(queries: Iterable[dict[str, str]]) -> list[str]:
    """Without what only nests transactions."""
    return [query["sql"] for query in queries if "SAVEPOINT" not in query["sql"]]


@pytest.fixture
def bank(db: None) -> Caller:
    return caller()


@pytest.fixture
def a_caller(db: None) -> Callable[..., Caller]:
    return caller


@pytest.fixture
def program(db: None) -> Any:
    """One that people agree to expressly, with a line."""
    line = factories.line()
    return factories.program(brand=line.brand, frequency="Up to 4 messages a month")


@pytest.fixture(autouse=True)
def nothing_is_counted(settings: Any) -> None:
    """Every test counts for itself: Redis is one for all that run side by side, and emptying it is not ours to do."""
    shared = {**settings.CACHES["shared"], "KEY_PREFIX": uuid4().hex}
    settings.CACHES = {**settings.CACHES, "shared": shared}
    caches["default"].clear()
