"""From the ledger to a standing: a pure fold.

Every field is a maximum over times that the events carry, so the order in which events arrive does not matter: a START
that is older than the last revocation changes nothing whenever it is read, and ties revoke.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from consent.purposes import Effect, Kind, Level


@dataclass(frozen=True)
class Grant:
    """Somebody agreed to one program at one level."""

    level: Level
    since: datetime


@dataclass(frozen=True)
class Entry:
    """What the fold needs to know of one event. ``occurred_at`` is when the person acted (carrier time)."""

    kind: Kind
    occurred_at: datetime
    program_id: int | None = None
    level: Level = Level.NONE

    @classmethod
    def of(cls, kind: str, occurred_at: datetime, program_id: int | None, body: str) -> "Entry":
        """From a row of the ledger; only a grant's text says more than the columns. Raises ``ValueError``."""
        level = Level(json.loads(body).get("level", Level.NONE)) if kind == Kind.GRANTED else Level.NONE
        return cls(Kind(kind), occurred_at, program_id, level)


@dataclass(frozen=True)
class State:
    """What the ledger says of one brand and number."""

    revoked_at: datetime | None = None
    resumed_at: datetime | None = None
    suspected_at: datetime | None = None
    cleared_at: datetime | None = None
    grants: dict[int, Grant] = field(default_factory=dict)

    @property
    def is_suppressed(self) -> bool:
        """A "no" is in force. Ties revoke."""
        return self.revoked_at is not None and (self.resumed_at is None or self.revoked_at >= self.resumed_at)

    @property
    def is_suspected(self) -> bool:
        """A text that may have been a "no" waits for a person's judgement."""
        return self.suspected_at is not None and (self.cleared_at is None or self.suspected_at >= self.cleared_at)

    def level(self, program_id: int | None) -> Level:
        """How firmly the number agreed to a program, counting only what is younger than the last revocation."""
        grant = self.grants.get(program_id) if program_id is not None else None
        if grant is None or (self.revoked_at is not None and grant.since <= self.revoked_at):
            return Level.NONE
        return grant.level


def later(one: datetime | None, other: datetime) -> datetime:
    return other if one is None or other > one else one


def moved(state: State, entry: Entry) -> State:
    """The state after one more event."""
    at = entry.occurred_at
    if entry.kind == Kind.REVOKED:
        return replace(state, revoked_at=later(state.revoked_at, at))
    if entry.kind == Kind.RESUMED:
        return replace(state, resumed_at=later(state.resumed_at, at))
    if entry.kind == Kind.GRANTED:
        return with_grant(state, entry)
    if entry.kind == Kind.SUSPECTED:
        return replace(state, suspected_at=later(state.suspected_at, at))
    return replace(state, cleared_at=later(state.cleared_at, at))


def apply(state: State, entry: Entry) -> tuple[State, Effect]:
    """One more event: the state after it and what it changed."""
    after = moved(state, entry)
    if entry.kind == Kind.REVOKED:
        effect = Effect.SUPPRESSED if after.is_suppressed and not state.is_suppressed else Effect.NOTHING
    elif entry.kind == Kind.RESUMED:
        effect = Effect.RESUMED if state.is_suppressed and not after.is_suppressed else Effect.NOTHING
    elif entry.kind == Kind.GRANTED:
        program = entry.program_id
        is_new = state.is_suppressed != after.is_suppressed or state.level(program) != after.level(program)
        effect = Effect.GRANTED if is_new else Effect.NOTHING
    elif entry.kind == Kind.SUSPECTED:
        effect = Effect.SUSPECTED if after.is_suspected and not state.is_suspected else Effect.NOTHING
    else:
        effect = Effect.CLEARED if state.is_suspected and not after.is_suspected else Effect.NOTHING
    return after, effect


def with_grant(state: State, entry: Entry) -> State:
    """Lifts an older "no". The younger grant counts; of two of the same moment the weaker, which promises less.

    A grant for no program is no grant.
    """
    if entry.program_id is None:
        return state
    state = replace(state, resumed_at=later(state.resumed_at, entry.occurred_at))
    new = Grant(entry.level, entry.occurred_at)
    old = state.grants.get(entry.program_id)
    if old is not None and (old.since, -old.level.rank) >= (new.since, -new.level.rank):
        return state
    return replace(state, grants={**state.grants, entry.program_id: new})


def fold(entries: Iterable[Entry]) -> State:
    """The state after all events of one brand and number, whatever their order."""
    state = State()
    for entry in entries:
        state = moved(state, entry)
    return state
