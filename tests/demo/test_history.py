"""The demo's history in the database: every situation that a screen can show, and all of it true."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.core.management import call_command
from django.db.models import F
from django.utils import timezone
from django_q.models import OrmQ

from consent import deadlines, verification
from consent.models import ConsentEvent, Decision, Hold, Program, Review, Seal, Standing, Subject
from consent.purposes import Effect, Kind, Level, Purpose, Source, Verdict
from contactcenter.demo import plan
from contactcenter.demo.events import Reply, Text
from contactcenter.demo.stories import Situation
from contactcenter.lib import segments
from conversations.models import CarrierEvent, Contact, Conversation, Line, Message, Receipt, Tag, Wait
from conversations.states import FINAL, Status

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("demo")]  # one worker makes it once
NUMBER = 60
NOW = datetime(2026, 11, 23, 15, 30, tzinfo=UTC)  # a Monday morning in New York
PASSWORD = "correct horse battery staple"
# No rule holds a message today, and "sending" lasts for as long as a call to the carrier: the sweep ends it.
NEVER_SHOWN = {Status.HELD, Status.SENDING}


@pytest.fixture(scope="module")
def demo(django_db_setup, django_db_blocker):
    """A small demo, made once for all tests here, which only look at it."""
    with django_db_blocker.unblock():
        try:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(timezone, "now", lambda: NOW)
                call_command("seed_demo", password=PASSWORD, conversations=NUMBER)
            yield SimpleNamespace(now=NOW, plan=plan.made(now=NOW, conversations=NUMBER))
        finally:
            call_command("flush", verbosity=0, interactive=False)


# --- Every situation -----------------------------------------------------------------------------------------


def statuses(it):
    return {Status(status) for status in it.messages.filter(direction="out").values_list("status", flat=True)}


def failed_with(code):
    return lambda it, now: it.messages.filter(status=Status.FAILED, error_code=code).exists() and is_quiet(it)


def is_quiet(it):
    return it.due_at is None and it.unread == 0


def minutes_left(it, now):
    return (it.due_at - now).total_seconds() / 60


def standing(it):
    return Standing.objects.get(subject=it.contact.subject, brand=it.line.brand).state


def agreed_to(it):
    state = standing(it)
    return {program.slug for program in Program.objects.all() if state.level(program.pk) != Level.NONE}


def review(it):
    return Review.objects.get(subject=it.contact.subject, brand=it.line.brand)


def sources(it, kind):
    events = ConsentEvent.objects.filter(subject=it.contact.subject, kind=kind).exclude(effect=Effect.NOTHING)
    return set(events.values_list("source", flat=True))


def is_retried(it, now):
    (second,) = it.messages.filter(retry_of__isnull=False)
    return (second.retry_of.status, second.status) == (Status.FAILED, Status.DELIVERED)


def is_waiting(it, least, most, now):
    return least <= minutes_left(it, now) <= most and it.unread in {2, 3}


def unknown_since(it):
    return it.messages.get(status=Status.UNKNOWN).status_at


def sizes(it):
    return [segments.count(body).segments for body in it.messages.values_list("body", flat=True)]


def is_long(it, messages, days):
    found = list(it.messages.order_by("pk"))
    return len(found) >= messages and (found[-1].occurred_at - found[0].occurred_at).days <= days


TABLE = {
    Situation.OVERDUE: lambda it, now: is_waiting(it, -40.5, -4, now),
    Situation.DUE_SOON: lambda it, now: is_waiting(it, 1, 10, now),
    Situation.WAITING: lambda it, now: is_waiting(it, 10, 15, now),
    Situation.REPLY_FAILED: lambda it, now: -40 < minutes_left(it, now) < -4 and statuses(it) == {Status.FAILED},
    Situation.SNOOZED: lambda it, now: it.snoozed_until > now + timedelta(hours=1) and is_quiet(it),
    Situation.OPEN: lambda it, now: (
        it.resolved_at is None and is_quiet(it) and it.last_message.is_out and statuses(it) == {Status.DELIVERED}
    ),
    Situation.RESOLVED: lambda it, now: it.resolved_at is not None and it.unread == 0,
    Situation.LONG: lambda it, now: is_long(it, 120, 21),
    Situation.BUSY_DAY: lambda it, now: is_long(it, 30, 0),
    Situation.LONG_TEXT: lambda it, now: max(sizes(it)) > 4,
    Situation.PICTURE: lambda it, now: it.messages.filter(kind=Message.Kind.UNSUPPORTED, body="").count() == 1,
    Situation.UNREACHABLE: failed_with("1180"),
    Situation.REJECTED: failed_with("1260"),
    Situation.SPAM: failed_with("1210"),
    Situation.UNKNOWN_NUMBER: failed_with("1250"),
    Situation.REFUSED: failed_with("110"),
    Situation.UNKNOWN: lambda it, now: now - unknown_since(it) < timedelta(hours=72),
    Situation.UNKNOWN_FOR_GOOD: lambda it, now: now - unknown_since(it) > timedelta(hours=72),
    Situation.THROTTLED: lambda it, now: it.messages.get(attempts=2).status == Status.DELIVERED,
    Situation.UNCONFIRMED: lambda it, now: it.last_message.status == Status.SENT,
    Situation.RETRIED: is_retried,
    Situation.BLOCKED: lambda it, now: it.messages.get(status=Status.BLOCKED).decision.reasons == ["opted_out"],
    Situation.EXPIRED: lambda it, now: statuses(it) == {Status.EXPIRED, Status.DELIVERED} and is_quiet(it),
    Situation.CANCELLED: lambda it, now: Status.CANCELLED in statuses(it) and is_quiet(it),
    Situation.SCHEDULED: lambda it, now: it.messages.get(status=Status.QUEUED).due_at > now + timedelta(hours=1),
    Situation.HELD: lambda it, now: Hold.objects.get(phone=it.contact.phone).released_at is None,
    Situation.RELEASED: lambda it, now: Hold.objects.get(phone=it.contact.phone).released_by.username == "supervisor",
    Situation.STOPPED: lambda it, now: standing(it).is_suppressed and sources(it, Kind.REVOKED) == {Source.KEYWORD},
    Situation.STOPPED_IN_WORDS: lambda it, now: (
        standing(it).is_suppressed and sources(it, Kind.REVOKED) == {Source.FREE_TEXT} and it.resolved_at is not None
    ),
    Situation.STARTED_AGAIN: lambda it, now: not standing(it).is_suppressed and sources(it, Kind.RESUMED),
    Situation.CARRIER_STOPPED: lambda it, now: (
        standing(it).is_suppressed and Source.CARRIER in sources(it, Kind.REVOKED)
    ),
    Situation.KEPT: lambda it, now: (
        it.messages.filter(purpose=Purpose.OPT_OUT_CONFIRMATION, body__contains="reply KEEP REMINDERS").exists()
        and agreed_to(it) == {"harbor-reminders"}
        and not standing(it).is_suppressed
    ),
    Situation.MAY_KEEP: lambda it, now: {"harbor-reminders", "harbor-offers"} <= agreed_to(it),
    Situation.JOINED: lambda it, now: (
        sources(it, Kind.REQUESTED) == sources(it, Kind.CONFIRMED) == {Source.KEYWORD}
        and standing(it).level(Program.objects.get(is_double_opt_in=True).pk) == Level.EXPRESS
    ),
    Situation.SUSPECTED: lambda it, now: (
        standing(it).is_suspected and sources(it, Kind.SUSPECTED) == {Source.FREE_TEXT}
    ),
    Situation.CLEARED: lambda it, now: (
        standing(it).cleared_at and not standing(it).is_suspected and review(it).decided_by.username == "compliance"
    ),
    Situation.HELPED: lambda it, now: it.messages.get(purpose=Purpose.HELP).status == Status.DELIVERED,
}


@pytest.mark.parametrize("situation", Situation, ids=lambda situation: situation.name)
def test_every_situation_is_there_as_it_says(demo, situation):
    told = [thread for thread, one in demo.plan.cast.items() if one == situation]
    assert told
    for number, line in told:
        it = Conversation.objects.select_related("contact__subject", "line__brand", "last_message").get(
            contact__phone=number, line__number=line
        )
        assert TABLE[situation](it, demo.now), it.pk


def test_every_status_that_lasts_is_there(demo):
    assert {Status(status) for status in Message.objects.values_list("status", flat=True)} == set(Status) - NEVER_SHOWN


def test_only_who_should_wait_waits(demo):
    waiting = {Situation.OVERDUE, Situation.REPLY_FAILED, Situation.DUE_SOON, Situation.WAITING}
    numbers = {number for (number, _), situation in demo.plan.cast.items() if situation in waiting}
    assert set(Conversation.objects.exclude(due_at=None).values_list("contact__phone", flat=True)) == numbers
    assert Wait.objects.filter(answered_at=None).count() == len(numbers)
    assert Wait.objects.filter(ending=Wait.Ending.NO_ANSWER_NEEDED).exists()
    assert Wait.objects.filter(ending=Wait.Ending.REPLY).count() > NUMBER


def test_somebody_must_judge_by_tomorrow_and_in_the_whole_demo_somebody_is_late(demo):
    assert [found.due_at > demo.now for found in Review.objects.open()] == [True]
    whole = plan.made(now=NOW)
    suspects = {thread for thread, situation in whole.cast.items() if situation == Situation.SUSPECTED}
    last = {event.thread: event.at for event in whole.events if isinstance(event, Text) and event.thread in suspects}
    due = [deadlines.due(at, "America/New_York", "review").at for at in last.values()]
    assert {at > NOW for at in due} == {True, False}


def test_people_have_names_languages_zones_and_tags_or_nothing_but_a_number(demo):
    named = Contact.objects.exclude(name="")
    assert 0.55 < named.count() / Contact.objects.count() < 0.95
    for field in ("reference", "language", "time_zone"):
        assert 0 < named.exclude(**{field: ""}).count() < named.count(), field
    assert Tag.objects.filter(contacts__isnull=False).distinct().count() >= 8
    assert Contact.objects.filter(name="").exclude(reference="").count() == 0


def test_the_toll_free_line_is_another_brand_s_and_answers_stop_by_itself(demo):
    assert Counter(Line.objects.values_list("brand__name", flat=True)) == {"Harbor Clinic": 2, "Harbor Pharmacy": 1}
    confirmed = Message.objects.filter(purpose=Purpose.OPT_OUT_CONFIRMATION)
    assert confirmed.exists()
    assert not confirmed.filter(conversation__line__carrier_answers_stop=True).exists()


# --- And all of it true ----------------------------------------------------------------------------------------


def test_the_ledger_is_whole_and_sealed(demo):
    assert list(verification.problems()) == []
    assert Seal.objects.count() >= 5
    assert not Subject.objects.filter(head_seq__gt=F("sealed_seq")).exists()
    kinds = Counter(ConsentEvent.objects.exclude(effect=Effect.NOTHING).values_list("kind", flat=True))
    assert kinds.keys() == set(Kind)
    granted = ConsentEvent.objects.filter(kind=Kind.GRANTED).first()
    assert set(granted.evidence.values_list("name", flat=True)) >= {"name", "words"}


def test_whatever_left_was_allowed_just_before(demo):
    left = Message.objects.filter(direction="out").exclude(handed_over_at=None).select_related("decision")
    assert left.count() > NUMBER
    for message in left:
        decisions = Decision.objects.filter(message_ref=message.ref)
        assert {decision.verdict for decision in decisions} == {Verdict.ALLOWED}
        assert decisions.count() == message.attempts
        assert message.occurred_at <= message.decision.decided_at <= message.handed_over_at
        assert message.handed_over_at - message.decision.decided_at <= timedelta(seconds=2)
    assert not Message.objects.filter(status__in=[Status.SENT, Status.DELIVERED], handed_over_at=None).exists()


def test_texts_are_the_plan_s_and_in_order(demo):
    said = {}
    for event in demo.plan.events:
        if isinstance(event, Text | Reply):
            said.setdefault(event.thread, []).append(event.body)
    for (number, line), bodies in said.items():
        messages = Message.objects.filter(conversation__contact__phone=number, conversation__line__number=line)
        spoken = [one for one in messages.order_by("pk") if one.purpose in {"", Purpose.REPLY} and not one.retry_of_id]
        assert [message.body for message in spoken] == bodies
        moments = [message.occurred_at for message in messages.order_by("pk")]
        assert moments == sorted(moments)
        assert moments[-1] <= demo.now


def test_what_the_system_answers_by_itself_leaves_in_time(demo):
    automatic = Message.objects.filter(direction="out").exclude(purpose=Purpose.REPLY)
    assert automatic.count() >= 3
    for message in automatic.select_related("decision"):
        assert message.status == Status.DELIVERED, message.body
        assert message.decision.decided_at - message.occurred_at < timedelta(seconds=5)


def test_receipts_say_price_and_segments_as_the_carrier_s_do(demo):
    submitted = Receipt.objects.filter(status="submitted").first()
    assert (submitted.currency, submitted.segments > 0, submitted.price > 0) == ("EUR", True, True)
    assert Receipt.objects.filter(occurred_at__gt=demo.now).count() == 0


def test_what_cannot_be_threaded_is_parked_and_the_rest_is_not(demo):
    parked = CarrierEvent.objects.filter(state=CarrierEvent.State.PARKED)
    assert min(parked.values_list("error", flat=True)).startswith("+12015550102 is no line here")
    assert parked.count() == 2  # and what could not be read
    assert not CarrierEvent.objects.filter(state=CarrierEvent.State.STORED).exists()


def test_nothing_is_left_to_be_sent_but_what_is_scheduled(demo):
    unsettled = Message.objects.filter(direction="out").exclude(status__in=FINAL | {Status.SENT, Status.UNKNOWN})
    assert [message.status for message in unsettled] == [Status.QUEUED]
    for lane in Message.Lane.values:
        assert not Message.objects.due(lane, demo.now + timedelta(minutes=30)).exists()
    assert not OrmQ.objects.exists()


def counts():
    models = (
        ConsentEvent,
        Seal,
        Decision,
        Hold,
        CarrierEvent,
        Message,
        Wait,
        Receipt,
        Tag,
        Contact,
        Conversation,
        Line,
    )
    return {model.__name__: model.objects.count() for model in models}


def test_a_second_seed_adds_nothing(demo, capsys):
    before = counts()
    call_command("seed_demo", password=PASSWORD)
    assert counts() == before
    assert "Seeding" not in capsys.readouterr().out
