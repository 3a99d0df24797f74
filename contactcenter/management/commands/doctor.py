"""Says what is wrong with this installation, and what to do about it."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from contactcenter import doctor


class Command(BaseCommand):
    help = (
        "Examines settings, engines, carrier, people and the running product; sends nothing and changes nothing. Exits"
        " with 1 when something keeps the product from its work; warnings alone exit with 0."
    )
    requires_system_checks = []  # they are part of what is told

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(doctor.editions())
        serious = 0
        for name, complaints in doctor.examined():
            self.stdout.write(f"{'✗' if any(one.is_serious for one in complaints) else '✓'} {name}")
            for one in complaints:
                self.stdout.write(f"    {'' if one.is_serious else 'Note: '}{one.what}\n      → {one.remedy}")
            serious += sum(one.is_serious for one in complaints)
        if serious:
            raise CommandError(f"{serious} thing{'s' if serious > 1 else ''} to mend.")
        self.stdout.write("Nothing to mend.")
