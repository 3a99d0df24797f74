"""`make bench`: every benchmark, each beside a reference in the same run. README.md has the method and the figures.

python -m bench [paths | live] [--quick]
"""

import argparse
import subprocess
import sys

from bench import live, paths

SECONDS, QUICK_SECONDS = 120, 20


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measures the product.")
    parser.add_argument("which", nargs="?", choices=["paths", "live"], help="default: all")
    parser.add_argument("--quick", action="store_true", help="two minutes at most, in all")
    parser.add_argument("--reads", action="store_true", help="live: agents also mark as read what they see")
    arguments = parser.parse_args()
    if arguments.which == "paths":
        paths.run()
        return 0
    if arguments.which == "live":
        return 0 if live.run(seconds=QUICK_SECONDS if arguments.quick else SECONDS, reads=arguments.reads) else 1
    # Each in a process of its own: Django is set up once, for one database.
    return max(
        subprocess.run([sys.executable, "-m", "bench", which, *sys.argv[1:]], check=False).returncode
        for which in ("paths", "live")
    )


if __name__ == "__main__":
    sys.exit(main())
