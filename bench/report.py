"""How figures are told: each with its goal where it has one, and beside a reference from the same run."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bench.figures import share

UNITS: dict[str, Callable[[float], str]] = {
    "/s": lambda value: f"{value:,.0f}/s",
    "ms": lambda value: f"{value:,.0f} ms" if value >= 10 else f"{value:.2g} ms",
    "s": lambda value: f"{value:.1f} s",
    "MB": lambda value: f"{value:,.0f} MB",
    "×": lambda value: f"{value:,.0f} ×" if value >= 100 else f"{value:.2g} ×",
    "": lambda value: f"{value:,.0f}",
}


@dataclass(frozen=True)
class Goal:
    """A limit in the figure's own unit. ``is_floor``: the figure must reach it; else it must not exceed it."""

    limit: float
    is_floor: bool

    def is_met(self, value: float) -> bool:
        return value >= self.limit if self.is_floor else value <= self.limit


def at_least(limit: float) -> Goal:
    return Goal(limit, is_floor=True)


def at_most(limit: float) -> Goal:
    return Goal(limit, is_floor=False)


@dataclass(frozen=True)
class Figure:
    """``unit`` is one of ``UNITS``; a reference is a figure whose words begin with "reference"."""

    what: str
    value: float
    unit: str
    goal: Goal | None = None

    def __str__(self) -> str:
        shown = UNITS[self.unit]
        line = f"{self.what:<66} {shown(self.value):>12}"
        if self.goal is None:
            return line
        wanted = f"{'≥' if self.goal.is_floor else '≤'} {shown(self.goal.limit)}"
        return f"{line}   {wanted:<12} {'met' if self.goal.is_met(self.value) else 'NOT MET'}"


def tell(title: str, figures: Iterable[Figure]) -> None:
    print(f"\n{title}")
    for figure in figures:
        print(f"  {figure}")


def times(what: str, seconds: list[float], *, p99: Goal | None = None) -> list[Figure]:
    """p50 and p99 of durations in seconds, told in milliseconds."""
    ordered = sorted(seconds)
    return [
        Figure(f"{what}, p50", share(ordered, 0.5) * 1000, "ms"),
        Figure(f"{what}, p99", share(ordered, 0.99) * 1000, "ms", p99),
    ]
