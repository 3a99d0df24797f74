"""Handing messages over: claim, tokens, gate, carrier, and what came of it.

The order matters. A claim is a lease on queued rows. Tokens come before the gate, so that nobody waits between the two.
The gate and ``sending`` are one transaction; then the carrier is called at once, outside of any, and never later
than two seconds after its gate. What the carrier did not answer is ``unknown``: nothing is ever sent twice on a
guess.
"""

import logging
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from uuid import UUID, uuid4

from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction

from consent import gate
from consent.purposes import Purpose, Verdict
from contactcenter.lib import uptime
from conversations import live, pace, waits
from conversations.carriers import vonage
from conversations.carriers.outcomes import Kind, Outcome
from conversations.models import Conversation, Line, Message
from conversations.states import Status

logger = logging.getLogger(__name__)

# The promise: every hand-over starts within this long of its gate, or is gated again.
FRESH_SECONDS = 2.0
# A task takes new work for this long, then asks for a successor, so that a cluster can be stopped and stays fair.
TASK_SECONDS = 5.0
SENDERS = 16
LEASE = timedelta(seconds=30)
# Refused connections and "slow down" are tried again this often, for roughly a quarter of an hour.
MAX_ATTEMPTS = 10
# The database gets this long to come back before a result is given up to its receipt.
SETTLE_AGAIN_SECONDS = (0.1, 0.5, 1, 2, 4, 8)
STALE = Outcome(Kind.NOT_SENT, code="stale", detail="It was not handed over in time after its gate; gating it again.")

Clock = Callable[[], datetime]


@dataclass(frozen=True)
class HandOver:
    """One allowed message on its way to the carrier. ``fresh_until`` is ``uptime``."""

    message_id: int
    attempt: int
    to: str
    sender: str
    body: str
    ref: str
    fresh_until: float


@dataclass(frozen=True)
class Result:
    """What became of a hand-over; ``handed_over_at`` is ``None`` when the call was never made."""

    hand_over: HandOver
    outcome: Outcome
    handed_over_at: datetime | None


def send_due(*, lane: str, clock: Clock) -> bool:
    """Sends what is due in a lane until nothing is or the task's time is over; whether anything may be left."""
    deadline = uptime.seconds() + TASK_SECONDS
    flying: set[Future[Result]] = set()
    resting: dict[int, float] = {}
    is_more = True
    while flying or (is_more and uptime.seconds() < deadline):
        free = SENDERS - len(flying)
        if free and is_more and uptime.seconds() < deadline:
            try:
                hand_overs, is_more = allowed(lane=lane, limit=free, clock=clock, resting=resting)
            except Exception:  # what flies must land all the same
                logger.exception("No new messages can be taken now; the clock will look again.")
                hand_overs, is_more, deadline = [], False, 0.0
            flying |= {senders(os.getpid()).submit(hand_over_now, one, clock) for one in hand_overs}
            if not flying and is_more:
                time.sleep(0.05)  # tokens come back with time
        if flying:
            landed, flying = wait(flying, timeout=0.05, return_when=FIRST_COMPLETED)
            settle_surely([future.result() for future in landed], clock=clock)
            is_more = is_more or bool(landed)
    return is_more


@cache
def senders(pid: int) -> ThreadPoolExecutor:
    """This process's threads, each with its own connection to the carrier; a forked worker makes its own."""
    return ThreadPoolExecutor(SENDERS, thread_name_prefix=f"sender-{pid}")


# --- Before the carrier --------------------------------------------------------------------------------------


def allowed(
    *, lane: str, limit: int, clock: Clock, resting: dict[int, float] | None = None
) -> tuple[list[HandOver], bool]:
    """Up to ``limit`` messages that have their tokens and passed the gate, and whether more will soon be due.

    ``resting`` remembers between calls which lines have no token until when (``uptime``), so that a slow line's queue
    does not stand in the way of the others. A line that rests for longer than a second is left to the clock.
    """
    token, resting = uuid4(), {} if resting is None else resting
    moment = uptime.seconds()
    tired = {line_id for line_id, until in resting.items() if until > moment}
    claimed = claim(lane=lane, limit=limit, token=token, now=clock(), except_lines=tired)
    if not claimed:
        return [], any(moment < until <= moment + 1 for until in resting.values())
    with_tokens = paced(claimed, now=clock(), resting=resting)
    hand_overs = gated(with_tokens, token=token, clock=clock)
    with suppress(DatabaseError, InterfaceError):  # the lease ends by itself; what passed the gate must leave now
        release(claimed, token)
    return hand_overs, True


def claim(*, lane: str, limit: int, token: UUID, now: datetime, except_lines: Collection[int] = ()) -> list[Message]:
    """Leases due messages to this worker; others pass them over until the lease ends."""
    with transaction.atomic():
        due = Message.objects.due(lane, now).exclude(conversation__line__in=except_lines)
        due = due.select_for_update(skip_locked=True, no_key=True, of=("self",))
        ids = list(due.values_list("pk", flat=True)[:limit])
        Message.objects.filter(pk__in=ids).update(lease_until=now + LEASE, lease_token=token)
    return list(
        Message.objects.filter(pk__in=ids)
        .select_related("conversation__line", "conversation__contact")
        .order_by("due_at", "pk")
    )


def release(messages: Sequence[Message], token: UUID) -> None:
    """Gives back what is still queued under this lease: no tokens, or back from the gate."""
    Message.objects.filter(pk__in=[message.pk for message in messages], status=Status.QUEUED, lease_token=token).update(
        lease_until=None, lease_token=None
    )


def paced(messages: Sequence[Message], *, now: datetime, resting: dict[int, float]) -> list[Message]:
    """Those for which the account and their line have a token, oldest first; notes in ``resting`` who has none."""
    lines = {message.conversation.line_id: message.conversation.line for message in messages}
    wanted = Counter(message.conversation.line_id for message in messages)
    account = pace.Limit(account_key(), settings.VONAGE_REQUESTS_PER_SECOND, "second")
    taken = pace.take(wanted, account=account, lines=lines, now=now)
    left = {line_id: tokens.number for line_id, tokens in taken.items()}
    for line_id, tokens in taken.items():
        if tokens.number < wanted[line_id]:
            resting[line_id] = uptime.seconds() + tokens.wait_seconds
    chosen = []
    for message in messages:
        if left[message.conversation.line_id] > 0:
            left[message.conversation.line_id] -= 1
            chosen.append(message)
    return chosen


def account_key() -> str:
    return f"account:{settings.VONAGE_API_KEY}"


def gated(messages: Sequence[Message], *, token: UUID, clock: Clock) -> list[HandOver]:
    """Asks the gate and writes ``sending`` in one transaction; what it blocks or holds is written as such."""
    if not messages:
        return []
    fresh_until = uptime.seconds() + FRESH_SECONDS
    now = clock()
    by_ref = {message.ref: message for message in messages if not is_expired(message, now)}
    with transaction.atomic():
        decisions = gate.decide([request(message) for message in by_ref.values()], now=now)
        live.changed(message.conversation_id for message in messages)
        mine = Message.objects.filter(lease_token=token)
        hand_overs = []
        for ref, decision in decisions.items():
            message, changes = by_ref[ref], {"decision": decision}
            row = mine.filter(pk=message.pk)
            if decision.verdict == Verdict.BLOCKED:
                row.move(Status.BLOCKED, now=now, lease_until=None, lease_token=None, **changes)
            elif decision.verdict == Verdict.HELD:
                row.move(
                    Status.HELD,
                    now=now,
                    lease_until=None,
                    lease_token=None,
                    due_at=decision.held_until,
                    **changes,
                )
            elif row.move(Status.SENDING, now=now, attempts=message.attempts + 1, handed_over_at=None, **changes):
                hand_overs.append(hand_over(message, fresh_until))
        mine.filter(pk__in=[message.pk for message in messages if message.ref not in by_ref]).move(
            Status.EXPIRED, now=now, lease_until=None, lease_token=None
        )
        waits.follow([message.pk for message in messages])
    return hand_overs


def is_expired(message: Message, now: datetime) -> bool:
    return message.expires_at is not None and message.expires_at <= now


def request(message: Message) -> gate.Request:
    conversation = message.conversation
    return gate.Request(
        message_ref=message.ref,
        subject_id=conversation.contact.subject_id,
        brand_id=conversation.line.brand_id,
        program_id=message.program_id,
        purpose=Purpose(message.purpose),
        wrote_at=conversation.wrote_at,
    )


def hand_over(message: Message, fresh_until: float) -> HandOver:
    return HandOver(
        message_id=message.pk,
        attempt=message.attempts + 1,
        to=message.conversation.contact.phone,
        sender=message.conversation.line.number,
        body=message.body,
        ref=str(message.ref),
        fresh_until=fresh_until,
    )


# --- The carrier: in a thread without a database ---------------------------------------------------------------


def hand_over_now(one: HandOver, clock: Clock) -> Result:
    """Calls the carrier, unless too much time has passed since the gate."""
    if uptime.seconds() > one.fresh_until:
        return Result(one, STALE, None)
    started = clock()
    try:
        outcome = vonage.send(to=one.to, sender=one.sender, body=one.body, ref=one.ref)
    except Exception:
        logger.exception("Handing over %s failed in a way we do not know.", one.ref)
        outcome = Outcome(Kind.UNKNOWN, code="no_answer", detail="The hand-over failed half-way.")
    return Result(one, outcome, started)


# --- After it --------------------------------------------------------------------------------------------------


def settle_surely(results: Sequence[Result], *, clock: Clock) -> None:
    """``settle``, through a restart of the database and past a result that can't be written: each is lost alone."""
    try:
        settle(results, clock=clock)
    except Exception:
        logger.exception("%d results could not be written together.", len(results))
    else:
        return
    for result in results:
        for seconds in SETTLE_AGAIN_SECONDS:
            if not connection.in_atomic_block:
                connection.close_if_unusable_or_obsolete()
            try:
                settle([result], clock=clock)
            except OperationalError:
                time.sleep(seconds)
            except Exception:
                logger.exception("What became of %s could not be written; its receipt will tell.", result.hand_over.ref)
                break
            else:
                break


def settle(results: Sequence[Result], *, clock: Clock) -> None:
    """Writes what became of hand-overs. A receipt may have been faster: statuses only move forward."""
    if not results:
        return
    now = clock()
    with transaction.atomic():
        messages = Message.objects.in_bulk([result.hand_over.message_id for result in results])
        live.changed(message.conversation_id for message in messages.values())
        for result in results:
            settle_one(result, messages[result.hand_over.message_id], now)
        waits.follow([result.hand_over.message_id for result in results])
    for result in results:
        if result.outcome.kind == Kind.ACCOUNT:
            pause_line(messages[result.hand_over.message_id], result.outcome, now)
    if any(result.outcome.is_throttled for result in results):
        pace.drain(account_key(), now=now)


def settle_one(result: Result, message: Message, now: datetime) -> None:
    # Only this attempt's row: the sweep may have called it unknown, another worker may have gated it again since.
    row = Message.objects.filter(pk=message.pk, attempts=result.hand_over.attempt)
    outcome, free = result.outcome, {"lease_until": None, "lease_token": None}
    error = {"error_code": outcome.code, "error_detail": outcome.detail}
    if result.handed_over_at is not None:
        row.update(handed_over_at=result.handed_over_at)
    if outcome.kind == Kind.SENT:
        row.filter(carrier_id=None).update(carrier_id=outcome.carrier_id)
        row.move(Status.SENT, now=now, error_code="", error_detail="", **free)
    elif outcome.kind == Kind.UNKNOWN:
        row.move(Status.UNKNOWN, now=now, **error, **free)
    elif outcome.kind == Kind.REFUSED or is_hopeless(result):
        row.move(Status.FAILED, now=now, **error, **free)
    elif row.filter(retried_as=None).exists():  # it surely never left, whatever the sweep thought: back to the gate
        due_at = now + backoff(outcome, message.attempts)
        row.move(Status.QUEUED, now=now, due_at=due_at, **error, **free)
    else:  # a person has sent it again meanwhile
        row.move(Status.FAILED, now=now, **error, **free)


def is_hopeless(result: Result) -> bool:
    """The carrier turned it away often enough; our own delays and a paused line do not count."""
    outcome = result.outcome
    return outcome.kind == Kind.NOT_SENT and outcome is not STALE and result.hand_over.attempt >= MAX_ATTEMPTS


def backoff(outcome: Outcome, attempts: int) -> timedelta:
    """Doubling from a second to two minutes, with jitter; at least what the carrier asks; none after our own delay."""
    if outcome is STALE or outcome.kind == Kind.ACCOUNT:
        return timedelta(0)
    seconds = max(outcome.retry_after, min(2.0 ** (attempts - 1), 120.0))
    return timedelta(seconds=seconds * random.uniform(0.75, 1.25))  # noqa: S311 jitter is no secret


def pause_line(message: Message, outcome: Outcome, now: datetime) -> None:
    """Our account or configuration is at fault: the line waits for a person, its messages stay queued."""
    line_id = message.conversation.line_id
    reason = f"{outcome.detail} ({outcome.code})"[:300]
    if Line.objects.filter(pk=line_id, paused_at=None).update(paused_at=now, paused_reason=reason):
        logger.error("Line %s is paused: %s", message.conversation.line, reason)
        with transaction.atomic():
            open_ids = (
                Conversation.objects.filter(line=line_id).order_by("-last_message_at").values_list("pk", flat=True)
            )
            live.changed(open_ids[:200])


# --- What a crash left -----------------------------------------------------------------------------------------


def sweep(*, now: datetime) -> int:
    """Calls unknown what has been ``sending`` for longer than any hand-over takes: its worker is dead. How many."""
    limit = now - timedelta(seconds=FRESH_SECONDS + settings.VONAGE_TIMEOUT_SECONDS + 10)
    stuck = Message.objects.filter(status=Status.SENDING, status_at__lt=limit)
    with transaction.atomic():
        rows = list(stuck.values_list("pk", "conversation_id")[:500])
        live.changed(conversation_id for _, conversation_id in rows)
        count = Message.objects.filter(pk__in=[pk for pk, _ in rows], status_at__lt=limit).move(
            Status.UNKNOWN,
            now=now,
            error_code="no_answer",
            error_detail="The sender stopped before the carrier answered.",
            lease_until=None,
            lease_token=None,
        )
        waits.follow([pk for pk, _ in rows])
    return count


def promote(*, now: datetime) -> int:
    """Queues what was held until now, to be gated again. How many."""
    with transaction.atomic():
        rows = list(
            Message.objects.filter(status=Status.HELD, due_at__lte=now)
            .select_for_update(skip_locked=True, no_key=True)
            .values_list("pk", "conversation_id")[:500]
        )
        count = Message.objects.filter(pk__in=[pk for pk, _ in rows]).move(Status.QUEUED, now=now)
    if rows:
        with transaction.atomic():
            live.changed(conversation_id for _, conversation_id in rows)
    return count
