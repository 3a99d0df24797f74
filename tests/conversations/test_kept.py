"""What is kept is read again exactly when it may have changed."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from conversations import kept as module
from conversations.kept import Kept


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Kept:
    monkeypatch.setattr(module, "SECONDS", 3600.0)
    return Kept()


def test_what_lasts_makes_room_for_what_was_used_last() -> None:
    lasting = module.Lasting[str](most=2)
    lasting.keep({1: "one", 2: "two"})

    assert lasting.known([1, 3]) == {1: "one"}
    lasting.keep({3: "three"})
    assert lasting.known([1, 2, 3]) == {1: "one", 3: "three"}


class Reading:
    """Answers how often it was asked."""

    def __init__(self) -> None:
        self.times = 0
        self.given: list[object] = []

    def __call__(self, before: object) -> int:
        self.times += 1
        self.given.append(before)
        return self.times


def test_what_was_read_is_not_read_again_until_something_changed(kept: Kept) -> None:
    read = Reading()

    assert [kept.value("list", read), kept.value("list", read)] == [1, 1]
    kept.outdate()
    assert kept.value("list", read) == 2
    assert read.given == [None, 1]


def test_what_has_different_names_is_kept_apart(kept: Kept) -> None:
    read = Reading()

    assert [kept.value("mine", read), kept.value("all", read)] == [1, 2]


def test_a_change_that_comes_while_reading_is_not_missed(kept: Kept) -> None:
    def overtaken(before: object) -> str:
        kept.outdate()
        return "stale"

    kept.value("list", overtaken)

    assert kept.value("list", lambda before: "fresh") == "fresh"


def test_of_those_who_ask_at_once_one_reads(kept: Kept) -> None:
    everybody = threading.Barrier(8)
    read = Reading()

    def ask() -> int:
        everybody.wait(10)
        return kept.value("list", read)

    with ThreadPoolExecutor(8) as threads:
        answers = [one.result() for one in [threads.submit(ask) for _ in range(8)]]

    assert answers == [1] * 8


def test_a_change_that_nobody_told_of_is_seen_in_time(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    read = Reading()
    kept.value("list", read)
    monkeypatch.setattr(module, "SECONDS", -1.0)

    assert kept.value("list", read) == 2


def test_a_reading_that_failed_keeps_nothing(kept: Kept) -> None:
    with pytest.raises(ZeroDivisionError):
        kept.value("list", lambda before: 1 // 0)

    assert kept.value("list", lambda before: "fine") == "fine"


def test_what_was_asked_for_least_lately_goes_first(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 2)
    read = Reading()
    for name in ("first", "second", "first", "third"):
        kept.value(name, read)

    assert set(kept.entries) == {"first", "third"}
