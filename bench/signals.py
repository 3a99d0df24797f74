"""From a text to the hint that reaches every open page: sockets alone, because what pages then fetch is ``live``.

A signal goes at once to whoever has that conversation open, and to all others with what comes in the next tenth of a
second: half of that, at least, is in the median on purpose.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from bench import stage
from bench.figures import Summary
from bench.live import cores, loaded, staged
from bench.report import Figure, at_most, tell

SECONDS, QUICK_SECONDS = 12, 8
# Sockets, texts a second, and how many milliseconds 99 of 100 signals may take.
SITUATIONS = ((200, 50, 150), (500, 100, 250))


def run(*, quick: bool) -> bool:
    is_whole, situations = True, SITUATIONS[:1] if quick else SITUATIONS
    with stage.product() as product:
        plan = staged(product, agents=max(sockets for sockets, _, _ in situations))
        for sockets, per_second, limit in situations:
            situation = replace(
                plan,
                sessions=plan.sessions[:sockets],
                per_second=per_second,
                seconds=QUICK_SECONDS if quick else SECONDS,
                fetches=False,
            )
            figures, shares = loaded(product, situation)
            tell(f"signals: {sockets} sockets, {per_second} texts/s for {situation.seconds} s", told(figures, limit))
            print(f"  cores used: {cores(shares)}")
            if figures["errors"] or figures["missing"]:
                print(f"  {figures['missing']} were never signalled; errors: {figures['errors'] or 'none'}")
                is_whole = False
    return is_whole


def told(figures: dict[str, Any], limit: float) -> Iterator[Figure]:
    signal = Summary(*figures["times"]["signal"])
    yield Figure("webhook → signal at a socket, p50", signal.p50 * 1000, "ms")
    yield Figure("webhook → signal at a socket, p99", signal.p99 * 1000, "ms", at_most(limit))
    yield Figure("webhook → signal at a socket, the slowest", signal.most * 1000, "ms")
    yield Figure("signals that sockets got", signal.number / figures["elapsed"], "/s")
    for name, words in (
        ("acknowledged", "webhook → 200"),
        ("healthz", "/healthz meanwhile"),
        ("lag", "the load's own delay"),
    ):
        it = Summary(*figures["times"][name])
        yield Figure(f"reference: {words}, p50", it.p50 * 1000, "ms")
        yield Figure(f"reference: {words}, p99", it.p99 * 1000, "ms")
