"""How figures are told and drawn."""

from itertools import pairwise
from xml.etree import ElementTree

import pytest

from bench import growth, plot
from bench.figures import Summary
from bench.memory import named
from bench.report import Figure, at_least, at_most, times
from bench.signals import told

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (3120.4, "/s", "3,120/s"),
        (0.4321, "ms", "0.43 ms"),
        (4.96, "ms", "5 ms"),
        (1234.5, "ms", "1,234 ms"),
        (0.284, "×", "0.28 ×"),
        (12.7, "×", "13 ×"),
        (59.96, "s", "60.0 s"),
        (450.2, "MB", "450 MB"),
    ],
)
def test_a_figure_is_told_as_exactly_as_it_deserves(value: float, unit: str, shown: str) -> None:
    assert str(Figure("sends", value, unit)).endswith(f" {shown}")


@pytest.mark.parametrize(
    ("figure", "verdict"),
    [
        (Figure("sends", 300, "/s", at_least(300)), "met"),
        (Figure("sends", 299, "/s", at_least(300)), "NOT MET"),
        (Figure("gate", 5, "ms", at_most(5)), "met"),
        (Figure("gate", 5.1, "ms", at_most(5)), "NOT MET"),
    ],
)
def test_a_figure_that_has_a_goal_says_whether_it_is_met(figure: Figure, verdict: str) -> None:
    assert str(figure).rsplit("  ", 1)[-1].strip().endswith(verdict)
    assert ("NOT" in str(figure)) == (verdict == "NOT MET")


def test_a_figure_without_a_goal_has_no_verdict() -> None:
    assert "met" not in str(Figure("commits", 10_000, "/s")).lower()


def test_durations_are_told_in_milliseconds_and_only_the_slow_ones_have_a_goal() -> None:
    p50, p99 = times("one decision", [number / 1000 for number in range(100, 0, -1)], p99=at_most(98))

    assert (p50.value, p50.goal) == (pytest.approx(50), None)
    assert (p99.value, p99.goal) == (pytest.approx(99), at_most(98))


def test_signals_are_judged_by_their_99th_percentile() -> None:
    summary = Summary(1000, 0.06, 0.1, 0.2, 9.0, 0.06, 0.06)
    measured = {"times": dict.fromkeys(("signal", "acknowledged", "healthz", "lag"), summary), "elapsed": 10.0}

    (judged,) = [figure for figure in told(measured, 150) if figure.goal]

    assert (judged.value, judged.goal) == (pytest.approx(200), at_most(150))


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("python -I -S /x/contactcenter/minder.py TERM 20 - python /x/manage.py qcluster", "minders"),
        ("python /x/manage.py qcluster", "workers"),
        ("python -m contactcenter.web 5", "web"),
        ("postgres: app contactcenter [local] idle", "PostgreSQL"),
        ("python -m sandbox --var /x", "sandbox (demo only)"),
        ("sleep 5", "other"),
    ],
)
def test_a_process_is_known_by_its_command_and_a_minder_is_not_its_program(command: str, name: str) -> None:
    assert named(command) == name


# --- The plot ----------------------------------------------------------------------------------------------------


def drawing(**series: list[float]) -> ElementTree.Element:
    return ElementTree.fromstring(plot.drawn("Time & size", "It <grows>.", [10, 100, 1000], series, limit=50))


def test_the_plot_says_in_words_what_it_shows() -> None:
    svg = drawing(thread=[1, 2, 3])

    assert svg.get("role") == "img"
    named_by = str(svg.get("aria-labelledby")).split()
    assert [svg.find(f"*[@id='{one}']").text for one in named_by] == ["Time & size", "It <grows>."]


def test_the_plot_has_a_line_for_each_series_that_rises_with_its_values() -> None:
    svg = drawing(thread=[1, 10, 100], list=[5, 5, 5])

    rising, level = ([point.split(",") for point in line.get("points").split()] for line in svg.iter(f"{SVG}polyline"))
    heights = [float(y) for _, y in rising]
    assert heights == sorted(heights, reverse=True)
    assert heights[0] - heights[1] == pytest.approx(heights[1] - heights[2], abs=0.2), "logarithmic"
    assert len({y for _, y in level}) == 1
    assert [x for x, _ in rising] == [x for x, _ in level]


def test_everything_is_drawn_inside_the_plot() -> None:
    svg = drawing(thread=[0.02, 10, 4000], list=[5, 5, 5])

    for circle in svg.iter(f"{SVG}circle"):
        assert plot.LEFT <= float(circle.get("cx")) <= plot.WIDTH - plot.RIGHT
        assert plot.TOP <= float(circle.get("cy")) <= plot.HEIGHT - plot.BOTTOM


def test_labels_never_cover_each_other() -> None:
    moved = plot.apart({"a": 100.0, "b": 101.0, "c": 40.0, "d": 103.0})

    heights = sorted(moved.values())
    assert all(below - above >= plot.LABEL_HEIGHT for above, below in pairwise(heights))
    assert moved["c"] == 40.0, "what stands alone stays"


def test_of_each_kind_of_page_the_slowest_is_drawn_and_the_empty_one() -> None:
    svg = ElementTree.fromstring(
        growth.picture(
            (10, 100),
            {
                "list: all": [1, 2],
                "list: mine": [9, 1],
                "thread": [3, 4],
                growth.EMPTY: [1, 1],
                growth.SELECT: [0.1, 9],
            },
        )
    )

    assert len(list(svg.iter(f"{SVG}polyline"))) == 3
    assert "list: 1 ms to 2 ms; thread: 3 ms to 4 ms; an empty page: 1 ms to 1 ms" in svg.find(f"{SVG}desc").text


def test_the_largest_size_decides_whether_a_page_is_fast_enough() -> None:
    assert growth.verdict("thread", [1, 51], growth.GOAL) == "NOT MET"
    assert growth.verdict("thread", [99, 50], growth.GOAL) == "met"
    assert growth.verdict(growth.SELECT, [1, 51], growth.GOAL) == ""
