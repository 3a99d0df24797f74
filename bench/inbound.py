"""Signed texts over HTTP: how many a second are acknowledged and in their threads, beside the same by a plain view and
beside bare commits of one row."""

import itertools
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from bench import client, stage
from bench.client import Answers
from bench.figures import clock
from bench.load import WEBHOOK, webhook
from bench.report import Figure, at_least, at_most, tell, times
from contactcenter import engines
from sandbox import credentials
from tests.product import ROOT, Product

CONNECTIONS = 64
PEOPLE = 500
TEXTS, QUICK_TEXTS = 20_000, 5_000
SECONDS, QUICK_SECONDS = 10.0, 3.0


def run(*, quick: bool) -> bool:
    with stage.product() as product:
        texts, seconds = (QUICK_TEXTS, QUICK_SECONDS) if quick else (TEXTS, SECONDS)
        acknowledged, threaded = threading_texts(product, texts)
        plain = plain_view(product, seconds)
        committed, clients = max(
            (commits(engines.urls(product.var_dir).database, number, seconds / 4), number)
            for number in (8, 16, 32, CONNECTIONS)
        )
        is_whole = product.rows("SELECT count(*) FROM conversations_carrierevent WHERE state <> 'threaded'") == [(0,)]
    reached = [answers.statuses for answers in (acknowledged, plain)]
    is_whole = is_whole and all(set(statuses) == {200} for statuses in reached)
    tell(
        f"inbound: {texts:,} signed texts over {CONNECTIONS} connections",
        [
            Figure("acknowledged: stored, with their effect on consent", acknowledged.per_second, "/s"),
            *times("acknowledgement", acknowledged.took, p99=at_most(50)),
            Figure("threaded: until the last is in its conversation", threaded, "/s", at_least(3000)),
            Figure("reference: a plain view, row by row by the ORM", plain.per_second, "/s"),
            *times("reference: its acknowledgement", plain.took),
            Figure("  threaded beside it", threaded / plain.per_second, "×", at_least(8)),
            Figure(f"reference: commits of one row, psycopg, {clients} connections", committed, "/s"),
            Figure("  threaded beside it", threaded / committed, "×", at_least(0.2)),
        ],
    )
    if not is_whole:
        print(f"  Not everything was taken: answers {[dict(statuses) for statuses in reached]}")
    return is_whole


def requests(product: Product, area: str, numbers: Iterator[int]) -> Iterator[bytes]:
    """One text each. Texts that are on their way at the same time come from different people."""
    account = stage.account(product)
    for number in numbers:
        raw, headers = webhook(number, f"+1{area}{5550000 + number % PEOPLE}", stage.LINE, account)
        yield client.post(WEBHOOK, raw, headers)


def threading_texts(product: Product, texts: int) -> tuple[Answers, float]:
    """The answers, and how many a second were in their threads; everybody has texted before."""
    numbers = itertools.count()
    with psycopg.connect(engines.urls(product.var_dir).database, autocommit=True) as connection:

        def is_threaded() -> bool:
            left = connection.execute("SELECT EXISTS (SELECT FROM conversations_carrierevent WHERE state = 'stored')")
            return left.fetchone() == (False,)

        def sent(number: int) -> tuple[Answers, float]:
            made = list(requests(product, "202", itertools.islice(numbers, number)))
            began = clock()
            answers = client.send(product.url, made, connections=CONNECTIONS)
            while not is_threaded():
                time.sleep(0.01)
            return answers, number / (clock() - began)

        sent(PEOPLE)
        return sent(texts)


def plain_view(product: Product, seconds: float) -> Answers:
    """The same of ``bench.reference``, in as many processes and with the same database."""
    with served(product) as url:  # until a process is there, connections wait in its socket
        client.send(url, list(requests(product, "303", iter(range(PEOPLE)))), connections=CONNECTIONS)
        enough = list(requests(product, "303", iter(range(int(1000 * seconds)))))
        return client.send(url, enough, connections=CONNECTIONS, seconds=seconds)


@contextmanager
def served(product: Product) -> Iterator[str]:
    from django.conf import settings

    env = os.environ | credentials.environment(product.var_dir, tls_port=1, http_port=1)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        argv = [sys.executable, "-m", "bench.reference", str(listener.fileno())]
        processes = [
            subprocess.Popen(argv, cwd=ROOT, env=env, pass_fds=[listener.fileno()], stderr=subprocess.DEVNULL)
            for _ in range(settings.WEB_PROCESSES)
        ]
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            for process in processes:
                process.terminate()
            for process in processes:
                process.wait()


def commits(database: str, clients: int, seconds: float) -> float:
    """Transactions of one inserted row, a second, by threads with a connection each."""
    done: list[int] = []
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS bench_plain (id bigserial PRIMARY KEY, body text NOT NULL)")
    ready = threading.Barrier(clients)

    def insert() -> None:
        with psycopg.connect(database, autocommit=True) as connection:
            ready.wait()
            until, number = clock() + seconds, 0
            while clock() < until:
                connection.execute("INSERT INTO bench_plain (body) VALUES (%s)", ["Are you open this afternoon?"])
                number += 1
            done.append(number)

    threads = [threading.Thread(target=insert) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done) / seconds
