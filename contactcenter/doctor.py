"""What is wrong with this installation, and what to do about it, in words (``manage.py doctor``).

``checks`` looks at settings alone and ``health`` answers load balancers; here both are asked, and whatever takes
longer or needs the network as well.
"""

import shutil
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import NamedTuple
from urllib.parse import urlsplit

import requests
from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection
from django.utils import timezone

from consent import rulebook, zones
from contactcenter import address, binaries, health
from contactcenter.accounts.models import Role, User
from contactcenter.checks import CARRIER, carrier_setting, is_production
from conversations.assigning import OWNERS
from conversations.models import CarrierEvent, Line

OLDEST_POSTGRESQL = 15
# The carrier refuses tokens of a clock that is further off; our own promises are in seconds.
CLOCK_OFF = timedelta(seconds=30)
DATABASE_CLOCK_OFF = timedelta(seconds=1)
FREE_BYTES = 1_000_000_000
# Per web process: pages, health and its examination, and the two steps of a webhook.
CONNECTIONS_PER_WEB = 12
CONNECTIONS_BESIDE = 20


class Complaint(NamedTuple):
    """What is wrong, what to do, and whether the product cannot do its work meanwhile."""

    what: str
    remedy: str
    is_serious: bool = True


Complaints = Iterator[Complaint]

REMEDIES = {
    "migrations": "Stop the product, run manage.py migrate, start it again; manage.py up does so at each start.",
    "processes": "manage.py up keeps all of them running. If you start them yourself: manage.py clock, and manage.py"
    " qcluster once with Q_CLUSTER_NAME=agents and once with campaigns; their logs say why they ended.",
    "carrier signature": "Copy the signature secret and the API key from the carrier's dashboard once more; both may be"
    " listed in VONAGE_SIGNATURE_SECRET while one replaces the other. Then start the product again.",
    "lines": "Mend what the reason names, then resume the line: /admin/, Lines, tick it, “Resume”. What waits is sent.",
    "inbound messages": "The clock threads them; see that it runs, and what its log says.",
    "parked events": "Open them in /admin/ under Carrier events: each says what is wrong and can be tried again.",
    "number key": "Set PHONE_HASH_KEY (SECRET_KEY, where that was never set) back to the value in your backup. Never"
    " make up a new one.",
    "holds": "Read what each of them wrote (/admin/, Holds), record their “no” if it was one, then release them.",
}


def editions() -> str:
    """What decisions about hours go by: the edition of the rules, and of the clocks."""
    try:
        rules = rulebook.version()
    except rulebook.RulebookError:
        rules = "cannot be read"  # the settings' examination says why
    return f"Rules {rules}, time zones {zones.edition() or 'of no known release'}"


def configuration() -> Complaints:
    """Django's checks and ours; those for production where this is."""
    for message in checks.run_checks(include_deployment_checks=is_production()):
        if message.level >= checks.WARNING:
            yield Complaint(message.msg, message.hint or f"See {message.id}.", message.level >= checks.ERROR)


def listening() -> Complaints:
    """Whether ``manage.py up`` could listen where it shall."""
    try:
        address.listening(settings.HOST, settings.PORT).close()
    except address.TakenError:
        return  # most likely by the running product; if not, manage.py up says so
    except address.AddressError as error:
        yield Complaint(error.what, error.remedy)


def binaries_chosen() -> Complaints:
    try:
        binaries.chosen()
    except binaries.EngineError as error:
        remedy = "Name the bin folder of a PostgreSQL server, or leave it out: one came along."
        yield Complaint(f"{error}.", remedy)


def database() -> Complaints:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version_num')::int / 10000, clock_timestamp()")
        version, at = cursor.fetchone()
        cursor.execute("SELECT current_setting('max_connections')::int, current_setting('server_encoding')")
        most, encoding = cursor.fetchone()
    off = timezone.now() - at
    needed = settings.WEB_PROCESSES * CONNECTIONS_PER_WEB + CONNECTIONS_BESIDE
    if version < OLDEST_POSTGRESQL:
        yield Complaint(f"PostgreSQL is version {version}.", f"Use version {OLDEST_POSTGRESQL} or newer.")
    if encoding != "UTF8":
        yield Complaint(
            f"The database's encoding is {encoding}.", "Make a new one with ENCODING 'UTF8' and move there."
        )
    if abs(off) > DATABASE_CLOCK_OFF:
        yield Complaint(
            f"The clocks of this machine and the database are {abs(off).total_seconds():.0f} s apart.",
            "Synchronise both (chrony, systemd-timesyncd): deadlines and the two seconds after a gate depend on them.",
        )
    if most < needed:
        yield Complaint(
            f"PostgreSQL takes {most} connections, and up to {needed} are used.",
            "Raise max_connections, or lower WEB_PROCESSES.",
            is_serious=False,
        )


def redis() -> Complaints:
    if urlsplit(settings.REDIS_URL).scheme not in {"redis", "rediss", "unix"}:
        yield Complaint("REDIS_URL is no address of a Redis.", "It begins with redis://, rediss:// or unix://.")
        return
    finding = health.redis_answers()
    if not finding.ok:
        yield Complaint(f"Redis: {finding.why}", "Start it, or correct REDIS_URL. Unset, manage.py up starts our own.")


def carrier() -> Complaints:
    """Whether its host answers, and agrees on the time. Nothing is sent, and no credential is shown."""
    if not any(carrier_setting(name) for name in CARRIER):
        yield Complaint(
            "No carrier is configured: nothing can be sent.", f"Set {', '.join(CARRIER)}.", is_serious=False
        )
    if not all(carrier_setting(name) for name in CARRIER):
        return  # half of it: see configuration
    try:
        answer = requests.head(f"https://{settings.VONAGE_API_HOST}/", timeout=10, allow_redirects=False)
    except requests.exceptions.SSLError as error:
        yield Complaint(
            f"The certificate of {settings.VONAGE_API_HOST} is refused: {error}",
            "A proxy that opens TLS must be trusted: name its certificates in REQUESTS_CA_BUNDLE.",
        )
        return
    except requests.RequestException as error:
        yield Complaint(
            f"{settings.VONAGE_API_HOST} cannot be reached ({type(error).__name__}): nothing can be sent.",
            "See that this machine may open HTTPS connections to it, and that VONAGE_API_HOST is right.",
        )
        return
    if off := clock_off(answer.headers.get("Date", "")):
        yield Complaint(
            f"This machine's clock and the carrier's are {abs(off).total_seconds():.0f} s apart.",
            "Synchronise this machine's: the carrier refuses tokens from another time.",
        )


def clock_off(date: str) -> timedelta | None:
    """How far off we are by an answer's Date header; ``None`` when that is near enough, or unknown."""
    try:
        told: datetime = parsedate_to_datetime(date)
    except (TypeError, ValueError):
        return None
    off = timezone.now() - told
    return off if abs(off) > CLOCK_OFF else None


def webhooks() -> Complaints:
    if Line.objects.exists() and all(carrier_setting(name) for name in CARRIER) and not CarrierEvent.objects.exists():
        yield Complaint(
            "The carrier has never called.",
            f"In its dashboard, set the application's inbound URL to {settings.PUBLIC_URL}/webhooks/vonage/inbound and"
            f" its status URL to {settings.PUBLIC_URL}/webhooks/vonage/status, both with signed webhooks.",
            is_serious=False,
        )


def organisation() -> Complaints:
    people = User.objects.filter(is_active=True)
    if not people.filter(role=Role.ADMINISTRATOR).exists():
        yield Complaint("There is no administrator.", "Make one: manage.py createsuperuser")
    if not people.filter(role__in=OWNERS).exists():
        yield Complaint("Nobody may answer.", "Add agents or supervisors in /admin/ under Users.")
    if not Line.objects.filter(is_active=True).exists():
        yield Complaint("There is no line that is switched on.", "Add one in /admin/ under Lines, after its brand.")


def disk() -> Complaints:
    if not settings.VAR_DIR.is_dir():
        yield Complaint(
            f"VAR_DIR is {settings.VAR_DIR}, where there is no folder yet.",
            "manage.py up makes it. If there was one, put it back or correct VAR_DIR: it holds secrets and data.",
            is_serious=False,
        )
        return
    free = shutil.disk_usage(settings.VAR_DIR).free
    if free < FREE_BYTES:
        yield Complaint(f"{settings.VAR_DIR} has {free / 1e9:.1f} GB left.", "Make room before the database stops.")
    for secret in sorted(settings.VAR_DIR.glob("*-key")):
        if secret.stat().st_mode & 0o077:
            yield Complaint(f"{secret} can be read by others.", f"chmod 600 {secret}")


def product() -> Complaints:
    """What ``/healthz`` says, with what to do."""
    for name, look in health.PARTS.items():
        finding = look()
        if finding.why:
            yield Complaint(f"{name.capitalize()}: {finding.why}", REMEDIES[name], not finding.ok)


class Examination(NamedTuple):
    name: str
    complaints: Callable[[], Complaints]
    needs_database: bool = False


EXAMINATIONS = (
    Examination("Settings", configuration),
    Examination("Disk", disk),
    Examination("Where it listens", listening),
    Examination("Redis", redis),
    Examination("The carrier", carrier),
    Examination("PostgreSQL's programs", binaries_chosen),
    Examination("PostgreSQL", database),
    Examination("Webhooks", webhooks, needs_database=True),
    Examination("People and lines", organisation, needs_database=True),
    Examination("The running product", product, needs_database=True),
)


def examined() -> Iterator[tuple[str, list[Complaint]]]:
    """Every examination's name and what it found. Without a database those that need it are left out."""
    is_there = True
    for name, complaints, needs_database in EXAMINATIONS:
        if needs_database and not is_there:
            continue
        try:
            yield name, list(complaints())
        except (DatabaseError, ImproperlyConfigured) as error:
            connection.close()
            is_there = False
            yield (
                name,
                [
                    Complaint(
                        f"The database does not answer as it should: {str(error).strip().splitlines()[0]}",
                        "Start it (make up starts ours), correct DATABASE_URL, or run manage.py migrate; ask again.",
                    )
                ],
            )
