"""What the gate would say now to each of very many people: before a campaign, how many are held back and why.

The same facts and the same ``policy.decide``, asked once for each distinct set of facts; nothing is locked or recorded.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from django.db import connection

from consent import gate, policy
from consent.folding import Grant, State
from consent.models import Program
from consent.policy import Facts, Ruling
from consent.purposes import Category, Purpose

AT_ONCE = 10_000

Person = tuple[int, str, str]  # a subject's id, a postal code or nothing, a noted time zone or nothing

# Both tables by the same ids: else the planner reads all standings for each ten thousand.
STANDINGS = """
SELECT subject.id, subject.phone,
    standing.revoked_at, standing.resumed_at, standing.suspected_at, standing.cleared_at,
    standing.grants->%(program)s->>'level', standing.grants->%(program)s->>'since',
    standing.partly_revoked_at->>%(category)s
FROM consent_subject subject
LEFT JOIN (
    SELECT * FROM consent_standing WHERE subject_id = ANY(%(subjects)s) AND brand_id = %(brand)s
) standing ON standing.subject_id = subject.id
WHERE subject.id = ANY(%(subjects)s)
"""


def rulings(
    people: Iterable[Person], *, program: Program, purpose: Purpose, now: datetime
) -> Iterator[tuple[int, Ruling]]:
    """Each person's subject id and ruling, in no order. Three statements for ten thousand people, whose rows are all
    that is in memory."""
    known: dict[Facts, Ruling] = {}
    left = iter(people)
    while some := list(islice(left, AT_ONCE)):
        for subject_id, facts in facts_about(some, program=program, purpose=purpose, now=now):
            ruling = known.get(facts)
            if ruling is None:
                ruling = known[facts] = policy.decide(facts, now)
            yield subject_id, ruling


def facts_about(
    people: Sequence[Person], *, program: Program, purpose: Purpose, now: datetime
) -> Iterator[tuple[int, Facts]]:
    places = {subject_id: (postal_code, time_zone) for subject_id, postal_code, time_zone in people}
    on_hold = gate.held(places)
    counts = gate.is_promotional(program)
    lately = gate.promoted_lately(places, [program.brand_id], now=now) if counts else {}
    parameters: dict[str, Any] = {
        "program": str(program.pk),
        "category": program.category,
        "brand": program.brand_id,
        "subjects": list(places),
    }
    with connection.cursor() as cursor:
        cursor.execute(STANDINGS, parameters)
        rows = cursor.fetchall()
    for subject_id, phone, revoked_at, resumed_at, suspected_at, cleared_at, level, since, partly in rows:
        state = State(
            revoked_at,
            resumed_at,
            suspected_at,
            cleared_at,
            {program.pk: Grant(gate.LEVELS[level], datetime.fromisoformat(since))} if level else {},
            {},
            {Category(program.category): datetime.fromisoformat(partly)} if partly else {},
        )
        yield (
            subject_id,
            gate.facts_of(
                purpose,
                state,
                program,
                phone=phone or "",
                postal_code=places[subject_id][0] or None,
                time_zone=places[subject_id][1],
                is_on_hold=subject_id in on_hold,
                wrote_at=None,
                recent=lately.get((subject_id, program.brand_id), ()),
            ),
        )
