"""Breaks a running product at random until time is up: ``python -m tests.faults --minutes 30 [--seed N]``.

Prints a line for each fault; ends with 1 at the first promise that was broken.
"""

import argparse
import random
import re
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

from tests.faults import flood
from tests.faults.faults import FAULTS
from tests.faults.rounds import Violation, play, stage


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="decides which, when and how long")
    parser.add_argument("--only", default="", help="faults whose name matches this regular expression")
    parser.add_argument("--brief", action="store_true", help="each as short as it may be")
    options = parser.parse_args()
    faults = [fault for fault in FAULTS if re.search(options.only, fault.name)]
    if not flood.may_open(flood.FILES):
        faults = [fault for fault in faults if fault.breaks is not flood.full_queue]
    with tempfile.TemporaryDirectory(prefix="cc-faults-", ignore_cleanup_errors=True) as directory:
        Path(directory).chmod(0o711)  # PostgreSQL may have to run as another user
        with stage(Path(directory) / "var", options.seed) as scene:
            print(f"seed {options.seed}", flush=True)
            until = time.monotonic() + options.minutes * 60
            while time.monotonic() < until:
                for fault in random.Random(scene.dice.random()).sample(faults, len(faults)):
                    if time.monotonic() >= until:
                        break
                    at = f"{datetime.now().astimezone():%H:%M:%S}"
                    try:
                        print(at, play(scene, fault, at_least=options.brief, seed=options.seed), flush=True)
                    except Violation as violation:
                        print(at, violation, flush=True)
                        print(scene.cc.log.read_text(errors="replace")[-20_000:], file=sys.stderr)
                        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
