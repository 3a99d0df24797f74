"""The oracle sees each kind of wrong: what it calls clean has been looked at."""

import random
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from conversations.states import Status
from tests.faults import oracle
from tests.faults.load import Load, OptOut, Text
from tests.faults.oracle import Ours

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ANNA, BORIS = "12015554000", "12015554001"
SECOND = timedelta(seconds=1)


@pytest.fixture
def load() -> Load:
    """Anna has texted once; nobody serves her."""
    load = Load.__new__(Load)
    load.dice = random.Random(1)
    load.texts = {"uuid-1": Text(ANNA, "Hello", NOON, accepted_at=NOON)}
    load.others, load.opt_outs, load.past_opt_outs, load.replies = {}, {}, [], {}
    return load


def product(*rows: tuple[Any, ...]) -> Any:
    return SimpleNamespace(rows=lambda query: list(rows))


def delivered(**fields: Any) -> Ours:
    return Ours(**{"status": Status.DELIVERED, "person": ANNA, "purpose": "reply", "decided_at": NOON, **fields})


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([], id="it is lost"),
        pytest.param([("uuid-1", "Hello", f"+{ANNA}")] * 2, id="it is there twice"),
        pytest.param([("uuid-1", "Hello", f"+{BORIS}")], id="it is in another thread"),
        pytest.param([("uuid-1", "Hullo", f"+{ANNA}")], id="its words are others"),
        pytest.param([("uuid-1", "Hello", f"+{ANNA}"), ("uuid-2", "Hello", f"+{ANNA}")], id="nobody sent it"),
    ],
)
def test_a_text_is_wrong_when(load, rows):
    assert list(oracle.wrong_texts(product(*rows), load))


def test_a_text_without_its_200_may_be_there_or_not(load):
    load.texts["uuid-1"].accepted_at = None
    assert list(oracle.wrong_texts(product(), load)) == []
    assert list(oracle.wrong_texts(product(("uuid-1", "Hello", f"+{ANNA}")), load)) == []


def test_of_the_flood_too_what_got_its_200_is_there_once(load):
    load.others = {"uuid-2": True, "uuid-3": False}
    anna, stranger = ("uuid-1", "Hello", f"+{ANNA}"), ("uuid-2", "Anybody?", f"+{BORIS}")
    assert list(oracle.wrong_texts(product(anna, stranger), load)) == []
    assert list(oracle.wrong_texts(product(anna), load))
    assert list(oracle.wrong_texts(product(anna, stranger, stranger), load))


def test_a_reply_that_was_accepted_is_not_forgotten_nor_in_another_thread(load):
    load.replies = {"ref-1": ANNA}
    assert list(oracle.wrong_replies(load, {"ref-1": delivered()})) == []
    assert list(oracle.wrong_replies(load, {}))
    assert list(oracle.wrong_replies(load, {"ref-1": delivered(person=BORIS)}))


@pytest.mark.parametrize(
    ("messages", "taken"),
    [
        pytest.param({"ref-1": delivered()}, {"ref-1": (ANNA, 2)}, id="twice"),
        pytest.param({}, {"ref-1": (ANNA, 1)}, id="and forgotten"),
        pytest.param({"ref-1": delivered()}, {"ref-1": (BORIS, 1)}, id="to somebody else"),
        pytest.param({"ref-1": delivered(status=Status.FAILED)}, {"ref-1": (ANNA, 1)}, id="and is called failed"),
    ],
)
def test_a_message_is_wrong_that_was_sent(messages, taken):
    assert list(oracle.wrongly_sent(messages, taken))
    assert list(oracle.wrongly_sent({"ref-1": delivered()}, {"ref-1": (ANNA, 1)})) == []


@pytest.mark.parametrize(
    ("seconds", "purpose", "is_wrong"),
    [(-1, "reply", False), (1, "reply", True), (1, "opt_out_confirmation", False), (6, "reply", False)],
)
def test_between_stop_and_start_nothing_is_allowed_but_the_confirmation(load, seconds, purpose, is_wrong):
    stop, start = Text(ANNA, "STOP", NOON, accepted_at=NOON), Text(ANNA, "START", NOON + 5 * SECOND)
    load.opt_outs = {ANNA: OptOut(ANNA, stop, start)}
    messages = {"ref-1": delivered(decided_at=NOON + seconds * SECOND, purpose=purpose)}
    assert bool(list(oracle.sent_after_stop(load, messages, {"ref-1": (ANNA, 1)}))) == is_wrong


def test_the_last_word_counts(load):
    load.opt_outs = {ANNA: OptOut(ANNA, Text(ANNA, "STOP", NOON, accepted_at=NOON))}
    assert list(oracle.wrong_standings(product((f"+{ANNA}", True)), load)) == []
    assert list(oracle.wrong_standings(product((f"+{ANNA}", False)), load))
    assert list(oracle.wrong_standings(product(), load))
