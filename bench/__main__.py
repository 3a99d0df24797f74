"""`make bench`: every benchmark, each beside a reference in the same run. README.md has the method and the figures.

python -m bench [NAME] [--quick]
"""

import argparse
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path

from bench import stage

BENCHMARKS = {
    "inbound": "signed texts over HTTP, acknowledged and threaded",
    "signals": "from a text to the hint at 200 and 500 sockets",
    "live": "from a text to what 200 open inboxes show",
    "sends": "texts handed to the carrier through its SDK",
    "gate": "decisions on what may be sent",
    "survey": "a million people judged before a campaign",
    "ledger": "consent events written and verified",
    "revocation": "free text judged, and how well",
    "growth": "the hot pages with 10 thousand to a million messages",
    "memory": "what every process of an idle installation takes",
    "coldstart": "from a clean clone to a page",
}

# What a minute cannot tell.
LONG = {"live", "coldstart"}


def main() -> int:
    names = "\n".join(f"  {name:<10} {words}" for name, words in BENCHMARKS.items())
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description=f"Measures the product:\n{names}",
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("name", nargs="?", choices=BENCHMARKS, metavar="NAME", help="default: all of them")
    parser.add_argument("--quick", action="store_true", help="shorter runs: two minutes in all, instead of ten")
    parser.add_argument("--reads", action="store_true", help="live: agents also mark as read what they see")
    parser.add_argument("--corpus", type=Path, help="revocation: ordinary texts, a JSON object with “text” a line")
    arguments = parser.parse_args()
    if arguments.name:
        further = {"live": {"reads": arguments.reads}, "revocation": {"corpus": arguments.corpus}}.get(
            arguments.name, {}
        )
        return 0 if import_module(f"bench.{arguments.name}").run(quick=arguments.quick, **further) else 1
    return everything(quick=arguments.quick)


def everything(*, quick: bool) -> int:
    """Each in a process of its own: Django is set up once, for one database."""
    began = time.monotonic()
    print(f"commit {stage.commit() or 'unknown'}, {'the quick form' if quick else 'in full'}", flush=True)
    options, failed = ["--quick"] if quick else [], []
    for name in BENCHMARKS:
        if quick and name in LONG:
            print(f"\n{name}: left out of the quick form; python -m bench {name}", flush=True)
        elif subprocess.run([sys.executable, "-m", "bench", name, *options], check=False).returncode:
            failed.append(name)
    print(f"\n{time.monotonic() - began:.0f} s in all")
    if failed:
        print(f"Something is wrong with: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
