"""Handing over: claim, tokens, gate, carrier, result."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError, connections
from django.utils import timezone

from consent.models import Decision
from conversations import dispatch, handling, outbound, overdue, pace, settling
from conversations.carriers import vonage
from conversations.carriers.outcomes import Kind, Outcome
from conversations.models import Bucket, Line, Message, Wait
from conversations.states import Status
from tests import factories
from tests.conversations import traffic
from tests.conversations.sending import SENT, handed_over, reply

pytestmark = pytest.mark.django_db


@pytest.fixture
def carrier(monkeypatch):
    """Answers every hand-over with ``carrier.outcome`` and remembers the refs it saw."""

    class Carrier:
        outcome = SENT
        refs: list[str] = []

        def send(self, *, ref, **text):
            self.refs.append(ref)
            return Outcome(self.outcome.kind, carrier_id=f"id-{ref}", code=self.outcome.code)

    carrier = Carrier()
    carrier.refs = []
    monkeypatch.setattr(vonage, "send", carrier.send)
    return carrier


def test_a_reply_goes_through_gate_and_carrier_and_ends_the_wait(carrier):
    message = reply()
    dispatch.send_due(lane="agents", clock=timezone.now)

    message.refresh_from_db()
    assert (message.status, message.carrier_id) == (Status.SENT, f"id-{message.ref}")
    assert (message.decision.verdict, message.decision.reasons) == ("allowed", ["person_wrote"])
    assert timedelta(0) <= message.handed_over_at - message.decision.decided_at < timedelta(seconds=2)
    wait = Wait.objects.get()
    assert (wait.ending, wait.answered_by_id) == ("reply", message.author_id)
    message.conversation.refresh_from_db()
    assert message.conversation.due_at is None


def test_row_12_the_gate_is_told_where_a_person_may_be():
    contact = factories.contact(postal_code="32501", time_zone="America/Denver")
    message = reply()
    message.conversation.contact = contact
    asked = dispatch.request(message)
    assert (asked.postal_code, asked.time_zone) == ("32501", "America/Denver")


def test_what_the_person_wrote_after_the_reply_still_waits(carrier):
    message = reply()
    traffic.arrive(traffic.text("and one more thing"))
    dispatch.send_due(lane="agents", clock=timezone.now)
    assert Wait.objects.filter(answered_at=None, conversation=message.conversation).count() == 1
    assert Wait.objects.count() == 2
    message.conversation.refresh_from_db()
    assert message.conversation.due_at is not None


def test_a_stop_after_the_reply_was_written_blocks_it(carrier):
    message = reply()
    traffic.arrive(traffic.text("STOP"))
    dispatch.send_due(lane="agents", clock=timezone.now)
    message.refresh_from_db()
    assert (message.status, message.decision.reasons) == (Status.BLOCKED, ["opted_out"])
    confirmation = Message.objects.get(purpose="opt_out_confirmation")
    assert confirmation.status == Status.SENT
    assert carrier.refs == [str(confirmation.ref)]


def test_a_confirmation_that_comes_too_late_is_not_sent(carrier):
    traffic.line()
    then = timezone.now() - timedelta(minutes=6)
    traffic.arrive(traffic.text("STOP", timestamp=then.isoformat()), now=then)
    dispatch.send_due(lane="agents", clock=timezone.now)
    assert Message.objects.get(purpose="opt_out_confirmation").status == Status.EXPIRED
    assert carrier.refs == []


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (Outcome(Kind.SENT, carrier_id="c"), Status.SENT),
        (Outcome(Kind.UNKNOWN, code="no_answer"), Status.UNKNOWN),
        (Outcome(Kind.REFUSED, code="invalid"), Status.FAILED),
        (Outcome(Kind.NOT_SENT, code="throttled"), Status.QUEUED),
        (Outcome(Kind.ACCOUNT, code="401"), Status.QUEUED),
    ],
)
def test_each_outcome_has_its_status(outcome, status):
    assert handed_over(outcome).status == status


def test_slow_down_goes_back_to_the_gate_later_and_empties_the_account_s_bucket():
    message = handed_over(Outcome(Kind.NOT_SENT, code="1000", is_throttled=True, retry_after=5))
    assert message.due_at >= timezone.now() + timedelta(seconds=3)
    assert Bucket.objects.get(key=pace.account().key).tokens == 0
    assert Decision.objects.filter(message_ref=message.ref).count() == 1


def test_after_ten_refusals_it_fails_but_our_own_delay_never_counts():
    message = handed_over(Outcome(Kind.NOT_SENT, code="no_connection"))
    Message.objects.filter(pk=message.pk).update(attempts=9, due_at=timezone.now())
    (hand_over,), _ = dispatch.allowed(lane="agents", limit=1, clock=timezone.now)
    stale = settling.Result(hand_over, settling.STALE, None)
    settling.settle([stale], clock=timezone.now)
    message.refresh_from_db()
    assert (message.status, message.attempts) == (Status.QUEUED, 10)

    (hand_over,), _ = dispatch.allowed(lane="agents", limit=1, clock=timezone.now)
    settling.settle(
        [settling.Result(hand_over, Outcome(Kind.NOT_SENT, code="no_connection"), timezone.now())], clock=timezone.now
    )
    message.refresh_from_db()
    assert message.status == Status.FAILED


def test_an_account_error_pauses_the_line_until_a_person_resumes_it(carrier):
    carrier.outcome = Outcome(Kind.ACCOUNT, code="401")
    message = reply()
    dispatch.send_due(lane="agents", clock=timezone.now)
    line = Line.objects.get()
    assert line.paused_at
    assert "401" in line.paused_reason
    assert len(carrier.refs) == 1

    dispatch.send_due(lane="agents", clock=timezone.now)
    assert len(carrier.refs) == 1, "a paused line sends nothing"

    carrier.outcome = SENT
    Line.objects.update(paused_at=None, paused_reason="")
    dispatch.send_due(lane="agents", clock=timezone.now)
    message.refresh_from_db()
    assert message.status == Status.SENT


def test_a_hand_over_that_waited_more_than_two_seconds_is_not_made(carrier):
    message = reply()
    (hand_over,), _ = dispatch.allowed(lane="agents", limit=1, clock=timezone.now)
    late = settling.HandOver(**{**hand_over.__dict__, "fresh_until": time.monotonic() - 0.01})
    result = dispatch.hand_over_now(late, timezone.now)
    assert (result.outcome, result.handed_over_at, carrier.refs) == (settling.STALE, None, [])
    settling.settle([result], clock=timezone.now)
    message.refresh_from_db()
    assert message.status == Status.QUEUED


def test_a_dead_worker_s_message_becomes_unknown_and_its_late_answer_still_counts():
    message = reply()
    (hand_over,), _ = dispatch.allowed(lane="agents", limit=1, clock=timezone.now)
    assert overdue.sweep(now=timezone.now()) == 0, "it is still young"
    assert overdue.sweep(now=timezone.now() + timedelta(minutes=1)) == 1
    message.refresh_from_db()
    assert message.status == Status.UNKNOWN
    settling.settle([settling.Result(hand_over, SENT, timezone.now())], clock=timezone.now)
    message.refresh_from_db()
    assert message.status == Status.SENT


def test_an_old_attempt_s_answer_does_not_touch_a_newer_one():
    message = reply()
    (first,), _ = dispatch.allowed(lane="agents", limit=1, clock=timezone.now)
    settling.settle([settling.Result(first, settling.STALE, None)], clock=timezone.now)
    (second,), _ = dispatch.allowed(lane="agents", limit=1, clock=timezone.now)
    settling.settle([settling.Result(first, Outcome(Kind.REFUSED, code="old"), None)], clock=timezone.now)
    message.refresh_from_db()
    assert (message.status, message.attempts) == (Status.SENDING, second.attempt)


def test_a_cancelled_message_is_not_sent(carrier):
    message = reply()
    assert handling.cancel(message=message, now=timezone.now())
    dispatch.send_due(lane="agents", clock=timezone.now)
    message.refresh_from_db()
    assert (message.status, carrier.refs) == (Status.CANCELLED, [])
    assert not handling.cancel(message=message, now=timezone.now()), "once is enough"


def test_send_later_waits_for_its_moment(carrier):
    message = reply(due_at=timezone.now() + timedelta(hours=1))
    dispatch.send_due(lane="agents", clock=timezone.now)
    assert carrier.refs == []
    dispatch.send_due(lane="agents", clock=lambda: message.due_at)
    assert carrier.refs == [str(message.ref)]


def test_a_line_sends_no_faster_than_its_limits_allow():
    line = traffic.line(per_second=8, per_minute=7, per_day=9)
    account = pace.Limit("account:test", 400, "second")
    noon = datetime(2026, 3, 2, 20, 0, tzinfo=UTC)

    def take(**later):
        return pace.take({line.pk: 100}, account=account, lines={line.pk: line}, now=noon + timedelta(**later))[line.pk]

    assert [take().number, take().number] == [2, 0], "a quarter of a second's messages at once"
    assert take(seconds=1).number == 2
    assert take(seconds=2).number == 2
    assert take(seconds=3) == pace.Taken(1, 57.0), "seven in a minute of the clock"
    assert take(minutes=1).number == 2
    assert take(minutes=2) == pace.Taken(0, 12 * 3600 - 120), "nine in a day, which ends at midnight Pacific time"
    assert take(hours=12).number == 2


def test_a_clock_that_ran_ahead_stops_nothing():
    line = traffic.line(per_second=4)
    account = pace.Limit("account:test", 400, "second")
    now = timezone.now()

    def take(**later):
        return pace.take({line.pk: 1}, account=account, lines={line.pk: line}, now=now + timedelta(**later))[line.pk]

    assert take(hours=5).number == 1
    assert take().number == 0, "set back, it gives nothing at once"
    assert take(seconds=1).number == 1


def test_a_slow_line_s_queue_does_not_stand_in_the_way_of_the_others(carrier):
    agent = factories.user()
    traffic.line(per_second=1, number="+12015550177")
    slow = traffic.conversation(recipient="+12015550177")
    for _ in range(40):
        reply(conversation=slow, author=agent)
    quick = reply(conversation=traffic.conversation(), author=agent)
    resting = {}
    for _ in range(2):
        dispatch.allowed(lane="agents", limit=16, clock=timezone.now, resting=resting)
    quick.refresh_from_db()
    assert quick.status == Status.SENDING


def test_a_line_that_is_switched_off_sends_nothing(carrier):
    message = reply()
    Line.objects.update(is_active=False)
    dispatch.send_due(lane="agents", clock=timezone.now)
    message.refresh_from_db()
    assert (message.status, carrier.refs) == (Status.QUEUED, [])


def test_a_reply_that_waited_for_a_day_is_not_sent_any_more(carrier):
    message = reply()
    dispatch.send_due(lane="agents", clock=lambda: timezone.now() + timedelta(days=1))
    message.refresh_from_db()
    assert (message.status, carrier.refs) == (Status.EXPIRED, [])
    assert message.may_retry


def test_what_a_person_has_sent_again_is_not_sent_by_its_late_sender_as_well():
    message = reply()
    (hand_over,), _ = dispatch.allowed(lane="agents", limit=1, clock=timezone.now)
    overdue.sweep(now=timezone.now() + timedelta(minutes=1))
    message.refresh_from_db()
    outbound.retry(message=message, author_id=message.author_id, now=timezone.now())
    settling.settle([settling.Result(hand_over, settling.STALE, None)], clock=timezone.now)
    message.refresh_from_db()
    assert message.status == Status.FAILED


def test_an_odd_answer_of_the_carrier_stops_nobody_else_s_result(monkeypatch):
    first, second = reply(), reply(conversation=traffic.conversation(sender="+12015550124"))
    hand_overs, _ = dispatch.allowed(lane="agents", limit=2, clock=timezone.now)
    settle_taken = settling.settle_taken

    def fails_for_the_first(results, now):
        if first.pk in [result.hand_over.message_id for result in results]:
            raise ValueError("odd")
        settle_taken(results, now)

    monkeypatch.setattr(settling, "settle_taken", fails_for_the_first)
    settling.settle_surely([settling.Result(one, SENT, timezone.now()) for one in hand_overs], clock=timezone.now)
    second.refresh_from_db()
    assert second.status == Status.SENT
    assert Outcome(Kind.REFUSED, detail="a\x00" * 400).detail == "a" * 300


def test_texts_that_the_carrier_took_without_naming_them_are_written_together():
    replies = [reply(), reply(conversation=traffic.conversation(sender="+12015550124"))]
    hand_overs, _ = dispatch.allowed(lane="agents", limit=2, clock=timezone.now)
    unnamed = Outcome(Kind.SENT, carrier_id="")
    settling.settle([settling.Result(one, unnamed, timezone.now()) for one in hand_overs], clock=timezone.now)
    written = Message.objects.filter(pk__in=[message.pk for message in replies])
    assert list(written.values_list("status", "carrier_id")) == [(Status.SENT, None)] * 2


def test_when_no_new_messages_can_be_taken_those_in_flight_land_all_the_same(monkeypatch, carrier):
    message = reply()
    calls = []
    claim = dispatch.claim

    def fails_the_second_time(**given):
        calls.append(1)
        if len(calls) > 1:
            raise OperationalError("the database is restarting")
        return claim(**given)

    monkeypatch.setattr(dispatch, "claim", fails_the_second_time)
    dispatch.send_due(lane="agents", clock=timezone.now)
    message.refresh_from_db()
    assert message.status == Status.SENT


@pytest.mark.django_db(transaction=True)
def test_cancelling_and_gating_never_wait_for_each_other():
    conversation, agent = traffic.conversation(), factories.user()

    def run(work):
        try:
            work()
        finally:
            connections.close_all()

    for _ in range(25):
        message = reply(conversation=conversation, author=agent)
        with ThreadPoolExecutor(2) as threads:
            jobs = [
                threads.submit(run, lambda message=message: handling.cancel(message=message, now=timezone.now())),
                threads.submit(run, lambda: dispatch.allowed(lane="agents", limit=5, clock=timezone.now)),
            ]
            for job in jobs:
                job.result()


@pytest.mark.django_db(transaction=True)
def test_many_workers_send_each_message_once(carrier):
    conversation = traffic.conversation()
    agent = factories.user()
    for _ in range(40):
        reply(conversation=conversation, author=agent)

    def work(_):
        try:
            dispatch.send_due(lane="agents", clock=timezone.now)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(work, range(6)))
    assert sorted(carrier.refs) == sorted(
        str(ref) for ref in Message.objects.filter(direction="out").values_list("ref", flat=True)
    )
    assert set(Message.objects.filter(direction="out").values_list("status", flat=True)) == {Status.SENT}
