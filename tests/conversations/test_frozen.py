"""A process that was frozen, or starved, in the middle of a transaction: PostgreSQL has ended its session meanwhile."""

import time

import pytest
from django.db import InternalError, OperationalError, connection, transaction
from django.utils import timezone

from consent.models import Hold
from contactcenter.maintenance import is_away
from conversations import dispatch, inbound, settling, threads
from conversations.models import CarrierEvent, Message
from conversations.states import Status
from tests.conversations import traffic
from tests.conversations.sending import SENT, reply

pytestmark = pytest.mark.django_db(transaction=True)


def freeze(*args, **kwargs):
    """Rests in the current transaction until the session is ended, and finds out as whoever was frozen does."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = '1ms'")
        time.sleep(0.1)
        cursor.execute("SELECT 1")


@pytest.fixture
def frozen_once(monkeypatch):
    """Makes a function freeze at its first calls."""

    def at(module, name, times=1):
        function, calls = getattr(module, name), []

        def frozen(*args, **kwargs):
            calls.append(1)
            if len(calls) <= times:
                freeze()
            return function(*args, **kwargs)

        monkeypatch.setattr(module, name, frozen)

    return at


def test_a_page_takes_it_for_a_database_that_is_away():
    # On a busy machine the client sees the closed line before it reads why.
    with pytest.raises((InternalError, OperationalError)) as raised, transaction.atomic():
        freeze()
    assert is_away(raised.value)


def test_a_webhook_that_was_being_stored_is_stored_all_the_same(frozen_once):
    traffic.line()
    frozen_once(inbound, "insert")
    assert inbound.receive([traffic.text("STOP")], now=timezone.now()) == [True]
    assert CarrierEvent.objects.get().state == "stored"


def test_one_that_met_it_twice_is_neither_acknowledged_nor_parked_and_comes_again(frozen_once):
    traffic.line()
    frozen_once(inbound, "insert", times=2)  # with its batch, then alone
    assert inbound.receive([traffic.text("STOP")], now=timezone.now()) == [False]
    assert not CarrierEvent.objects.exists()
    assert not Hold.objects.exists()
    assert inbound.receive([traffic.text("STOP")], now=timezone.now()) == [True]


def test_what_was_being_threaded_stays_stored_for_the_next_time(frozen_once):
    traffic.line()
    inbound.receive([traffic.text("one"), traffic.text("two")], now=timezone.now())
    frozen_once(threads, "note_arrivals")
    with pytest.raises(InternalError):
        inbound.thread(now=timezone.now())
    assert set(CarrierEvent.objects.values_list("state", flat=True)) == {"stored"}
    inbound.thread(now=timezone.now())
    assert Message.objects.count() == 2


def test_the_result_of_a_hand_over_is_written_all_the_same(frozen_once, monkeypatch):
    monkeypatch.setattr(settling, "SETTLE_AGAIN_SECONDS", (0, 0))
    message = reply()
    (hand_over,), _ = dispatch.allowed(lane="agents", limit=1, clock=timezone.now)
    frozen_once(settling, "settle_taken", times=2)  # together, then alone
    settling.settle_surely([settling.Result(hand_over, SENT, timezone.now())], clock=timezone.now)
    message.refresh_from_db()
    assert message.status == Status.SENT
