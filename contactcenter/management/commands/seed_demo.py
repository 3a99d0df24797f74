from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction

from consent.models import Brand, Program
from consent.purposes import Category, Level
from contactcenter.accounts.models import Role, User
from conversations.models import Line

USERS = (
    ("agent", "Priya", "Nair", Role.AGENT),
    ("agent2", "Dana", "Ruiz", Role.AGENT),
    ("supervisor", "Samuel", "Osei", Role.SUPERVISOR),
    ("compliance", "Celia", "Marsh", Role.COMPLIANCE),
    ("admin", "Ada", "Berg", Role.ADMINISTRATOR),
)
LINES = (
    ("+12015550100", "Front desk", Line.Kind.TEN_DLC, False),
    ("+12015550101", "Billing", Line.Kind.TEN_DLC, False),
    ("+18005550100", "Toll-free", Line.Kind.TOLL_FREE, True),
)


class Command(BaseCommand):
    help = "Makes the demo's people, brand, program and lines; what is there already stays as it is."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--password", required=True, help="for all demo users")

    @transaction.atomic
    def handle(self, *args: Any, password: str, **options: Any) -> None:
        for username, first_name, last_name, role in USERS:
            user, _ = User.objects.get_or_create(
                username=username, defaults={"first_name": first_name, "last_name": last_name, "role": role}
            )
            if not user.check_password(password):
                user.set_password(password)
                user.save(update_fields=["password"])
        brand, _ = Brand.objects.get_or_create(
            name="Harbor Clinic",
            defaults={"legal_name": "Harbor Clinic LLC", "help_contact": "+1 (201) 555-0199"},
        )
        program, _ = Program.objects.get_or_create(
            slug="harbor-care",
            defaults={
                "brand": brand,
                "name": "Patient conversations",
                "category": Category.CONVERSATIONAL,
                "consent_level": Level.CONVERSATIONAL,
                "frequency": "Message frequency varies",
                "is_active": True,
            },
        )
        for number, name, kind, is_answered in LINES:
            Line.objects.get_or_create(
                number=number,
                defaults={
                    "name": name,
                    "kind": kind,
                    "brand": brand,
                    "program": program,
                    "carrier_answers_stop": is_answered,
                },
            )
