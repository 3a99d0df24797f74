"""What the live benchmark counts, and that its agents keep the times of the real page."""

import re

import pytest

from bench import browsers
from bench.figures import Texts, Times, share
from tests.product import ROOT


@pytest.mark.parametrize(("part", "expected"), [(0.5, 50), (0.9, 90), (0.99, 99), (1.0, 100), (0.0, 1)])
def test_a_share_is_the_smallest_that_so_many_do_not_exceed(part: float, expected: int) -> None:
    assert share([float(number) for number in range(1, 101)], part) == expected


def test_growing_waits_show_in_the_quarters() -> None:
    times = Times()
    for second in range(40):
        times.note(second, second / 10)

    summary = times.summary(40)

    assert (summary.number, summary.p50, summary.most) == (40, 1.9, 3.9)
    assert (summary.first, summary.last) == (0.4, 3.4)


def test_the_medians_of_empty_quarters_are_those_of_all() -> None:
    times = Times()
    times.note(20, 1.0)

    assert times.summary(40)[-2:] == (1.0, 1.0)


def posted(*people: int) -> Texts:
    """Of three people, who have sent texts 0, 1 and 2; then one each of these at second 10, 11, …"""
    texts = Texts(3)
    for number, person in enumerate(people, 3):
        texts.post(number, person, 7.0 + number)
    return texts


def test_a_row_shows_the_newest_text_and_overtakes_those_before_it() -> None:
    texts, screen = posted(1, 1, 2), {0: 0, 1: 1, 2: 2}

    assert list(texts.seen(screen, {0, 4, 2})) == [(11.0, False), (10.0, True)]
    assert screen == {0: 0, 1: 4, 2: 2}
    assert not list(texts.seen(screen, {0, 4, 2}))


def test_a_thread_shows_every_text() -> None:
    texts, screen = posted(1, 1, 2), {1: 1}

    assert list(texts.seen(screen, {1, 3, 4}, is_thread=True)) == [(11.0, False), (10.0, False)]


def test_a_row_that_was_not_there_before_tells_only_of_the_text_that_it_shows() -> None:
    texts, screen = posted(1, 1), {0: 0}

    assert list(texts.seen(screen, {0, 4})) == [(11.0, False)]
    assert not list(texts.seen(screen, {0, 2})), "from before the run"


def test_an_answer_older_than_what_is_shown_tells_nothing() -> None:
    texts, screen = posted(1, 1), {1: 4}

    assert not list(texts.seen(screen, {3}))
    assert screen == {1: 4}


def test_nobody_waits_to_see_a_refused_text() -> None:
    texts = posted(1, 1)
    texts.refused(4, 1)

    assert texts.last(1) == 3


def constant(script: str, pattern: str) -> float:
    found = re.search(pattern, (ROOT / "static" / "js" / script).read_text())
    assert found, f"{script} says it differently now: bench/browsers.py must follow"
    return float(found[1].replace("_", "")) / 1000


def test_simulated_agents_keep_the_times_of_the_page() -> None:
    assert constant("inbox.js", r"Region\(at\(\"list\"\), \{ spacing: (\d+)") == browsers.LIST_SPACING
    assert constant("inbox.js", r"spacing: \d+, jitter: (\d+)") == browsers.LIST_JITTER
    assert constant("inbox.js", r"SURELY_NEW_MS = (\d+)") == browsers.SURELY_NEW
    assert constant("socket.js", r"CATCH_UP_MS = ([\d_]+)") == browsers.CATCH_UP
    assert constant("socket.js", r"CONFIRM_MS = ([\d_]+)") == browsers.CONFIRM
    assert constant("socket.js", r"MAX_DELAY_MS = ([\d_]+)") == browsers.MAX_DELAY
