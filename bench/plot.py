"""A plot as SVG, by hand: durations over sizes, both on logarithmic scales. Its colours show on white and on black."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from math import ceil, floor, log10

from bench.report import UNITS

WIDTH, HEIGHT = 760, 420
LEFT, TOP, RIGHT, BOTTOM = 64, 28, 210, 52
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#56a0d3", "#8c6bb1")
GREY = "#808080"
LABEL_HEIGHT = 15
milliseconds = UNITS["ms"]


def drawn(title: str, what: str, sizes: Sequence[int], series: Mapping[str, Sequence[float]], *, limit: float) -> str:
    """``series`` holds milliseconds for each size, all above zero; ``limit`` is drawn as a line across."""
    every = [value for values in series.values() for value in values] + [limit]
    lowest, highest = floor(log10(min(every))), ceil(log10(max(every)))
    from_x, to_x = log10(sizes[0]), log10(sizes[-1])

    def x(size: float) -> float:
        return LEFT + (log10(size) - from_x) / (to_x - from_x) * (WIDTH - LEFT - RIGHT)

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - (log10(value) - lowest) / (highest - lowest) * (HEIGHT - TOP - BOTTOM)

    def lines() -> Iterator[str]:
        yield (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
            f'aria-labelledby="title desc" font-family="sans-serif" font-size="12">'
        )
        yield f'<title id="title">{escape(title)}</title>'
        yield f'<desc id="desc">{escape(what)}</desc>'
        for power in range(lowest, highest + 1):
            at = y(10**power)
            yield f'<path d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}" stroke="{GREY}" stroke-opacity=".3"/>'
            yield words(LEFT - 8, at + 4, f"{10**power:g} ms", anchor="end")
        for size in sizes:
            yield f'<path d="M{x(size):.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="{GREY}" stroke-opacity=".3"/>'
            yield words(x(size), HEIGHT - BOTTOM + 20, f"{size:,}", anchor="middle")
        yield words((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, "messages", anchor="middle")
        yield f'<path d="M{LEFT} {y(limit):.1f}H{WIDTH - RIGHT}" stroke="{GREY}" stroke-dasharray="6 4"/>'
        yield words(LEFT + 6, y(limit) - 6, f"goal: {limit:g} ms")
        places = apart({name: y(values[-1]) for name, values in series.items()})
        for number, (name, values) in enumerate(series.items()):
            colour = COLOURS[number % len(COLOURS)]
            points = " ".join(f"{x(size):.1f},{y(value):.1f}" for size, value in zip(sizes, values, strict=True))
            yield f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>'
            for point in points.split():
                at_x, at_y = point.split(",")
                yield f'<circle cx="{at_x}" cy="{at_y}" r="3" fill="{colour}"/>'
            yield words(WIDTH - RIGHT + 10, places[name] + 4, f"{name} {milliseconds(values[-1])}", colour=colour)
        yield "</svg>"

    return "\n".join(lines()) + "\n"


def words(x: float, y: float, text: str, *, anchor: str = "start", colour: str = GREY) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{escape(text)}</text>'


def apart(places: Mapping[str, float]) -> dict[str, float]:
    """The labels' heights, moved down where two would cover each other."""
    moved: dict[str, float] = {}
    last = float("-inf")
    for name, at in sorted(places.items(), key=lambda one: one[1]):
        last = moved[name] = max(at, last + LABEL_HEIGHT)
    return moved
