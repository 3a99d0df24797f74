"""When an answer is due, by the team's hours; and what the clock does as that passes."""

from datetime import UTC, datetime, time, timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from conversations import escalating, handling, waits
from conversations.models import Conversation, Entry, Holiday, Message, OpeningHours, Team, Wait
from tests import factories

pytestmark = pytest.mark.django_db

FRIDAY = datetime(2026, 11, 20, 21, 55, tzinfo=UTC)  # 4:55 PM in New York


@pytest.fixture
def team() -> Team:
    made = factories.team(time_zone="America/New_York", first_response=15, next_response=60)
    for weekday in range(5):
        OpeningHours.objects.create(team=made, weekday=weekday, opens=time(9), closes=time(17))
    return made


def waiting(team: Team | None, at: datetime = FRIDAY) -> Conversation:
    made = factories.conversation(team=team)
    waits.open_for([factories.text_from(made, status_at=at)])
    return made


def moments(conversation: Conversation) -> tuple[datetime, datetime | None, datetime | None]:
    return Wait.objects.filter(conversation=conversation, answered_at=None).values_list(
        "due_at", "warns_at", "escalates_at"
    )[0]


def test_without_a_team_a_quarter_of_an_hour_by_the_clock() -> None:
    due = FRIDAY + timedelta(minutes=15)
    assert moments(waiting(None)) == (due, due - timedelta(minutes=5), due + timedelta(minutes=15))


def test_with_one_by_its_hours_over_the_weekend_and_a_holiday(team: Team) -> None:
    Holiday.objects.create(team=team, day=datetime(2026, 11, 23).date(), name="Founder’s day")
    due_at, warns_at, escalates_at = moments(waiting(team))

    tuesday = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)  # 9 AM
    assert (due_at, warns_at) == (tuesday + timedelta(minutes=10), tuesday + timedelta(minutes=5))
    assert escalates_at == tuesday + timedelta(minutes=25)


def test_the_first_answer_has_its_own_target_also_after_a_resolve(team: Team) -> None:
    morning = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
    shown, agent = waiting(team, morning), factories.user()
    assert Wait.objects.get().is_first
    Wait.objects.update(
        answered_at=morning, answered_by=agent, answered_with=Message.objects.get(), ending=Wait.Ending.REPLY
    )

    waits.open_for([factories.text_from(shown, status_at=morning, ref=uuid4())])
    assert moments(shown)[0] == morning + timedelta(minutes=60)
    assert not Wait.objects.latest("pk").is_first

    Wait.objects.filter(answered_at=None).update(
        answered_at=morning, answered_by=agent, ending=Wait.Ending.NO_ANSWER_NEEDED
    )
    Entry.objects.create(conversation=shown, kind=Entry.Kind.RESOLVED, at=morning + timedelta(minutes=1))
    waits.open_for([factories.text_from(shown, status_at=morning, ref=uuid4())])
    assert moments(shown)[0] == morning + timedelta(minutes=15)


def test_a_deadline_is_warned_of_then_missed_then_told_each_once(team: Team) -> None:
    shown = waiting(None)
    wait = Wait.objects.get()

    def stage(after: int) -> str:
        escalating.advance(now=FRIDAY + timedelta(minutes=after))
        wait.refresh_from_db()
        return wait.stage

    assert [stage(minutes) for minutes in (9, 10, 14, 15, 29, 30, 31)] == [
        "", "warned", "warned", "breached", "breached", "escalated", "escalated",
    ]  # fmt: skip
    kinds = Entry.objects.filter(conversation=shown).order_by("pk").values_list("kind", "facts__due")
    assert list(kinds) == [("breached", wait.due_at.isoformat()), ("escalated", wait.due_at.isoformat())]


def test_after_an_outage_nothing_is_skipped_and_who_is_answered_is_left_alone() -> None:
    late, answered = waiting(None), waiting(None)
    Wait.objects.filter(conversation=answered).update(
        answered_at=FRIDAY, answered_by=factories.user(), ending=Wait.Ending.NO_ANSWER_NEEDED
    )

    assert escalating.advance(now=FRIDAY + timedelta(days=1)) == 1
    assert escalating.advance(now=FRIDAY + timedelta(days=1)) == 0
    assert list(Entry.objects.filter(conversation=late).values_list("kind", flat=True)) == ["breached", "escalated"]


def test_every_late_wait_is_a_visible_change() -> None:
    shown = waiting(None)
    version = Conversation.objects.get(pk=shown.pk).version
    escalating.advance(now=FRIDAY + timedelta(minutes=16))
    assert Conversation.objects.get(pk=shown.pk).version == version + 1
    assert handling.wake(now=timezone.now()) == 0
