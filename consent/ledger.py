"""The append-only ledger: the only way a consent event is ever written."""

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import F

from consent import folding, rulebook
from consent.models import GENESIS, ConsentEvent, Evidence, Review, Seal, Standing, Subject
from consent.purposes import Category, Kind, Level, Source

HEADS_PER_SEAL = 1000
SEALING_LOCK = 0x5EA1  # any number, the same in every process


@dataclass(frozen=True, kw_only=True)
class Report:
    """Something that happened between a number and a brand, before it is recorded.

    ``occurred_at`` is when the person acted; ``scope`` the only category that a revocation is about; ``rule`` what was
    recognised ("keyword:STOP"); ``message_ref`` the carrier's id of the text; ``evidence`` erasable proof by name
    ("words", "ip", …). A confirmation that ``only_proves`` a consent, by one thing more, answers no question.
    """

    phone: str
    brand_id: int
    kind: Kind
    source: Source
    occurred_at: datetime
    program_id: int | None = None
    level: Level = Level.NONE
    scope: Category | None = None
    rule: str = ""
    actor_id: int | None = None
    message_ref: str = ""
    only_proves: bool = False
    evidence: Mapping[str, str] = field(default_factory=dict)


def canonical(value: Any) -> str:
    """JSON with one spelling: sorted keys, no spaces, characters as they are."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def chained(prev_hash: str, body: str) -> str:
    """SHA-256 over the hash before and the text, 64 hex digits; the database checks the same sum."""
    return hashlib.sha256((prev_hash + body).encode()).hexdigest()


def digest(salt: str, value: str) -> str:
    return hashlib.sha256((salt + value).encode()).hexdigest()


def record(*, now: datetime, report: Report) -> ConsentEvent:
    """One event; see ``record_many``."""
    return record_many([report], now=now)[0]


def record_many(reports: Sequence[Report], *, now: datetime) -> list[ConsentEvent]:
    """Writes events in the order given and brings the standings up to date; all or nothing.

    Takes the standing rows' locks, then the chains', and holds them until the caller's transaction ends. The statements
    do not grow in number with the reports. Times later than ``now`` are taken as ``now``: no clock but ours may reach
    into the future.
    """
    if not reports:
        return []
    with transaction.atomic():
        subjects = Subject.objects.for_phones(report.phone for report in reports)
        pairs = [(subjects[report.phone].pk, report.brand_id) for report in reports]
        standings = Standing.objects.locked(pairs)
        heads = {
            subject.pk: subject
            for subject in Subject.objects.filter(pk__in={subject_id for subject_id, _ in pairs})
            .order_by("pk")
            .select_for_update(no_key=True)
        }
        events, evidence = [], []
        for report, pair in zip(reports, pairs, strict=True):
            event, proofs = linked(report, heads[pair[0]], standings[pair], now)
            events.append(event)
            evidence += proofs
        insert(events, evidence)
        save(list(heads.values()), list(standings.values()))
        Review.objects.open_for([event for event in events if event.kind == Kind.SUSPECTED])
    return events


# Four statements for any batch, by hand: compiling ``bulk_create`` and ``bulk_update`` took longer than all the rest.
EVENT_COLUMNS = {
    "subject_id": "bigint",
    "seq": "bigint",
    "brand_id": "bigint",
    "program_id": "bigint",
    "kind": "text",
    "source": "text",
    "effect": "text",
    "occurred_at": "timestamptz",
    "recorded_at": "timestamptz",
    "message_ref": "text",
    "body": "text",
    "prev_hash": "text",
    "hash": "text",
}
EVENTS = f"""
INSERT INTO consent_consentevent ({", ".join(EVENT_COLUMNS)})
SELECT * FROM unnest({", ".join(f"%s::{kind}[]" for kind in EVENT_COLUMNS.values())})
RETURNING hash, id
"""  # noqa: S608 our own words
EVIDENCE = """
INSERT INTO consent_evidence (event_id, name, value, salt, digest)
SELECT * FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[])
"""


def insert(events: Sequence[ConsentEvent], evidence: Sequence[Evidence]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(EVENTS, [[getattr(event, name) for event in events] for name in EVENT_COLUMNS])
        ids = dict(cursor.fetchall())
        for event in events:
            event.pk = ids[event.hash]
        if evidence:
            columns = [[getattr(proof, name) for proof in evidence] for name in ("name", "value", "salt", "digest")]
            cursor.execute(EVIDENCE, [[proof.event.pk for proof in evidence], *columns])


HEADS = """
UPDATE consent_subject subject SET head_seq = moved.seq, head_hash = moved.hash
FROM unnest(%s::bigint[], %s::bigint[], %s::text[]) AS moved (id, seq, hash)
WHERE subject.id = moved.id
"""
STANDINGS = """
UPDATE consent_standing standing
SET revoked_at = now.revoked_at, resumed_at = now.resumed_at, suspected_at = now.suspected_at,
    cleared_at = now.cleared_at, grants = now.grants, requests = now.requests,
    partly_revoked_at = now.partly_revoked_at, version = now.version
FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[], %s::jsonb[],
    %s::jsonb[], %s::jsonb[], %s::bigint[])
    AS now (id, revoked_at, resumed_at, suspected_at, cleared_at, grants, requests, partly_revoked_at, version)
WHERE standing.id = now.id
"""


def save(heads: Sequence[Subject], standings: Sequence[Standing]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            HEADS, [[row.pk for row in heads], [row.head_seq for row in heads], [row.head_hash for row in heads]]
        )
        cursor.execute(
            STANDINGS,
            [
                [row.pk for row in standings],
                [row.revoked_at for row in standings],
                [row.resumed_at for row in standings],
                [row.suspected_at for row in standings],
                [row.cleared_at for row in standings],
                [canonical(row.grants) for row in standings],
                [canonical(row.requests) for row in standings],
                [canonical(row.partly_revoked_at) for row in standings],
                [row.version for row in standings],
            ],
        )


def linked(report: Report, head: Subject, standing: Standing, now: datetime) -> tuple[ConsentEvent, list[Evidence]]:
    """The event at the end of its number's chain, with head and standing moved on (not yet saved)."""
    occurred_at = min(report.occurred_at, now)
    before = standing.state
    may_lift = report.source in folding.MAY_LIFT_A_NO or not before.has_any_no
    if report.kind == Kind.CONFIRMED:  # of what is asked for now, under the lock
        within = timedelta(hours=int(rulebook.value("confirmation.double_opt_in_hours", now.date())))
        level = folding.confirmed_level(before, report.program_id, occurred_at, within)
        report = replace(report, level=level if may_lift and not report.only_proves else Level.NONE)
    if report.kind == Kind.GRANTED and not may_lift:
        report = replace(report, kind=Kind.REQUESTED)
    is_of_the_phone = report.source in folding.MAY_LIFT_A_NO
    entry = folding.Entry(
        report.kind, occurred_at, report.program_id, report.level, report.scope, may_lift=is_of_the_phone
    )
    standing.state, effect = folding.apply(before, entry)
    if standing.state != before:
        standing.version += 1
    salts = {name: secrets.token_hex(16) for name in report.evidence}
    digests = {name: digest(salts[name], value) for name, value in report.evidence.items()}
    head.head_seq += 1
    body = canonical(
        {
            "v": 1,
            "number": head.phone_hash,
            "seq": head.head_seq,
            "brand": report.brand_id,
            "program": report.program_id,
            "kind": report.kind,
            "level": report.level,
            "scope": report.scope or "",
            "source": report.source,
            "effect": effect,
            "rule": report.rule,
            "actor": report.actor_id,
            "message": report.message_ref,
            "occurred_at": occurred_at.isoformat(),
            "recorded_at": now.isoformat(),
            "evidence": digests,
        }
    )
    event = ConsentEvent(
        subject=head,
        seq=head.head_seq,
        brand_id=report.brand_id,
        program_id=report.program_id,
        kind=report.kind,
        source=report.source,
        effect=effect,
        occurred_at=occurred_at,
        recorded_at=now,
        message_ref=report.message_ref,
        body=body,
        prev_hash=head.head_hash,
        hash=chained(head.head_hash, body),
    )
    head.head_hash = event.hash
    return event, [
        Evidence(event=event, name=name, value=value, salt=salts[name], digest=digests[name])
        for name, value in report.evidence.items()
    ]


def is_seal_due(*, now: datetime, every: timedelta) -> bool:
    """Whether a chain moved and the last seal is that old."""
    is_recent = Seal.objects.filter(sealed_at__gt=now - every, sealed_at__lte=now).exists()
    return not is_recent and Subject.objects.filter(head_seq__gt=F("sealed_seq")).exists()


def seal(*, now: datetime) -> Seal | None:
    """Roots the chains that moved since the last seal in a new one linked to it; ``None`` when nothing moved.

    Any number of processes may call it: one at a time seals, and a chain being written to right now is left for the
    next seal.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [SEALING_LOCK])
        if cursor.fetchone() != (True,):
            return None
        last = Seal.objects.order_by("-seq").first()
        moved = list(
            Subject.objects.filter(head_seq__gt=F("sealed_seq"))
            .order_by("pk")
            .select_for_update(no_key=True, skip_locked=True)[:HEADS_PER_SEAL]
        )
        if not moved:
            return None
        for subject in moved:
            subject.sealed_seq = subject.head_seq
        Subject.objects.bulk_update(moved, ["sealed_seq"])
        seq, prev_hash = (last.seq + 1, last.hash) if last else (1, GENESIS)
        heads = sorted([subject.phone_hash, subject.head_seq, subject.head_hash] for subject in moved)
        body = canonical({"v": 1, "seq": seq, "at": now.isoformat(), "heads": heads})
        return Seal.objects.create(
            seq=seq, sealed_at=now, body=body, prev_hash=prev_hash, hash=chained(prev_hash, body)
        )
