"""Consumers' own pages: joining by the public form, and ending what they get."""

import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation

from consent import limits, proof
from consent.models import Attempt, ConsentEvent, Disclosure, Standing, Subject, phone_hash
from consent.purposes import Category, Kind, Level, Purpose, Source
from conversations import joining, links, preferences
from conversations.models import Conversation, Message
from tests import factories

pytestmark = pytest.mark.django_db
ANNA = "+12125550123"
ENGLISH = "I agree to get marketing texts from Harbor Clinic …"
SPANISH = "Acepto recibir mensajes de Harbor Clinic …"


@pytest.fixture
def line():
    return factories.line(brand=factories.brand(name="Harbor Clinic"), number="+12015550100")


@pytest.fixture
def program(line):
    program = factories.program(
        brand=line.brand, category=Category.PROMOTIONAL, slug="offers", name="Offers", terms_url="https://h.example/t"
    )
    Disclosure.objects.create(program=program, version=1, text=ENGLISH)
    Disclosure.objects.create(program=program, version=1, text=SPANISH, language="es")
    return program


def wording(program, language="en"):
    return program.disclosures.filter(language=language).order_by("-version").first().sha256


def joined(program, client=None, language="en", **fields):
    data = {"phone": "(212) 555-0123", "name": "Anna", "agree": "on", "wording": wording(program, language)} | fields
    url = f"{reverse('join', args=[program.slug])}?lang={language}"
    client = client or Client(headers={"user-agent": "Firefox"})
    return client.post(url, {name: value for name, value in data.items() if value is not None})


def test_the_form_shows_the_exact_words_beside_a_box_that_is_not_ticked(program):
    response = Client().get("/join/offers/")
    page = response.content.decode()
    assert (response.status_code, ENGLISH in page) == (200, True)
    assert " checked" not in page
    assert "<script" not in page
    assert "https://h.example/t" in page
    assert set(response.cookies) == {"csrftoken"}
    assert response["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in response["Content-Security-Policy"]
    assert "no-store" in response["Cache-Control"]


def test_row_19_joining_records_everything_that_proves_it_and_tells_the_phone(program):
    response = joined(program)
    assert (response.status_code, response.url) == (303, "/join/offers/thanks/?lang=en")
    event = ConsentEvent.objects.get()
    assert (event.kind, event.source, event.facts["level"]) == (Kind.GRANTED, Source.WEB, "written")
    assert event.subject.phone == ANNA
    assert event.recorded_at == event.occurred_at
    proofs = {found.name: found.value for found in event.evidence.all()}
    assert proof.missing(Level.WRITTEN, Source.WEB, proofs) == frozenset()
    assert proofs["words"] == ENGLISH
    assert wording(program) in proofs["disclosure"]
    assert proofs["url"] == "http://testserver/join/offers/?lang=en"
    assert (proofs["ip"], proofs["user_agent"], proofs["name"]) == ("127.0.0.1", "Firefox", "Anna")
    assert ENGLISH in proofs["page"]
    assert " checked" not in proofs["page"]
    assert "csrfmiddlewaretoken" not in proofs["page"]
    assert Message.objects.get().purpose == Purpose.OPT_IN_CONFIRMATION


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"agree": None}, "Tick the box"),
        ({"phone": "12"}, "Write it like (201) 555-0100"),
        ({"phone": "call me"}, "Write it like (201) 555-0100"),
        ({"phone": ""}, "Type your mobile number"),
        ({"phone": "212\x00555"}, "Null characters"),
        ({"phone": "+44 7911 123456"}, "only mobile numbers in the United States and Canada"),
        ({"phone": "(800) 555-0142"}, "only mobile numbers in the United States and Canada"),
        ({"phone": "(900) 234-5678"}, "only mobile numbers in the United States and Canada"),
        ({"phone": "(876) 555-0123"}, "only mobile numbers in the United States and Canada"),  # +1 too, and Jamaica
        ({"phone": "(201) 555-0100"}, "This is our number."),
    ],
)
def test_what_is_wrong_is_said_beside_what_was_typed_and_nothing_is_recorded(program, fields, told):
    response = joined(program, **fields)
    page = response.content.decode()
    assert (response.status_code, told in page) == (422, True)
    assert 'value="Anna"' in page
    assert 'aria-invalid="true"' in page
    assert page.count("autofocus") == 1
    assert not ConsentEvent.objects.exists()
    assert not Attempt.objects.exists()


@pytest.mark.parametrize("phone", ["(416) 555-0123", "787 555 0123", "+1 212-555-0124"])
def test_mobile_numbers_of_the_united_states_and_canada_are_taken(program, phone):
    assert joined(program, phone=phone).status_code == 303


def test_the_address_without_its_end_lists_what_there_is_to_join(program):
    factories.program(brand=program.brand, name="Nothing to read")
    asleep = factories.program(brand=program.brand, name="Asleep", is_active=False)
    mute = factories.program(name="No line")
    for one in (asleep, mute):
        Disclosure.objects.create(program=one, version=1, text="I agree …")
    response = Client().get("/join/")
    page = response.content.decode()
    assert (response.status_code, page.count('<a href="/join/offers/">Offers</a>')) == (200, 1)
    assert not {name for name in ("Nothing to read", "Asleep", "No line") if name in page}
    assert "inbox" not in page


def test_where_there_is_nothing_to_join_the_page_says_so_in_words(db):
    assert "There is nothing to sign up for here now." in Client().get("/join/").content.decode()
    assert "no hay nada" in Client().get("/join/", {"lang": "es"}).content.decode()


def test_words_that_changed_meanwhile_are_shown_and_asked_about_again(program):
    before = wording(program)
    Disclosure.objects.create(program=program, version=2, text="Newer words")
    response = joined(program, wording=before)
    page = response.content.decode()
    assert (response.status_code, "Newer words" in page, " checked" in page) == (422, True, False)
    assert "have changed" in page
    assert 'value="(212) 555-0123"' in page
    assert not ConsentEvent.objects.exists()
    assert joined(program).status_code == 303


@pytest.mark.parametrize(
    "asked", [{"headers": {"accept-language": "es-MX,es;q=0.9"}}, {"query_params": {"lang": "es"}}]
)
def test_in_spanish_the_spanish_words_are_shown_and_recorded(program, asked):
    response = Client().get("/join/offers/", **asked)
    assert SPANISH in response.content.decode()
    assert '<html lang="es"' in response.content.decode()
    assert "Inscribirse" in response.content.decode()
    assert joined(program, language="es").status_code == 303
    assert ConsentEvent.objects.get().evidence.get(name="words").value == SPANISH


SAID = re.compile(
    r"{% translate \"(.+?)\" %}|{% blocktranslate[^%]*%}(.+?){% endblocktranslate %}|_(?:now)?\(\"(.+?)\"\)"
)


@pytest.mark.parametrize("language", ["es", "fr"])
def test_every_word_on_consumers_pages_is_translated(language):
    root = settings.BASE_DIR
    pages = [*(root / "templates/public").glob("*.html"), *(root / "templates/mail").glob("*.txt")]
    edges = [*(root / "conversations").glob("public_*.py"), root / "conversations" / "mail_views.py"]
    paths = [*pages, *edges, root / "conversations" / "mailing.py"]
    said = {next(filter(None, found)) for path in paths for found in SAID.findall(path.read_text(encoding="utf-8"))}
    assert len(said) > 30
    with translation.override(language):
        same = {re.sub(r"{{ (\w+) }}", r"%(\1)s", words) for words in said}
        assert {words for words in same if translation.gettext(words) == words} == set()


def test_a_double_click_is_one_consent_and_one_text(program):
    assert [joined(program).status_code for _ in range(2)] == [303, 303]
    assert ConsentEvent.objects.count() == Message.objects.count() == 1


def test_with_double_opt_in_the_phone_is_asked_and_the_page_says_so(program):
    program.is_double_opt_in = True
    program.save(update_fields=["is_double_opt_in"])
    page = Client().get(joined(program).url).content.decode()
    assert "reply YES" in page
    assert ConsentEvent.objects.get().kind == Kind.REQUESTED
    assert Message.objects.get().purpose == Purpose.DOUBLE_OPT_IN


def test_nobody_learns_from_the_answer_whose_number_is_known_or_opted_out(program):
    strange = joined(program, phone="+12125550199")
    joining.join(
        program=program, phone=ANNA, source=Source.PAPER, now=timezone.now(),
        evidence={"words": "x", "document": "1", "name": "Anna"},
    )  # fmt: skip
    page = preferences.read(links.PREFERENCES.sign(f"{Subject.objects.for_phone(ANNA).pk}.{program.brand_id}"))
    preferences.stop(page=page, scope=None, evidence={"words": "stop"}, now=timezone.now())
    known = joined(program)
    assert standing().is_suppressed  # a form takes no STOP back
    assert (known.status_code, known.url, known.content) == (strange.status_code, strange.url, strange.content)
    assert "text START to (201) 555-0100 first" in Client().get(known.url).content.decode()


def test_too_many_from_one_place_or_for_one_number_are_told_to_come_later(program, settings):
    settings.JOINS_PER_ADDRESS, settings.JOINS_PER_NUMBER = (3, 3600), (2, 86400)
    assert [joined(program).status_code for _ in range(3)] == [303, 303, 429]
    assert [joined(program, phone=f"212555010{n}").status_code for n in range(2)] == [303, 429]
    response = joined(program)
    assert (response.status_code, b"Please come back later" in response.content) == (429, True)
    assert ConsentEvent.objects.count() == 2


def test_uses_count_for_their_time_only_and_are_forgotten_after_a_day():
    now, key = factories.NOON, {"ip:192.0.2.1": (1, 60)}
    assert limits.used(key, now=now)
    assert not limits.used(key, now=now + timedelta(seconds=59))
    assert limits.used(key, now=now + timedelta(seconds=61))
    assert limits.used({"ip:192.0.2.2": (1, 60)}, now=now + timedelta(days=2))
    assert list(Attempt.objects.values_list("key", flat=True)) == [phone_hash("ip:192.0.2.2")]


@pytest.mark.parametrize(
    ("address", "stands_for"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("", ""),
        ("unix", "unix"),
    ],
)
def test_an_ipv6_customer_is_one_customer(address, stands_for):
    assert limits.network(address) == stands_for


def test_without_an_active_program_the_page_is_closed_in_words(program):
    assert b"Nobody can sign up here now" in Client().get("/join/nothing/").content
    program.is_active = False
    program.save(update_fields=["is_active"])
    assert [Client().get("/join/offers/").status_code, joined(program).status_code] == [404, 404]


def test_without_a_line_nobody_is_recorded_whom_nobody_could_text(program, line):
    line.is_active = False
    line.save(update_fields=["is_active"])
    assert joined(program).status_code == 404
    assert not ConsentEvent.objects.exists()


def test_a_page_that_was_open_too_long_says_so_to_whoever_joins(program):
    response = joined(program, Client(enforce_csrf_checks=True))
    assert response.status_code == 403
    assert b"Please open the form again" in response.content
    assert b"signed in" not in response.content


def test_the_form_asks_the_database_for_two_things(program):
    with CaptureQueriesContext(connection) as asked:
        Client().get("/join/offers/")
    assert len(asked) == 2, [query["sql"] for query in asked]


# --- Ending --------------------------------------------------------------------------------------------------------


@pytest.fixture
def member(program, line):
    """Anna gets offers and reminders; her page."""
    reminders = factories.program(brand=line.brand, name="Reminders")
    evidence = {"words": "x", "document": "1", "name": "Anna"}
    for one in (program, reminders):
        joining.join(program=one, phone=ANNA, source=Source.PAPER, evidence=evidence, now=timezone.now())
    return links.preferences(Subject.objects.get().pk, line.brand_id).removeprefix("http://127.0.0.1:8000")


def standing():
    return Standing.objects.get(subject__phone=ANNA).state


def test_the_page_shows_what_one_gets_and_never_the_whole_number(member):
    page = Client().get(member).content.decode()
    assert all(words in page for words in ("Offers", "Reminders", "0123", "Stop all texts from Harbor Clinic"))
    assert "555-0123" not in page
    assert "5550123" not in page


def test_looking_changes_nothing(member):
    before = ConsentEvent.objects.count()
    for _ in range(2):
        assert Client().get(member, {"scope": "all"}).status_code == 200
        assert Client().head(member).status_code == 200
    assert ConsentEvent.objects.count() == before


def test_row_5_one_press_ends_all_texts_with_what_was_pressed_and_from_where(member):
    response = Client(enforce_csrf_checks=True, headers={"user-agent": "Firefox"}).post(member, {"scope": "all"})
    assert response.status_code == 303
    assert standing().is_suppressed
    event = ConsentEvent.objects.order_by("-pk").first()
    proofs = {found.name: found.value for found in event.evidence.all()}
    assert (event.kind, event.source) == (Kind.REVOKED, Source.WEB)
    assert proofs["words"] == "Stop all texts from Harbor Clinic"
    assert {"url", "ip", "user_agent"} <= set(proofs)
    page = Client().get(response.url).content.decode()
    assert "text START to (201) 555-0100" in page
    assert "<button" not in page


def test_one_kind_can_be_ended_alone(member, program):
    Client().post(member, {"scope": "promotional"})
    state = standing()
    assert state.is_suppressed_for(Category.PROMOTIONAL)
    assert not state.is_suppressed_for(Category.INFORMATIONAL)
    page = Client().get(member).content.decode()
    assert "Stop all texts" in page
    assert "Stop only offers" not in page


def test_a_press_that_says_nothing_that_is_known_ends_everything(member):
    Client().post(member, {"scope": "nonsense"})
    assert standing().is_suppressed


@pytest.mark.parametrize("change", [lambda token: token[:-1], lambda token: "9" + token, lambda token: "nonsense"])
def test_a_token_that_was_tampered_with_opens_nothing(member, change):
    token = member.split("/")[2]
    assert Client().get(reverse("preferences", args=[change(token)])).status_code == 404
    assert Client().post(reverse("preferences", args=[change(token)])).status_code == 404
    assert not standing().is_suppressed


def test_an_erased_number_has_no_page(member):
    Subject.objects.update(phone=None)
    assert Client().get(member).status_code == 404


def test_one_s_page_asks_the_database_for_a_fixed_number_of_things(member):
    with CaptureQueriesContext(connection) as asked:
        Client().get(member)
    assert len(asked) == 5, [query["sql"] for query in asked]


def test_a_no_from_the_page_is_seen_where_the_conversation_is_open(member):
    shown = Conversation.objects.get(contact__phone=ANNA)
    Client().post(member, {"scope": "all"})
    assert Conversation.objects.get(pk=shown.pk).version > shown.version
