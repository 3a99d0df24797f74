"""The ways in which we break the running product: each is a name, and a context that breaks on entry and ends on exit.

What a fault broke, the product mends by itself: exits only thaw, lift and switch off.
"""

import random
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import psutil
import psycopg
import redis

from contactcenter import engines
from tests.faults.flood import full_queue
from tests.faults.inside import Inside
from tests.faults.load import PEOPLE, Load, unique
from tests.product import Product, eventually


@dataclass(frozen=True)
class Scene:
    """What a fault may touch."""

    cc: Product
    load: Load
    inside: Inside
    dice: random.Random


@dataclass(frozen=True)
class Fault:
    """``breaks`` is entered when it begins and left when it ends. ``lasts`` is in seconds: at least, and at most in
    a long run; (0, 0) for what happens in a moment. ``meanwhile`` looks at the broken product."""

    name: str
    breaks: Callable[[Scene], AbstractContextManager[None]]
    lasts: tuple[float, float] = (0, 0)
    meanwhile: Callable[[Scene], object] = lambda scene: None


SERVICES: dict[str, tuple[str, ...]] = {
    "web": ("contactcenter.web",),
    "workers": ("qcluster",),
    "clock": ("manage.py", "clock"),
    "PostgreSQL": ("postgres",),
    "Valkey": ("valkey-server",),
}

# --- Processes -------------------------------------------------------------------------------------------------


def victims(scene: Scene, service: str, *, one: bool) -> list[int]:
    pids = scene.cc.pids(*SERVICES[service])
    return [scene.dice.choice(pids)] if one else pids


def killed(service: str, *, one: bool = False) -> Callable[[Scene], AbstractContextManager[None]]:
    @contextmanager
    def breaks(scene: Scene) -> Iterator[None]:
        scene.cc.signal(victims(scene, service, one=one), signal.SIGKILL)
        yield

    return breaks


def frozen(service: str, *, one: bool = False) -> Callable[[Scene], AbstractContextManager[None]]:
    @contextmanager
    def breaks(scene: Scene) -> Iterator[None]:
        pids = victims(scene, service, one=one)
        scene.cc.signal(pids, signal.SIGSTOP)
        try:
            yield
        finally:
            scene.cc.signal(pids, signal.SIGCONT)

    return breaks


@contextmanager
def hung(scene: Scene) -> Iterator[None]:
    """It stands still and nobody thaws it: the supervisor must notice."""
    [pid] = victims(scene, "web", one=True)
    scene.cc.signal([pid], signal.SIGSTOP)
    yield
    eventually(lambda: pid not in scene.cc.pids(*SERVICES["web"]), 30, "the silent process has been killed")


@contextmanager
def restarted(scene: Scene) -> Iterator[None]:
    """As an upgrade does: SIGINT ends every session and writes a checkpoint; the minder starts it again."""
    scene.cc.signal(scene.cc.pids("postgres", "-D"), signal.SIGINT)
    yield


@contextmanager
def valkey_gone(scene: Scene) -> Iterator[None]:
    """Nobody listens where it was, and who was connected is so no more. (Killed, it would be back in a second.)"""
    path = Path(unquote(urlsplit(engines.urls(scene.cc.var_dir).redis).path))
    away = path.with_suffix(".away")
    path.rename(away)
    try:
        with redis.Redis(unix_socket_path=str(away)) as client:
            for kind in ("pubsub", "normal"):
                client.execute_command("CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes")
        yield
    finally:
        away.rename(path)


def inbox_goes_on(scene: Scene) -> None:
    """/healthz says what is missing, and a text is in its thread when that is fetched."""
    load = scene.load
    eventually(lambda: not scene.cc.health()["parts"]["redis"]["ok"], what="/healthz says that Redis is away")
    person, body = scene.dice.choice(PEOPLE), unique("text")
    load.send(person, body)
    thread = f"/inbox/{load.conversations[person]}/thread/"
    eventually(lambda: body in load.onlooker.get(thread).text, what="a text in its thread without Redis")


def texts_are_turned_away(scene: Scene) -> None:
    """The sandbox gets a 503 for a text, and keeps it."""
    uuid = scene.load.send(scene.dice.choice(PEOPLE), unique("text"))

    def is_kept() -> bool:
        kept = scene.cc.sandbox("webhooks?kind=inbound&state=retrying")["webhooks"]
        return [503] in [webhook["attempts"] for webhook in kept if webhook["body"]["message_uuid"] == uuid]

    eventually(is_kept, what="a text is turned away with 503")


# --- The carrier -----------------------------------------------------------------------------------------------


def switched(*kinds: str, **values: float) -> Callable[[Scene], AbstractContextManager[None]]:
    """These switches of the sandbox (`sandbox/faults.py`); ``values`` for those that take one."""

    @contextmanager
    def breaks(scene: Scene) -> Iterator[None]:
        for kind in kinds:
            scene.cc.sandbox("faults", kind=kind)
        for kind, value in values.items():
            scene.cc.sandbox("faults", kind=kind, value=value)
        try:
            yield
        finally:
            scene.cc.sandbox("faults", clear=True)

    return breaks


def blinking(kind: str, seconds: float) -> Callable[[Scene], AbstractContextManager[None]]:
    """A switch that is on and off in turn, so long each."""

    @contextmanager
    def breaks(scene: Scene) -> Iterator[None]:
        over = threading.Event()

        def blink() -> None:
            is_on = False
            while not over.is_set():
                is_on = not is_on
                scene.cc.sandbox("faults", kind=kind, on=is_on)
                over.wait(seconds)

        blinker = threading.Thread(target=blink, daemon=True)
        blinker.start()
        try:
            yield
        finally:
            over.set()
            blinker.join()
            scene.cc.sandbox("faults", clear=True)

    return breaks


# --- The disk and the clock ------------------------------------------------------------------------------------

FULL = """
CREATE OR REPLACE FUNCTION disk_is_full() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$
"""
TABLES = "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"


@contextmanager
def tables_cannot_grow(scene: Scene) -> Iterator[None]:
    """Every row that is written meets the error of a full disk. Raised by triggers: nobody fills a disk without
    mounting a small one, and a limit on the size of files comes as another error (XX000), which programs treat
    differently."""
    with psycopg.connect(engines.urls(scene.cc.var_dir).database, autocommit=True) as connection:
        connection.execute(FULL)
        tables = [table for (table,) in connection.execute(TABLES)]
        try:
            for table in tables:
                connection.execute(
                    f"CREATE OR REPLACE TRIGGER a_full_disk BEFORE INSERT OR UPDATE ON {table}"
                    " FOR EACH ROW EXECUTE FUNCTION disk_is_full()"
                )
            yield
        finally:
            for table in tables:
                connection.execute(f"DROP TRIGGER IF EXISTS a_full_disk ON {table}")


@contextmanager
def nothing_can_be_written(scene: Scene) -> Iterator[None]:
    """Not even the log ahead of the tables: PostgreSQL stops at once, and recovers when it is started again. As with a
    full disk, and by a limit that needs no privileges: its processes may write files of no size at all."""
    limit_files_written(scene.cc, to_nothing=True)
    try:
        yield
    finally:  # whoever survived
        limit_files_written(scene.cc, to_nothing=False)


def limit_files_written(cc: Product, *, to_nothing: bool) -> None:
    for pid in cc.pids("postgres"):
        with suppress(psutil.Error):
            process = psutil.Process(pid)
            _, hard = process.rlimit(psutil.RLIMIT_FSIZE)
            process.rlimit(psutil.RLIMIT_FSIZE, (0 if to_nothing else hard, hard))


def clock_wrong(*, seconds: float) -> Callable[[Scene], AbstractContextManager[None]]:
    """A second clock beside ours, as on another machine, wrong by so much, ticks once."""

    @contextmanager
    def breaks(scene: Scene) -> Iterator[None]:
        if problem := scene.inside.ask(f"tick {seconds}"):
            scene.load.surprises.append(problem)
        yield

    return breaks


# --- All of them -----------------------------------------------------------------------------------------------

BRIEF, HOUR = (1.5, 20), 3600

# First what leaves webhooks to the carrier, which brings them again after 5, 10, 20 … seconds.
FAULTS = (
    Fault("PostgreSQL is killed", killed("PostgreSQL")),
    Fault("the carrier is slow", switched(slow=3), (3, 30)),
    Fault("the queue is full", full_queue, meanwhile=texts_are_turned_away),
    Fault("one web process is killed", killed("web", one=True)),
    Fault("webhooks come late", switched("unsigned_webhooks", late_receipts=2), BRIEF),
    Fault("nothing can be written", nothing_can_be_written, (1, 10)),
    Fault("the workers are killed", killed("workers")),
    Fault("Valkey is killed", killed("Valkey")),
    Fault("the carrier takes texts and drops the line", switched("drop_after_accept", late_receipts=3), BRIEF),
    Fault("all web processes are killed", killed("web")),
    Fault("PostgreSQL is restarted", restarted),
    Fault("the clock is killed", killed("clock")),
    Fault("tables cannot grow", tables_cannot_grow, BRIEF),
    Fault("the carrier flaps", blinking("http_503", 0.7), (2.5, 30)),
    Fault("the carrier says slow down", switched("http_429"), (2, 20)),
    Fault("webhooks come several times", switched("doubled_receipts", inbound_copies=3), BRIEF),
    Fault("webhooks come in the wrong order", switched("disordered_receipts", "early_receipts"), BRIEF),
    Fault("one web process is frozen", frozen("web", one=True), BRIEF),
    Fault("all web processes are frozen", frozen("web"), BRIEF),
    Fault("one web process hangs for good", hung),
    Fault("the workers are frozen", frozen("workers"), BRIEF),
    Fault("the clock is frozen", frozen("clock"), BRIEF),
    Fault("PostgreSQL is frozen", frozen("PostgreSQL"), BRIEF),
    Fault("Valkey is frozen", frozen("Valkey"), BRIEF),
    Fault("Valkey is gone", valkey_gone, (4, 60), inbox_goes_on),
    Fault("a clock is an hour ahead", clock_wrong(seconds=HOUR)),
    Fault("a clock is an hour behind", clock_wrong(seconds=-HOUR)),
)
