"""``/healthz``: each part of the installation, and why not. For load balancers and whoever is woken.

Anybody may read it, so it names no secrets and no numbers, and costs next to nothing: one examination at a time, in one
thread, given up on after three seconds, and repeated at most once a second.
"""

import logging
import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import cache

import redis
from django.conf import settings
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from consent.models import Hold, Subject, phone_hash
from contactcenter.accounts import access
from conversations import heartbeats, webhooks
from conversations.hub import hub
from conversations.models import CarrierEvent, Line

logger = logging.getLogger(__name__)

PATIENCE_SECONDS = 3.0
FRESH_SECONDS = 1.0
ABANDON_SECONDS = 30.0
STATEMENT_MILLISECONDS = 1000
THREADED_WITHIN = timedelta(seconds=60)
# Counted no further: whoever has more has one problem, not many.
MANY = 1000

LONG_NUMBER = re.compile(r"\+?\(?\d(?:[\s().-]*\d){6,}")


@dataclass(frozen=True)
class Finding:
    """One part. A reason while ``ok`` is a warning."""

    ok: bool = True
    why: str = ""


Findings = dict[str, Finding]


@require_safe
@never_cache
@access.public
def healthz(request: HttpRequest) -> JsonResponse:
    """200 when every part is well, else 503: ``{"ok": …, "parts": {name: {"ok": …, "why": …}}}``."""
    findings = {"live": live(), "redis": redis_answers(), **examined()}
    is_well = all(finding.ok for finding in findings.values())
    body = {"ok": is_well, "parts": {name: asdict(finding) for name, finding in sorted(findings.items())}}
    return JsonResponse(body, status=200 if is_well else 503)


def live() -> Finding:
    if hub.is_healthy or hub.task is None:  # a process without sockets needs no signals
        return Finding()
    return Finding(ok=False, why="This process hears no signals. Messages go on; screens follow only every 30 seconds.")


def redis_answers() -> Finding:
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1, retry=None) as client:
            client.ping()
    except Exception as error:  # noqa: BLE001 whatever it is, this page must answer
        logger.warning("Health: Redis does not answer: %r", error)
        return Finding(ok=False, why="It does not answer. Messages go on; screens follow only every 30 seconds.")
    return Finding()


# --- PostgreSQL, and what it knows -----------------------------------------------------------------------------


class Examination(Future[Findings]):
    """One look at the database. A frozen one never returns, so it runs in a thread that can be left behind."""

    def __init__(self) -> None:
        super().__init__()
        self.began = time.monotonic()
        threading.Thread(target=self.run, name="health", daemon=True).start()

    def run(self) -> None:
        try:
            findings = database_findings()
            connection.close()
        except Exception as error:  # noqa: BLE001 see redis_answers
            logger.warning("Health: the database does not answer: %r", error)
            findings = {"database": Finding(ok=False, why=f"It does not answer ({type(error).__name__}).")}
        self.set_result(findings)

    @property
    def is_current(self) -> bool:
        return time.monotonic() - self.began < (FRESH_SECONDS if self.done() else ABANDON_SECONDS)


_latest: Examination | None = None
_beginning = threading.Lock()


def examined() -> Findings:
    """The latest examination, a new one when that is over; never waits longer than ``PATIENCE_SECONDS``."""
    global _latest
    with _beginning:
        if _latest is None or not _latest.is_current:
            _latest = Examination()
        latest = _latest
    try:
        return latest.result(timeout=max(latest.began + PATIENCE_SECONDS - time.monotonic(), 0))
    except TimeoutError:
        return {"database": Finding(ok=False, why=f"It did not answer within {PATIENCE_SECONDS:g} seconds.")}


def database_findings() -> Findings:
    """On a connection of its own, which also shows that new ones can still be made."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET statement_timeout = {STATEMENT_MILLISECONDS}")
    return {"database": Finding(), **{name: careful(look) for name, look in PARTS.items()}}


def careful(look: Callable[[], Finding]) -> Finding:
    try:
        finding = look()
    except Exception as error:  # noqa: BLE001 see redis_answers
        logger.warning("Health: %s cannot be told: %r", look.__name__, error)
        return Finding(ok=False, why=f"It cannot be told ({type(error).__name__}); the log says more.")
    return Finding(finding.ok, LONG_NUMBER.sub("(number)", finding.why))


def signature() -> Finding:
    complaint = webhooks.signature_health()
    return Finding(ok=False, why=complaint) if complaint else Finding()


def migrations() -> Finding:
    missing = newest_migrations() - set(MigrationRecorder(connection).applied_migrations())
    names = ", ".join(sorted(f"{app}.{name}" for app, name in missing))
    return Finding(ok=False, why=f"Run manage.py migrate: {names}") if missing else Finding()


@cache
def newest_migrations() -> frozenset[tuple[str, str]]:
    """The last migration of each app: it is applied only after all the others."""
    return frozenset(MigrationLoader(None).graph.leaf_nodes())


def processes() -> Finding:
    overdue = heartbeats.overdue()
    return Finding(ok=False, why=f"No sign of life from: {', '.join(overdue)}.") if overdue else Finding()


def lines() -> Finding:
    paused = Line.objects.filter(is_active=True, paused_at__isnull=False).values_list("name", "paused_reason")
    why = "; ".join(f"{name} is paused: {reason}" for name, reason in paused[:10])
    return Finding(ok=not why, why=why)


def inbound_messages() -> Finding:
    """Nothing that was acknowledged may lie about."""
    stored = CarrierEvent.objects.filter(state=CarrierEvent.State.STORED).order_by("pk")
    oldest = stored.values_list("received_at", flat=True).first()
    if oldest is None or timezone.now() - oldest < THREADED_WITHIN:
        return Finding()
    return Finding(ok=False, why=f"Messages received since {oldest:%H:%M:%S} UTC are in no conversation yet.")


def parked_events() -> Finding:
    parked = CarrierEvent.objects.filter(state=CarrierEvent.State.PARKED)[:MANY].count()
    return Finding(why=f"{parked} could not be applied; see Carrier events in the admin." if parked else "")


def holds() -> Finding:
    held = Hold.objects.filter(released_at=None)[:MANY].count()
    if held == 1:
        return Finding(why="1 number is held until a person releases it.")
    return Finding(why=f"{held} numbers are held until a person releases them." if held else "")


def number_key() -> Finding:
    """Whether PHONE_HASH_KEY is still the one under which the numbers were stored."""
    known = Subject.objects.exclude(phone=None).order_by("-pk").values_list("phone", "phone_hash").first()
    if known is None or known[1] == phone_hash(str(known[0])):
        return Finding()
    return Finding(ok=False, why="PHONE_HASH_KEY has changed: opt-outs can't be stored. Set it back to what it was.")


PARTS: dict[str, Callable[[], Finding]] = {
    "migrations": migrations,
    "processes": processes,
    "carrier signature": signature,
    "lines": lines,
    "inbound messages": inbound_messages,
    "parked events": parked_events,
    "number key": number_key,
    "holds": holds,
}
