"""One round: load, a fault, normal again, everything settled, nothing broken."""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import requests
from websockets import Origin, WebSocketException
from websockets.sync.client import connect

from tests.faults import flood, oracle
from tests.faults.faults import SERVICES, Fault, Scene
from tests.faults.inside import Inside
from tests.faults.load import Load, unique
from tests.product import Product, eventually, running

NORMAL_SECONDS = 90
SETTLED_SECONDS = 90
HEALTHY_IN_A_ROW = 4  # each answered by whichever web process takes the connection
WEB_PROCESSES = 2
ENV = {"VONAGE_TIMEOUT_SECONDS": "2", "DEMO_CONVERSATIONS": "0", "WEB_PROCESSES": str(WEB_PROCESSES)}


class Violation(AssertionError):
    """A promise was broken; the message says which, by what, and how to see it again."""


@dataclass(frozen=True)
class Passed:
    """A round without a violation. ``seconds`` are from the fault's end until everything was normal again."""

    fault: Fault
    lasted: float
    seconds: float

    def __str__(self) -> str:
        return f"{self.fault.name:<45} lasted {self.lasted:5.1f} s   normal after {self.seconds:5.1f} s   audit clean"


@contextmanager
def stage(var_dir: Path, seed: int) -> Iterator[Scene]:
    """The product, running in ``var_dir``, its people and its agents."""
    flood.may_open(flood.USUAL_FILES)
    with running(var_dir, **ENV) as cc, Inside(cc) as inside:
        flood.may_open(flood.FILES)
        cc.sandbox("settings", rate=0)
        cc.rows("UPDATE conversations_line SET per_second = 30 RETURNING id")  # in no hurry to be throttled
        yield Scene(cc, Load(cc, random.Random(seed)), inside, random.Random(seed))


def play(scene: Scene, fault: Fault, *, at_least: bool, seed: int) -> Passed:
    """Raises ``Violation``. With ``at_least`` the fault is as short as it may be, and webhooks that the carrier will
    deliver again later are left to the rounds after this one."""
    shortest, longest = fault.lasts
    lasts = shortest if at_least else scene.dice.uniform(shortest, longest)
    try:
        with scene.load.flowing():
            time.sleep(scene.dice.uniform(0.3, 1.0))
            began = time.monotonic()
            with fault.breaks(scene):
                fault.meanwhile(scene)
                time.sleep(max(began + lasts - time.monotonic(), 0))
            ended = time.monotonic()
            until_normal(scene)
            seconds = time.monotonic() - ended
        settle(scene, entirely=not at_least)
        broken = [*oracle.violations(scene.cc, scene.load), *filter(None, [scene.inside.ask("audit")])]
    except AssertionError as error:
        broken = [str(error), *scene.load.surprises]
    broken = [words for words in broken if words not in scene.load.complaints]
    scene.load.complaints |= set(broken)  # the rounds after this one are not at fault
    if broken:
        listed = "\n  ".join(broken[:20])
        raise Violation(f"{fault.name} for {lasts:.1f} s (seed {seed}), {len(broken)} broken:\n  {listed}")
    return Passed(fault, ended - began, seconds)


def until_normal(scene: Scene) -> None:
    """All processes are there, all are healthy, a text and its answer go through, and screens hear of it."""
    eventually(lambda: are_all_there(scene.cc), NORMAL_SECONDS, "every process is back")
    eventually(lambda: is_healthy(scene.cc), NORMAL_SECONDS, "every web process is healthy")
    person = next(iter(scene.load.conversations))
    uuid = scene.load.send(person, unique("text"))
    arrived = "SELECT 1 FROM conversations_message WHERE carrier_id = %s"
    eventually(lambda: scene.cc.rows(arrived, uuid), NORMAL_SECONDS, "a text is in its thread")
    ref = scene.load.reply(scene.load.onlooker, person)
    over = "SELECT 1 FROM conversations_message WHERE ref = %s AND status NOT IN ('queued', 'sending')"
    eventually(lambda: scene.cc.rows(over, ref), NORMAL_SECONDS, "a reply has left")
    eventually(lambda: hears_of_texts(scene), NORMAL_SECONDS, "live push works")


def are_all_there(cc: Product) -> bool:
    is_each_there = all(cc.pids(*words) for words in SERVICES.values())
    are_clusters_there = all(cc.pids("qcluster", Q_CLUSTER_NAME=name) for name in ("agents", "campaigns"))
    return is_each_there and are_clusters_there and len(cc.pids(*SERVICES["web"])) >= WEB_PROCESSES


def is_healthy(cc: Product) -> bool:
    with suppress(requests.RequestException):
        return all(requests.get(f"{cc.url}/healthz", timeout=5).status_code == 200 for _ in range(HEALTHY_IN_A_ROW))
    return False


def hears_of_texts(scene: Scene) -> bool:
    """Whether a socket gets a signal of the texts that keep coming in."""
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in scene.load.onlooker.session.cookies)
    address, headers = scene.cc.url.replace("http", "ws") + "/ws/", {"Cookie": cookies}
    with (
        suppress(OSError, WebSocketException),
        connect(address, origin=Origin(scene.cc.url), additional_headers=headers, open_timeout=5) as socket,
    ):
        socket.send('{"subscribe": ["conversation"]}')
        return any('"signals"' in socket.recv(timeout=5) for _ in range(3))
    return False


def settle(scene: Scene, *, entirely: bool) -> None:
    """Waits until nothing is on its way; unless ``entirely``, except for what the carrier will deliver again."""
    try:
        eventually(lambda: not oracle.unsettled(scene.cc, scene.load, entirely=entirely), SETTLED_SECONDS)
    except AssertionError:
        left = oracle.unsettled(scene.cc, scene.load, entirely=entirely)
        raise AssertionError(f"not settled within {SETTLED_SECONDS} s: {left[:10]}") from None
