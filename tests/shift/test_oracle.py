"""The oracle of a shift sees each kind of wrong."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from conversations.states import Status
from tests.faults.load import Text
from tests.faults.oracle import Ours
from tests.shift import oracle
from tests.shift.agents import words
from tests.shift.oracle import Said, Wait
from tests.shift.people import Shift

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ANNA = "12025550001"
OPEN = Wait(1, 10, True, "", 100, None, None, None, None, None, True, True, True)
ANSWERED = Wait(2, 10, False, "reply", 100, 60.0, 101, "reply", "delivered", True, True, True, True)


def later(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def text(pk: int, body: str = "Hello") -> Said:
    return Said(10, pk, "in", f"uuid-{pk}", "", "", "received", body, None)


def reply(pk: int, author_id: int = 1, status: str = "delivered") -> Said:
    return Said(10, pk, "out", "", f"ref-{pk}", "reply", status, "Yes", author_id)


@pytest.fixture
def shift() -> Shift:
    """Anna wrote at 100 and was answered by 101 after a minute."""
    shift = Shift(texts={"uuid-100": Text(ANNA, "Hello", NOON, accepted_at=later(1))}, replies={"ref-101": ANNA})
    shift.posted, shift.seen = {"ref-101": (later(59), later(60))}, {"ref-101": 100}
    shift.taken = {"ref-101": (ANNA, 1)}
    return shift


def test_a_shift_as_it_should_be(shift: Shift) -> None:
    thread = [text(100), reply(101)]
    assert not [*oracle.left_alone([OPEN]), *oracle.dishonest([ANSWERED]), *oracle.answered_twice(thread, shift)]
    assert oracle.recount(thread, shift) == {100: (58.0, 60.0)}
    assert not list(oracle.unsent({"ref-101": Ours(Status.DELIVERED, ANNA, "reply", NOON)}, shift))


@pytest.mark.parametrize(
    "waits",
    [
        pytest.param([OPEN, OPEN._replace(id=3)], id="twice in one conversation"),
        pytest.param([OPEN._replace(conversation_is_open=False)], id="in what is resolved"),
        pytest.param([OPEN._replace(owner_answers=False)], id="for somebody who left"),
        pytest.param([OPEN._replace(owner_answers=None, team_is_active=False)], id="in no team's queue"),
    ],
)
def test_somebody_is_left_alone(waits: list[Wait]) -> None:
    assert list(oracle.left_alone(waits))


@pytest.mark.parametrize(
    "changes",
    [
        {"took": -1.0},
        {"answer_id": None, "answer_purpose": None, "answer_status": None},
        {"answer_purpose": "greeting"},
        {"answer_status": "failed"},
        {"answer_id": 99},
        {"is_by_author": False},
    ],
)
def test_a_wait_ended_dishonestly(changes: dict[str, Any]) -> None:
    assert list(oracle.dishonest([ANSWERED._replace(**changes)]))


@pytest.mark.parametrize(
    ("thread", "seen", "is_wrong"),
    [
        ([text(100), reply(101), reply(102, author_id=2)], 101, False),  # asked, and sent all the same
        ([text(100), reply(101), reply(102, author_id=2)], 100, True),
        ([text(100), reply(101), reply(102)], 100, False),  # one's own
        ([text(100), reply(101), text(103), reply(104, author_id=2)], 100, False),
        ([text(100), reply(101, status="cancelled"), reply(102, author_id=2)], 100, False),
    ],
)
def test_somebody_is_answered_twice(shift: Shift, thread: list[Said], seen: int, is_wrong: bool) -> None:
    shift.seen |= {"ref-102": seen, "ref-104": seen}
    assert bool(list(oracle.answered_twice(thread, shift))) is is_wrong


def test_a_reply_that_the_carrier_never_had(shift: Shift) -> None:
    shift.taken = {}
    assert list(oracle.unsent({"ref-101": Ours(Status.SENT, ANNA, "reply", NOON)}, shift))


def recounted(shift: Shift, *thread: Said, closed: tuple[int, float] | None = None) -> dict[int, tuple[float, float]]:
    if closed:
        shift.closed[10] = [(closed[0], later(closed[1]))]
    return oracle.recount(thread, shift)


def test_a_recount_knows_what_ends_a_stretch(shift: Shift) -> None:
    shift.texts["uuid-103"] = Text(ANNA, "Hello?", later(70), accepted_at=later(75))
    shift.posted["ref-104"] = later(100), later(102)
    both = [text(100), reply(101), text(103), reply(104)]
    assert recounted(shift, *both) == {100: (58.0, 60.0), 103: (25.0, 32.0)}
    assert recounted(shift, text(100), text(103), reply(104)) == {100: (99.0, 102.0)}
    assert recounted(shift, text(100, "STOP"), reply(101)) == {}
    assert recounted(shift, text(100), reply(101, status="failed")) == {}
    assert recounted(shift, *both, closed=(103, 80)) == {100: (58.0, 60.0)}  # closed before it was answered
    assert recounted(shift, text(100), reply(101), closed=(100, 61)) == {100: (58.0, 61.0)}  # while it was on its way


@pytest.mark.parametrize(
    ("stored", "is_wrong"),
    [({1: 59.0}, False), ({1: 60.0}, False), ({1: 62.0}, True), ({}, True), ({1: 60.0, 2: 1.0}, True)],
)
def test_figures_that_differ(stored: dict[int, float], is_wrong: bool) -> None:
    assert bool(list(oracle.miscounted(stored, {1: (58.0, 60.0)}))) is is_wrong


def test_figures_are_those_of_the_board() -> None:
    assert oracle.figures([10.0, 20.0, 30.0]) == (20.0, pytest.approx(28.0))


Change = Callable[[str], str]
FRAGMENT = (
    '<li id="c-1"><b>Anna</b> <time datetime="x" title="y">2 min</time>'
    '<span class="pill pill--warn" data-due><time>4 min left</time></span>'
    '<button hx-post="/inbox/1/snooze/" hx-vals="12:37">At 12:37</button><i class="mine">late</i></li>'
)


@pytest.mark.parametrize(
    ("was", "becomes", "is_same"),
    [
        ("2 min<", "3 min<", True),
        ("pill--warn", "pill--bad", True),
        ("12:37", "12:38", True),
        ("Anna", "Boris", False),
        ("mine", "theirs", False),
        ("late", "in time", False),
        ("c-1", "c-2", False),
    ],
)
def test_a_screen_differs_by_more_than_the_hour(was: str, becomes: str, is_same: bool) -> None:
    assert (words(FRAGMENT) == words(FRAGMENT.replace(was, becomes))) is is_same
