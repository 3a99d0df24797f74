"""Receipts come twice, late, out of order and before the send's own answer: the end is always the same."""

from datetime import timedelta
from itertools import permutations

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consent.models import ConsentEvent, Standing
from conversations import dispatch, inbound, settling
from conversations.carriers.outcomes import Kind, Outcome
from conversations.models import CarrierEvent, Message, Receipt, Wait
from conversations.states import Status
from tests import factories
from tests.conversations import traffic
from tests.conversations.sending import handed_over, reply

pytestmark = pytest.mark.django_db

REJECTED = {
    "type": "https://developer.vonage.com/api-errors/messages#1000",
    "title": "1000",
    "detail": "Throttled",
}
OPTED_OUT = {
    "type": "https://developer.vonage.com/api-errors/messages#1240",
    "title": "1240",
    "detail": "The user has already sent a STOP",
}


def test_a_delivered_receipt_settles_price_and_segments():
    message = handed_over(Outcome(Kind.SENT, carrier_id="carrier-1"))
    traffic.arrive(
        traffic.receipt(message, "delivered", usage={"price": "0.0333", "currency": "EUR"}, sms={"count_total": "2"})
    )
    message.refresh_from_db()
    assert message.status == Status.DELIVERED
    receipt = Receipt.objects.get()
    assert (str(receipt.price), receipt.currency, receipt.segments) == ("0.033300", "EUR", 2)


def test_a_rejection_says_why():
    message = handed_over()
    traffic.arrive(traffic.receipt(message, "rejected", error=REJECTED))
    message.refresh_from_db()
    assert (message.status, message.error_code, message.error_detail) == (Status.FAILED, "1000", "Throttled")


@pytest.mark.parametrize("order", list(permutations(["submitted", "rejected", "delivered"])))
def test_whatever_the_order_delivered_wins(order):
    message = handed_over()
    for word in order:
        traffic.arrive(traffic.receipt(message, word, error=REJECTED if word == "rejected" else {}))
    message.refresh_from_db()
    assert (message.status, message.error_code) == (Status.DELIVERED, "")


class Undo(Exception):
    pass


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.sampled_from(["submitted", "delivered", "rejected", "undeliverable", "opted_out", "novel"]), max_size=6
    ),
    st.randoms(use_true_random=False),
    st.sampled_from([Kind.SENT, Kind.UNKNOWN, Kind.NOT_SENT, None]),
)
def test_any_order_and_grouping_of_receipts_and_the_send_s_answer_ends_alike(words, random, answer):
    """The oracle: the strongest word wins; the send's answer counts whenever it comes."""
    try:
        with transaction.atomic():
            message, settle = begun()
            steps = [[receipt_of(message, word)] for word in words]
            random.shuffle(steps)
            while len(steps) > 1 and random.random() < 0.3:
                steps = [steps[0] + steps[1], *steps[2:]]
            at = random.randrange(len(steps) + 1)
            for step in steps[:at]:
                traffic.arrive(*step)
            if answer is not None:
                settle(Outcome(answer, carrier_id="carrier-1" if answer == Kind.SENT else ""))
            for step in steps[at:]:
                traffic.arrive(*step)

            message.refresh_from_db()
            assert message.status == expected(words, answer)
            is_answered = message.status in {Status.SENT, Status.DELIVERED}
            assert Wait.objects.filter(answered_at=None).exists() != is_answered
            assert ("opted_out" in words) == Standing.objects.filter(revoked_at__isnull=False).exists()
            raise Undo
    except Undo:
        pass


def expected(words, answer):
    if "delivered" in words:
        return Status.DELIVERED
    if {"rejected", "undeliverable", "opted_out"} & set(words):
        return Status.FAILED
    if "submitted" in words or answer == Kind.SENT:
        return Status.SENT
    return {Kind.UNKNOWN: Status.UNKNOWN, Kind.NOT_SENT: Status.QUEUED, None: Status.SENDING}[answer]


def receipt_of(message, word):
    if word == "opted_out":
        return traffic.receipt(message, "rejected", error=OPTED_OUT)
    return traffic.receipt(message, word, error=REJECTED if word in {"rejected", "undeliverable"} else {})


def begun():
    """A message that passed the gate and is with the carrier, and what settles it."""
    message = reply()
    (hand_over,), _ = dispatch.allowed(lane="agents", limit=1, clock=timezone.now)
    return message, lambda outcome: settling.settle(
        [settling.Result(hand_over, outcome, timezone.now())], clock=timezone.now
    )


def test_a_receipt_is_kept_once_however_often_it_comes():
    message = handed_over()
    receipt = traffic.receipt(message, "delivered")
    traffic.arrive(receipt, receipt)
    traffic.arrive(receipt)
    assert Receipt.objects.count() == 1


def test_a_receipt_for_no_message_of_ours_is_parked():
    message = handed_over()
    stranger = traffic.receipt(message, "delivered", client_ref="somebody-else", message_uuid="unheard-of")
    traffic.arrive(traffic.receipt(message, "submitted"), stranger)
    assert CarrierEvent.objects.get(state="parked").key == stranger.key
    message.refresh_from_db()
    assert message.status == Status.SENT


def test_the_carrier_s_opted_out_becomes_a_revocation_as_old_as_its_message():
    message = handed_over()
    traffic.arrive(traffic.receipt(message, "rejected", error=OPTED_OUT))
    message.refresh_from_db()
    assert (message.status, message.error_code) == (Status.FAILED, "1240")
    event = ConsentEvent.objects.get()
    assert (event.kind, event.source, event.occurred_at) == ("revoked", "carrier", message.handed_over_at)
    assert event.facts["rule"] == "carrier:1240"
    assert Message.objects.filter(direction="out").count() == 1, "the carrier's no is not answered"


def test_the_opted_out_of_a_message_written_long_ago_counts_from_its_gate():
    message = reply()
    now = timezone.now()
    Message.objects.filter(pk=message.pk).update(occurred_at=now - timedelta(hours=3))
    traffic.arrive(traffic.text("STOP", timestamp=(now - timedelta(hours=2)).isoformat()))
    traffic.arrive(traffic.text("START", timestamp=(now - timedelta(hours=1)).isoformat()))
    Message.objects.exclude(pk=message.pk).filter(direction="out").delete()
    dispatch.allowed(lane="agents", limit=1, clock=timezone.now)  # its receipt comes before its answer
    traffic.arrive(traffic.receipt(message, "rejected", error=OPTED_OUT))
    assert Standing.objects.get().state.is_suppressed


def test_a_receipt_without_our_reference_is_known_by_the_carrier_s_id():
    message = handed_over()
    traffic.arrive(traffic.receipt(message, "rejected", error=OPTED_OUT, client_ref=""))
    message.refresh_from_db()
    assert message.status == Status.FAILED
    assert Standing.objects.get().state.is_suppressed


def test_an_opted_out_about_a_message_that_we_do_not_know_counts_all_the_same():
    message = handed_over()
    stray = traffic.receipt(message, "rejected", error=OPTED_OUT, client_ref="", message_uuid="unheard-of")
    traffic.arrive(stray, traffic.receipt(message, "delivered"))
    assert Standing.objects.get().state.is_suppressed
    message.refresh_from_db()
    assert message.status == Status.DELIVERED


def test_a_reply_that_did_not_arrive_makes_its_person_wait_again_since_the_same_moment():
    message = handed_over()
    ended = Wait.objects.get()
    assert ended.answered_with == message
    traffic.arrive(traffic.receipt(message, "rejected", error=REJECTED))
    wait = Wait.objects.get()
    assert (wait.answered_at, wait.since) == (None, ended.since)
    message.conversation.refresh_from_db()
    assert message.conversation.due_at == wait.due_at
    traffic.arrive(traffic.receipt(message, "delivered"))
    assert Wait.objects.get().answered_with == message, "it has arrived after all"


def test_a_person_who_wrote_again_waits_since_the_first_text_when_the_reply_fails():
    message = handed_over()
    since = Wait.objects.get().since
    traffic.arrive(traffic.text("Hello?"))
    traffic.arrive(traffic.receipt(message, "rejected", error=REJECTED))
    assert [(wait.since, wait.answered_at) for wait in Wait.objects.all()] == [(since, None)]


def test_a_late_failure_does_not_reopen_what_a_younger_reply_has_answered():
    message = handed_over()
    younger = handed_over(Outcome(Kind.SENT, carrier_id="carrier-2"), conversation=message.conversation)
    traffic.arrive(traffic.receipt(message, "rejected", error=REJECTED))
    assert Wait.objects.get().answered_with == younger


def test_a_start_after_the_message_outlives_the_carrier_s_late_opted_out():
    message = handed_over()
    later = timezone.now() + timedelta(minutes=1)
    traffic.arrive(traffic.text("START", timestamp=later.isoformat()), now=later)
    traffic.arrive(traffic.receipt(message, "rejected", error=OPTED_OUT), now=later + timedelta(minutes=1))
    assert not Standing.objects.get().state.is_suppressed


def test_a_batch_of_receipts_needs_as_many_statements_as_one(django_assert_max_num_queries, settings):
    settings.VONAGE_REQUESTS_PER_SECOND = 120
    conversation, agent = traffic.conversation(), factories.user()
    messages = [reply(conversation=conversation, author=agent) for _ in range(40)]
    hand_overs, _ = dispatch.allowed(lane="agents", limit=40, clock=timezone.now)
    results = [settling.Result(one, Outcome(Kind.SENT, carrier_id=one.ref), timezone.now()) for one in hand_overs]
    assert len(results) == 30
    settling.settle(results, clock=timezone.now)
    inbound.receive([traffic.receipt(message, "delivered") for message in messages[:30]], now=timezone.now())
    with django_assert_max_num_queries(25):
        inbound.thread(now=timezone.now())
    assert Receipt.objects.count() == 30
