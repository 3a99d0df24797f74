"""What the machines share: an example that is undone, a clock that only rules move, and the carrier's side of the wire.

Everything of one example happens in one transaction, in an order that hypothesis chooses and can shrink. What needs
several connections at once is tested with threads, in the files named for races.
"""

import itertools
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine

from consent import invariants as consent_invariants
from consent.verification import Problem
from contactcenter import clock
from contactcenter.lib import uptime
from conversations import dispatch, inbound, invariants, nudging, settling
from conversations.carriers import vonage
from conversations.carriers.outcomes import Kind, Outcome
from conversations.models import Message
from conversations.reading import Delivery
from conversations.states import Status
from tests.conversations import traffic
from tests.factories import NOON

REJECTED = {"title": "1000", "detail": "Throttled"}
OPTED_OUT = {"title": "1240", "detail": "The user has already sent a STOP"}
# What receipts say of a message: the carrier's word and its error.
REPORTS: dict[str, tuple[str, dict[str, str]]] = {
    "submitted": ("submitted", {}),
    "delivered": ("delivered", {}),
    "rejected": ("rejected", REJECTED),
    "undeliverable": ("undeliverable", REJECTED),
    "opted out": ("rejected", OPTED_OUT),
}

# Around each limit: a fresh gate, a lease, a stuck hand-over, a confirmation.
PAUSES = st.sampled_from([timedelta(seconds=seconds) for seconds in (1, 1, 3, 31, 31, 150, 360)])


def many(examples: int, steps: int) -> settings:
    """Bounds for one machine; its examples begin with rows in the database, which takes hypothesis' patience."""
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )


class Crash(BaseException):
    """A process that is gone: no ``except Exception`` sees it."""


class Carrier:
    """Takes texts as the carrier does and remembers what it accepted, whatever it told the sender."""

    def __init__(self, machine: "Example") -> None:
        self.machine = machine
        self.answer, self.accepts = Outcome(Kind.SENT), True
        self.called: Counter[str] = Counter()
        self.accepted: Counter[str] = Counter()
        self.called_at: dict[str, datetime] = {}

    def send(self, *, ref: str, **_: str) -> Outcome:
        self.called[ref] += 1
        self.called_at[ref] = self.machine.now
        if self.accepts:
            self.accepted[ref] += 1
        return replace(self.answer, carrier_id=f"id-{ref}" if self.answer.kind == Kind.SENT else "")


class Example(RuleBasedStateMachine):
    """One run of a machine, rolled back at its end. Every nudge is lost: rows are the queue."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOON
        self.numbers = itertools.count(1)
        self.carrier = Carrier(self)
        self.delivered: list[Delivery] = []
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(uptime, "seconds", lambda: self.now.timestamp())
        self.patch.setattr(clock, "BEGAN", NOON - timedelta(hours=1))
        self.patch.setattr(vonage, "send", self.carrier.send)
        self.patch.setattr(nudging, "nudge", lambda lane: None)
        self.undone = transaction.atomic()
        self.undone.__enter__()

    def teardown(self) -> None:
        try:
            if sys.exc_info()[0] is None:  # else the example has failed already, or hypothesis has given it up
                self.end()
        finally:
            self.patch.undo()
            transaction.set_rollback(True)
            self.undone.__exit__(None, None, None)

    def end(self) -> None:
        """What must be true when all is quiet again: the product's own audit."""
        self.now += timedelta(minutes=3)
        self.tick()
        self.send_all(Outcome(Kind.SENT), True)  # in an example of twenty minutes, nobody may have worked
        found = list(findings(self.now))
        assert found == [], found

    def clock(self) -> datetime:
        return self.now

    def ref(self) -> UUID:
        return UUID(int=next(self.numbers))

    # --- What the carrier posts to us ------------------------------------------------------------------------

    def text(self, body: str, *, sender: str, recipient: str = traffic.LINE, ago: timedelta = timedelta(0)) -> Delivery:
        return self.posted(
            traffic.text(
                body,
                sender=sender,
                recipient=recipient,
                message_uuid=f"text-{next(self.numbers)}",
                timestamp=(self.now - ago).isoformat(),
            )
        )

    def receipt(self, message: Message, report: str, **fields: Any) -> Delivery:
        """One that differs from every other: the carrier's clock is finer than ours."""
        word, error = REPORTS[report]
        timestamp = self.now + timedelta(microseconds=next(self.numbers))
        fields = {"message_uuid": f"id-{message.ref}", "timestamp": timestamp.isoformat(), "error": error} | fields
        return self.posted(traffic.receipt(message, word, **fields))

    def posted(self, delivery: Delivery) -> Delivery:
        delivery = replace(delivery, received_at=self.now)
        self.delivered.append(delivery)
        return delivery

    def receive(self, *deliveries: Delivery) -> None:
        assert all(inbound.receive(deliveries, now=self.now))

    def thread(self) -> None:
        inbound.thread(now=self.now)

    # --- What our own processes do ---------------------------------------------------------------------------

    def tick(self) -> None:
        """The clock's duties, none of which may fail."""
        for duty in clock.DUTIES:
            duty(self.now)

    def gated(self, limit: int = 5) -> list[settling.HandOver]:
        """What a worker may hand over now."""
        hand_overs, _ = dispatch.allowed(lane="agents", limit=limit, clock=self.clock)
        return hand_overs

    def called_with(self, one: settling.HandOver, answer: Outcome, accepts: bool) -> settling.Result:
        self.carrier.answer, self.carrier.accepts = answer, accepts
        return dispatch.hand_over_now(one, self.clock)

    def send_all(self, answer: Outcome, accepts: bool) -> None:
        """One undisturbed turn of a worker."""
        results = [self.called_with(one, answer, accepts) for one in self.gated()]
        settling.settle(results, clock=self.clock)


def findings(now: datetime) -> Iterator[tuple[str, Problem]]:
    """What the product's own audit finds."""
    for invariant in (*consent_invariants.INVARIANTS, *invariants.INVARIANTS):
        yield from ((invariant.says, problem) for problem in invariant.problems(now))


class Steps:
    """Compares each message's status with the one it had a step ago."""

    def __init__(self) -> None:
        self.before: dict[int, str] = {}

    def since_last(self) -> list[tuple[int, Status, Status]]:
        """Messages that moved: id, from, to."""
        now = dict(Message.objects.values_list("pk", "status"))
        moved = [
            (pk, Status(self.before[pk]), Status(status))
            for pk, status in sorted(now.items())
            if self.before.get(pk, status) != status
        ]
        self.before = now
        return moved


def dies(*_: object, **__: object) -> None:
    """Put in a function's place: the process ends where it would call it."""
    raise Crash
