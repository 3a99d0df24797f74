"""The hot pages as an installation grows: what the server takes for each, everything kept in memory emptied before."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from statistics import median

from bench import plot, population, stage
from bench.figures import clock
from bench.report import UNITS, Goal, at_most

SIZES, QUICK_SIZES = (10_000, 100_000, 1_000_000), (10_000, 50_000)
MESSAGES_EACH = 2 * population.ROUNDS
REQUESTS, QUICK_REQUESTS = 9, 7
GOAL = at_most(50)
PLOT = Path(__file__).with_name("growth.svg")
LIST = "/inbox/list/"
SPAN = timedelta(days=365)
REFERENCES = SELECT, EMPTY = ("reference: SELECT 1", "reference: an empty page")


def run(*, quick: bool) -> bool:
    sizes = QUICK_SIZES if quick else SIZES
    with stage.database():
        table = measured(sizes, QUICK_REQUESTS if quick else REQUESTS)
    report(sizes, table)
    if not quick:
        PLOT.write_text(picture(sizes, table))
        print(f"  drawn in {PLOT.parent.name}/{PLOT.name}")
    return True


def measured(sizes: tuple[int, ...], requests: int) -> dict[str, list[float]]:
    """Milliseconds of each page at each size."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import override_settings
    from django.utils import timezone

    from contactcenter.accounts.models import User
    from conversations.kept import kept
    from conversations.models import Conversation
    from tests import factories

    line = factories.line()
    owners = [factories.user().pk for _ in range(20)]
    client, now = Client(SERVER_NAME="127.0.0.1", headers={"HX-Request": "true"}), timezone.now()
    client.force_login(User.objects.get(pk=owners[0]))
    table: dict[str, list[float]] = {}
    people, days = 0, SPAN / len(sizes)

    def page(url: str) -> None:
        kept.entries.clear()
        answer = client.get(url)
        assert answer.status_code == 200, url

    def select() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.fetchone()

    for number, size in enumerate(sizes):
        since = now - SPAN + number * days
        population.grow(
            range(people, size // MESSAGES_EACH),
            line_id=line.pk,
            brand_id=line.brand_id,
            author_id=owners[1],
            owners=owners,
            since=since,
            until=since + days,
        )
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")  # as autovacuum does in its own time
        people = size // MESSAGES_EACH
        opened = Conversation.objects.order_by("-pk").values_list("pk", flat=True)[people // 2]
        with override_settings(ROOT_URLCONF="bench.empty"):
            table.setdefault(EMPTY, []).append(taken(lambda: page("/empty/"), requests))
        table.setdefault(SELECT, []).append(taken(select, requests))
        for name, url in pages(opened).items():
            table.setdefault(name, []).append(taken(lambda url=url: page(url), requests))  # type: ignore[misc]
    return table


def pages(opened: int) -> dict[str, str]:
    """The conversation is one in the middle; its last text alone holds its number."""
    return {
        "list: needs reply": LIST,
        "list: all": f"{LIST}?view=all",
        "list: mine": f"{LIST}?view=mine",
        "list: unassigned": f"{LIST}?view=unassigned",
        "list: snoozed": f"{LIST}?view=snoozed",
        "list: waiting": f"{LIST}?view=all&show=waiting",
        "list: unread": f"{LIST}?view=all&show=unread",
        "list: resolved": f"{LIST}?view=all&show=resolved",
        "thread": f"/inbox/{opened}/thread/",
        "panel": f"/inbox/{opened}/panel/",
        "search: a rare word": f"{LIST}?q={opened}",
        "search: a common word": f"{LIST}?q=appointment",
        "search: three words": f"{LIST}?q=garage+refill+brother",
        "search: a name": f"{LIST}?q=Person+{opened}",
        "the whole page": f"/inbox/{opened}/",
    }


def taken(work: Callable[[], None], times: int) -> float:
    """The median, in milliseconds, after two that warm up."""
    seconds = []
    for _ in range(times + 2):
        began = clock()
        work()
        seconds.append(clock() - began)
    return median(seconds[2:]) * 1000


def report(sizes: tuple[int, ...], table: dict[str, list[float]]) -> None:
    print(f"\ngrowth: milliseconds of the server, medians; the goal is {UNITS['ms'](GOAL.limit)} at the largest")
    print(f"  {'messages':<26}{''.join(f'{size:>12,}' for size in sizes)}")
    for name, values in table.items():
        print(f"  {name:<26}{''.join(f'{value:>12.2f}' for value in values)}   {verdict(name, values, GOAL)}")


def verdict(name: str, values: list[float], goal: Goal) -> str:
    """Of the last size."""
    if name in REFERENCES:
        return ""
    return "met" if goal.is_met(values[-1]) else "NOT MET"


def picture(sizes: tuple[int, ...], table: dict[str, list[float]]) -> str:
    """The slowest page of each kind, because a line for every page would hide them all; and the empty one."""
    kinds: dict[str, list[float]] = {}
    for name, values in table.items():
        if name == SELECT:
            continue
        kind = "an empty page" if name == EMPTY else name.partition(":")[0]
        kinds[kind] = max(kinds.get(kind, values), values, key=lambda them: them[-1])
    said = "; ".join(
        f"{name}: {plot.milliseconds(values[0])} to {plot.milliseconds(values[-1])}" for name, values in kinds.items()
    )
    return plot.drawn(
        "Server time of the hot pages as messages grow",
        f"From {sizes[0]:,} to {sizes[-1]:,} messages, the slowest page of each kind. {said}.",
        sizes,
        kinds,
        limit=GOAL.limit,
    )
