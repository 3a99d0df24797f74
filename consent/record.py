"""Everything that is on record about one number, with what proves it: for the person, for counsel, for a court.

It is checked while it is read, event by event and apart from ``verification``, which checks whole tables in SQL.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db import connection
from django.db.models import Case, Exists, OuterRef, Q, QuerySet, Subquery, When

from consent import folding
from consent.ledger import chained, digest
from consent.models import GENESIS, ConsentEvent, Decision, Disclosure, Evidence, Hold, Review, Standing, Subject
from consent.purposes import Category, Kind

CONSENTS = frozenset({Kind.REQUESTED, Kind.GRANTED, Kind.CONFIRMED})


class Field(StrEnum):
    """What 16 CFR 310.5(a)(8) wants kept of a consent. Its sixth is billing, which is not done here."""

    PERSON = "name and telephone number"
    REQUEST = "a copy of the request for consent, as it was presented"
    PURPOSE = "what the consent was asked for"
    CONSENT = "a copy of the consent"
    DATE = "the date"


# The evidence of which any one is such a copy: as the person saw it, and as they answered.
REQUEST = frozenset({"page", "document", "disclosure", "words"})
CONSENT = frozenset({"words", "said", "document", "page"})


def lacking(*, names: Iterable[str], has_number: bool, has_program: bool, advertises: bool = True) -> list[Field]:
    """Which fields evidence of these names (``proof`` has them), kept and not erased, leaves open.

    The rule is about telemarketing: who only reminds or informs may know a number by itself, as a keyword leaves it.
    """
    kept = set(names)
    is_there = {
        Field.PERSON: has_number and ("name" in kept or not advertises),
        Field.REQUEST: bool(kept & REQUEST),
        Field.PURPOSE: has_program,
        Field.CONSENT: bool(kept & CONSENT),
        Field.DATE: True,  # the ledger takes no event without
    }
    return [name for name in Field if not is_there[name]]


def incomplete(event: ConsentEvent, history: Iterable[ConsentEvent]) -> list[Field]:
    """What the record of a consent lacks; empty for whatever is no consent. A YES rests on the question that it answers
    as well, which is looked for in the number's ``history``."""
    if event.kind not in CONSENTS:
        return []
    events = [event]
    if event.kind == Kind.CONFIRMED:
        asked = [it for it in history if it.kind == Kind.REQUESTED and it.program_id == event.program_id]
        events += sorted((it for it in asked if it.seq < event.seq), key=lambda it: it.seq)[-1:]
    return lacking(
        names=[proof.name for it in events for proof in it.evidence.all() if proof.value],
        has_number=event.subject.phone is not None,
        has_program=event.program_id is not None,
        advertises=event.program is None or event.program.category == Category.PROMOTIONAL,
    )


def only_incomplete(events: QuerySet[ConsentEvent]) -> QuerySet[ConsentEvent]:
    """Those of which ``incomplete`` says that something lacks, for lists."""
    asked = ConsentEvent.objects.filter(
        subject=OuterRef("subject"), program=OuterRef("program"), kind=Kind.REQUESTED, seq__lt=OuterRef("seq")
    )
    request = Subquery(asked.order_by("-seq").values("pk")[:1])
    shown = events.filter(kind__in=CONSENTS).annotate(asked=Case(When(kind=Kind.CONFIRMED, then=request)))
    kept = Evidence.objects.filter(Q(event=OuterRef("pk")) | Q(event=OuterRef("asked")), value__gt="")
    return shown.filter(
        Q(program=None)
        | Q(subject__phone=None)
        | (Q(program__category=Category.PROMOTIONAL) & ~Exists(kept.filter(name="name")))
        | ~Exists(kept.filter(name__in=REQUEST))
        | ~Exists(kept.filter(name__in=CONSENT))
    )


@dataclass(frozen=True)
class Sealed:
    """A seal that holds an event of this number: at this place its chain had this hash when the seal was made."""

    seq: int
    sealed_at: datetime
    hash: str
    prev_hash: str
    place: int
    event_hash: str
    is_intact: bool


@dataclass(frozen=True, kw_only=True)
class Record:
    """One number's record as of a moment. ``problems`` is empty when every row is what was written once."""

    as_of: datetime
    subject: Subject
    events: list[ConsentEvent]
    standings: list[Standing]
    decisions: list[Decision]
    reviews: list[Review]
    holds: list[Hold]
    seals: list[Sealed]
    disclosures: dict[int, Disclosure]
    problems: list[str] = field(default_factory=list)

    @property
    def sealed_up_to(self) -> int:
        """The place up to which an intact seal proves the chain."""
        return max((seal.place for seal in self.seals if seal.is_intact), default=0)

    def disclosure_of(self, event: ConsentEvent) -> Disclosure | None:
        """The wording that the person had before them, where the event's evidence names one."""
        return self.disclosures.get(disclosure_id(event) or 0)


def read(subject: Subject, *, now: datetime) -> Record:
    """Nine statements, whatever there is; the caller's transaction decides whether they see one moment."""
    related = ("brand", "program__brand")
    chain = ConsentEvent.objects.filter(subject=subject).order_by("seq").select_related("subject", *related)
    events = list(chain.prefetch_related("evidence"))
    standings = list(Standing.objects.filter(subject=subject).select_related("brand").order_by("brand_id"))
    seals = list(sealed(subject))
    return Record(
        as_of=now,
        subject=subject,
        events=events,
        standings=standings,
        decisions=list(Decision.objects.filter(subject=subject).select_related(*related).order_by("pk")),
        reviews=list(Review.objects.filter(subject=subject).select_related("brand", "decided_by").order_by("pk")),
        holds=list(Hold.objects.filter(phone_hash=subject.phone_hash).order_by("pk")),
        seals=seals,
        disclosures=Disclosure.objects.in_bulk(filter(None, map(disclosure_id, events))),
        problems=[
            *broken_chain(subject, events),
            *(problem for event in events for problem in broken_evidence(event)),
            *broken_standings(events, standings),
            *broken_seals(events, seals),
        ],
    )


def disclosure_id(event: ConsentEvent) -> int | None:
    """Evidence names a disclosure by its id, then its hash: “12 v3 en sha256:…”."""
    named = next((proof.value or "" for proof in event.evidence.all() if proof.name == "disclosure"), "")
    found, _, _ = named.partition(" ")
    return int(found) if found.isascii() and found.isdecimal() and len(found) < 19 else None


# The next few seals after an event are those that can hold it: one is made each minute, and a chain that was just being
# written to waits for the next. Their text names other numbers too, so only what is about this one leaves.
SEALS = """
SELECT DISTINCT seal.seq, seal.sealed_at, seal.hash, seal.prev_hash, (head->>1)::bigint, head->>2,
    seal.hash = encode(sha256(convert_to(seal.prev_hash || seal.body, 'UTF8')), 'hex')
FROM consent_consentevent event
CROSS JOIN LATERAL (
    SELECT * FROM consent_seal WHERE sealed_at >= event.recorded_at ORDER BY sealed_at LIMIT 5
) seal
CROSS JOIN LATERAL jsonb_array_elements(seal.body::jsonb->'heads') head
WHERE event.subject_id = %s AND position(%s IN seal.body) > 0 AND head->>0 = %s
ORDER BY seal.seq
"""


def sealed(subject: Subject) -> Iterator[Sealed]:
    with connection.cursor() as cursor:
        cursor.execute(SEALS, [subject.pk, subject.phone_hash, subject.phone_hash])
        yield from (Sealed(*row) for row in cursor.fetchall())


def broken_chain(subject: Subject, events: Sequence[ConsentEvent]) -> Iterator[str]:
    before = GENESIS
    for place, event in enumerate(events, start=1):
        if event.seq != place:
            yield f"Place {place}: an event is missing."
            return
        if event.prev_hash != before or event.hash != chained(event.prev_hash, event.body):
            yield f"Place {place}: the hash does not cover its text and the event before."
        elif not says_the_same(event):
            yield f"Place {place}: the columns do not say what the text says."
        before = event.hash
    if (subject.head_seq, subject.head_hash) != (len(events), before):
        yield "The chain does not end where the number says."


def says_the_same(event: ConsentEvent) -> bool:
    """Whether the columns repeat the text that the hash covers."""
    told, columns = (
        told_by(event),
        {
            "number": event.subject.phone_hash,
            "seq": event.seq,
            "brand": event.brand_id,
            "program": event.program_id,
            "kind": event.kind,
            "source": event.source,
            "effect": event.effect,
            "message": event.message_ref,
        },
    )
    with suppress(TypeError, ValueError):
        times = [datetime.fromisoformat(told.get(name, "")) for name in ("occurred_at", "recorded_at")]
        return columns.items() <= told.items() and times == [event.occurred_at, event.recorded_at]
    return False


def told_by(event: ConsentEvent) -> dict[str, Any]:
    """An event's text, parsed; what somebody broke says nothing."""
    try:
        told = event.facts
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def broken_evidence(event: ConsentEvent) -> Iterator[str]:
    proofs: Mapping[str, Evidence] = {proof.name: proof for proof in event.evidence.all()}
    recorded = told_by(event).get("evidence", {})
    for name in sorted(recorded.keys() | proofs.keys()):
        if name not in proofs:
            yield f"Place {event.seq}: its evidence “{name}” was removed, not erased."
        elif not is_genuine(proofs[name], recorded.get(name)):
            yield f"Place {event.seq}: its evidence “{name}” is not what was recorded."


def is_genuine(proof: Evidence, recorded: str | None) -> bool:
    """What was erased is, as long as its digest stands."""
    if proof.value is None or proof.salt is None:
        return proof.value is proof.salt and proof.digest == recorded
    return proof.digest == recorded == digest(proof.salt, proof.value)


def broken_standings(events: Sequence[ConsentEvent], standings: Sequence[Standing]) -> Iterator[str]:
    for standing in standings:
        entries = []
        for event in events:
            with suppress(ValueError):  # its own problem is told already
                entries += [event.entry] if event.brand_id == standing.brand_id else []
        if standing.state != folding.fold(entries):
            yield f"{standing.brand}: what counts today is not what the ledger says."


def broken_seals(events: Sequence[ConsentEvent], seals: Sequence[Sealed]) -> Iterator[str]:
    by_place = {event.seq: event.hash for event in events}
    for seal in seals:
        if not seal.is_intact:
            yield f"Seal {seal.seq}: its hash does not cover its text."
        elif by_place.get(seal.place) != seal.event_hash:
            yield f"Seal {seal.seq}: the event that it sealed at place {seal.place} is not there."


def as_json(record: Record) -> dict[str, Any]:
    """The record in JSON's terms; each event's ``body`` to the byte, so that anybody can compute its hash again."""
    subject = record.subject
    return {
        "as_of": record.as_of.isoformat(),
        "number": subject.phone,
        "number_hash": subject.phone_hash,
        "how_to_check": (
            "hash = SHA-256(prev_hash + body), in UTF-8, 64 hex digits; the first prev_hash is 64 zeros. "
            "digest = SHA-256(salt + value). A seal proves its place of the chain and all before."
        ),
        "problems": record.problems,
        "sealed_up_to": record.sealed_up_to,
        "events": [
            {
                "place": event.seq,
                "brand": event.brand.name,
                "program": event.program.name if event.program else None,
                "kind": event.kind,
                "source": event.source,
                "effect": event.effect,
                "occurred_at": event.occurred_at.isoformat(),
                "recorded_at": event.recorded_at.isoformat(),
                "lacks": [str(name) for name in incomplete(event, record.events)],
                "body": event.body,
                "prev_hash": event.prev_hash,
                "hash": event.hash,
                "evidence": [
                    {"name": proof.name, "value": proof.value, "salt": proof.salt, "digest": proof.digest}
                    for proof in event.evidence.all()
                ],
            }
            for event in record.events
        ],
        "disclosures": [
            {
                "id": shown.pk,
                "program": shown.program_id,
                "version": shown.version,
                "language": shown.language,
                "text": shown.text,
                "sha256": shown.sha256,
            }
            for shown in record.disclosures.values()
        ],
        "standings": [
            {
                "brand": standing.brand.name,
                "is_opted_out": standing.state.is_suppressed,
                "revoked_at": stamp(standing.revoked_at),
                "resumed_at": stamp(standing.resumed_at),
                "grants": standing.grants,
            }
            for standing in record.standings
        ],
        "decisions": [
            {
                "message": str(decision.message_ref),
                "brand": decision.brand.name,
                "purpose": decision.purpose,
                "verdict": decision.verdict,
                "reasons": decision.reasons,
                "held_until": stamp(decision.held_until),
                "facts": decision.facts,
                "rules_version": decision.rules_version,
                "ledger_place": decision.ledger_seq,
                "decided_at": decision.decided_at.isoformat(),
            }
            for decision in record.decisions
        ],
        "reviews": [
            {
                "brand": review.brand.name,
                "due_at": review.due_at.isoformat(),
                "decided_at": stamp(review.decided_at),
                "decided_by": str(review.decided_by or ""),
            }
            for review in record.reviews
        ],
        "holds": [
            {"reason": hold.reason, "since": hold.since.isoformat(), "released_at": stamp(hold.released_at)}
            for hold in record.holds
        ],
        "seals": [
            {
                "seq": seal.seq,
                "sealed_at": seal.sealed_at.isoformat(),
                "hash": seal.hash,
                "prev_hash": seal.prev_hash,
                "place": seal.place,
                "event_hash": seal.event_hash,
                "is_intact": seal.is_intact,
            }
            for seal in record.seals
        ],
    }


def stamp(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
