"""The ledger in any order of events, carrier times, batches, crashes, seals and erasures."""

from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import uuid4

import pytest
from django.db import transaction
from django.db.models import F
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule, run_state_machine_as_test

from consent import gate, ledger, verification
from consent.models import ConsentEvent, Evidence, Program, Seal, Subject
from consent.purposes import Category, Effect, Kind, Level, Purpose, Source, Verdict
from tests import factories
from tests.machines.examples import PAUSES, Crash, Example, dies, many

PEOPLE = ("+12015550123", "+12015550124")
# Where a process ends, as the function of the ledger that it does not come to any more; or just before the commit.
CRASHES = st.sampled_from(["linked", "chained", "commit"])


NEVER = datetime.min.replace(tzinfo=UTC)


class Said(NamedTuple):
    """One thing that a number said to a brand, as a plain reader of the ledger keeps it."""

    kind: Kind
    at: datetime
    program: int | None
    level: Level
    scope: Category | None = None
    is_by_form: bool = False


Pair = tuple[str, int]
# Of a brand's two programs. Neither is bound by hours as an alert (``test_policy`` has those).
CATEGORIES = (Category.INFORMATIONAL, Category.CONVERSATIONAL)

reports = st.fixed_dictionaries(
    {
        "phone": st.sampled_from([*3 * PEOPLE[:1], PEOPLE[1]]),
        "brand": st.sampled_from([0, 0, 0, 1]),
        "kind": st.sampled_from(Kind),
        "ago": st.sampled_from(
            [timedelta(minutes=ago) for ago in (0, 0, 1, 3, -1)]
        ),  # the last by a clock that runs ahead
        "program": st.sampled_from([None, 0, 1]),
        "level": st.sampled_from(Level),
        "scope": st.sampled_from([None, None, Category.INFORMATIONAL, Category.PROMOTIONAL]),
        "words": st.sampled_from(["", "Stop it", "I agree"]),
        "is_by_form": st.booleans(),  # somebody asks, and nobody knows whose number it is
    }
)


class LedgerMachine(Example):
    @initialize()
    def nobody_has_said_anything(self) -> None:
        self.brands = [factories.brand(), factories.brand()]
        levels = (Level.EXPRESS, Level.WRITTEN)
        self.programs = [
            [
                factories.program(brand=brand, consent_level=level, category=category).pk
                for level, category in zip(levels, CATEGORIES, strict=True)
            ]
            for brand in self.brands
        ]
        self.said: dict[Pair, list[Said]] = defaultdict(list)

    # --- What happens ----------------------------------------------------------------------------------------

    @rule(batch=st.lists(reports, min_size=3, max_size=8))
    def record(self, batch: Sequence[dict[str, Any]]) -> None:
        events = ledger.record_many([self.report(**one) for one in batch], now=self.now)
        for event, one in zip(events, batch, strict=True):
            pair = one["phone"], self.brands[one["brand"]].pk
            before = has_said_no(self.said[pair])
            at = min(self.now - one["ago"], self.now)
            level = asked_for(self.said[pair], event.program_id, at) if one["kind"] == Kind.CONFIRMED else one["level"]
            scope = one["scope"] if one["kind"] == Kind.REVOKED else None
            self.said[pair].append(Said(one["kind"], at, event.program_id, level, scope, one["is_by_form"]))
            after = has_said_no(self.said[pair])
            if scope is None:
                assert (event.effect == Effect.SUPPRESSED) == (after and not before)
            assert (event.effect == Effect.RESUMED) == (before and not after and one["kind"] == Kind.RESUMED)

    @rule(batch=st.lists(reports, min_size=1, max_size=3), where=CRASHES)
    def record_and_crash(self, batch: Sequence[dict[str, Any]], where: str) -> None:
        """Nothing of it is there afterwards; whoever sent it, sends it again."""
        with self.patch.context() as patch, suppress(Crash), transaction.atomic():
            if where != "commit":
                patch.setattr(ledger, where, dies)
            ledger.record_many([self.report(**one) for one in batch], now=self.now)
            raise Crash

    @rule(crashes=st.booleans())
    def seal(self, crashes: bool) -> None:
        if crashes:
            with self.patch.context() as patch, suppress(Crash):
                patch.setattr(Seal.objects, "create", dies)
                ledger.seal(now=self.now)
        is_due = Subject.objects.filter(head_seq__gt=F("sealed_seq")).exists()
        assert (ledger.seal(now=self.now) is not None) == is_due

    @rule(data=st.data())
    def erase(self, data: st.DataObject) -> None:
        proofs = list(Evidence.objects.order_by("pk"))
        if proofs:
            proof = proofs[data.draw(st.integers(0, len(proofs) - 1), label="which")]
            Evidence.objects.filter(pk=proof.pk).update(value=None, salt=None)

    @rule(brand=st.integers(0, 1), program=st.integers(0, 1), is_active=st.booleans())
    def switch_program(self, brand: int, program: int, is_active: bool) -> None:
        Program.objects.filter(pk=self.programs[brand][program]).update(is_active=is_active)

    @rule(pause=PAUSES)
    def time_passes(self, pause: timedelta) -> None:
        self.now += pause

    def report(
        self, *, brand: int, program: int | None, ago: timedelta, words: str, is_by_form: bool, **fields: Any
    ) -> ledger.Report:
        return ledger.Report(
            brand_id=self.brands[brand].pk,
            program_id=None if program is None else self.programs[brand][program],
            source=Source.WEB if is_by_form and fields["kind"] == Kind.REQUESTED else Source.KEYWORD,
            occurred_at=self.now - ago,
            evidence={"words": words} if words else {},
            **fields,
        )

    # --- What is always true -----------------------------------------------------------------------------------

    @invariant()
    def chains_and_seals_are_whole_and_standings_are_what_the_ledger_says(self) -> None:
        assert list(verification.problems()) == []

    @invariant()
    def everything_that_was_committed_is_there_once_and_in_order(self) -> None:
        there = defaultdict(list)
        rows = ConsentEvent.objects.order_by("subject", "seq")
        for phone, brand, *said in rows.values_list("subject__phone", "brand", "kind", "occurred_at", "program"):
            there[phone, brand].append(tuple(said))
        assert there == {pair: [one[:3] for one in said] for pair, said in self.said.items() if said}

    @invariant()
    def the_gate_allows_what_a_plain_reader_of_the_ledger_would(self) -> None:
        subjects = Subject.objects.for_phones(PEOPLE)
        active = set(Program.objects.filter(is_active=True).values_list("pk", flat=True))
        levels = dict(Program.objects.values_list("pk", "consent_level"))
        asked = {}
        for phone in PEOPLE:
            for brand, programs in zip(self.brands, self.programs, strict=True):
                said = self.said.get((phone, brand.pk), [])
                to = {"subject_id": subjects[phone].pk, "brand_id": brand.pk}
                reply = gate.Request(message_ref=uuid4(), purpose=Purpose.REPLY, wrote_at=self.now, **to)
                asked[reply] = not has_said_no(said)
                for program in programs:
                    alert = gate.Request(message_ref=uuid4(), purpose=Purpose.ALERT, program_id=program, **to)
                    category = CATEGORIES[programs.index(program)]
                    is_firm = level(said, program, category).rank >= Level(levels[program]).rank
                    is_no = has_said_no(said, category) or may_have(said)
                    asked[alert] = is_firm and not is_no and program in active
                    question = gate.Request(
                        message_ref=uuid4(), purpose=Purpose.DOUBLE_OPT_IN, program_id=program, **to
                    )
                    is_asked = asked_for(said, program, None) != Level.NONE and not may_have(said)
                    is_welcome = not has_said_no(said, category) or has_asked_anew(said, program, category)
                    asked[question] = is_asked and is_welcome
        decisions = gate.decide(list(asked), now=self.now)
        for request, is_allowed in asked.items():
            decision = decisions[request.message_ref]
            assert (decision.verdict == Verdict.ALLOWED) == is_allowed, decision


def youngest(said: Sequence[Said], *kinds: Kind) -> datetime:
    return max(
        (one.at for one in said if one.kind in kinds), default=datetime.min.replace(tzinfo=factories.NOON.tzinfo)
    )


YES = (Kind.GRANTED, Kind.CONFIRMED)


def counts(one: Said) -> bool:
    """To agree to no program is no yes, nor is to confirm what nobody asked for."""
    is_in_vain = one.kind == Kind.CONFIRMED and one.level == Level.NONE
    return one.kind not in YES or (one.program is not None and not is_in_vain)


def noes(said: Sequence[Said], category: Category | None = None) -> list[Said]:
    return [one for one in said if one.kind == Kind.REVOKED and one.scope in (None, category)]


def has_said_no(said: Sequence[Said], category: Category | None = None) -> bool:
    """The younger of no and yes counts; ties revoke."""
    yes = [one for one in said if counts(one)]
    nos = noes(said, category)
    return bool(nos) and youngest(nos, Kind.REVOKED) >= youngest(yes, Kind.RESUMED, *YES)


def asked_for(said: Sequence[Said], program: int | None, at: datetime | None) -> Level:
    """The level of the youngest request that neither a "no" to everything nor a grant has answered; of two at one
    moment the weaker. It waits for three days."""
    asked = [one for one in said if one.kind == Kind.REQUESTED and one.level != Level.NONE]
    requests = [one for one in asked if one.program == program and program is not None]
    asked_at = youngest(requests, Kind.REQUESTED)
    granted = [one for one in said if one.kind in YES and one.program == program and counts(one)]
    is_over = asked_at <= youngest(noes(said), Kind.REVOKED) or asked_at <= youngest(granted, *YES)
    is_late = at is not None and not timedelta(0) <= at - asked_at <= timedelta(hours=72)
    if not requests or is_over or is_late:
        return Level.NONE
    return min((one.level for one in requests if one.at == asked_at), key=lambda level: level.rank)


def has_asked_anew(said: Sequence[Said], program: int, category: Category) -> bool:
    """Whether the phone itself has asked for this program since its last no."""
    own = [one for one in said if one.kind == Kind.REQUESTED and one.program == program and not one.is_by_form]
    return youngest(own, Kind.REQUESTED) > youngest(noes(said, category), Kind.REVOKED)


def may_have(said: Sequence[Said]) -> bool:
    suspicions = [one for one in said if one.kind == Kind.SUSPECTED]
    return bool(suspicions) and youngest(said, Kind.SUSPECTED) >= youngest(said, Kind.CLEARED)


def level(said: Sequence[Said], program: int, category: Category) -> Level:
    """What was agreed to last and since the last no; of two at one moment the weaker."""
    grants = [one for one in said if one.kind in YES and one.program == program and counts(one)]
    last = youngest(grants, *YES)
    if last <= youngest(noes(said, category), Kind.REVOKED):
        return Level.NONE
    return min((one.level for one in grants if one.at == last), key=lambda level: level.rank)


@pytest.mark.django_db
def test_whatever_is_said_in_whatever_order_the_ledger_is_whole_and_the_gate_obeys_it() -> None:
    run_state_machine_as_test(LedgerMachine, settings=many(20, 15))
