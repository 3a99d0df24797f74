"""From the ledger to a standing: a pure fold.

Every field is a maximum over times that the events carry, so the order in which events arrive does not matter: a START
that is older than the last revocation changes nothing whenever it is read, and ties revoke.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from consent.purposes import Category, Effect, Kind, Level, Source

# Anybody can type a number into a form, or another date on a slip: after a "no", only the phone itself says "yes".
MAY_LIFT_A_NO = frozenset({Source.KEYWORD})
GRANTS = frozenset({Kind.GRANTED, Kind.CONFIRMED})
# Whose text says more than the columns repeat: a level, a scope.
TELLING = GRANTS | {Kind.REQUESTED, Kind.REVOKED}


@dataclass(frozen=True)
class Grant:
    """Somebody agreed (or asked to) to one program at one level."""

    level: Level
    since: datetime


@dataclass(frozen=True)
class Entry:
    """What the fold needs to know of one event. ``occurred_at`` is when the person acted (carrier time). ``scope`` is
    the only category that a revocation is about; without one it is about everything. ``may_lift``: it takes back what
    was refused before it, whenever that becomes known."""

    kind: Kind
    occurred_at: datetime
    program_id: int | None = None
    level: Level = Level.NONE
    scope: Category | None = None
    may_lift: bool = True

    @classmethod
    def of(cls, kind: str, occurred_at: datetime, program_id: int | None, body: str) -> "Entry":
        """From a row of the ledger; what its text says more than the columns counts too. Raises ``ValueError``."""
        if kind not in TELLING:
            return cls(Kind(kind), occurred_at, program_id)
        told = json.loads(body)
        scope = told.get("scope")
        return cls(
            Kind(kind),
            occurred_at,
            program_id,
            Level(told.get("level", Level.NONE)),
            Category(scope) if scope else None,
            told.get("source") in MAY_LIFT_A_NO,
        )


@dataclass(frozen=True)
class State:
    """What the ledger says of one brand and number."""

    revoked_at: datetime | None = None
    resumed_at: datetime | None = None
    suspected_at: datetime | None = None
    cleared_at: datetime | None = None
    grants: dict[int, Grant] = field(default_factory=dict)
    requests: dict[int, Grant] = field(default_factory=dict)
    partly_revoked_at: dict[Category, datetime] = field(default_factory=dict)

    @property
    def is_suppressed(self) -> bool:
        """A "no" to everything is in force. Ties revoke."""
        return self.revoked_at is not None and (self.resumed_at is None or self.revoked_at >= self.resumed_at)

    def no_to(self, category: Category | None) -> datetime | None:
        """The last "no" that was about this category, in force or not."""
        partly = self.partly_revoked_at.get(category) if category else None
        return later(self.revoked_at, partly) if partly else self.revoked_at

    def is_suppressed_for(self, category: Category | None) -> bool:
        """A "no" to everything, or to this category, is in force."""
        said = self.no_to(category)
        return said is not None and (self.resumed_at is None or said >= self.resumed_at)

    @property
    def has_any_no(self) -> bool:
        """A "no" to everything or to anything is in force."""
        return any(self.is_suppressed_for(category) for category in (None, *self.partly_revoked_at))

    @property
    def is_suspected(self) -> bool:
        """A text that may have been a "no" waits for a person's judgement."""
        return self.suspected_at is not None and (self.cleared_at is None or self.suspected_at >= self.cleared_at)

    def level(self, program_id: int | None, category: Category | None = None) -> Level:
        """How firmly the number agreed to a program (of this category), counting only what is younger than the last
        revocation; nothing while that is in force."""
        grant = self.grants.get(program_id) if program_id is not None else None
        said = self.no_to(category)
        if grant is None or (said is not None and (grant.since <= said or self.is_suppressed_for(category))):
            return Level.NONE
        return grant.level

    def request(self, program_id: int | None) -> Grant | None:
        """What was asked for and is not answered yet: neither by a grant nor by a "no" since."""
        asked = self.requests.get(program_id) if program_id is not None else None
        if asked is None or (self.revoked_at is not None and asked.since <= self.revoked_at):
            return None
        granted = self.grants.get(program_id) if program_id is not None else None
        return asked if granted is None or granted.since < asked.since else None

    def is_open_since(self, at: datetime, program_id: int, category: Category) -> bool:
        """Whether neither a "no" to a program's category nor a grant of it is younger than what was asked then."""
        granted = self.grants.get(program_id)
        answers = [said for said in (self.no_to(category), granted and granted.since) if said]
        return all(said < at for said in answers)

    def waiting_requests(self) -> list[int]:
        """The programs whose question waits for its answer, the youngest first."""
        waiting = [(request.since, program) for program in self.requests if (request := self.request(program))]
        return [program for _, program in sorted(waiting, reverse=True)]


def later(one: datetime | None, other: datetime) -> datetime:
    return other if one is None or other > one else one


def moved(state: State, entry: Entry) -> State:
    """The state after one more event."""
    at = entry.occurred_at
    if entry.kind == Kind.REVOKED and entry.scope:
        until = later(state.partly_revoked_at.get(entry.scope), at)
        return replace(state, partly_revoked_at={**state.partly_revoked_at, entry.scope: until})
    if entry.kind == Kind.REVOKED:
        return replace(state, revoked_at=later(state.revoked_at, at))
    if entry.kind == Kind.RESUMED:
        return replace(state, resumed_at=later(state.resumed_at, at))
    if entry.kind in {Kind.REQUESTED, Kind.CONFIRMED} and entry.level == Level.NONE:
        return state  # of nothing
    if entry.kind == Kind.REQUESTED:
        return replace(state, requests=with_younger(state.requests, entry))
    if entry.kind in GRANTS:
        return with_grant(state, entry)
    if entry.kind == Kind.SUSPECTED:
        return replace(state, suspected_at=later(state.suspected_at, at))
    return replace(state, cleared_at=later(state.cleared_at, at))


def apply(state: State, entry: Entry) -> tuple[State, Effect]:
    """One more event: the state after it and what it changed."""
    after = moved(state, entry)
    if entry.kind == Kind.REVOKED:
        is_new = after.is_suppressed_for(entry.scope) and not state.is_suppressed_for(entry.scope)
        effect = Effect.SUPPRESSED if is_new else Effect.NOTHING
    elif entry.kind == Kind.RESUMED:
        effect = Effect.RESUMED if state.is_suppressed and not after.is_suppressed else Effect.NOTHING
    elif entry.kind == Kind.REQUESTED:
        is_new = after.request(entry.program_id) != state.request(entry.program_id)
        effect = Effect.REQUESTED if is_new else Effect.NOTHING
    elif entry.kind in GRANTS:
        program = entry.program_id
        is_new = state.is_suppressed != after.is_suppressed or state.level(program) != after.level(program)
        effect = Effect.GRANTED if is_new else Effect.NOTHING
    elif entry.kind == Kind.SUSPECTED:
        effect = Effect.SUSPECTED if after.is_suspected and not state.is_suspected else Effect.NOTHING
    else:
        effect = Effect.CLEARED if state.is_suspected and not after.is_suspected else Effect.NOTHING
    return after, effect


def with_grant(state: State, entry: Entry) -> State:
    """Lifts an older "no", if the phone itself said so. A grant for no program is no grant."""
    if entry.program_id is None:
        return state
    resumed_at = later(state.resumed_at, entry.occurred_at) if entry.may_lift else state.resumed_at
    return replace(state, resumed_at=resumed_at, grants=with_younger(state.grants, entry))


def with_younger(grants: dict[int, Grant], entry: Entry) -> dict[int, Grant]:
    """The younger grant counts; of two of the same moment the weaker, which promises less."""
    if entry.program_id is None:
        return grants
    new = Grant(entry.level, entry.occurred_at)
    old = grants.get(entry.program_id)
    if old is not None and (old.since, -old.level.rank) >= (new.since, -new.level.rank):
        return grants
    return {**grants, entry.program_id: new}


def confirmed_level(state: State, program_id: int | None, at: datetime, within: timedelta) -> Level:
    """What an answer at this time confirms: the level of the request that waits for it, or none."""
    request = state.request(program_id)
    is_in_time = request is not None and timedelta(0) <= at - request.since <= within
    return request.level if request is not None and is_in_time else Level.NONE


def fold(entries: Iterable[Entry]) -> State:
    """The state after all events of one brand and number, whatever their order."""
    state = State()
    for entry in entries:
        state = moved(state, entry)
    return state
