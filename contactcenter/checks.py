"""What is wrong with the settings, found before it costs a message: ``manage.py check``, and each start.

Errors stop a start; what only matters in production is a warning of ``manage.py check --deploy``. Django's own checks
are not repeated here.
"""

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register  # noqa: A004 Django's name
from django.http.request import validate_host

from consent import hours, keywords, zones
from consent.rulebook import RulebookError

# HMAC-SHA256 is as strong as its secret up to this length (RFC 7518 3.2).
SECRET_BYTES = 32
CARRIER = ("VONAGE_APPLICATION_ID", "VONAGE_PRIVATE_KEY", "VONAGE_API_KEY", "VONAGE_SIGNATURE_SECRET")
# What django-q2 1.11 reads (django_q/conf.py); it ignores everything else without a word.
# fmt: off
Q_SETTINGS = frozenset({
    "ALT_CLUSTERS", "ack_failures", "broker_class", "bulk", "cache", "cached", "catch_up", "cluster_name",
    "compress", "cpu_affinity", "daemonize_workers", "error_reporter", "guard_cycle", "label", "log_level",
    "max_attempts", "max_rss", "name", "orm", "poll", "queue_limit", "recycle", "redis", "retry", "save_limit",
    "save_limit_per", "scheduler", "sync", "testing", "time_zone", "timeout", "workers",
})
# fmt: on

Apps = Sequence[AppConfig] | None


def is_production() -> bool:
    return bool(settings.PUBLIC_URL.startswith("https://"))


@register("security")
def check_address(app_configs: Apps, **kwargs: Any) -> Iterator[CheckMessage]:
    try:
        address = urlsplit(settings.PUBLIC_URL)
    except ValueError:  # brackets around what is no IPv6 address
        address = urlsplit("")
    if address.scheme not in {"http", "https"} or not address.hostname or address.path.strip("/"):
        yield Error(
            f"PUBLIC_URL is {settings.PUBLIC_URL!r}, which is no address of a site.",
            hint="Give scheme and host only, like https://texts.example.com",
            id="contactcenter.E001",
        )
    elif not validate_host(address.hostname, settings.ALLOWED_HOSTS):
        yield Error(
            f"PUBLIC_URL names {address.hostname}, which ALLOWED_HOSTS refuses.",
            hint=f"Add {address.hostname} to ALLOWED_HOSTS.",
            id="contactcenter.E002",
        )
    if settings.WEB_PROCESSES < 1:
        yield Error(
            f"WEB_PROCESSES is {settings.WEB_PROCESSES}: nobody would answer.",
            hint="Give 1 or more, or leave it out.",
            id="contactcenter.E007",
        )
    if is_production() and settings.PHONE_HASH_KEY == settings.SECRET_KEY:
        yield Error(
            "PHONE_HASH_KEY is not set: a change of SECRET_KEY would forget every erased number's opt-out.",
            hint="Set PHONE_HASH_KEY to a long random text of its own and never change it. If this installation has"
            " already stored numbers, set it to the SECRET_KEY of that time and give SECRET_KEY a new value.",
            id="contactcenter.E003",
        )
    if is_production() and settings.SANDBOX_URL:
        yield Error(
            "SANDBOX_URL is set: anybody could play the customer.",
            hint="Unset SANDBOX_URL; the sandbox is for demonstrations and tests on one machine.",
            id="contactcenter.E004",
        )


@register("database")
def check_database(app_configs: Apps, **kwargs: Any) -> Iterator[CheckMessage]:
    database = settings.DATABASES["default"]
    if database.get("OPTIONS", {}).get("pool"):
        yield Error(
            "DATABASE_URL asks for a connection pool, which the workers' child processes would share and corrupt.",
            hint="Take pool out of DATABASE_URL: connections are kept per thread already.",
            id="contactcenter.E006",
        )


@register("contactcenter")
def check_carrier(app_configs: Apps, **kwargs: Any) -> Iterator[CheckMessage]:
    missing = [name for name in CARRIER if not carrier_setting(name)]
    if missing and len(missing) < len(CARRIER):
        yield Error(
            f"The carrier is half configured: {', '.join(missing)} is missing.",
            hint=f"Set all of {', '.join(CARRIER)}, or none to run without a carrier.",
            id="contactcenter.E010",
        )
    if settings.VONAGE_PRIVATE_KEY and (problem := private_key_problem(settings.VONAGE_PRIVATE_KEY)):
        yield Error(
            f"VONAGE_PRIVATE_KEY {problem}.",
            hint="Give the private.key that the dashboard offered with the application, in PEM form, or its path in"
            " VONAGE_PRIVATE_KEY_FILE.",
            id="contactcenter.E011",
        )
    if "/" in settings.VONAGE_API_HOST:
        yield Error(
            "VONAGE_API_HOST is an address, not a host.",
            hint="Give the host alone, like api.nexmo.com",
            id="contactcenter.E012",
        )
    if len(settings.VONAGE_SIGNATURE_SECRETS) > 2:
        yield Warning(
            f"VONAGE_SIGNATURE_SECRET lists {len(settings.VONAGE_SIGNATURE_SECRETS)} secrets.",
            hint="Two are enough while one is being rotated; take the old ones out.",
            id="contactcenter.W013",
        )
    if any(len(secret.encode()) < SECRET_BYTES for secret in settings.VONAGE_SIGNATURE_SECRETS):
        yield Warning(
            f"VONAGE_SIGNATURE_SECRET is shorter than {SECRET_BYTES} bytes, and so easier to guess than the signature.",
            hint="Have the dashboard make a longer one; list both here while it is being changed.",
            id="contactcenter.W014",
        )


@register("contactcenter", deploy=True)
def check_carrier_in_production(app_configs: Apps, **kwargs: Any) -> Iterator[CheckMessage]:
    if not any(carrier_setting(name) for name in CARRIER):
        yield Warning(
            "No carrier is configured: nothing can be sent, and every webhook is refused.",
            hint=f"Set {', '.join(CARRIER)}.",
            id="contactcenter.W015",
        )


def carrier_setting(name: str) -> Any:
    return settings.VONAGE_SIGNATURE_SECRETS if name == "VONAGE_SIGNATURE_SECRET" else getattr(settings, name)


def private_key_problem(pem: str) -> str:
    """What keeps the carrier's SDK from signing with this key, as the end of a sentence; empty when nothing does."""
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return "cannot be read as a private key without a passphrase"
    if not isinstance(key, RSAPrivateKey):
        return "is no RSA key"
    if "BEGIN PRIVATE KEY" not in pem:
        return "is not in PKCS#8 form (BEGIN PRIVATE KEY), the only one that the SDK reads"
    return ""


@register("contactcenter")
def check_rules(app_configs: Apps, **kwargs: Any) -> Iterator[CheckMessage]:
    try:
        keywords.match("STOP")
        mistakes = list(hours.mistakes(zones.known_zones()))
    except RulebookError as error:
        mistakes = [str(error)]
    for mistake in mistakes:
        yield Error(
            f"The rules cannot be followed: {mistake}.",
            hint="Correct consent/rules; consent/rulebook.py says how a rule is written.",
            id="contactcenter.E030",
        )
    if lost := zones.without_a_clock():
        yield Error(
            f"This machine has no clock for {', '.join(sorted(lost))}.",
            hint="Install a newer release of the time zone data (tzdata).",
            id="contactcenter.E031",
        )


@register("contactcenter")
def check_tasks(app_configs: Apps, **kwargs: Any) -> Iterator[CheckMessage]:
    shared: dict[str, Any] = settings.Q_CLUSTER
    own: dict[str, dict[str, Any]] = {"": {}, **shared.get("ALT_CLUSTERS", {})}
    for name in own:
        cluster = shared | own[name]
        where = f"Q_CLUSTER of {name}" if name else "Q_CLUSTER"
        if unknown := sorted(cluster.keys() - Q_SETTINGS):
            yield Error(
                f"{where} has settings that django-q2 does not know: {', '.join(unknown)}.",
                hint="It would ignore them silently. Correct the spelling.",
                id="contactcenter.E020",
            )
        if not cluster.get("orm"):
            yield Error(
                f"{where} has no ORM broker: tasks would outlive a rolled back transaction, or be lost.",
                hint='Set "orm" to "default".',
                id="contactcenter.E021",
            )
        longest_wait = cluster["timeout"] * (cluster["queue_limit"] / cluster["workers"] + 1)
        if cluster["retry"] <= longest_wait:
            yield Error(
                f"{where} would run a task twice that merely waited: retry is {cluster['retry']} seconds.",
                hint=f"Make retry longer than {longest_wait:g}: timeout × (queue_limit / workers + 1).",
                id="contactcenter.E022",
            )
        if cluster.get("scheduler", True):
            yield Error(
                f"{where} runs django-q2's scheduler, which one bad row stops or makes repeat without end.",
                hint='Set "scheduler" to False; the clock process does what is due.',
                id="contactcenter.E023",
            )
