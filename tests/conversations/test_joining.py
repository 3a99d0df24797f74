"""People join, confirm and keep programs by text and elsewhere; what their phones hear of it."""

from datetime import timedelta

import pytest

from consent import invariants, ledger, rulebook
from consent.models import ConsentEvent, Disclosure, Standing
from consent.purposes import Category, Kind, Level, Purpose, Source
from conversations import consequences, inbound, joining
from conversations.models import Conversation, Line, Message, Wait
from conversations.states import Status
from tests import factories
from tests.conversations import sending, traffic
from tests.factories import NOON

pytestmark = pytest.mark.django_db
ANNA = "+12125550123"


@pytest.fixture
def line():
    return factories.line(brand=factories.brand(name="Harbor Clinic"), per_second=1000)


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


def sent(*messages):
    """They passed the gate and the carrier took them; what became of each."""
    for one in messages:
        sending.send_all(one.occurred_at)
        one.refresh_from_db()
    return [one.status for one in messages]


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
    sent(question)
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


# --- After a "no": the person herself may ask anew -------------------------------------------------------------


@pytest.fixture
def tooth(line):
    return program(line, "TOOTH", is_double_opt_in=True)


def test_row_10_after_a_stop_the_keyword_is_asked_about_and_only_the_answer_undoes_the_stop(line, tooth):
    texted(line, "STOP")
    [question] = texted(line, "TOOTH", minute=1)
    assert sent(question) == [Status.SENT]
    assert state(line).is_suppressed
    [hello] = texted(line, "YES", minute=2)
    assert (hello.purpose, state(line).level(tooth.pk)) == (Purpose.OPT_IN_CONFIRMATION, Level.EXPRESS)
    assert not state(line).is_suppressed
    assert list(invariants.ANSWERED_UNASKED(NOON)) == []
    assert list(invariants.ALLOWED_IN_SPITE(NOON)) == []


def test_row_10_a_yes_to_a_question_that_was_blocked_or_has_not_left_grants_nothing(line, tooth):
    texted(line, "STOP")
    join(tooth, at=NOON + timedelta(minutes=1))  # by a form, where nobody knows whose number it is
    assert texted(line, "YES", minute=2) == []
    assert state(line).is_suppressed
    [question] = texted(line, "TOOTH", minute=3)
    assert texted(line, "YES", minute=3) == []
    assert state(line).level(tooth.pk) == Level.NONE
    assert Wait.objects.get(answered_at=None).opened_by.body == "YES"
    assert question.status == Status.QUEUED


def test_a_form_after_a_stop_asks_nobody(line, tooth):
    texted(line, "STOP")
    join(tooth, at=NOON + timedelta(minutes=1))
    for message in Message.objects.filter(purpose=Purpose.DOUBLE_OPT_IN):
        assert sent(message) == [Status.BLOCKED]
    assert state(line).is_suppressed


def test_a_question_from_before_the_stop_is_answered_by_nothing(line, tooth):
    sent(*texted(line, "TOOTH"))
    texted(line, "STOP", minute=1)
    assert texted(line, "YES", minute=2) == []
    texted(line, "TOOTH", minute=3)  # its own question has not left yet
    assert texted(line, "YES", minute=4) == []
    assert state(line).is_suppressed


def test_a_question_from_before_a_narrower_no_is_answered_by_nothing(line, tooth):
    sent(*texted(line, "TOOTH"))
    ledger.record(
        now=NOON,
        report=ledger.Report(
            phone=ANNA, brand_id=line.brand_id, kind=Kind.REVOKED, source=Source.WEB, scope=Category.INFORMATIONAL,
            occurred_at=NOON + timedelta(minutes=1),
        ),
    )  # fmt: skip
    assert texted(line, "YES", minute=2) == []
    assert state(line).level(tooth.pk) == Level.NONE


def test_of_two_programs_yes_means_the_one_that_was_asked_about(line, tooth):
    gums = program(line, "GUMS", is_double_opt_in=True)
    sent(*texted(line, "TOOTH"))
    texted(line, "GUMS", minute=1)  # the younger, and its question is still on its way
    texted(line, "YES", minute=1.5)
    assert (state(line).level(tooth.pk), state(line).level(gums.pk)) == (Level.EXPRESS, Level.NONE)


# --- JOIN in words -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", ["JOIN REMINDERS", "join reminders!", "Unirme reminders", "JOIN, Reminders 👍"])
def test_join_before_the_keyword_changes_nothing(line, reminders, words):
    [hello] = texted(line, words)
    assert (hello.purpose, hello.program) == (Purpose.OPT_IN_CONFIRMATION, reminders)
    assert not Wait.objects.exists()


@pytest.mark.parametrize("keyword", ["JOIN", "JOIN US"])
def test_a_program_s_own_keyword_may_be_join(line, reminders, keyword):
    club = program(line, keyword)
    [hello] = texted(line, keyword.lower())
    assert hello.program == club


def test_join_alone_is_told_what_there_is_to_join(line, reminders):
    program(line, "OFFERS", category=Category.PROMOTIONAL, name="Offers")
    program(line, "ASLEEP", is_active=False)
    program(factories.line(), "ELSEWHERE")
    [told] = texted(line, "Join")
    assert told.purpose == Purpose.HELP
    assert f"REMINDERS for {reminders.name}, OFFERS for Offers" in told.body
    assert "ASLEEP" not in told.body
    assert "ELSEWHERE" not in told.body
    assert sent(told) == [Status.SENT]
    assert not ConsentEvent.objects.exists()


def test_join_where_there_is_nothing_to_join_is_an_ordinary_text(line):
    assert texted(line, "JOIN") == []
    assert texted(line, "join us for dinner", minute=1) == []
    assert Wait.objects.exists()


# --- YES in polite company -----------------------------------------------------------------------------------


@pytest.mark.parametrize("words", ["yes please", "Yes!", "ok yes", "sí por favor", "oui merci", "Oui, s'il vous plaît"])
def test_a_polite_yes_confirms(line, tooth, words):
    sent(*texted(line, "TOOTH"))
    [hello] = texted(line, words, minute=1)
    assert hello.purpose == Purpose.OPT_IN_CONFIRMATION
    assert state(line).level(tooth.pk) == Level.EXPRESS
    assert not Wait.objects.exists()


@pytest.mark.parametrize("words", ["yes but stop", "yes?", "yes but not now", "ok", "please", "y gracias", "yes no"])
def test_a_doubtful_yes_confirms_nothing_and_waits_for_a_person(line, tooth, words):
    sent(*texted(line, "TOOTH"))
    texted(line, words, minute=1)
    assert state(line).level(tooth.pk) == Level.NONE
    assert Wait.objects.get().opened_by.body == words


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


def test_row_8_keep_counts_only_while_the_stop_does_and_only_after_it(line, reminders, member):
    texted(line, "STOP", minute=5)
    texted(line, "KEEP REMINDERS", minute=4)  # on its way for longer
    assert state(line).is_suppressed
    texted(line, "START", minute=6)
    texted(line, "KEEP REMINDERS", minute=7)
    assert state(line).level(reminders.pk) == Level.NONE


def test_row_8_keep_restores_no_program_that_was_switched_off_meanwhile(line, reminders, member):
    other = program(line, "RESULTS")
    texted(line, "RESULTS", minute=3)
    texted(line, "STOP", minute=5)
    type(other).objects.filter(pk=other.pk).update(is_active=False)
    texted(line, "KEEP REMINDERS", minute=6)
    assert [state(line).level(one.pk) for one in (reminders, other)] == [Level.EXPRESS, Level.NONE]


def test_a_start_to_a_number_that_is_no_line_of_ours_grants_nothing(line):
    texted(line, "STOP")
    elsewhere = Line(number="+12015559999")
    delivery = traffic.text("START", sender=ANNA, recipient=elsewhere.number, timestamp=NOON.isoformat())
    assert inbound.receive([delivery], now=NOON + timedelta(minutes=1)) == [True]
    assert state(line).is_suppressed


def test_row_8_keep_after_three_days_keeps_nothing(line, reminders, member):
    texted(line, "STOP", minute=5)
    texted(line, "KEEP REMINDERS", minute=5 + 72 * 60 + 1)
    assert state(line).is_suppressed


# --- elsewhere -----------------------------------------------------------------------------------------------

SAID = {"words": "I agree …", "url": "https://harbor.example/join", "ip": "192.0.2.1", "user_agent": "Firefox"}


def join(program, *, at=NOON, **fields):
    fields = {"source": Source.WEB, "evidence": SAID | {"method": "app"}} | fields
    return joining.join(program=program, phone=ANNA, now=at, **fields)


def questions():
    return Message.objects.filter(purpose=Purpose.DOUBLE_OPT_IN)


def test_nobody_is_asked_the_same_twice_a_day_whoever_claims_it(line, tooth):
    for hour in (0, 1, 23):
        join(tooth, at=NOON + timedelta(hours=hour), source=Source.API)
    assert questions().count() == 1
    join(tooth, at=NOON + timedelta(hours=25), source=Source.API)
    assert questions().count() == 2


def test_whoever_came_back_after_a_stop_is_asked_anew(line, tooth):
    join(tooth, at=NOON)
    texted(line, "STOP", minute=1)
    texted(line, "START", minute=2)
    join(tooth, at=NOON + timedelta(minutes=3))
    assert questions().count() == 2


def test_row_8_keep_keeps_nothing_where_nobody_may_be_asked(line, reminders, member, monkeypatch):
    value = rulebook.value
    monkeypatch.setattr(rulebook, "value", lambda name, on: name != "confirmation.may_clarify" and value(name, on))
    texted(line, "STOP", minute=5)
    texted(line, "KEEP REMINDERS", minute=6)
    assert state(line).is_suppressed


def test_who_joins_on_the_web_is_told_by_text_once(line, reminders):
    join(reminders)
    join(reminders)
    [hello] = Message.objects.all()
    assert (hello.purpose, hello.conversation.line) == (Purpose.OPT_IN_CONFIRMATION, line)
    assert Conversation.objects.get().contact.phone == ANNA


def in_spanish(program):
    return Disclosure.objects.create(program=program, version=1, language="es", text="Acepto …")


def test_who_agreed_in_spanish_is_asked_and_welcomed_in_spanish(line):
    alerts = program(line, "ALERTS", is_double_opt_in=True, question_text="Our own question", description="alerts")
    wording = in_spanish(alerts)
    said = SAID | {"disclosure": f"{wording.pk} v1 es sha256:{wording.sha256}", "page": "…"}
    joining.join(program=alerts, phone=ANNA, source=Source.WEB, evidence=said, now=NOON)
    question = Message.objects.get()
    assert question.body.startswith("Harbor Clinic: Responda SI para recibir alerts.")
    sent(question)
    [hello] = texted(line, "si", minute=1)
    assert hello.body.startswith("Harbor Clinic: Ahora recibe alerts.")


def test_a_spanish_program_s_keyword_rests_on_its_spanish_words(line):
    citas = program(line, "CITAS", language="es", confirmation_text="Harbor Clinic: Hola …")
    wording = in_spanish(citas)
    [hello] = texted(line, "CITAS")
    assert hello.body == "Harbor Clinic: Hola …"
    proof = dict(ConsentEvent.objects.get().evidence.values_list("name", "value"))
    assert proof["disclosure"].startswith(f"{wording.pk} ")


def test_who_agreed_in_the_program_s_own_language_hears_its_own_words(line):
    alerts = program(line, "ALERTS", confirmation_text="Our own hello")
    in_spanish(alerts)
    join(alerts)
    assert Message.objects.get().body == "Our own hello"


def test_who_joins_on_the_web_with_double_opt_in_answers_by_text(line):
    alerts = program(line, "ALERTS", is_double_opt_in=True)
    assert join(alerts).kind == Kind.REQUESTED
    question = Message.objects.get()
    assert question.purpose == Purpose.DOUBLE_OPT_IN
    assert texted(line, "YES") == []  # nobody has asked yet
    sent(question)
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
