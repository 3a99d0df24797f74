"""Handing messages over: claim, tokens, gate, carrier; then ``settling``.

The order matters. A claim is a lease on queued rows. Tokens come before the gate, so that nobody waits between the two.
The gate and ``sending`` are one transaction; then the carrier is called at once, outside of any, and never later
than two seconds after its gate. What the carrier did not answer is ``unknown``: nothing is ever sent twice on a
guess.
"""

import logging
import os
import time
from collections import Counter
from collections.abc import Collection, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from datetime import datetime, timedelta
from functools import cache
from uuid import UUID, uuid4

from django.db import DatabaseError, InterfaceError, connection, transaction

from consent import gate
from consent.models import Decision
from consent.purposes import Purpose, Verdict
from contactcenter.lib import uptime
from conversations import live, pace, waits
from conversations.carriers import vonage
from conversations.carriers.outcomes import Kind, Outcome
from conversations.models import Message
from conversations.settling import FRESH_SECONDS, STALE, Clock, HandOver, Result, settle_surely
from conversations.states import MOVES, Status

logger = logging.getLogger(__name__)

# A task takes new work for this long, then asks for a successor, so that a cluster can be stopped and stays fair.
TASK_SECONDS = 5.0
SENDERS = 16
LEASE = timedelta(seconds=30)
# What lands within this of the first is written with it: a transaction costs as much for ten as for one.
GATHER_SECONDS = 0.015


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
            if landed and flying:
                more, flying = wait(flying, timeout=GATHER_SECONDS)
                landed |= more
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
        gone = {one.message_id for one in hand_overs}
        release([message for message in claimed if message.pk not in gone], token)
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
    if not messages:
        return
    Message.objects.filter(pk__in=[message.pk for message in messages], status=Status.QUEUED, lease_token=token).update(
        lease_until=None, lease_token=None
    )


def paced(messages: Sequence[Message], *, now: datetime, resting: dict[int, float]) -> list[Message]:
    """Those for which the account and their line have a token, oldest first; notes in ``resting`` who has none."""
    lines = {message.conversation.line_id: message.conversation.line for message in messages}
    wanted = Counter(message.conversation.line_id for message in messages)
    taken = pace.take(wanted, account=pace.account(), lines=lines, now=now)
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
        passed = []
        for ref, decision in decisions.items():
            message, changes = by_ref[ref], {"decision": decision, "lease_until": None, "lease_token": None}
            if decision.verdict == Verdict.BLOCKED:
                mine.filter(pk=message.pk).move(Status.BLOCKED, now=now, **changes)
            elif decision.verdict == Verdict.HELD:
                mine.filter(pk=message.pk).move(Status.HELD, now=now, due_at=decision.held_until, **changes)
            else:
                passed.append((message, decision))
        hand_overs = [hand_over(message, fresh_until) for message in start_sending(passed, token=token, now=now)]
        mine.filter(pk__in=[message.pk for message in messages if message.ref not in by_ref]).move(
            Status.EXPIRED, now=now, lease_until=None, lease_token=None
        )
        waits.follow([message.pk for message in messages])
    return hand_overs


# Every message that is sent moves here, and once more in ``settling.TAKEN``: one statement for all of a batch.
SENDING = """
UPDATE conversations_message message
SET status = 'sending', status_at = %s, attempts = attempts + 1, handed_over_at = NULL, decision_id = passed.decision_id
FROM unnest(%s::bigint[], %s::bigint[]) AS passed (id, decision_id)
WHERE message.id = passed.id AND message.lease_token = %s AND message.status = ANY(%s)
RETURNING message.id
"""


def start_sending(passed: Sequence[tuple[Message, Decision]], *, token: UUID, now: datetime) -> list[Message]:
    """Those of these messages that are still ours to send."""
    if not passed:
        return []
    ids, decisions = [message.pk for message, _ in passed], [decision.pk for _, decision in passed]
    with connection.cursor() as cursor:
        cursor.execute(SENDING, [now, ids, decisions, token, sorted(MOVES[Status.SENDING])])
        moved = {pk for (pk,) in cursor.fetchall()}
    return [message for message, _ in passed if message.pk in moved]


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
        postal_code=conversation.contact.postal_code or None,
        time_zone=conversation.contact.time_zone,
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
