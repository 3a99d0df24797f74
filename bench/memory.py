"""What every process of an idle installation takes: `manage.py up --demo` with its 400 conversations, after somebody
has looked at it."""

import subprocess
import sys
import time
from collections import defaultdict

import psutil

from bench import stage
from bench.report import Figure, at_most, tell
from tests.product import Product

IDLE_SECONDS, QUICK_IDLE_SECONDS = 30, 3
# Words of a command line, the more telling first: a minder's holds its program's.
NAMES = {
    "minder.py": "minders",
    "manage.py up": "supervisor",
    "contactcenter.web": "web",
    "qcluster": "workers",
    "manage.py clock": "clock",
    "-m sandbox": "sandbox (demo only)",
    "valkey": "Valkey",
    "postgres": "PostgreSQL",
}
DJANGO = "import django; django.setup(); print(flush=True); input()"


def run(*, quick: bool) -> bool:
    with stage.product(DEMO_CONVERSATIONS="400") as product:
        look_around(product)
        time.sleep(QUICK_IDLE_SECONDS if quick else IDLE_SECONDS)
        by_name, measure = installation(product)
        django = bare()
    every = [megabytes for them in by_name.values() for megabytes in them]
    tell(
        f"memory: idle with 400 conversations, {measure} of {len(every)} processes",
        [
            *(Figure(f"{name}, {len(them)}", sum(them), "MB") for name, them in sorted(by_name.items(), key=largest)),
            Figure("all of them", sum(every), "MB", at_most(450)),
            Figure("reference: one Python that has set up the same Django, and nothing else", django, "MB"),
        ],
    )
    return True


def look_around(product: Product) -> None:
    """Each web process has rendered pages, and the clock has ticked."""
    agent = product.sign_in()
    for pk in agent.conversations()[:10]:
        agent.get(f"/inbox/{pk}/")


def installation(product: Product) -> tuple[dict[str, list[float]], str]:
    """Megabytes of each process, by what it is, and how they were measured."""
    main = psutil.Process(product.process.pid)
    by_name: defaultdict[str, list[float]] = defaultdict(list)
    for process in (main, *main.children(recursive=True)):
        by_name[named(" ".join(process.cmdline()))].append(taken(process))
    shares = hasattr(main.memory_full_info(), "pss")
    return by_name, "PSS (what is shared counts once)" if shares else "RSS (what is shared counts in each)"


def named(command: str) -> str:
    return next((name for words, name in NAMES.items() if words in command), "other")


def largest(one: tuple[str, list[float]]) -> float:
    return -sum(one[1])


def taken(process: psutil.Process) -> float:
    """Megabytes: the proportional share where the system knows it, else all that is resident."""
    known = process.memory_full_info()
    return float(getattr(known, "pss", known.rss)) / 1e6


def bare() -> float:
    """Of this process's settings, so that it is the same Django."""
    with subprocess.Popen([sys.executable, "-c", DJANGO], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        megabytes = taken(psutil.Process(process.pid))
        process.communicate(b"\n")
    return megabytes
