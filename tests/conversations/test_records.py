"""Consent on paper or by telephone, and a "no" by letter, telephone or email, as people write them down."""

from datetime import datetime, timedelta

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consent import revoking
from consent.models import ConsentEvent, Disclosure, Standing
from consent.purposes import Category, Effect, Kind, Level, Purpose, Source
from contactcenter.accounts.models import Role, User
from conversations.models import Message
from tests import factories

pytestmark = pytest.mark.django_db
PHONE = "+12125550123"
GAVE, TOOK_BACK = "consent-record", "consent-record-opt-out"
WORDS = "I agree to get texts from Harbor Clinic about my appointments."
MARKETING = {"category": Category.PROMOTIONAL, "consent_level": Level.WRITTEN}


@pytest.fixture
def agent(client: Client) -> Client:
    client.force_login(factories.user(Role.AGENT, username="priya"))
    return client


def wording(**fields) -> Disclosure:
    program = factories.program(**fields)
    factories.line(brand=program.brand)
    return Disclosure.objects.create(program=program, version=1, language="en", text=WORDS)


def at(**ago) -> str:
    return f"{timezone.localtime() - timedelta(**ago):%Y-%m-%dT%H:%M}"


def write(client: Client, page: str, **said):
    said = {"phone": "(212) 555-0123", "how": "phone", "said": "“Yes, please.” To Priya.", "occurred_at": at()} | said
    return client.post(reverse(page), said)


def state(brand):
    return Standing.objects.get(subject__phone=PHONE, brand=brand).state


def test_a_consent_by_telephone_is_kept_with_the_words_and_confirmed_by_text(agent):
    read = wording()
    response = write(agent, GAVE, wording=read.pk, occurred_at=at(hours=1))
    assert response.status_code == 302
    assert "gets a confirmation by text" in agent.get(response.url).content.decode()
    event = ConsentEvent.objects.get()
    assert (event.kind, event.source, event.facts["actor"]) == (
        Kind.GRANTED,
        Source.PHONE,
        User.objects.get(username="priya").pk,
    )
    evidence = dict(event.evidence.values_list("name", "value"))
    assert evidence["words"] == WORDS
    assert evidence["disclosure"] == f"{read.pk} {read.sha256}"
    assert evidence["said"] == "“Yes, please.” To Priya."
    assert state(read.program.brand).level(read.program.pk) == Level.EXPRESS
    assert Message.objects.get().purpose == Purpose.OPT_IN_CONFIRMATION


def test_row_2_nobody_gives_written_consent_by_telephone(agent):
    response = write(agent, GAVE, wording=wording(**MARKETING).pk)
    assert response.status_code == 422
    assert "consent in writing" in response.content.decode()
    assert not ConsentEvent.objects.exists()


@pytest.mark.parametrize(
    ("lost", "words"), [("document", "where the signed paper is kept"), ("name", "the name of who signed")]
)
def test_row_1_a_signed_paper_needs_its_place_and_its_name(agent, lost, words):
    read = wording(**MARKETING)
    paper = {"how": "paper", "document": "Box 4, form 17", "name": "Ana Diaz", "wording": read.pk}
    response = write(agent, GAVE, **paper | {lost: ""})
    assert response.status_code == 422
    assert words in response.content.decode()
    assert "(212) 555-0123" in response.content.decode()  # what was typed is kept
    assert write(agent, GAVE, **paper).status_code == 302
    assert state(read.program.brand).level(read.program.pk) == Level.WRITTEN


def test_with_double_opt_in_the_phone_is_asked_first_and_its_yes_is_in_time(agent):
    read = wording(is_double_opt_in=True)
    write(agent, GAVE, wording=read.pk, occurred_at=at(days=9))
    event = ConsentEvent.objects.get()
    assert (event.kind, event.occurred_at) == (Kind.REQUESTED, event.recorded_at)
    assert timedelta(days=8) < timezone.now() - datetime.fromisoformat(event.evidence.get(name="agreed_at").value)
    assert Message.objects.get().purpose == Purpose.DOUBLE_OPT_IN


def test_row_17_nothing_that_we_write_down_lifts_a_no(agent):
    read = wording()
    revoking.revoke(phone=PHONE, source=Source.AGENT, evidence={}, now=timezone.now() - timedelta(hours=2))
    response = write(agent, GAVE, wording=read.pk, how="paper", document="Box 4", name="Ana Diaz")
    assert response.status_code == 422
    assert "Ask them to text START" in response.content.decode()
    assert state(read.program.brand).is_suppressed


def test_what_permits_nothing_because_of_a_narrower_no_says_so(agent):
    read = wording()
    no = {"phone": PHONE, "source": Source.WEB, "evidence": {}, "scope": Category.PROMOTIONAL}
    revoking.revoke(**no, now=timezone.now() - timedelta(hours=2))
    (told,) = get_messages(write(agent, GAVE, wording=read.pk, how="paper", document="B", name="Ana").wsgi_request)
    assert "permits nothing" in str(told)
    assert not Message.objects.exists()


@pytest.mark.parametrize("how", ["phone", "paper", "email", "agent"])
def test_row_5_a_no_counts_however_it_came_and_without_any_proof(agent, how):
    read = wording()
    other = factories.brand()
    write(agent, GAVE, wording=read.pk, occurred_at=at(days=1))
    response = write(agent, TOOK_BACK, how=how, said="")
    assert response.status_code == 302
    assert "gets no more texts" in agent.get(response.url).content.decode()
    assert state(read.program.brand).is_suppressed
    assert state(other).is_suppressed
    assert ConsentEvent.objects.filter(kind=Kind.REVOKED, source=how).count() == 2


def test_a_no_to_one_brand_leaves_the_others(agent):
    here, there = factories.brand(), factories.brand()
    write(agent, TOOK_BACK, brand=here.pk)
    assert state(here).is_suppressed
    assert not Standing.objects.filter(brand=there).exists()


def test_a_no_counts_for_more_than_a_yes_of_the_same_minute(agent):
    read = wording()
    write(agent, GAVE, wording=read.pk)
    write(agent, TOOK_BACK)
    assert ConsentEvent.objects.get(kind=Kind.REVOKED, brand=read.program.brand).effect == Effect.SUPPRESSED


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"phone": "12"}, "not"),
        ({"occurred_at": at(hours=-2)}, "still to come"),
        ({"occurred_at": "soon"}, "Enter a valid date"),
        ({"how": "carrier"}, "not one of the available choices"),
    ],
)
@pytest.mark.parametrize("name", [GAVE, TOOK_BACK])
def test_what_is_wrong_is_said_where_it_is(agent, name, said, words):
    response = write(agent, name, wording=wording().pk, **said)
    assert response.status_code == 422
    assert words in response.content.decode()
    assert not ConsentEvent.objects.exists()


def test_a_wording_that_is_no_longer_current_cannot_be_chosen(agent):
    old = wording()
    new = Disclosure.objects.create(program=old.program, version=2, language="en", text="New words.")
    page = agent.get(reverse(GAVE)).content.decode()
    assert "New words." in page
    assert WORDS not in page
    assert write(agent, GAVE, wording=old.pk).status_code == 422
    assert write(agent, GAVE, wording=new.pk).status_code == 302


def test_the_number_comes_from_the_contact_panel_and_the_way_back_is_ours(agent):
    conversation = factories.conversation(contact=factories.contact(PHONE))
    panel = agent.get(reverse("conversation-panel", args=[conversation.pk])).content.decode()
    link = f"{reverse(GAVE)}?phone=%2B12125550123&amp;next={reverse('conversation', args=[conversation.pk])}"
    assert link in panel
    page = agent.get(link.replace("&amp;", "&")).content.decode()
    assert 'value="(212) 555-0123"' in page
    assert f'href="{reverse("conversation", args=[conversation.pk])}"' in page
    astray = agent.get(f"{reverse(GAVE)}?next=https://evil.example/").content.decode()
    assert 'href="https://evil.example' not in astray


def test_a_page_costs_the_same_queries_for_any_number_of_programs(agent, django_assert_num_queries):
    brand = factories.brand()
    for _ in range(4):
        wording(brand=brand)
    with django_assert_num_queries(3):  # session, user, wordings
        agent.get(reverse(GAVE))
