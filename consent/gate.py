"""The one gate that every outbound message passes at the moment of sending. There is no way around it."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import BooleanField, Max, Q
from django.db.models.expressions import RawSQL

from consent import policy, rulebook, zones
from consent.folding import State
from consent.models import ConsentEvent, Decision, Hold, Program, Standing, Subject
from consent.policy import Facts, Ruling
from consent.purposes import Category, Kind, Level, Purpose, Source, Verdict

NOWHERE: frozenset[str] = frozenset()
# Enums look their members up by name more slowly than a dictionary does.
CATEGORIES = {str(category): category for category in Category}
LEVELS = {str(level): level for level in Level}


@dataclass(frozen=True, kw_only=True)
class Request:
    """May this message be sent? ``message_ref`` is its own id; ``wrote_at`` when the person last texted this line;
    ``postal_code`` where they live and ``time_zone`` what somebody noted of them, if anybody knows."""

    message_ref: UUID
    subject_id: int
    brand_id: int
    purpose: Purpose
    program_id: int | None = None
    wrote_at: datetime | None = None
    postal_code: str | None = None
    time_zone: str = ""


def decide(requests: Sequence[Request], *, now: datetime) -> dict[UUID, Decision]:
    """Decides and records, by ``message_ref``. Must run in the transaction that acts on the verdicts: the standing rows
    stay locked until it ends, so that no message is allowed after a STOP has committed.

    A fixed number of statements for any number of requests. Raises ``TransactionManagementError`` outside a
    transaction.
    """
    transaction.get_connection().validate_no_broken_transaction()
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("gate.decide belongs in the transaction that sends")
    Hold.objects.lock_out_new_ones()
    standings = Standing.objects.locked((request.subject_id, request.brand_id) for request in requests)
    judged = in_turn(requests, gathered(requests, standings, now=now), now=now)
    # Under the standings' locks, so that no event of these brands can be at a later place and yet seen.
    heads = dict(Subject.objects.filter(pk__in={pk for pk, _ in standings}).values_list("pk", "head_seq"))
    version = rulebook.version()
    decisions = [
        Decision(
            message_ref=request.message_ref,
            subject_id=request.subject_id,
            brand_id=request.brand_id,
            program_id=request.program_id,
            purpose=request.purpose,
            verdict=ruling.verdict,
            reasons=list(ruling.reasons),
            held_until=ruling.held_until,
            facts=as_json(case),
            rules_version=version,
            ledger_seq=heads[request.subject_id],
            decided_at=now,
        )
        for request, (case, ruling) in zip(requests, judged, strict=True)
    ]
    Decision.objects.bulk_create(decisions)
    return {decision.message_ref: decision for decision in decisions}


def in_turn(requests: Sequence[Request], facts: Sequence[Facts], *, now: datetime) -> list[tuple[Facts, Ruling]]:
    """Each one's facts and ruling: a promotion that passes counts for those behind it to the same number and brand."""
    known: dict[Facts, Ruling] = {}
    passed: Counter[tuple[int, int]] = Counter()
    judged = []
    for request, case in zip(requests, facts, strict=True):
        pair = (request.subject_id, request.brand_id)
        is_counted = case.category == Category.PROMOTIONAL and case.purpose in policy.UNASKED
        if is_counted and passed[pair]:
            case = replace(case, recent=(*case.recent, *[now] * passed[pair]))
        ruling = known.get(case)
        if ruling is None:
            ruling = known[case] = policy.decide(case, now)
        passed[pair] += is_counted and ruling.verdict == Verdict.ALLOWED
        judged.append((case, ruling))
    return judged


def preview(request: Request, standing: Standing | None = None, *, now: datetime) -> Ruling:
    """What the gate would say now: no lock, no record. For screens only; sending always asks ``decide``."""
    if standing is None:
        standing = Standing.objects.filter(subject_id=request.subject_id, brand_id=request.brand_id).first()
    return previews([request], standing or Standing(), now=now)[0]


def previews(
    requests: Sequence[Request],
    standing: Standing,
    *,
    now: datetime,
    programs: Mapping[int, Program] | None = None,
    phones: Mapping[int, str | None] | None = None,
) -> list[Ruling]:
    """The same for several messages to one number of one brand, in order. Programs and numbers that the caller has
    just read, by id, are not read again."""
    standings = {(request.subject_id, request.brand_id): standing for request in requests}
    gathering = gathered(requests, standings, now=now, programs=programs, phones=phones)
    return [policy.decide(facts, now) for facts in gathering]


def gathered(
    requests: Sequence[Request],
    standings: Mapping[tuple[int, int], Standing],
    *,
    now: datetime,
    programs: Mapping[int, Program] | None = None,
    phones: Mapping[int, str | None] | None = None,
) -> list[Facts]:
    """The facts of each request, in order."""
    if programs is None:
        programs = Program.objects.in_bulk({request.program_id for request in requests if request.program_id})
    on_hold = held({request.subject_id for request in requests})
    unasked = [request for request in requests if request.purpose in policy.UNASKED]
    if phones is None:
        asked = Subject.objects.filter(pk__in={request.subject_id for request in unasked})
        phones = dict(asked.values_list("pk", "phone"))
    lately = promoted(unasked, programs, now=now)
    anew = asked_anew(requests, standings, programs)
    return [
        facts_of(
            Purpose(request.purpose),
            standings[request.subject_id, request.brand_id].state,
            programs.get(request.program_id or 0),
            phone=phones.get(request.subject_id) or "",
            postal_code=request.postal_code,
            time_zone=request.time_zone,
            is_on_hold=request.subject_id in on_hold,
            wrote_at=request.wrote_at,
            recent=lately.get((request.subject_id, request.brand_id), ()),
            has_asked_anew=request.message_ref in anew,
        )
        for request in requests
    ]


def facts_of(
    purpose: Purpose,
    state: State,
    program: Program | None,
    *,
    phone: str,
    postal_code: str | None,
    time_zone: str,
    is_on_hold: bool,
    wrote_at: datetime | None,
    recent: tuple[datetime, ...],
    has_asked_anew: bool = False,
) -> Facts:
    """What the policy needs to know of one message. Only what can matter to its purpose: the fewer facts differ, the
    fewer rulings a million messages need."""
    category = CATEGORIES[program.category] if program else None
    is_unasked = purpose in policy.UNASKED
    about = category or (Category.CONVERSATIONAL if purpose in policy.CONVERSING else None)
    return Facts(
        purpose=purpose,
        is_suppressed=state.is_suppressed_for(about),
        is_suspected=state.is_suspected,
        is_on_hold=is_on_hold,
        revoked_at=None if is_unasked else state.no_to(about),
        wrote_at=None if is_unasked else wrote_at,
        level_needed=LEVELS[program.consent_level] if program else Level.NONE,
        level_held=state.level(program.pk, category) if program else Level.NONE,
        is_program_active=program.is_active if program else True,
        is_awaiting_yes=not is_unasked and program is not None and state.request(program.pk) is not None,
        category=category,
        zones=zones.reaching(phone, postal_code, time_zone) if is_unasked else NOWHERE,
        regions=zones.regions(phone, postal_code) if is_unasked else NOWHERE,
        recent=recent,
        has_asked_anew=has_asked_anew,
    )


def asked_anew(
    requests: Sequence[Request], standings: Mapping[tuple[int, int], Standing], programs: Mapping[int, Program]
) -> set[UUID]:
    """Those of these questions that answer the phone's own keyword, texted after its last "no": nobody else, and no
    form, can ask for it then."""
    said_no = {}
    for one in requests:
        program = programs.get(one.program_id or 0)
        if program is not None and one.purpose == Purpose.DOUBLE_OPT_IN:
            state, category = standings[one.subject_id, one.brand_id].state, CATEGORIES[program.category]
            if state.is_suppressed_for(category) and (said_at := state.no_to(category)):
                said_no[one.message_ref] = (one.subject_id, program.pk, said_at)
    if not said_no:
        return set()
    asked = (
        ConsentEvent.objects.filter(
            subject__in={subject for subject, _, _ in said_no.values()},
            program__in={program for _, program, _ in said_no.values()},
            kind=Kind.REQUESTED,
            source=Source.KEYWORD,
        )
        .order_by()
        .values_list("subject_id", "program_id")
        .annotate(at=Max("occurred_at"))
    )
    last = {(subject, program): at for subject, program, at in asked}
    return {
        ref for ref, (subject, program, said_at) in said_no.items() if said_at < last.get((subject, program), said_at)
    }


def held(subject_ids: Collection[int]) -> set[int]:
    """Those of these numbers that nobody may text before a person has looked."""
    holds = Hold.objects.filter(released_at=None)
    is_held = Q(phone_hash__in=holds.values("phone_hash")) | Q(phone__in=holds.values("phone"))
    return set(Subject.objects.filter(is_held, among("id", subject_ids)).values_list("pk", flat=True))


def among(column: str, ids: Collection[int]) -> RawSQL:
    """As ``__in``, for thousands: one array instead of a placeholder for each."""
    return RawSQL(f"{column} = ANY(%s)", [list(ids)], output_field=BooleanField())  # noqa: S611 our own words


def promoted(
    requests: Sequence[Request], programs: Mapping[int, Program], *, now: datetime
) -> dict[tuple[int, int], tuple[datetime, ...]]:
    """``promoted_lately`` for those of these requests that caps are about; a message that asks again does not count
    itself."""
    promotional = [one for one in requests if is_promotional(programs.get(one.program_id or 0))]
    if not promotional:
        return {}
    return promoted_lately(
        {one.subject_id for one in promotional},
        {one.brand_id for one in promotional},
        now=now,
        besides=[one.message_ref for one in promotional],
    )


def promoted_lately(
    subject_ids: Collection[int], brand_ids: Collection[int], *, now: datetime, besides: Collection[UUID] = ()
) -> dict[tuple[int, int], tuple[datetime, ...]]:
    """When these numbers were texted promotions by these brands within the window that caps count, each once. A message
    that was allowed counts, whatever became of it."""
    window = timedelta(hours=int(rulebook.value("caps.window_hours", now.date())))
    counted = (
        Decision.objects.filter(
            among("subject_id", subject_ids),
            brand__in=brand_ids,
            program__category=Category.PROMOTIONAL,
            purpose__in=list(policy.UNASKED),
            verdict=Verdict.ALLOWED,
            decided_at__gt=now - window,
        )
        .exclude(message_ref__in=besides)
        .values("subject_id", "brand_id", "message_ref")
        .annotate(at=Max("decided_at"))
        .order_by("at")
    )
    times = defaultdict(list)
    for row in counted:
        times[row["subject_id"], row["brand_id"]].append(row["at"])
    return {pair: tuple(moments) for pair, moments in times.items()}


def is_promotional(program: Program | None) -> bool:
    return program is not None and program.category == Category.PROMOTIONAL


def as_json(facts: Facts) -> dict[str, Any]:
    return {name: plain(value) for name, value in asdict(facts).items()}


def plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, frozenset | tuple):
        return sorted(map(plain, value))
    return value
