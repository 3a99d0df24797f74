"""Random batches through the set-based ingest and through the plain oracle end in equal rows."""

from collections import Counter
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consent.models import Brand, ConsentEvent, Standing
from conversations import inbound
from conversations.models import CarrierEvent, Conversation, Line, Message, Wait
from tests.conversations import oracle, traffic

PEOPLE = ["+12015550123", "+12015550124", "+13055550125"]
LINES = [traffic.LINE, "+18005550100", "+19995550000"]  # the last is no line of ours
BODIES = ["Hello", "stop", "STOP!", "Start", "help", "Is it open?", "", "4111 1111 1111 1111 is my card"]


@st.composite
def batches(draw: st.DrawFn) -> list[list[dict[str, Any]]]:
    """Batches of texts with doubles within and across them, any carrier times, people and lines."""
    texts = draw(
        st.lists(
            st.fixed_dictionaries(
                {
                    "message_uuid": st.sampled_from([f"uuid-{number}" for number in range(8)]),
                    "sender": st.sampled_from(PEOPLE),
                    "recipient": st.sampled_from(LINES),
                    "body": st.sampled_from(BODIES),
                    "minutes_ago": st.integers(-2, 3),
                }
            ),
            max_size=12,
        )
    )
    first_wins: dict[str, dict[str, Any]] = {}
    texts = [first_wins.setdefault(text["message_uuid"], text) for text in texts]
    cuts = sorted(draw(st.lists(st.integers(0, len(texts)), max_size=3)))
    edges = [0, *cuts, len(texts)]
    return [texts[start:end] for start, end in pairwise(edges)]


def world() -> None:
    brand = Brand.objects.create(name="Harbor Clinic", help_contact="+1 201 555 0199")
    Line.objects.create(number=LINES[0], name="Front desk", kind="10dlc", brand=brand)
    Line.objects.create(number=LINES[1], name="Toll-free", kind="toll_free", brand=brand, carrier_answers_stop=True)


def rows() -> dict[str, Any]:
    """Everything that matters, without ids."""
    return {
        "events": Counter(CarrierEvent.objects.values_list("key", "state", "payload__text")),
        "messages": Counter(
            Message.objects.values_list(
                "conversation__contact__phone", "conversation__line__number", "direction", "status", "purpose",
                "carrier_id", "occurred_at", "status_at",
            )
        ),
        "texts": [
            list(
                Message.objects.filter(conversation=pk, direction="in").order_by("id").values_list("body", flat=True)
            )
            for pk in Conversation.objects.order_by("contact__phone", "line__number").values_list("pk", flat=True)
        ],
        "conversations": Counter(
            Conversation.objects.values_list(
                "contact__phone", "line__number", "wrote_at", "unread", "due_at", "last_message__body",
                "last_message_at",
            )
        ),
        "waits": Counter(Wait.objects.values_list("conversation__contact__phone", "since", "due_at", "answered_at")),
        "ledger": Counter(
            ConsentEvent.objects.values_list("subject__phone", "seq", "kind", "effect", "occurred_at", "message_ref")
        ),
        "standings": Counter(
            Standing.objects.values_list("subject__phone", "revoked_at", "resumed_at", "version")
        ),
    }  # fmt: skip


class Undo(Exception):
    pass


def outcome(run: Any) -> dict[str, Any]:
    """The rows that ``run`` leaves in a fresh world, which is then undone."""
    result: dict[str, Any] = {}
    try:
        with transaction.atomic():
            world()
            run()
            result = rows()
            raise Undo
    except Undo:
        return result


@pytest.mark.django_db
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches())
def test_batches_and_rows_end_in_the_same_place(batches: list[list[dict[str, Any]]]) -> None:
    now = timezone.now()
    deliveries = [
        [
            traffic.text(
                text["body"],
                message_uuid=text["message_uuid"],
                sender=text["sender"],
                recipient=text["recipient"],
                timestamp=(now - timedelta(minutes=text["minutes_ago"])).isoformat(),
            )
            for text in batch
        ]
        for batch in batches
    ]

    def batched() -> None:
        for batch in deliveries:
            inbound.receive(batch, now=now)
            inbound.thread(now=now)

    def row_by_row() -> None:
        for batch in deliveries:
            oracle.take(batch, now)

    assert outcome(batched) == outcome(row_by_row)
