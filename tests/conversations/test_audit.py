"""`manage.py audit`: silent about what is true, and whatever is broken by hand is named."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.utils import timezone

from consent.models import Disclosure
from contactcenter.management.commands.audit import INVARIANTS
from conversations import assigning, dispatch, escalating, handling, inbound
from conversations.models import CarrierEvent, Conversation, Message, Wait
from conversations.states import Status
from tests import factories
from tests.conversations import screens, sending, traffic

pytestmark = pytest.mark.django_db


def broken() -> set[str]:
    """What is said of the rows that break a promise."""
    return {problem.what for invariant in INVARIANTS for problem in invariant.problems(timezone.now())}


def one(rows: int) -> None:
    """One row was brought into a state that no code of ours would bring it into."""
    assert rows == 1


def tamper(query: str, *params: object) -> None:
    """Past the triggers that keep decisions as they are."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE consent_decision DISABLE TRIGGER USER")
        cursor.execute(query, params)
        cursor.execute("ALTER TABLE consent_decision ENABLE TRIGGER USER")


def test_the_life_of_a_clinic_breaks_no_promise(monkeypatch) -> None:
    monkeypatch.setenv("DEMO_CONVERSATIONS", "60")
    call_command("seed_demo", password="correct horse battery staple")
    for duty in (escalating.advance, assigning.take_back):  # what the clock does within its first second
        duty(now=timezone.now())

    call_command("audit")


def test_the_command_names_the_rows_and_fails(capsys) -> None:
    sending.handed_over()
    message = Message.objects.get(direction="out")
    Message.objects.filter(pk=message.pk).update(handed_over_at=timezone.now() + timedelta(seconds=3))

    with pytest.raises(CommandError, match=f"1 of {len(INVARIANTS)} promises"):
        call_command("audit")
    said = capsys.readouterr().out
    assert f"conversations_message row {message.pk}: it was handed over later than two seconds" in said
    assert said.count("✓") == len(INVARIANTS) - 1


def test_a_database_that_is_away_is_no_broken_promise(monkeypatch) -> None:
    def away(*args: object) -> None:
        raise OperationalError("connection refused\nIs the server running?")

    monkeypatch.setattr("contactcenter.management.commands.audit.snapshot", away)
    with pytest.raises(CommandError, match="can't be asked: connection refused") as told:
        call_command("audit")
    assert told.value.returncode == 2


def test_a_long_list_is_cut_short(capsys) -> None:
    for _ in range(5):
        conversation = screens.thread()
        Conversation.objects.filter(pk=conversation.pk).update(wrote_at=None)
    with pytest.raises(CommandError):
        call_command("audit", most=2)
    assert "and " in capsys.readouterr().out


def lost_event() -> str:
    inbound.receive([traffic.text()], now=timezone.now())
    one(CarrierEvent.objects.update(received_at=timezone.now() - timedelta(minutes=2)))
    return "it was acknowledged and has been in no thread for over a minute"


def claimed_to_be_threaded() -> str:
    traffic.line()
    inbound.receive([traffic.text()], now=timezone.now())
    one(CarrierEvent.objects.update(state="threaded"))
    return "it says that it is in a thread, and no message is"


def unanswered() -> str:
    traffic.conversation()
    one(
        Wait.objects.update(
            answered_at=timezone.now() - timedelta(days=1), answered_by=factories.user(), ending="reply"
        )
    )
    return "nobody answered it, and nobody is waiting for an answer"


def waiting_for_an_answer_that_is_out() -> str:
    sending.handed_over()
    one(Wait.objects.update(answered_at=None, answered_by=None, answered_with=None, ending=""))
    return "it goes on though a reply is out"


def answered_by_nothing() -> str:
    message = sending.handed_over()
    one(Message.objects.filter(pk=message.pk).update(status=Status.FAILED))
    return "it ended with a reply that did not arrive"


def another_s_wait() -> str:
    traffic.conversation()
    other = traffic.conversation(sender="+12015550177")
    one(Wait.objects.exclude(conversation=other).update(opened_by=other.messages.get()))
    return "it is for a text of another conversation, or for none"


def late_and_nobody_told() -> str:
    traffic.conversation()
    one(Wait.objects.update(due_at=timezone.now() - timedelta(minutes=16)))
    Conversation.objects.update(due_at=Wait.objects.get().due_at)
    return "its deadline passed a quarter of an hour ago, and nobody was told"


def left_with_somebody_who_went_home() -> str:
    conversation, hours_ago = traffic.conversation(), timezone.now() - timedelta(hours=1)
    owner = factories.present(factories.user(), seen_at=hours_ago)
    one(Conversation.objects.filter(pk=conversation.pk).update(owner=owner, owned_since=hours_ago))
    one(Wait.objects.update(since=hours_ago))
    return "its owner has been gone for a quarter of an hour, and it has not come back"


def in_no_team_s_queue() -> str:
    conversation = traffic.conversation()
    one(Conversation.objects.filter(pk=conversation.pk).update(team=factories.team(is_active=False)))
    return "it is in the queue of a team that is no more"


def never_allowed() -> str:
    message = sending.reply()
    decided = sending.decision(message)
    one(Message.objects.filter(pk=message.pk).update(status=Status.SENT, decision=decided))
    tamper("UPDATE consent_decision SET verdict = 'blocked'")
    return "it is sent, and the gate never allowed it"


def stuck_on_its_way() -> str:
    sending.reply()
    dispatch.allowed(lane="agents", limit=1, clock=timezone.now)
    long_ago = timezone.now() - timedelta(minutes=3)
    one(Message.objects.filter(status="sending").update(status_at=long_ago))
    return "it has been on its way to the carrier for over two minutes"


def held_for_ever() -> str:
    message = sending.reply()
    one(Message.objects.filter(pk=message.pk).update(status="held", due_at=timezone.now() - timedelta(minutes=16)))
    return "its hour has come, and it is still held"


def left_behind() -> str:
    message = sending.reply()
    past = timezone.now() - timedelta(minutes=2)
    one(Message.objects.filter(pk=message.pk).update(due_at=past, lease_until=past))
    return "a worker left it behind, and no other takes it"


def nobody_sends() -> str:
    message = sending.reply()
    one(Message.objects.filter(pk=message.pk).update(due_at=timezone.now() - timedelta(minutes=20)))
    return "it is due, and nothing of its lane has moved for a quarter of an hour"


def wrong_deadline() -> str:
    conversation = traffic.conversation()
    one(Conversation.objects.filter(pk=conversation.pk).update(due_at=None))
    return "its deadline is not that of its wait"


def wrong_last_message() -> str:
    conversation = traffic.conversation()
    one(Conversation.objects.filter(pk=conversation.pk).update(last_message=None))
    return "it does not name its last message"


def too_many_unread() -> str:
    conversation = traffic.conversation()
    one(Conversation.objects.filter(pk=conversation.pk).update(unread=3))
    return "it counts more unread texts than there are"


def allowed_in_spite_of_a_no() -> str:
    message = sending.handed_over()
    traffic.arrive(traffic.text("STOP"))
    tamper("UPDATE consent_decision SET ledger_seq = 1 WHERE id = %s", message.decision_id)
    return "it allowed a text to somebody who had said no"


def answered_unasked() -> str:
    line = traffic.line()
    program = factories.program(brand=line.brand, opt_in_keyword="TOOTH", is_double_opt_in=True)
    Disclosure.objects.create(program=program, version=1, text="I agree …")
    traffic.arrive(traffic.text("TOOTH"))
    sending.send_all()
    traffic.arrive(traffic.text("YES"))
    assert broken() == set()
    tamper("UPDATE consent_decision SET verdict = 'blocked' WHERE purpose = 'double_opt_in'")
    return "it counts as a YES, and no question had been allowed"


PLANTED: tuple[Callable[[], str], ...] = (
    lost_event,
    claimed_to_be_threaded,
    unanswered,
    waiting_for_an_answer_that_is_out,
    answered_by_nothing,
    another_s_wait,
    never_allowed,
    late_and_nobody_told,
    left_with_somebody_who_went_home,
    in_no_team_s_queue,
    stuck_on_its_way,
    held_for_ever,
    left_behind,
    nobody_sends,
    wrong_deadline,
    wrong_last_message,
    too_many_unread,
    allowed_in_spite_of_a_no,
    answered_unasked,
)


@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
def test_what_is_broken_is_named(plant: Callable[[], str]) -> None:
    assert plant() in broken()


def test_a_reply_before_a_stop_and_one_after_a_start_break_nothing() -> None:
    conversation = traffic.conversation()
    sending.handed_over(conversation=conversation)
    traffic.arrive(traffic.text("STOP"))
    traffic.arrive(traffic.text("START", timestamp=(timezone.now() + timedelta(seconds=2)).isoformat()))
    assert broken() == set()


def test_who_takes_back_a_judgement_after_a_reply_went_out_makes_nobody_wait() -> None:
    """The reply was written after the conversation was called done; undoing that leaves the answer an answer."""
    conversation, agent, now = traffic.conversation(), factories.user(), timezone.now()
    handling.resolve(conversation=conversation, by_id=agent.pk, now=now)
    sending.handed_over(conversation=conversation)

    handling.reopen(conversation=conversation, by_id=agent.pk, now=timezone.now())

    assert not Wait.objects.filter(answered_at=None).exists()
    assert broken() == set()
