"""Messages in: stored once, threaded, never lost."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import OperationalError, connection, connections, transaction
from django.utils import timezone

from consent.models import ConsentEvent, Hold, Standing
from conversations import inbound, threads
from conversations.models import CarrierEvent, Contact, Conversation, Line, Message, Wait
from tests import factories
from tests.conversations import traffic

pytestmark = pytest.mark.django_db


def test_a_text_becomes_contact_conversation_message_and_wait():
    conversation = traffic.conversation("Is the clinic open on Saturday?")

    message = Message.objects.get()
    assert (message.body, message.status, message.direction) == ("Is the clinic open on Saturday?", "received", "in")
    assert conversation.contact.phone == traffic.PERSON
    assert conversation.last_message == message
    assert conversation.unread == 1
    wait = Wait.objects.get()
    assert (wait.conversation, wait.answered_at) == (conversation, None)
    assert conversation.due_at == wait.due_at
    assert CarrierEvent.objects.get().state == "threaded"


def test_a_batch_needs_as_many_statements_as_one_text():
    traffic.line()
    now = timezone.now()

    def statements(texts):
        assert all(inbound.receive(texts, now=now))
        with connection.execute_wrapper(counting := Counting()):
            inbound.thread(now=now)
        return counting.number

    class Counting:
        number = 0

        def __call__(self, execute, sql, params, many, context):
            self.number += 1
            return execute(sql, params, many, context)

    one = statements([traffic.text("one", sender="+12015550001")])
    many = statements([traffic.text(f"text {n}", sender=f"+1201555{n:04}") for n in range(100, 200)])
    assert many == one


@pytest.mark.parametrize(
    "beside",
    [
        {"message_type": "image", "image": {"url": "https://cdn.example/a.jpg", "caption": "STOP"}},
        {"message_type": "content", "content": [{"type": "image", "url": "u"}, {"type": "text", "text": "stop!"}]},
    ],
)
def test_a_stop_beside_a_picture_is_a_stop(beside):
    line = traffic.line()
    payload = traffic.payload(channel="mms", **beside)
    del payload["text"]
    traffic.arrive(traffic.delivery("inbound", json.dumps(payload).encode()))
    assert Standing.objects.get(brand=line.brand).state.is_suppressed


def test_other_channels_and_unknown_fields_are_kept_and_shown_as_unsupported():
    traffic.line()
    traffic.arrive(
        traffic.text("", channel="mms", message_type="image", image={"url": "https://example.com/a.jpg"}, novel=[1])
    )  # fmt: skip

    message = Message.objects.get()
    assert (message.kind, message.channel) == (Message.Kind.UNSUPPORTED, "mms image")
    payload = CarrierEvent.objects.get().payload
    assert payload["image"]["url"] == "https://example.com/a.jpg"
    assert payload["novel"] == [1]


def test_a_text_to_no_line_of_ours_is_parked_with_what_to_do_and_can_be_tried_again():
    traffic.arrive(traffic.text(recipient="+12015550999"))

    event = CarrierEvent.objects.get()
    assert event.state == "parked"
    assert "+12015550999 is no line here" in event.error

    traffic.line(number="+12015550999")
    CarrierEvent.objects.update(state="stored", error="")
    inbound.thread([event.pk], now=timezone.now())
    assert Message.objects.get().conversation.line.number == "+12015550999"


def test_one_bad_event_does_not_hold_up_the_others():
    traffic.line()
    traffic.arrive(traffic.text("good"), traffic.text("lost", recipient="+12015550999"), traffic.text("good too"))
    assert sorted(Message.objects.values_list("body", flat=True)) == ["good", "good too"]
    assert CarrierEvent.objects.filter(state="parked").count() == 1


@pytest.mark.parametrize(
    "raw",
    [
        b"not json",
        b"[]",
        b'"text"',
        b"\xff\xfe",
        b'{"text": "no sender"}',
        b"{}",
        b'{"a": NaN, "b": 1e999}',
        b"[" * 5000,
        b'{"a":' * 3000 + b"1" + b"}" * 3000,
    ],
)
def test_what_cannot_be_read_is_kept_and_parked(raw):
    traffic.line()
    traffic.arrive(traffic.delivery("inbound", raw), traffic.delivery("status", raw))
    assert CarrierEvent.objects.filter(state="parked").count() == 2
    assert all(CarrierEvent.objects.values_list("error", flat=True))


def test_a_stop_from_no_possible_number_is_kept_and_parked():
    traffic.line()
    traffic.arrive(traffic.text("STOP", sender="+" + "1" * 30))
    assert CarrierEvent.objects.get().state == "parked"


def test_a_stop_that_cannot_be_threaded_counts_all_the_same():
    line = traffic.line()
    odd = traffic.payload("STOP")
    del odd["message_uuid"]
    deep: dict = {}
    odd["novel"] = deep
    for _ in range(600):
        deep["deeper"] = deep = {}
    traffic.arrive(traffic.delivery("inbound", json.dumps(odd).encode()))
    assert CarrierEvent.objects.get().state == "parked"
    assert Standing.objects.get(brand=line.brand).state.is_suppressed


def test_who_sent_what_cannot_be_read_is_held():
    traffic.line()
    traffic.arrive(traffic.delivery("inbound", b'{"from": "12015550123", "text": "STOP'))
    assert Hold.objects.get().phone == "+12015550123"


def test_the_list_shows_the_younger_of_two_texts_whichever_is_threaded_last():
    conversation = traffic.conversation("first")
    newest = conversation.last_message
    older = Message(
        conversation=conversation, pk=newest.pk - 1, status_at=newest.status_at, occurred_at=newest.occurred_at
    )
    threads.note_arrivals([older])
    conversation.refresh_from_db()
    assert conversation.last_message == newest


@pytest.mark.django_db(transaction=True)
def test_two_processes_with_the_same_duplicates_never_wait_for_each_other():
    traffic.line()
    for number in range(20):
        texts = [traffic.text(f"{number}-{n}", message_uuid=f"{number}-{n}") for n in range(10)]

        def arrive(batch):
            try:
                return inbound.receive(batch, now=timezone.now())
            finally:
                connections.close_all()

        with ThreadPoolExecutor(2) as threads:
            assert [all(verdicts) for verdicts in threads.map(arrive, [texts, texts[::-1]])] == [True, True]
    assert CarrierEvent.objects.count() == 200


def test_a_time_at_the_edge_of_the_calendar_is_not_believed():
    traffic.line()
    traffic.arrive(
        traffic.text(timestamp="0001-01-01T00:00:00+14:00"), traffic.text(timestamp="9999-12-31T23:59:59-14:00")
    )
    assert all(message.occurred_at.year > 2000 for message in Message.objects.all())


def test_a_database_in_trouble_parks_nothing(monkeypatch):
    traffic.line()

    def deadlock(*args, **kwargs):
        raise OperationalError("deadlock detected")

    with monkeypatch.context() as patch:
        patch.setattr(inbound.ledger, "record_many", deadlock)
        assert inbound.receive([traffic.text("STOP")], now=timezone.now()) == [False]
    assert inbound.receive([traffic.text("STOP")], now=timezone.now()) == [True]
    with monkeypatch.context() as patch, pytest.raises(OperationalError):
        patch.setattr(threads, "note_arrivals", deadlock)
        inbound.thread(now=timezone.now())
    assert CarrierEvent.objects.get().state == "stored"


def test_nul_and_lone_surrogates_are_stored_without():
    traffic.line()
    traffic.arrive(traffic.delivery("inbound", json.dumps(traffic.payload("a\x00b\ud83dc")).encode()))
    assert Message.objects.get().body == "ab?c"


def test_card_numbers_never_reach_the_disk():
    traffic.conversation("My card is 4111 1111 1111 1111, ssn 078-05-1120")
    with connection.cursor() as cursor:
        cursor.execute("SELECT payload::text FROM conversations_carrierevent")
        stored = cursor.fetchone()[0] + Message.objects.get().body
    assert "4111 1111" not in stored
    assert "078-05" not in stored
    assert "1111" in stored


def test_a_stop_is_in_the_ledger_before_the_acknowledgement_and_confirmed_once():
    line = traffic.line()
    now = timezone.now()
    assert inbound.receive([traffic.text("Stop")], now=now) == [True]

    assert Standing.objects.get(brand=line.brand).state.is_suppressed
    assert not Message.objects.exists()

    inbound.thread(now=now)
    traffic.arrive(traffic.text("STOP"), traffic.text("stop."))
    confirmation = Message.objects.get(direction="out")
    assert confirmation.purpose == "opt_out_confirmation"
    assert ConsentEvent.objects.count() == 3
    assert not Wait.objects.exists()


def test_where_the_carrier_answers_stop_itself_we_stay_silent():
    traffic.line(kind=Line.Kind.TOLL_FREE, carrier_answers_stop=True)
    traffic.arrive(traffic.text("STOP"))
    assert not Message.objects.filter(direction="out").exists()
    assert Standing.objects.get().state.is_suppressed


def test_a_start_older_than_the_last_stop_changes_nothing():
    traffic.line()
    now = timezone.now()
    traffic.arrive(traffic.text("STOP", timestamp=now.isoformat()))
    traffic.arrive(traffic.text("START", timestamp=(now - timedelta(seconds=1)).isoformat()))
    assert Standing.objects.get().state.is_suppressed
    traffic.arrive(traffic.text("START", timestamp=now.isoformat()))
    assert Standing.objects.get().state.is_suppressed, "ties revoke"


def test_a_start_from_the_future_does_not_outlive_the_next_stop():
    traffic.line()
    now = timezone.now()
    traffic.arrive(traffic.text("START", timestamp=(now + timedelta(hours=5)).isoformat()), now=now)
    traffic.arrive(
        traffic.text("STOP", timestamp=(now + timedelta(seconds=1)).isoformat()), now=now + timedelta(seconds=2)
    )
    assert Standing.objects.get().state.is_suppressed


def test_a_stop_to_a_number_that_is_no_line_is_said_to_every_brand():
    factories.brand()
    factories.brand()
    traffic.arrive(traffic.text("STOP", recipient="+12015550999"))
    assert [standing.state.is_suppressed for standing in Standing.objects.all()] == [True, True]


def test_help_is_answered_even_after_a_stop_and_changes_nothing():
    traffic.line()
    traffic.arrive(traffic.text("STOP"), traffic.text("HELP"))
    assert set(Message.objects.filter(direction="out").values_list("purpose", flat=True)) == {
        "opt_out_confirmation",
        "help",
    }
    assert Standing.objects.get().state.is_suppressed


def test_when_the_ledger_fails_the_text_is_kept_and_its_number_held(monkeypatch):
    traffic.line()

    def fail(*args, **kwargs):
        raise RuntimeError("the ledger is broken")

    monkeypatch.setattr(inbound.ledger, "record_many", lambda reports, now: fail() if reports else [])
    harmless, stop = traffic.text("Hello"), traffic.text("STOP", sender="+12015550188")
    assert inbound.receive([harmless, stop], now=timezone.now()) == [True, True]

    assert CarrierEvent.objects.get(key=stop.key).state == "parked"
    assert "the ledger is broken" in CarrierEvent.objects.get(key=stop.key).error
    assert Hold.objects.get().phone == "+12015550188"
    assert CarrierEvent.objects.get(key=harmless.key).state == "stored"


def test_when_not_even_that_can_be_written_nothing_is_acknowledged(monkeypatch):
    monkeypatch.setattr(inbound, "is_database_there", lambda: False)
    monkeypatch.setattr(inbound, "insert", lambda deliveries: 1 / 0)
    assert inbound.receive([traffic.text()], now=timezone.now()) == [False]


def test_what_a_crash_left_between_the_steps_is_threaded_by_the_sweep():
    traffic.line()
    inbound.receive([traffic.text("left behind")], now=timezone.now())
    assert inbound.thread(now=timezone.now()) == 1
    assert Message.objects.get().body == "left behind"
    assert inbound.thread(now=timezone.now()) == 0


@pytest.mark.django_db(transaction=True)
def test_fifty_concurrent_copies_make_one_message_and_all_are_acknowledged():
    traffic.line()
    copies = [traffic.text("once", message_uuid="the-same")] * 50

    def arrive(copy):
        try:
            verdict = inbound.receive([copy], now=timezone.now())
            inbound.thread(now=timezone.now())
            return verdict
        finally:
            connections.close_all()

    with ThreadPoolExecutor(10) as threads:
        verdicts = list(threads.map(arrive, copies))
    assert verdicts == [[True]] * 50
    assert Message.objects.count() == 1
    assert Conversation.objects.get().unread == 1


@pytest.mark.django_db(transaction=True)
def test_many_threads_and_the_same_new_people_make_each_of_them_once():
    traffic.line()

    def arrive(batch):
        try:
            traffic.arrive(*batch)
        finally:
            connections.close_all()

    batches = [
        [traffic.text(f"{batch}-{person}", sender=f"+1201555{person:04}") for person in range(20)][:: (-1) ** batch]
        for batch in range(8)
    ]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(arrive, batches))
    while inbound.thread(now=timezone.now()):
        pass
    assert Contact.objects.count() == 20
    assert Message.objects.count() == 160
    assert not CarrierEvent.objects.exclude(state="threaded").exists()
    assert set(Conversation.objects.values_list("unread", flat=True)) == {8}


def test_receiving_does_not_leave_a_broken_transaction_behind():
    traffic.line()
    with transaction.atomic():
        assert inbound.receive([traffic.text()], now=timezone.now()) == [True]
    assert CarrierEvent.objects.exists()


def test_texts_to_a_number_that_is_no_line_cost_the_others_nothing(django_assert_max_num_queries) -> None:
    """They are told apart before anything is locked: the others are one batch still, whoever knows not their number."""
    traffic.line()
    good = [traffic.text("Hi", sender=f"+1202555{n:04}") for n in range(20)]
    lost = [traffic.text("Hi", sender="+12025550199", recipient="+12025559999") for _ in range(3)]
    inbound.receive([*good[:10], *lost, *good[10:]], now=timezone.now())

    with django_assert_max_num_queries(40):
        assert inbound.thread(now=timezone.now()) == 23

    assert Message.objects.filter(direction="in").count() == 20
    assert set(CarrierEvent.objects.filter(state="parked").values_list("error", flat=True)) == {
        "+12025559999 is no line here. Add it under Lines, then try again."
    }
