"""A message's life in any order of workers, crashes, carriers, receipts, people and hours."""

from collections import defaultdict
from contextlib import suppress
from datetime import datetime, timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from consent import policy
from consent.models import Hold
from consent.policy import ANSWERS_TO_KEYWORDS, Facts, Ruling
from consent.purposes import Verdict
from conversations import dispatch, handling, lines, outbound, settling, waits
from conversations.carriers.outcomes import Kind, Outcome
from conversations.models import Conversation, Line, Message, Receipt
from conversations.states import MOVES, Status
from tests import factories
from tests.conversations import traffic
from tests.machines.examples import PAUSES, REPORTS, Crash, Example, Steps, dies, many

PEOPLE = ("+12015550123", "+12015550124")
# What the carrier says, and whether it has taken the text all the same.
ANSWERS = {
    "accepted": (Outcome(Kind.SENT), True),
    "slow down": (Outcome(Kind.NOT_SENT, code="1000", is_throttled=True, retry_after=2), False),
    "no connection": (Outcome(Kind.NOT_SENT, code="no_connection"), False),
    "refused": (Outcome(Kind.REFUSED, code="1120"), False),
    "our account": (Outcome(Kind.ACCOUNT, code="401"), False),
    "500": (Outcome(Kind.UNKNOWN, code="500"), False),
    "no answer": (Outcome(Kind.UNKNOWN, code="no_answer"), True),
}
# What becomes of a webhook after its 200, and by what a receipt names its message.
THREADING = st.sampled_from(["threaded", "threaded", "left for later", "crash"])
NAMED = ["ref", "id", "both"]
# Where a worker's process ends, as the function that it does not come to any more.
CRASHES = {
    "crash with leases": (dispatch, "paced"),
    "crash in the gate": (waits, "follow"),
    "crash after the gate": (dispatch, "release"),
}
SLOW = "is slow"
FATES = st.sampled_from([*ANSWERS, *CRASHES, "no answer", SLOW, SLOW, SLOW])
QUIET_FOR = timedelta(minutes=2)
FAILURES = {"rejected", "undeliverable"}


class MessageMachine(Example):
    """A hand-over that no rule goes on with is one whose process has died; one that waits too long, a slow process."""

    replies = Bundle("replies")
    begun = Bundle("begun")
    called = Bundle("called")

    @initialize(target=replies)
    def two_people_write_and_get_an_answer(self) -> MultipleResults[Message]:
        traffic.line()
        self.agent = factories.user()
        self.receive(*(self.text("Hello", sender=phone) for phone in PEOPLE))
        super().thread()
        self.conversations = [Conversation.objects.get(contact__phone=phone) for phone in PEOPLE]
        self.said_no: dict[str, datetime] = {}
        self.said_yes: dict[str, datetime] = {}
        self.gated_at: dict[str, datetime] = {}
        self.opt_outs: list[Message] = []
        self.is_quiet = False
        self.steps = Steps()
        self.patch.setattr(policy, "decide", self.decide_at_this_hour(policy.decide))
        return multiple(*(self.reply(person, None) for person in range(2)))

    # --- People ----------------------------------------------------------------------------------------------

    @rule(target=replies, person=st.integers(0, 1), later=st.sampled_from([None, None, timedelta(minutes=2)]))
    def reply(self, person: int, later: timedelta | None) -> Message:
        return outbound.send(
            conversation=self.conversations[person],
            body=f"Answer {next(self.numbers)}",
            author_id=self.agent.pk,
            ref=self.ref(),
            now=self.now,
            due_at=self.now + later if later else None,
        )

    @rule(target=replies, message=replies, act=st.sampled_from(["retry", "cancel", "click twice"]))
    def handle(self, message: Message, act: str) -> Message | MultipleResults[Message]:
        if act == "retry":
            with suppress(outbound.CannotSend):
                return outbound.retry(message=message, author_id=self.agent.pk, now=self.now)
        elif act == "cancel":
            is_taken = self.carrier.accepted[str(message.ref)]
            assert not (handling.cancel(message=message, now=self.now) and is_taken), "what is out is not taken back"
        else:
            said = {"conversation": message.conversation, "body": message.body, "ref": message.ref}
            assert outbound.send(**said, author_id=self.agent.pk, now=self.now).pk == message.pk
        return multiple()

    @rule(
        person=st.sampled_from(PEOPLE),
        body=st.sampled_from(["STOP", "STOP", "START", "HELP", "Hello?"]),
        ago=st.sampled_from([timedelta(0), timedelta(0), timedelta(minutes=1), timedelta(minutes=4)]),
        then=THREADING,
    )
    def text_comes(self, person: str, body: str, ago: timedelta, then: str) -> None:
        """The carrier has its 200, and from here on a "no" counts, threaded or not."""
        self.receive(self.text(body, sender=person, ago=ago))
        self.say(person, body, self.now - ago)
        self.follow_up(then)

    def say(self, person: str, word: str, at: datetime) -> None:
        said = {"STOP": self.said_no, "START": self.said_yes}.get(word, {})
        said[person] = max(said.get(person, at), at)

    def has_said_no(self, person: str) -> bool:
        """By the younger word; ties revoke."""
        no, yes = self.said_no.get(person), self.said_yes.get(person)
        return no is not None and (yes is None or yes <= no)

    # --- Workers -------------------------------------------------------------------------------------------------

    @rule(targets=(begun, called), fate=FATES)
    def work(self, fate: str) -> MultipleResults[settling.HandOver | settling.Result]:
        if fate in CRASHES:
            with self.patch.context() as patch, suppress(Crash):
                patch.setattr(*CRASHES[fate], dies)
                self.gated()
            return multiple()
        taken = self.gated(2)
        self.check()
        for one in taken:
            message = Message.objects.select_related("decision").get(ref=one.ref)
            assert (message.status, message.decision.verdict) == (Status.SENDING, Verdict.ALLOWED)
            assert not self.has_said_no(one.to) or message.purpose in ANSWERS_TO_KEYWORDS, "allowed after a STOP"
            self.gated_at[one.ref] = self.now
        if fate == SLOW:
            return multiple(*taken)
        results = [self.called_with(one, *ANSWERS[fate]) for one in taken]
        settling.settle(results, clock=self.clock)
        return multiple(*results)

    @rule(
        targets=(begun, called), one=consumes(begun), answer=st.sampled_from(sorted(ANSWERS)), times=st.integers(1, 2)
    )
    def go_on(
        self, one: settling.HandOver | settling.Result, answer: str, times: int
    ) -> settling.Result | MultipleResults[settling.Result]:
        """A slow process calls, or writes what it was told: twice, if it is not told that this was committed."""
        if isinstance(one, settling.HandOver):
            return self.called_with(one, *ANSWERS[answer])
        for _ in range(times):
            settling.settle([one], clock=self.clock)
        return multiple()

    # --- The carrier's webhooks ------------------------------------------------------------------------------

    @rule(one=called, report=st.sampled_from(sorted(REPORTS)), named=st.sampled_from(NAMED), then=THREADING)
    def receipt_comes(self, one: object, report: str, named: str, then: str) -> None:
        """Also for an attempt that the carrier had seemed to turn away."""
        if not isinstance(one, settling.Result) or one.handed_over_at is None:
            return
        message = Message.objects.get(pk=one.hand_over.message_id)
        if named == "id" and message.carrier_id is None:
            return
        fields = {"ref": {"message_uuid": f"other-{message.ref}"}, "id": {"client_ref": ""}}.get(named, {})
        self.receive(self.receipt(message, report, **fields))
        if report == "opted out":
            self.opt_outs.append(message)
        self.follow_up(then)

    @rule(data=st.data(), what=st.sampled_from(["again", "stranger's", "unreadable", "judged"]), then=THREADING)
    def odd_webhook_comes(self, data: st.DataObject, what: str, then: str) -> None:
        if what == "again":
            self.receive(data.draw(st.sampled_from(self.delivered), label="webhook"))
        elif what == "stranger's":
            fields = {"client_ref": "", "message_uuid": f"strange-{next(self.numbers)}"}
            self.receive(self.receipt(Message.objects.filter(direction="out")[0], "delivered", **fields))
        elif what == "unreadable":
            raw = f'{{"from": "{PEOPLE[0][1:]}", "text": "st {next(self.numbers)}'.encode()
            self.receive(self.posted(traffic.delivery("inbound", raw)))
        else:
            Hold.objects.filter(released_at=None).update(released_at=self.now, released_by=self.agent)
        self.follow_up(then)

    def follow_up(self, then: str) -> None:
        """What becomes of a webhook after its 200."""
        if then == "threaded":
            self.thread()
        elif then == "crash":
            with self.patch.context() as patch, suppress(Crash):
                patch.setattr(waits, "follow", dies)
                patch.setattr(waits, "open_for", dies)
                super().thread()

    def thread(self) -> None:
        """An "opted out" counts from the hand-over that it answers."""
        since = [self.handed_over(message) for message in self.opt_outs]
        super().thread()
        for message, at in zip(self.opt_outs, since, strict=True):
            self.say(message.conversation.contact.phone, "STOP", at)
        self.opt_outs.clear()

    def handed_over(self, message: Message) -> datetime:
        message = Message.objects.select_related("decision").get(pk=message.pk)
        return message.handed_over_at or message.decision.decided_at

    # --- Hours, lines, the clock -------------------------------------------------------------------------------

    @rule(pause=PAUSES, clock_ticks=st.booleans())
    def time_passes(self, pause: timedelta, clock_ticks: bool) -> None:
        self.now += pause
        if clock_ticks:
            self.thread()
            self.check()
            self.tick()

    @rule(change=st.sampled_from(["quiet", "off", "paused", *2 * ["loud", "on", "resumed"], "a day later"]))
    def circumstances_change(self, change: str) -> None:
        if change in {"quiet", "loud"}:
            self.is_quiet = change == "quiet"
        elif change in {"off", "on"}:
            Line.objects.update(is_active=change == "on")
        elif change == "a day later":
            self.now += timedelta(hours=25)
        elif change == "paused":
            Line.objects.update(paused_at=self.now, paused_reason="by hand")
        else:
            lines.resume(line=Line.objects.get())

    def decide_at_this_hour(self, law: object) -> object:
        """The law, with hours of which it will know one day: what is allowed may have to wait."""

        def decide(facts: Facts, now: datetime) -> Ruling:
            ruling = law(facts, now)
            if self.is_quiet and ruling.verdict == Verdict.ALLOWED:
                return Ruling(Verdict.HELD, ("quiet_hours",), now + QUIET_FOR)
            return ruling

        return decide

    def end(self) -> None:
        """Whatever crashed, nothing of it is left lying: a live worker and a clock bring every message to an end."""
        for change in ("loud", "on", "resumed"):
            self.circumstances_change(change)
        self.time_passes(timedelta(minutes=3), True)
        self.check()
        for _ in range(Message.objects.filter(direction="out").count()):
            self.work("accepted")
            self.now += timedelta(seconds=1)
        left = Message.objects.filter(status__in=[Status.QUEUED, Status.HELD, Status.SENDING])
        self.check()
        assert not left.exists(), f"left lying: {list(left.values())}"
        super().end()

    # --- What is always true -----------------------------------------------------------------------------------

    @invariant()
    def check(self) -> None:
        for pk, before, after in self.steps.since_last():
            assert before in MOVES[after], f"message {pk} went from {before} to {after}"
        twice = {ref for ref, times in self.carrier.accepted.items() if times > 1}
        assert not twice, "the carrier took these more than once"
        late = {ref for ref, at in self.carrier.called_at.items() if at - self.gated_at[ref] > timedelta(seconds=2)}
        assert not late, "handed over more than two seconds after their gate"

    @invariant()
    def receipts_have_the_last_word(self) -> None:
        words = defaultdict(set)
        for pk, word in Receipt.objects.values_list("message", "status"):
            words[pk].add(word)
        for pk, status in Message.objects.filter(pk__in=words).values_list("pk", "status"):
            if "delivered" in words[pk]:
                assert status == Status.DELIVERED
            elif words[pk] & FAILURES:
                assert status == Status.FAILED


@pytest.mark.django_db
def test_whatever_happens_in_whatever_order_no_message_is_sent_twice_or_against_a_no_or_left_lying() -> None:
    run_state_machine_as_test(MessageMachine, settings=many(60, 30))
