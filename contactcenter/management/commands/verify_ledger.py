"""Proves that nobody rewrote the consent ledger, or names the first row that somebody did."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from consent import verification
from consent.models import ConsentEvent, Seal
from contactcenter.snapshots import snapshot


class Command(BaseCommand):
    help = (
        "Checks every chain, seal and piece of evidence. Prints the last seal's hash: keep it elsewhere, since whoever"
        " rewrites everything cannot rewrite that. Exits with 1 when a row was tampered with."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        with snapshot():
            problems = list(verification.problems())
        if problems:
            first = problems[0]
            raise CommandError(
                f"{first.table} row {first.row_id}: {first.what}.\n{len(problems)} such problem(s) in all."
            )
        events, seals = ConsentEvent.objects.count(), Seal.objects.count()
        self.stdout.write(f"The ledger is whole: {events} events and {seals} seals verified.")
        last = Seal.objects.order_by("-seq").first()
        if last is not None:
            self.stdout.write(f"Last seal: {last.seq} of {timezone.localtime(last.sealed_at):%Y-%m-%d %H:%M:%S %Z}")
            self.stdout.write(last.hash)
