"""The rows that the growth is measured with are such as the product would have left."""

from datetime import timedelta

import pytest
from django.db.models import F, Max, Q
from django.utils import timezone

from bench import population
from conversations.models import Conversation, Message, Wait
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def grown() -> None:
    line, people, now = factories.line(), [factories.user().pk for _ in range(3)], timezone.now()
    population.grow(
        range(100),
        line_id=line.pk,
        brand_id=line.brand_id,
        author_id=people[0],
        owners=people,
        since=now - timedelta(days=9),
        until=now,
    )


def test_there_is_a_conversation_for_each_number_and_some_of_every_kind() -> None:
    assert Conversation.objects.count() == 100
    assert Message.objects.count() == 100 * 2 * population.ROUNDS - 2
    for kind in (
        Q(due_at__isnull=False),
        Q(resolved_at__isnull=False),
        Q(snoozed_until__isnull=False),
        Q(owner=None),
        Q(resolved_at=None, due_at=None, snoozed_until=None),
    ):
        assert Conversation.objects.filter(kind).exists(), kind


def test_the_list_s_columns_say_what_messages_say() -> None:
    rows = Conversation.objects.annotate(
        newest=Max("messages"), written=Max("messages__occurred_at", filter=Q(messages__direction="in"))
    )
    assert not rows.exclude(last_message=F("newest")).exists()
    assert not rows.exclude(last_message_at=F("last_message__occurred_at")).exists()
    assert not rows.exclude(wrote_at=F("written")).exists()


def test_who_wrote_last_waits_and_is_unread_and_nobody_else() -> None:
    waiting = Conversation.objects.filter(due_at__isnull=False)

    assert not waiting.exclude(unread=1, last_message__direction="in", resolved_at=None, snoozed_until=None).exists()
    assert not Conversation.objects.filter(due_at=None).exclude(unread=0, last_message__direction="out").exists()
    still_open = Wait.objects.filter(answered_at=None)
    assert set(still_open.values_list("conversation", "due_at")) == set(waiting.values_list("pk", "due_at"))


def test_every_text_of_a_person_opened_a_wait_that_our_next_reply_ended() -> None:
    assert Wait.objects.count() == Message.objects.filter(direction="in").count()
    answered = Wait.objects.filter(answered_at__isnull=False)
    assert not answered.exclude(
        answered_with__conversation=F("conversation"),
        answered_with__pk__gt=F("opened_by"),
        answered_with__occurred_at=F("answered_at"),
        answered_by=F("answered_with__author"),
        answered_at__gt=F("since"),
    ).exists()


def test_every_reply_has_the_decision_that_allowed_it() -> None:
    replies = Message.objects.filter(direction="out")

    assert not replies.exclude(
        decision__message_ref=F("ref"),
        decision__subject=F("conversation__contact__subject"),
        decision__brand=F("conversation__line__brand"),
        decision__verdict="allowed",
    ).exists()


def test_ids_are_given_out_in_the_order_of_time() -> None:
    times = list(Message.objects.order_by("pk").values_list("occurred_at", flat=True))

    assert times == sorted(times)
