"""The life of a message: every status and every allowed move, in one table. Pure.

::

    queued ──gate──▶ sending ──carrier──▶ sent ──receipt──▶ delivered
      │ ▲              │  │                 │
      │ └──429─────────┘  └▶ unknown ───────┴──receipt──▶ failed
      ├▶ held ──hour──▶ queued
      └▶ blocked · expired · cancelled · failed

Receipts come twice, late and out of order; they only move a message forward, along ``RANK``.
"""

from enum import StrEnum


class Status(StrEnum):
    RECEIVED = "received"  # from the person to us
    QUEUED = "queued"
    HELD = "held"  # until an hour is right
    SENDING = "sending"  # the gate allowed it; it is being handed over
    SENT = "sent"  # the carrier took it
    UNKNOWN = "unknown"  # handed over, and the carrier did not answer
    DELIVERED = "delivered"
    FAILED = "failed"
    BLOCKED = "blocked"  # by the gate
    EXPIRED = "expired"  # too late to be of use
    CANCELLED = "cancelled"


# As far as we know, it is not with the carrier.
NOT_OUT = frozenset({Status.QUEUED, Status.HELD, Status.BLOCKED, Status.EXPIRED, Status.CANCELLED})

# As far as we know, it is.
OUT = frozenset({Status.SENT, Status.DELIVERED})

# From which statuses a message may move to each.
MOVES: dict[Status, frozenset[Status]] = {
    # From unknown only by its own sender, who knows that it never left.
    Status.QUEUED: frozenset({Status.HELD, Status.SENDING, Status.UNKNOWN}),
    Status.HELD: frozenset({Status.QUEUED}),
    Status.SENDING: frozenset({Status.QUEUED}),
    # A receipt is proof, also of an attempt that the carrier had seemed to turn away.
    # What a person took back comes back only when it has arrived.
    Status.SENT: NOT_OUT - {Status.CANCELLED} | {Status.SENDING, Status.UNKNOWN},
    Status.UNKNOWN: frozenset({Status.SENDING}),
    Status.DELIVERED: NOT_OUT | {Status.SENDING, Status.UNKNOWN, Status.SENT, Status.FAILED},
    Status.FAILED: NOT_OUT - {Status.CANCELLED} | {Status.SENDING, Status.UNKNOWN, Status.SENT},
    Status.BLOCKED: frozenset({Status.QUEUED, Status.HELD}),
    Status.EXPIRED: frozenset({Status.QUEUED, Status.HELD}),
    Status.CANCELLED: frozenset({Status.QUEUED, Status.HELD}),
}

# What receipts may say, weakest first: of several, the strongest counts, whatever their order.
RANK = (Status.SENT, Status.FAILED, Status.DELIVERED)

# Statuses that no clock, worker or receipt is expected to leave.
FINAL = frozenset({Status.DELIVERED, Status.FAILED, Status.BLOCKED, Status.EXPIRED, Status.CANCELLED})

# What the person did not get, or nobody knows; a person may ask for a new attempt of these.
UNDELIVERED = (Status.FAILED, Status.UNKNOWN, Status.BLOCKED, Status.EXPIRED)
MAY_RETRY = frozenset(UNDELIVERED)


def strongest(one: Status, other: Status) -> Status:
    """The stronger of two receipts' statuses."""
    return max(one, other, key=RANK.index)
