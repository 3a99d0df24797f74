"""Compliance row 5: no way to say "no" is the only one, and each does the same."""

import shutil
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.core.cache import caches
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consent import acquiring, rulebook
from consent.models import ConsentEvent, Disclosure, Program, Review, Standing
from consent.purposes import Category, Effect, Kind, Source
from contactcenter.accounts.models import Role
from contactcenter.api import tokens
from contactcenter.api.models import Scope
from conversations import inbound, links
from conversations.models import Line
from tests import factories
from tests.conversations import traffic

pytestmark = pytest.mark.django_db
ANNA = "+12125550123"
FREE_TEXT = "please stop texting me"
ONLY_STOP = "I agree to get texts. The only way to end them is to reply STOP."


@pytest.fixture
def line() -> Line:
    return factories.line(brand=factories.brand(name="Harbor Clinic"))


@pytest.fixture
def program(line: Line) -> Program:
    return factories.program(brand=line.brand)


@pytest.fixture
def member(program: Program) -> Program:
    """Anna has agreed to it."""
    agreed_at = timezone.now() - timedelta(days=1)
    acquiring.acquire(
        program=program, phone=ANNA, source=Source.PAPER, evidence={"words": "x", "document": "1"}, now=agreed_at
    )
    return program


def texts(words: str) -> Callable[[Line], None]:
    def say(line: Line) -> None:
        now = timezone.now()
        delivery = traffic.text(words, sender=ANNA, recipient=line.number, timestamp=now.isoformat())
        assert inbound.receive([delivery], now=now) == [True]

    return say


def writes_down(how: str) -> Callable[[Line], None]:
    """An agent presses "They want no more texts" beside the conversation, and says how they heard of it."""

    def say(line: Line) -> None:
        client = Client()
        client.force_login(factories.user(Role.AGENT))
        said = {"phone": ANNA, "how": how, "occurred_at": f"{timezone.localtime():%Y-%m-%dT%H:%M}"}
        assert client.post(reverse("consent-record-opt-out"), said).status_code == 302

    return say


def presses(line: Line) -> None:
    standing = Standing.objects.get()
    page = reverse("preferences", args=[links.PREFERENCES.sign(f"{standing.subject_id}.{line.brand_id}")])
    assert Client().post(page, {"scope": "all"}).status_code == 303


def calls_the_api(line: Line) -> None:
    caches["default"].clear()
    _token, secret = tokens.issue(
        name="Bank", scopes=[Scope.CONSENTS_WRITE], created_by_id=factories.user(Role.ADMINISTRATOR).pk
    )
    headers = {"Authorization": f"Bearer {secret}", "Idempotency-Key": "a-no"}
    body = {"phone": ANNA}
    url = "/api/v1/consents/revocations/"
    assert Client().post(url, body, content_type="application/json", headers=headers).status_code == 201


WAYS = {
    "keyword": (texts("STOP"), Source.KEYWORD),
    "free text": (texts(FREE_TEXT), Source.FREE_TEXT),
    "agent": (writes_down("agent"), Source.AGENT),
    "letter": (writes_down("paper"), Source.PAPER),
    "telephone": (writes_down("phone"), Source.PHONE),
    "email": (writes_down("email"), Source.EMAIL),
    "web page": (presses, Source.WEB),
    "API": (calls_the_api, Source.API),
}


@pytest.mark.parametrize("way", WAYS)
def test_row_5_each_channel_creates_the_same_suppression(way: str, line: Line, member: Program) -> None:
    say, source = WAYS[way]
    say(line)
    event = ConsentEvent.objects.get(kind=Kind.REVOKED)
    assert (event.source, event.effect, event.program, event.facts["scope"]) == (source, Effect.SUPPRESSED, None, "")
    state = Standing.objects.get().state
    assert all(state.is_suppressed_for(category) for category in Category)
    assert not state.is_suspected


# --- Where the law lets a brand name one way -----------------------------------------------------------------


@pytest.fixture
def law_of_a_later_day(tmp_path, monkeypatch):
    """The rules as they ship, with one more period that lets senders designate a method, from a date on."""

    def in_force_from(day: date) -> None:
        shutil.copytree(rulebook.RULES, tmp_path / "rules")
        file = tmp_path / "rules" / "revocation.toml"
        before, name, after = file.read_text().partition('id = "revocation.exclusive_method"')
        after = after.replace("effective_from", f"effective_to = {day - timedelta(days=1)}\neffective_from", 1)
        period = f'\n[[rule]]\n{name}\nvalue = true\neffective_from = {day}\njurisdiction = "US"\ncitation = "a test"\n'
        file.write_text(before + name + after + period)
        law = rulebook.load(tmp_path / "rules")
        monkeypatch.setattr(rulebook, "current", lambda: law)

    return in_force_from


@pytest.mark.parametrize(
    ("days_from_now", "wording", "kind"),
    [
        (0, ONLY_STOP, Kind.SUSPECTED),
        (1, ONLY_STOP, Kind.REVOKED),
        (0, "I agree to get texts. Reply STOP to opt out.", Kind.REVOKED),
        (0, None, Kind.REVOKED),
    ],
)
def test_row_5_free_text_waits_for_a_person_only_by_date_and_wording(
    days_from_now: int, wording: str | None, kind: Kind, line: Line, member: Program, law_of_a_later_day
) -> None:
    if wording:
        Disclosure.objects.create(program=member, version=1, text=wording)
    law_of_a_later_day(timezone.now().date() + timedelta(days=days_from_now))
    texts(FREE_TEXT)(line)
    event = ConsentEvent.objects.latest("id")
    assert (event.kind, event.source) == (kind, Source.FREE_TEXT)
    assert Review.objects.exists() == (kind == Kind.SUSPECTED)


def test_row_5_another_program_without_the_wording_keeps_every_way_open(
    line: Line, member: Program, law_of_a_later_day
) -> None:
    Disclosure.objects.create(program=member, version=1, text=ONLY_STOP)
    factories.program(brand=line.brand)
    law_of_a_later_day(timezone.now().date())
    texts(FREE_TEXT)(line)
    assert ConsentEvent.objects.latest("id").kind == Kind.REVOKED


@pytest.mark.parametrize("way", [way for way in WAYS if way != "free text"])
def test_row_5_every_other_channel_counts_at_once_even_then(
    way: str, line: Line, member: Program, law_of_a_later_day
) -> None:
    Disclosure.objects.create(program=member, version=1, text=ONLY_STOP)
    law_of_a_later_day(timezone.now().date())
    WAYS[way][0](line)
    assert Standing.objects.get().state.is_suppressed
