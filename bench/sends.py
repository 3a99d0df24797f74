"""Replies handed to the carrier by the product's workers through the real SDK over TLS, beside what the sandbox takes
from a bare client. No limits apply, neither the account's nor the line's nor the sandbox's."""

import json
import os
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple
from uuid import uuid4

import jwt
import psutil

from bench import client, stage
from bench.client import Answers
from bench.load import WEBHOOK, webhook
from bench.report import Figure, at_least, tell, times
from sandbox import credentials
from tests.product import ROOT, Product, eventually

PEOPLE = 500
TEXTS, QUICK_TEXTS = 1500, 600
CONNECTIONS = 16  # as many as a worker has threads that send
UNLIMITED = 1_000_000


class Sent(NamedTuple):
    """What the rows say of one batch: hand-overs a second, seconds from each gate to its hand-over, and how many passed
    the gate together."""

    per_second: float
    from_gate: list[float]
    per_gate: float


def run(*, quick: bool) -> bool:
    number = QUICK_TEXTS if quick else TEXTS
    with stage.product(DJANGO_SETTINGS_MODULE="bench.one_worker", VONAGE_REQUESTS_PER_SECOND=str(UNLIMITED)) as product:
        prepare(product)
        one = send(number, workers=1)
        with another_worker(product):
            two = send(number, workers=2)
            product.sandbox("faults", kind="no_receipts")
            silent = send(number, workers=2)
        ceiling = sandbox_alone(product, number)
    tell(
        f"sends: {number:,} replies through the SDK",
        [
            Figure("one worker", one.per_second, "/s", at_least(300)),
            Figure("two workers", two.per_second, "/s", at_least(300)),
            Figure("two workers, and no receipts come back meanwhile", silent.per_second, "/s"),
            Figure("replies that pass the gate together, two workers", two.per_gate, ""),
            *times("from the gate to the hand-over, two workers", two.from_gate),
            Figure(f"reference: a bare client, {CONNECTIONS} connections, no receipts", ceiling.per_second, "/s"),
            *times("reference: its answer", ceiling.took),
            Figure("  two workers beside it", silent.per_second / ceiling.per_second, "×"),
        ],
    )
    is_whole = set(ceiling.statuses) == {202}
    if not is_whole:
        print(f"  the bare client was answered {dict(ceiling.statuses)}")
    return is_whole


def prepare(product: Product) -> None:
    """People whom the gate lets us answer, and no limits."""
    from conversations.models import CarrierEvent, Line

    Line.objects.update(per_second=UNLIMITED)
    product.sandbox("settings", rate=0)
    account = stage.account(product)
    texts = [webhook(number, f"+1202{5550000 + number}", stage.LINE, account) for number in range(PEOPLE)]
    client.send(product.url, [client.post(WEBHOOK, *text) for text in texts], connections=8)
    eventually(lambda: not CarrierEvent.objects.filter(state="stored").exists(), what="every text is in its thread")


def send(number: int, *, workers: int) -> Sent:
    """Queues so many replies at once, tells each worker, and waits until the carrier has answered for the last."""
    from django.db import transaction
    from django.utils import timezone

    from consent.purposes import Purpose
    from contactcenter.accounts.models import User
    from conversations import nudging, outbound
    from conversations.models import Conversation, Message
    from conversations.states import Status

    author = User.objects.get(username="agent")
    conversations = list(Conversation.objects.filter(line__number=stage.LINE)[:PEOPLE])
    now = timezone.now()
    with transaction.atomic():
        queued = Message.objects.bulk_create(
            outbound.queued(
                conversation=conversations[n % len(conversations)],
                body=f"Yes, until five today; bring number {n}.",
                purpose=Purpose.REPLY,
                ref=uuid4(),
                now=now,
                author_id=author.pk,
            )
            for n in range(number)
        )
        for _ in range(workers):
            nudging.nudge(Message.Lane.AGENTS)
    mine = Message.objects.filter(pk__in=[message.pk for message in queued])
    unfinished = mine.filter(status__in=[Status.QUEUED, Status.SENDING])
    eventually(lambda: not unfinished.exists(), 120, "every reply is with the carrier")
    rows = [
        (handed_over_at, decided_at)
        for handed_over_at, decided_at in mine.values_list("handed_over_at", "decision__decided_at")
        if handed_over_at and decided_at
    ]
    if len(rows) < number or mine.exclude(status__in=[Status.SENT, Status.DELIVERED]).exists():
        raise RuntimeError(f"only {len(rows)} of {number} replies went out")
    handed_over = [at for at, _ in rows]
    elapsed = (max(handed_over) - min(handed_over)).total_seconds()
    return Sent(
        per_second=number / elapsed,
        from_gate=[(at - decided).total_seconds() for at, decided in rows],
        per_gate=number / len({decided for _, decided in rows}),
    )


@contextmanager
def another_worker(product: Product) -> Iterator[None]:
    """A second cluster beside the product's, with the same environment."""
    argv = [sys.executable, "manage.py", "qcluster"]
    with subprocess.Popen(argv, cwd=ROOT, env=environment(product), stderr=subprocess.DEVNULL) as process:
        time.sleep(3)  # it has nothing to tell that it is ready
        try:
            yield
        finally:
            process.terminate()


def environment(product: Product) -> dict[str, str]:
    """That of the product's own worker: it knows where the sandbox listens."""
    (pid, *_) = product.pids("qcluster", Q_CLUSTER_NAME="agents")
    return dict(psutil.Process(pid).environ())


def sandbox_alone(product: Product, number: int) -> Answers:
    """The same requests from the lean client."""
    host = environment(product)["VONAGE_API_HOST"]
    files = credentials.prepare(product.var_dir)
    now = int(time.time())
    claims = {
        "application_id": credentials.load_account(files).application_id,
        "iat": now,
        "exp": now + 600,
        "jti": str(uuid4()),
    }
    token = jwt.encode(claims, files.private_key.read_bytes(), algorithm="RS256")
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    requests = [client.post("/v1/messages", json.dumps(message(n)).encode(), headers) for n in range(number)]
    trusted = ssl.create_default_context(cafile=os.fspath(files.bundle))
    return client.send(f"https://{host}", requests, connections=CONNECTIONS, tls=trusted)


def message(number: int) -> dict[str, str]:
    return {
        "channel": "sms",
        "message_type": "text",
        "to": f"1202{5550000 + number % PEOPLE}",
        "from": stage.LINE.removeprefix("+"),
        "text": f"Yes, until five today; bring number {number}.",
        "client_ref": str(uuid4()),
    }
