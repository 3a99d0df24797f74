"""Does what it is told, a line at a time, in the product's environment: ``python -m tests.faults.inside``.

``audit`` runs `manage.py audit`; ``verify_ledger`` likewise; ``tick SECONDS`` is one tick of a clock that is wrong by
so much. Each line is answered by one line of JSON: what went wrong, "" for nothing. One process for all of a run,
because importing the product costs more than any audit of it.
"""

import io
import json
import os
import subprocess
import sys
from datetime import timedelta

from contactcenter import engines
from tests.product import ROOT, Product

MOST_CHARACTERS = 3000


class Inside:
    """The other end: asks that process. Use as a context manager."""

    def __init__(self, cc: Product) -> None:
        urls = engines.urls(cc.var_dir)
        self.env = {**cc.env, "DATABASE_URL": urls.database, "REDIS_URL": urls.redis}

    def __enter__(self) -> "Inside":
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.inside"],
            cwd=ROOT,
            env=self.env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self.process.communicate(timeout=30)

    def ask(self, line: str) -> str:
        """What went wrong with it; "" for nothing. Blocks until it is done."""
        assert self.process.stdin
        assert self.process.stdout
        print(line, file=self.process.stdin, flush=True)
        return str(json.loads(self.process.stdout.readline()))


def obey(line: str) -> str:
    from django.core.management import CommandError, call_command
    from django.utils import timezone

    from contactcenter import clock

    word, _, number = line.partition(" ")
    if word == "tick":
        clock.tick(timezone.now() + timedelta(seconds=float(number)))
        return ""
    said = io.StringIO()
    try:
        call_command(word, stdout=said)
    except CommandError as error:
        return f"{word}: {error}\n{said.getvalue()}"[-MOST_CHARACTERS:]
    return ""


def main() -> None:
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "contactcenter.settings"
    django.setup()
    from django.db import connection

    for line in sys.stdin:
        try:
            problem = obey(line.strip())
        except Exception as error:  # noqa: BLE001 whatever it is, the other end waits for an answer
            problem = f"{line.strip()}: {error!r}"
        connection.close()  # the database may be broken before the next line
        print(json.dumps(problem), flush=True)


if __name__ == "__main__":
    main()
