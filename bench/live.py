"""Agents with their inbox open while people text: how long until a text is on their screens, and whether that lasts.

The whole product runs as its own processes; so does the load (``bench.load``), on the same cores. README.md says
how to read what is printed.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from statistics import median
from typing import Any

import psutil
import requests

from bench import client, stage
from bench.browsers import LIST_JITTER, LIST_SPACING
from bench.figures import Summary
from bench.load import WEBHOOK, Plan, webhook
from tests.product import ROOT, Product, eventually

AGENTS = 200
PEOPLE = 400
PER_SECOND = 50
SECONDS, QUICK_SECONDS = 60, 15

ROWS = {
    "acknowledged": "webhook → 200",
    "signal": "webhook → signal at a socket",
    "bubble": "webhook → bubble in the open thread",
    "row": "webhook → row in the list",
    "list fetched": "a fetch: list",
    "thread fetched": "a fetch: thread",
    "panel fetched": "a fetch: panel",
    "read marked": "a fetch: marking read",
    "healthz": "reference meanwhile: /healthz",
    "lag": "the load's own delay: event loop",
    "late": "the load's own delay: texts",
}
PARTS = {
    "contactcenter.web": "web",
    "postgres": "postgres",
    "valkey": "valkey",
    "qcluster": "workers",
    "manage.py clock": "clock",
}


def run(*, quick: bool, reads: bool = False) -> bool:
    """Prints the figures; whether everything became visible without an error."""
    with stage.product() as product:
        plan = replace(staged(product, agents=AGENTS), seconds=QUICK_SECONDS if quick else SECONDS, reads=reads)
        idle = references(plan)
        figures, shares = loaded(product, plan)
        stored = product.rows("SELECT count(*) FROM conversations_message WHERE direction = 'in'")[0][0]
    print(f"\nlive: {AGENTS} agents, {PER_SECOND} texts/s from {len(plan.people)} people for {plan.seconds} s\n")
    report(plan, idle, figures, shares)
    is_stored = stored >= figures["texts"] + len(plan.people)
    if not is_stored:
        print(f"\nOnly {stored} texts are in the database.")
    return is_stored and not figures["missing"] and not figures["errors"]


# --- The stage -------------------------------------------------------------------------------------------------


def staged(product: Product, *, agents: int) -> Plan:
    """Agents, each with a session of their own, and people who have texted once; to be used for any time and rate."""
    from django.test import Client

    from contactcenter.accounts.models import Role, User
    from conversations.models import CarrierEvent, Conversation

    account = stage.account(product)

    def session(number: int) -> str:
        """Without a password: hashing two hundred would measure nothing."""
        client = Client()
        client.force_login(User.objects.create(username=f"bench{number}", password="!", role=Role.AGENT))
        return client.cookies["sessionid"].value

    # Who waits already is at the top of the list: they are among those who text, else nothing would be visible there.
    known = Conversation.objects.order_by("due_at", "pk").values_list("contact__phone", "line__number")
    people = list(known[: max(PEOPLE, agents)])
    people += [(f"+1202555{number:04}", stage.LINE) for number in range(max(PEOPLE, agents) - len(people))]
    texts = [webhook(number, phone, line, account) for number, (phone, line) in enumerate(people)]
    client.send(product.url, [client.post(WEBHOOK, *text) for text in texts], connections=8)
    eventually(lambda: not CarrierEvent.objects.filter(state="stored").exists(), what="every text is in its thread")
    pks = {
        (phone, line): pk
        for pk, phone, line in Conversation.objects.values_list("pk", "contact__phone", "line__number")
    }
    return Plan(
        url=product.url,
        sessions=[session(number) for number in range(agents)],
        people=[(*person, pks[person]) for person in people],
        per_second=PER_SECOND,
        seconds=SECONDS,
        account=account,
    )


def references(plan: Plan) -> dict[str, float]:
    """What single requests take while nothing else happens: medians, in seconds."""
    with requests.Session() as browser:
        browser.cookies["sessionid"] = plan.sessions[0]
        path = f"{plan.url}/inbox/list/?view=all&open={plan.people[0][2]}"
        etag = browser.get(path, timeout=30).headers["ETag"]

        def taken(path: str, **headers: str) -> float:
            times = []
            for _ in range(30):
                began = time.perf_counter()
                browser.get(path, headers=headers, timeout=30)
                times.append(time.perf_counter() - began)
            return median(times)

        return {
            "list": taken(path),
            "list, unchanged": taken(path, **{"If-None-Match": etag}),
            "/healthz": taken(f"{plan.url}/healthz"),
        }


# --- The load --------------------------------------------------------------------------------------------------


def loaded(product: Product, plan: Plan) -> tuple[dict[str, Any], dict[str, float]]:
    """The figures, and the cores that each part used while the load was on."""
    load = subprocess.Popen(
        [sys.executable, "-m", "bench.load"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert load.stdin is not None
    assert load.stdout is not None
    with load:
        load.stdin.write(json.dumps(asdict(plan)))
        load.stdin.close()
        lines = (json.loads(line) for line in load.stdout)
        assert next(lines, None) == {"phase": "began"}, "the load did not begin"
        began, before = time.monotonic(), used(product, load.pid)
        assert next(lines, None) == {"phase": "ended"}, "the load broke off"
        elapsed, after = time.monotonic() - began, used(product, load.pid)
        figures = next(lines)
    return figures, {part: (after[part] - before.get(part, 0.0)) / elapsed for part in after}


def used(product: Product, load: int) -> dict[str, float]:
    """CPU seconds so far, by part."""
    seconds = {"the load itself": cpu(psutil.Process(load))}
    for process in psutil.Process(product.process.pid).children(recursive=True):
        try:
            line = " ".join(process.cmdline())
            part = next((name for word, name in PARTS.items() if word in line and "minder.py" not in line), "the rest")
            seconds[part] = seconds.get(part, 0.0) + cpu(process)
        except psutil.Error:  # it ended meanwhile
            continue
    everybody = psutil.cpu_times()
    busy = sum(everybody) - everybody.idle - getattr(everybody, "iowait", 0.0)
    return seconds | {"everybody else on this machine": busy - sum(seconds.values())}


def cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


# --- The report ------------------------------------------------------------------------------------------------


def report(plan: Plan, idle: dict[str, float], figures: dict[str, Any], shares: dict[str, float]) -> None:
    print(f"{'milliseconds':<38}{'p50':>8}{'p90':>8}{'p99':>8}{'max':>8}  {'p50 in first, last quarter':>26}  number")
    for name, words in ROWS.items():
        if name in figures["times"]:
            it = Summary(*figures["times"][name])
            columns = "".join(f"{value * 1000:>8,.0f}" for value in (it.p50, it.p90, it.p99, it.most))
            print(f"{words:<38}{columns}  {it.first * 1000:>18,.0f} {it.last * 1000:>7,.0f}  {it.number:,}")
    for name, seconds in idle.items():
        print(f"{'reference, idle: ' + name:<38}{seconds * 1000:>8,.1f}")
    print()
    for line in facts(plan, figures):
        print(line)
    print(f"cores used: {cores(shares)}")


def cores(shares: dict[str, float]) -> str:
    used_most = sorted(shares.items(), key=lambda one: -one[1])
    return f"{', '.join(f'{part} {share:.2f}' for part, share in used_most)}; {psutil.cpu_count()} there are"


def facts(plan: Plan, figures: dict[str, Any]) -> Iterator[str]:
    counts, elapsed = figures["counts"], figures["elapsed"]
    for region in ("list", "thread", "panel"):
        total = counts.get(region, 0)
        answers = {name.split()[1]: number for name, number in counts.items() if name.startswith(f"{region} ")}
        sent = answers.pop("bytes", 0) / elapsed / 1e6
        words = ", ".join(f"{status}: {number / total:.0%}" for status, number in sorted(answers.items()))
        yield f"{region + ':':<8}{total / elapsed:>6.0f} fetches/s ({words}), {sent:.1f} MB/s"
    rows = figures["times"].get("row")
    if rows:
        superseded = counts.get("row superseded", 0) / rows[0]
        yield f"rows: {superseded:.1%} of the texts were overtaken by the person's next one before the list was fetched"
        yield verdict(plan, Summary(*rows), counts["list"] / elapsed)
    settled, missing = figures["settled_after"], figures["missing"]
    yield (
        f"{missing} rows and threads never showed the last text."
        if settled is None
        else f"everything was visible {settled:.1f} s after the last text"
    )
    yield f"errors: {figures['errors'] or 'none'}"


def verdict(plan: Plan, rows: Summary, fetched: float) -> str:
    """A server that is too slow shows in either: waiting grows, or screens fetch less often than they would like."""
    wanted = len(plan.sessions) / (LIST_SPACING + LIST_JITTER / 2)
    growth, share = rows.last / rows.first, fetched / wanted
    words = "keeps up" if growth < 1.5 and share > 0.8 else "FALLS BEHIND"
    return (
        f"the server {words}: rows of the last quarter took {growth:.2f} × those of the first,"
        f" and lists were fetched {share:.0%} as often as screens ask for when it answers at once"
    )
