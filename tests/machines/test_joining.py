"""Keywords, STOP, START and YES in any order, with the question blocked, lost or on its way."""

from datetime import timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule, run_state_machine_as_test

from consent import invariants
from consent.models import ConsentEvent, Disclosure, Standing
from consent.purposes import Kind, Level, Purpose, Source
from conversations import joining
from conversations.carriers.outcomes import Kind as Out
from conversations.carriers.outcomes import Outcome
from conversations.models import Message
from tests import factories
from tests.conversations import traffic
from tests.machines.examples import Example, many

WORDS = ["STOP", "START", "TOOTH", "TOOTH", "JOIN TOOTH", "YES", "YES", "yes please", "yes but when?"]
SAID = {"words": "I agree …", "url": "https://harbor.example/join", "ip": "192.0.2.1", "user_agent": "Firefox"}
ANSWERS = {
    "accepted": (Outcome(Out.SENT), True),
    "no answer": (Outcome(Out.UNKNOWN, code="no_answer"), True),
    "no connection": (Outcome(Out.NOT_SENT, code="no_connection"), False),
}


class JoiningMachine(Example):
    @initialize()
    def a_program_asks_twice(self) -> None:
        line = traffic.line()
        self.program = factories.program(brand=line.brand, opt_in_keyword="TOOTH", is_double_opt_in=True)
        Disclosure.objects.create(program=self.program, version=1, text="I agree …")
        self.confirmed = 0

    @rule(body=st.sampled_from(WORDS))
    def text_comes(self, body: str) -> None:
        asked = self.was_really_asked()
        self.receive(self.text(body, sender=traffic.PERSON))
        self.thread()
        level = self.level()
        confirmed = self.confirmations()
        if confirmed > self.confirmed:
            assert body in {"YES", "yes please"}
            assert asked, "a YES to a question that nobody was asked"
            assert level == Level.EXPRESS
        self.confirmed = confirmed
        if body == "STOP":
            assert level == Level.NONE
        self.now += timedelta(seconds=1)

    @rule()
    def somebody_types_the_number_into_a_form(self) -> None:
        joining.join(program=self.program, phone=traffic.PERSON, source=Source.WEB, evidence=SAID, now=self.now)
        self.now += timedelta(seconds=1)

    @rule(answer=st.sampled_from(sorted(ANSWERS)))
    def work(self, answer: str) -> None:
        self.send_all(*ANSWERS[answer])
        self.now += timedelta(seconds=1)

    @rule()
    def time_passes(self) -> None:
        self.now += timedelta(minutes=1)
        self.tick()

    @invariant()
    def nobody_is_texted_after_a_no_and_no_yes_counts_unasked(self) -> None:
        assert list(invariants.ALLOWED_IN_SPITE(self.now)) == []
        assert list(invariants.ANSWERED_UNASKED(self.now)) == []

    def was_really_asked(self) -> bool:
        """By what the carrier has been given since the last STOP."""
        stops = ConsentEvent.objects.filter(kind=Kind.REVOKED).values_list("occurred_at", flat=True)
        last = max(stops, default=self.now - timedelta(days=1))
        asked = Message.objects.filter(purpose=Purpose.DOUBLE_OPT_IN)
        return any(self.carrier.called_at.get(str(one.ref), last) > last for one in asked)

    def level(self) -> Level:
        standing = Standing.objects.filter(subject__phone=traffic.PERSON).first()
        return standing.state.level(self.program.pk) if standing else Level.NONE

    def confirmations(self) -> int:
        events = ConsentEvent.objects.filter(kind=Kind.CONFIRMED)
        return sum(event.facts["level"] != Level.NONE for event in events)


@pytest.mark.django_db
def test_whatever_is_said_in_whatever_order_only_who_was_asked_can_say_yes() -> None:
    run_state_machine_as_test(JoiningMachine, settings=many(30, 20))
