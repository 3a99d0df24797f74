"""Rows of the compliance checklist that only the whole way of a text shows: in, through the ledger, out."""

from datetime import timedelta

import pytest

from consent import elements, gate
from consent.models import ConsentEvent, Standing
from consent.purposes import Kind, Purpose, Source, Verdict
from conversations import inbound, outbound
from conversations.carriers import webhooks
from conversations.models import Conversation, Message
from conversations.states import Status
from tests import factories
from tests.conversations import traffic
from tests.factories import NOON

pytestmark = pytest.mark.django_db
ANNA = "+12125550123"


def texted(line, body, *, at=NOON, copies=1):
    """The outbound messages that this text caused, however often the carrier brings it."""
    before = set(Message.objects.values_list("pk", flat=True))
    delivery = traffic.text(body, sender=ANNA, recipient=line.number, timestamp=at.isoformat())
    for _ in range(copies):
        inbound.receive([delivery], now=at)
        inbound.thread(now=at)
    return list(Message.objects.filter(direction="out").exclude(pk__in=before))


def is_suppressed(brand):
    return Standing.objects.get(subject__phone=ANNA, brand=brand).state.is_suppressed


def verdict(line, message, *, now):
    """What the gate says to one queued message at a moment."""
    conversation = message.conversation
    request = gate.Request(
        message_ref=message.ref, subject_id=conversation.contact.subject_id, brand_id=line.brand_id,
        purpose=Purpose(message.purpose), wrote_at=conversation.wrote_at,
    )  # fmt: skip
    return gate.preview(request, now=now).verdict


def test_row_6_what_was_queued_before_a_stop_does_not_leave_after_it(settings):
    line = factories.line()
    texted(line, "Are you open?")
    conversation = Conversation.objects.get()
    reply = outbound.send(
        conversation=conversation, body="Until five.", author_id=factories.user().pk, ref=factories.uuid4(), now=NOON
    )
    assert verdict(line, reply, now=NOON) == Verdict.ALLOWED
    texted(line, "STOP", at=NOON + timedelta(seconds=1))
    assert verdict(line, reply, now=NOON + timedelta(seconds=1)) == Verdict.BLOCKED


@pytest.mark.parametrize("words", ["STOP", "please take me off your list", "ya no me escriban por favor"])
def test_row_7_a_stop_is_confirmed_once_without_links_or_offers_and_within_five_minutes(words):
    line = factories.line()
    [confirmation] = texted(line, words, copies=3)
    assert confirmation.purpose == Purpose.OPT_OUT_CONFIRMATION
    assert not elements.flaws_in_opt_out_confirmation(confirmation.body, brand=line.brand.name)
    assert confirmation.expires_at == NOON + timedelta(seconds=300)
    assert verdict(line, confirmation, now=NOON + timedelta(seconds=300)) == Verdict.ALLOWED
    assert verdict(line, confirmation, now=NOON + timedelta(seconds=301)) == Verdict.BLOCKED
    assert texted(line, "STOP", at=NOON + timedelta(seconds=9)) == []  # a second one is not confirmed again


def test_row_7_where_the_carrier_answers_stop_we_are_silent():
    line = factories.line(kind="toll_free", carrier_answers_stop=True)
    assert texted(line, "STOP") == []
    assert is_suppressed(line.brand)


def test_row_11_help_is_answered_after_a_stop_and_changes_nothing():
    line = factories.line()
    texted(line, "STOP")
    [answer] = texted(line, "HELP", at=NOON + timedelta(minutes=1))
    assert line.brand.name in answer.body
    assert line.brand.help_contact in answer.body
    assert verdict(line, answer, now=NOON + timedelta(minutes=1)) == Verdict.ALLOWED
    assert is_suppressed(line.brand)
    assert ConsentEvent.objects.count() == 1


@pytest.mark.parametrize("code", sorted(webhooks.OPTED_OUT_CODES))
def test_row_22_a_carrier_s_block_suppresses_and_is_not_tried_again(code):
    line = factories.line()
    texted(line, "Are you open?")
    conversation = Conversation.objects.get()
    reply = outbound.send(
        conversation=conversation, body="Yes.", author_id=factories.user().pk, ref=factories.uuid4(), now=NOON
    )
    Message.objects.filter(pk=reply.pk).update(status=Status.EXPIRED)  # a receipt moves no message that never left
    receipt = traffic.receipt(reply, "rejected", error={"title": code, "detail": "opted out"})
    inbound.receive([receipt], now=NOON)
    inbound.thread(now=NOON)
    event = ConsentEvent.objects.get()
    assert (event.kind, event.source, event.facts["rule"]) == (Kind.REVOKED, Source.CARRIER, f"carrier:{code}")
    assert is_suppressed(line.brand)


def test_row_23_a_stop_to_one_line_counts_on_every_line_of_the_brand_and_on_no_other_brand_s():
    brand = factories.brand()
    one, other, stranger = factories.line(brand=brand), factories.line(brand=brand), factories.line()
    for line in (other, stranger):
        texted(line, "Are you open?")
    texted(one, "STOP", at=NOON + timedelta(seconds=1))
    now, author = NOON + timedelta(seconds=2), factories.user().pk
    said = {}
    for line in (other, stranger):
        conversation = Conversation.objects.get(line=line)
        reply = outbound.send(conversation=conversation, body="Yes.", author_id=author, ref=factories.uuid4(), now=now)
        said[line.pk] = verdict(line, reply, now=now)
    assert said == {other.pk: Verdict.BLOCKED, stranger.pk: Verdict.ALLOWED}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("STOP", "You are opted out"),
        ("ARRET", "Vous êtes désabonné"),
        ("BAJA", "Se canceló su suscripción"),
        ("ya no me escriban por favor", "Se canceló su suscripción"),
        ("ne m'envoyez plus de textos svp", "Vous êtes désabonné"),
    ],
)
def test_row_7_whoever_says_stop_is_answered_in_their_language(words, told):
    line = factories.line()
    [confirmation] = texted(line, words)
    assert told in confirmation.body
    assert not elements.flaws_in_opt_out_confirmation(confirmation.body, brand=line.brand.name)


def test_row_11_help_is_answered_in_the_language_of_its_word():
    [answer] = texted(factories.line(), "AIDE")
    assert "Pour de l’aide" in answer.body
