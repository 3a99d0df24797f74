"""Checks the promises against the rows, and names those that break one."""

from datetime import datetime
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError
from django.utils import timezone

from consent import invariants as consent
from consent.invariants import Invariant
from contactcenter.snapshots import snapshot
from conversations import invariants as conversations

INVARIANTS = (*consent.INVARIANTS, *conversations.INVARIANTS)


class Command(BaseCommand):
    help = (
        "Checks every invariant as a query, on one snapshot of the database: safe at any time, changes nothing. Names"
        " the rows that break one, and exits with 1 when there are any, with 2 when the database can't be asked."
    )
    requires_system_checks = []  # whatever the settings are: the database is asked

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--most", type=int, default=10, help="rows to name for each invariant (default: 10)")

    def handle(self, *args: Any, most: int, **options: Any) -> None:
        now = timezone.now()  # before what is seen: while the checks run, nothing in it grows late
        try:
            with snapshot():
                broken = sum(self.is_broken(invariant, most, now) for invariant in INVARIANTS)
        except (OperationalError, ImproperlyConfigured) as error:
            why = str(error).strip().splitlines()[0]
            raise CommandError(
                f"The database can't be asked: {why} (manage.py doctor says more)", returncode=2
            ) from None
        if broken:
            raise CommandError(
                f"{broken} of {len(INVARIANTS)} promises are broken. Copy the database before anything is repaired."
            )
        self.stdout.write(f"All {len(INVARIANTS)} promises hold.")

    def is_broken(self, invariant: Invariant, most: int, now: datetime) -> bool:
        problems = list(invariant.problems(now))
        self.stdout.write(f"{'✗' if problems else '✓'} {invariant.says}")
        for problem in problems[:most]:
            self.stdout.write(f"    {problem.table} row {problem.row_id}: {problem.what}")
        if len(problems) > most:
            self.stdout.write(f"    and {len(problems) - most} more")
        return bool(problems)
