"""People join, confirm and keep programs by text and elsewhere; what their phones hear of it."""

from datetime import timedelta

import pytest

from consent.models import ConsentEvent, Disclosure, Standing
from consent.purposes import Category, Kind, Level, Purpose, Source
from conversations import consequences, inbound, joining
from conversations.models import Conversation, Line, Message, Wait
from tests import factories
from tests.conversations import traffic
from tests.factories import NOON

pytestmark = pytest.mark.django_db
ANNA = "+12125550123"


@pytest.fixture
def line():
    return factories.line(brand=factories.brand(name="Harbor Clinic"))


@pytest.fixture
def reminders(line):
    return program(line, "REMINDERS")


def program(line: Line, keyword: str, **fields):
    found = factories.program(brand=line.brand, opt_in_keyword=keyword, frequency="Up to 6 a month", **fields)
    Disclosure.objects.create(program=found, version=1, text="I agree …")
    return found


def texted(line: Line, body: str, *, minute: float = 0):
    """The text arrives and is threaded; the outbound messages that it caused."""
    at = NOON + timedelta(minutes=minute)
    before = set(Message.objects.values_list("pk", flat=True))
    delivery = traffic.text(body, sender=ANNA, recipient=line.number, timestamp=at.isoformat())
    assert inbound.receive([delivery], now=at) == [True]
    inbound.thread(now=at)
    return list(Message.objects.filter(direction="out").exclude(pk__in=before))


def state(line):
    return Standing.objects.get(subject__phone=ANNA, brand=line.brand).state


@pytest.mark.parametrize("words", ["REMINDERS", "reminders!", " Reminders 👍"])
def test_the_keyword_joins_and_the_phone_is_told_of_what_and_how_to_leave(line, reminders, words):
    [hello] = texted(line, words)
    assert state(line).level(reminders.pk) == Level.EXPRESS
    assert (hello.purpose, hello.program) == (Purpose.OPT_IN_CONFIRMATION, reminders)
    for element in ("Harbor Clinic", "Up to 6 a month", "Msg & data rates", "HELP", "STOP"):
        assert element in hello.body
    assert not Wait.objects.exists()
    proofs = ConsentEvent.objects.get().evidence.values_list("name", "value")
    assert dict(proofs)["words"] == words


def test_whoever_joins_twice_is_told_twice(line, reminders):
    texted(line, "REMINDERS")
    assert [message.purpose for message in texted(line, "REMINDERS", minute=3)] == [Purpose.OPT_IN_CONFIRMATION]


def test_the_keyword_of_another_brand_or_of_a_sleeping_program_is_an_ordinary_text(line):
    program(factories.line(), "DEALS")
    program(line, "OFFERS", is_active=False)
    assert texted(line, "DEALS") == []
    assert texted(line, "OFFERS", minute=1) == []
    assert Wait.objects.exists()
    assert not ConsentEvent.objects.exists()


def test_no_program_can_take_stop_away(line):
    program(line, "STOP")
    texted(line, "STOP")
    assert state(line).is_suppressed


def test_with_double_opt_in_the_keyword_asks_and_only_yes_grants(line):
    alerts = program(line, "ALERTS", is_double_opt_in=True)
    [question] = texted(line, "ALERTS")
    assert (question.purpose, "YES" in question.body) == (Purpose.DOUBLE_OPT_IN, True)
    assert state(line).level(alerts.pk) == Level.NONE
    [hello] = texted(line, "yes", minute=1)
    assert hello.purpose == Purpose.OPT_IN_CONFIRMATION
    assert state(line).level(alerts.pk) == Level.EXPRESS
    assert not Wait.objects.exists()


@pytest.mark.parametrize("words", ["YES", "Sí", "oui", "Yes!!"])
def test_row_10_yes_means_nothing_when_nothing_was_asked(line, reminders, words):
    texted(line, "STOP")
    assert texted(line, words, minute=1) == []
    assert state(line).is_suppressed
    assert Wait.objects.exists()  # a person reads it


def test_row_10_start_grants_nothing_wider_than_its_words(line, reminders):
    texted(line, "REMINDERS")
    texted(line, "STOP", minute=1)
    texted(line, "START", minute=2)
    assert not state(line).is_suppressed
    assert state(line).level(reminders.pk) == Level.NONE


# --- row 8: clarification ------------------------------------------------------------------------------------


@pytest.fixture
def member(line, reminders):
    """Has agreed to reminders and to offers."""
    offers = program(line, "OFFERS", category=Category.PROMOTIONAL)
    texted(line, "REMINDERS")
    texted(line, "OFFERS", minute=1)
    return offers


def test_row_8_whoever_agreed_to_several_kinds_is_told_how_to_keep_one(line, reminders, member):
    [confirmation] = texted(line, "STOP", minute=5)
    assert "KEEP REMINDERS" in confirmation.body
    assert "OFFERS" not in confirmation.body
    assert state(line).is_suppressed


def test_row_8_of_two_that_could_be_kept_the_name_and_the_keyword_are_those_of_one(line):
    program(line, "VISITS", name="Visits")
    program(line, "ALERTS", name="Alerts")  # sorts before the older one by name
    program(line, "OFFERS", category=Category.PROMOTIONAL)
    for minute, word in enumerate(["ALERTS", "VISITS", "OFFERS"]):
        texted(line, word, minute=minute)
    [confirmation] = texted(line, "STOP", minute=5)
    assert "To keep only Visits, reply KEEP VISITS." in confirmation.body


def test_row_8_whoever_agreed_to_one_kind_is_asked_nothing(line, reminders):
    texted(line, "REMINDERS")
    [confirmation] = texted(line, "STOP", minute=5)
    assert "KEEP" not in confirmation.body


@pytest.mark.parametrize("answer", [None, "what?", "yes", "ok", "KEEP", "KEEP OFFERS", "KEEP NONSENSE"])
def test_row_8_silence_and_everything_but_a_clear_keep_stops_everything(line, reminders, member, answer):
    texted(line, "STOP", minute=5)
    if answer:
        texted(line, answer, minute=6)
    assert state(line).is_suppressed


def test_row_8_keep_restores_the_named_category_and_no_other(line, reminders, member):
    texted(line, "STOP", minute=5)
    [hello] = texted(line, "keep reminders", minute=6)
    assert hello.program == reminders
    assert not state(line).is_suppressed
    assert state(line).level(reminders.pk) == Level.EXPRESS
    assert state(line).level(member.pk) == Level.NONE


def test_row_8_keep_brings_nothing_back_that_an_earlier_no_had_ended(line, reminders, member):
    texted(line, "STOP", minute=5)
    texted(line, "START", minute=6)
    texted(line, "STOP", minute=7)
    texted(line, "KEEP REMINDERS", minute=8)
    assert state(line).is_suppressed


def test_row_8_keep_after_three_days_keeps_nothing(line, reminders, member):
    texted(line, "STOP", minute=5)
    texted(line, "KEEP REMINDERS", minute=5 + 72 * 60 + 1)
    assert state(line).is_suppressed


# --- elsewhere -----------------------------------------------------------------------------------------------

SAID = {"words": "I agree …", "url": "https://harbor.example/join", "ip": "192.0.2.1", "user_agent": "Firefox"}


def join(program, **fields):
    return joining.join(program=program, phone=ANNA, source=Source.WEB, evidence=SAID, now=NOON, **fields)


def test_who_joins_on_the_web_is_told_by_text_once(line, reminders):
    join(reminders)
    join(reminders)
    [hello] = Message.objects.all()
    assert (hello.purpose, hello.conversation.line) == (Purpose.OPT_IN_CONFIRMATION, line)
    assert Conversation.objects.get().contact.phone == ANNA


def test_who_joins_on_the_web_with_double_opt_in_answers_by_text(line):
    alerts = program(line, "ALERTS", is_double_opt_in=True)
    assert join(alerts).kind == Kind.REQUESTED
    assert Message.objects.get().purpose == Purpose.DOUBLE_OPT_IN
    texted(line, "YES", minute=1)
    assert state(line).level(alerts.pk) == Level.EXPRESS


def test_a_brand_without_a_line_says_so_and_records_nothing():
    with pytest.raises(joining.NoLine, match="has no line"):
        join(factories.program())
    assert not ConsentEvent.objects.exists()


def test_ordinary_texts_cost_no_look_at_programs(line, reminders, django_assert_num_queries):
    deliveries = [traffic.text("Is the clinic open on Sunday morning?", sender=ANNA, recipient=line.number)] * 3
    with django_assert_num_queries(0):
        assert consequences.reports(deliveries, now=NOON) == []


def test_short_texts_cost_a_fixed_number_of_queries(line, reminders, django_assert_num_queries):
    def said(*bodies: str):
        return [traffic.text(body, sender=factories.phone_number(), recipient=line.number) for body in bodies]

    with django_assert_num_queries(1):  # the programs' keywords
        assert consequences.reports(said("Ok thanks", "On my way!", "No problem"), now=NOON) == []
    with django_assert_num_queries(2):  # the lines, the standings
        assert consequences.reports(said("Yes", "YES!", "yes"), now=NOON) == []
    with django_assert_num_queries(1):  # the lines
        stops = consequences.reports(said("Stop", "STOP", "Please stop texting me"), now=NOON)
    assert [report.kind for report in stops] == [Kind.REVOKED] * 3


def test_a_keyword_of_another_brand_means_nothing(line, reminders):
    offers = program(factories.line(), "OFFERS")

    for words in ("OFFERS", "KEEP OFFERS", "KEEP", "🙏"):
        assert consequences.reports([traffic.text(words, sender=ANNA, recipient=line.number)], now=NOON) == []
    assert offers.opt_in_keyword == "OFFERS"
