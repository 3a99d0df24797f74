"""What became of hand-overs: written for all that landed together, through a restart of the database."""

import logging
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import InternalError, OperationalError, connection, transaction

from conversations import live, pace, waits
from conversations.carriers.outcomes import Kind, Outcome
from conversations.models import Conversation, Line, Message
from conversations.states import MOVES, Status

logger = logging.getLogger(__name__)

# The promise: every hand-over starts within this long of its gate, or is gated again.
FRESH_SECONDS = 2.0
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
            except (OperationalError, InternalError):  # the latter: frozen for so long that the session was ended
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
        settle_taken([result for result in results if result.outcome.kind == Kind.SENT], now)
        for result in results:
            if result.outcome.kind != Kind.SENT:
                settle_one(result, messages[result.hand_over.message_id], now)
        waits.follow([result.hand_over.message_id for result in results])
    for result in results:
        if result.outcome.kind == Kind.ACCOUNT:
            pause_line(messages[result.hand_over.message_id], result.outcome, now)
    if any(result.outcome.is_throttled for result in results):
        pace.drain(pace.account().key, now=now)


# Only this attempt's row, as in ``settle_one``. When and under which name it was taken is noted also where a receipt
# was faster; the status moves only from where it may.
TAKEN = """
UPDATE conversations_message message
SET handed_over_at = coalesce(taken.at, handed_over_at), carrier_id = coalesce(message.carrier_id, taken.carrier_id),
    status = CASE WHEN may_move THEN 'sent' ELSE status END,
    status_at = CASE WHEN may_move THEN %s ELSE status_at END,
    error_code = CASE WHEN may_move THEN '' ELSE error_code END,
    error_detail = CASE WHEN may_move THEN '' ELSE error_detail END,
    lease_until = CASE WHEN NOT may_move THEN lease_until END,
    lease_token = CASE WHEN NOT may_move THEN lease_token END
FROM (
    SELECT taken.*, row.status = ANY(%s) AS may_move
    FROM unnest(%s::bigint[], %s::int[], %s::timestamptz[], %s::text[]) AS taken (id, attempt, at, carrier_id)
    JOIN conversations_message row ON row.id = taken.id AND row.attempts = taken.attempt
) taken
WHERE message.id = taken.id
"""


def settle_taken(results: Sequence[Result], now: datetime) -> None:
    """The carrier took these."""
    if not results:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            TAKEN,
            [
                now,
                sorted(MOVES[Status.SENT]),
                [result.hand_over.message_id for result in results],
                [result.hand_over.attempt for result in results],
                [result.handed_over_at for result in results],
                [result.outcome.carrier_id or None for result in results],
            ],
        )


def settle_one(result: Result, message: Message, now: datetime) -> None:
    # Only this attempt's row: the sweep may have called it unknown, another worker may have gated it again since.
    row = Message.objects.filter(pk=message.pk, attempts=result.hand_over.attempt)
    outcome, free = result.outcome, {"lease_until": None, "lease_token": None}
    error = {"error_code": outcome.code, "error_detail": outcome.detail}
    if result.handed_over_at is not None:
        row.update(handed_over_at=result.handed_over_at)
    if outcome.kind == Kind.UNKNOWN:
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
