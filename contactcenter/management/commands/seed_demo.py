import os
import time
from typing import Any

from django.contrib.auth.hashers import check_password, make_password
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from consent.models import Brand, Disclosure, Program
from contactcenter.accounts.models import User
from contactcenter.demo import history, organisation
from conversations.models import Conversation, Disposition, Line, Presence, RoutingRule, Team


class Command(BaseCommand):
    help = (
        "Makes the demo's people, brands, programs and lines, and three weeks of conversations if there are none yet; "
        "what is there already stays as it is."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--password", required=True, help="for all demo users")
        parser.add_argument(
            "--conversations",
            type=int,
            default=os.environ.get("DEMO_CONVERSATIONS") or "400",
            help="how many; default: the environment's DEMO_CONVERSATIONS, else 400; 0 makes none",
        )

    def handle(self, *args: Any, password: str, conversations: int, **options: Any) -> None:
        names = [one.username for one in organisation.USERS]
        if User.objects.exclude(username__in=names).exists():
            raise CommandError("This database has people of its own; the demo would give known passwords to others.")
        with transaction.atomic():
            make_users(password)
            make_organisation()
            make_teams()
            if conversations > 0 and not Conversation.objects.exists():
                self.say(f"Seeding {conversations} conversations…")
                began = time.monotonic()
                history.make(conversations=conversations, now=timezone.now())
                self.say(f"Seeded in {time.monotonic() - began:.0f} s.")

    def say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def make_users(password: str) -> None:
    """All with the same password, whose hash is made once: hashing is slow by design."""
    names = [one.username for one in organisation.USERS]
    known = set(User.objects.filter(username__in=names).values_list("password", flat=True))
    encoded = next((one for one in known if check_password(password, one)), None) or make_password(password)
    for one in organisation.USERS:
        User.objects.get_or_create(
            username=one.username,
            defaults={"first_name": one.first_name, "last_name": one.last_name, "role": one.role},
        )
    people = User.objects.filter(username__in=names)
    people.exclude(password=encoded).update(password=encoded)
    Presence.objects.bulk_create(
        [Presence(user=one, capacity=organisation.CAPACITY) for one in people], ignore_conflicts=True
    )


def make_organisation() -> None:
    brands = {
        one.name: Brand.objects.get_or_create(
            name=one.name, defaults={"legal_name": one.legal_name, "help_contact": one.help_contact}
        )[0]
        for one in organisation.BRANDS
    }
    programs = {}
    for one in organisation.PROGRAMS:
        programs[one.slug], _ = Program.objects.get_or_create(
            slug=one.slug,
            defaults={
                "brand": brands[one.brand],
                "name": one.name,
                "category": one.category,
                "consent_level": one.level,
                "frequency": one.frequency,
                "description": one.description,
                "opt_in_keyword": one.keyword,
                "is_double_opt_in": one.is_double_opt_in,
                "terms_url": organisation.TERMS,
                "privacy_url": organisation.PRIVACY,
                "is_active": True,
            },
        )
        if not programs[one.slug].disclosures.exists():
            words = {"en": organisation.DISCLOSURES[one.slug], "es": organisation.IN_SPANISH.get(one.slug)}
            for language, text in words.items():
                if text:
                    Disclosure.objects.create(program=programs[one.slug], version=1, language=language, text=text)
    for line in organisation.LINES:
        Line.objects.get_or_create(
            number=line.number,
            defaults={
                "name": line.name,
                "kind": line.kind,
                "brand": brands[line.brand],
                "program": programs[line.program],
                "carrier_answers_stop": line.carrier_answers_stop,
            },
        )


def make_teams() -> None:
    """None where somebody has made teams of their own."""
    if Team.objects.exists():
        return
    teams = {one.name: Team.objects.create(name=one.name, gives_out=one.gives_out) for one in organisation.TEAMS}
    for one in organisation.TEAMS:
        teams[one.name].members.set(User.objects.filter(username__in=one.members))
    for position, rule in enumerate(organisation.RULES, 1):
        made = RoutingRule.objects.create(
            name=rule.name, team=teams[rule.team], position=10 * position, words="\n".join(rule.words)
        )
        made.lines.set(Line.objects.filter(number__in=rule.lines))
    for name in organisation.DISPOSITIONS:
        Disposition.objects.get_or_create(name=name)
