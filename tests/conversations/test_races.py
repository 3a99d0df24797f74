"""The promise, with real threads on PostgreSQL: no message is gated "allowed" after a STOP has committed."""

import random
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest
from django.db import connections
from django.utils import timezone

from conversations import dispatch, inbound, live, threads
from conversations.models import Message
from conversations.states import Status
from tests import factories
from tests.conversations import traffic
from tests.conversations.sending import reply

ROUNDS = 200


@pytest.mark.django_db(transaction=True)
def test_two_processes_that_thread_at_once_keep_a_person_s_texts_in_order(monkeypatch):
    """The one that takes the first text is slow; without a lock the other would put the second text before it."""
    traffic.line()
    first_is_taken, second_is_done = Event(), Event()
    apply = threads.apply

    def slowly(events, *, now):
        if not first_is_taken.is_set():
            first_is_taken.set()
            second_is_done.wait(0.5)
        apply(events, now=now)

    def other():
        first_is_taken.wait()
        inbound.thread(now=timezone.now(), limit=1)
        second_is_done.set()
        connections.close_all()

    monkeypatch.setattr(threads, "apply", slowly)
    inbound.receive([traffic.text("First"), traffic.text("Second")], now=timezone.now())
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(other)
        inbound.thread(now=timezone.now(), limit=1)
        done.result()

    assert list(Message.objects.order_by("pk").values_list("body", flat=True)) == ["First", "Second"]


@pytest.mark.django_db(transaction=True)
def test_no_message_is_allowed_after_a_committed_stop(monkeypatch, settings):
    """Each round races one STOP against the dispatch of one reply, every second time to a number without a standing.

    The gate's transaction is kept open for a moment after its verdict. Were the standing row not locked, the STOP would
    be acknowledged within that moment, and the message would be handed over after it.
    """
    settings.VONAGE_REQUESTS_PER_SECOND = 10_000
    traffic.line()
    agent = factories.user()
    changed = live.changed
    last_moment: dict[str, float] = {}

    def slowly(ids):
        changed(ids)
        time.sleep(random.uniform(0.001, 0.006))
        last_moment["gate"] = time.monotonic()

    verdicts = []
    for number in range(ROUNDS):
        sender = f"+1201556{number:04}"
        if number % 2:
            traffic.arrive(traffic.text("START", sender=sender))
        message = reply(conversation=traffic.conversation("Hi", sender=sender), author=agent)
        stop = traffic.text("STOP", sender=sender)
        ready = Barrier(2)
        last_moment.clear()

        def text_stop(stop=stop, ready=ready):
            ready.wait()
            time.sleep(random.uniform(0, 0.03))  # claiming and pacing come before the gate
            assert inbound.receive([stop], now=timezone.now()) == [True]
            acknowledged = time.monotonic()
            connections.close_all()
            return acknowledged

        def gate(message=message, ready=ready):
            ready.wait()
            dispatch.allowed(lane="agents", limit=5, clock=timezone.now)
            connections.close_all()

        with monkeypatch.context() as patch, ThreadPoolExecutor(2) as threads:
            patch.setattr(live, "changed", slowly)
            acknowledged, gated = threads.submit(text_stop), threads.submit(gate)
            gated.result()
            stop_at = acknowledged.result()
        message.refresh_from_db()
        verdicts.append(message.status)
        if message.status == Status.SENDING:
            assert stop_at > last_moment["gate"], f"round {number}: allowed after a committed STOP"
        else:
            assert message.status == Status.BLOCKED
        Message.objects.filter(direction="out", status=Status.QUEUED).update(status=Status.CANCELLED)
    assert verdicts.count(Status.SENDING) > 10, "the race must go both ways to prove anything"
    assert verdicts.count(Status.BLOCKED) > 10, "the race must go both ways to prove anything"
