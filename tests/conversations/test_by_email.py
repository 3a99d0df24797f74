"""Copies by email, their links to confirm and to unsubscribe, and the demo's mailbox."""

import re
import smtplib
from datetime import timedelta
from unittest import mock
from uuid import UUID

import pytest
from django.core import mail as outbox
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from consent.models import ConsentEvent, Disclosure, Standing, readiness
from consent.purposes import Category, ConfirmedBy, Effect, Kind, Level, Purpose, Source
from contactcenter import clock
from conversations import by_email, joining, links, mailing, preferences, tasks
from conversations.models import Mail, Message
from tests import factories
from tests.conversations import traffic
from tests.factories import NOON

pytestmark = pytest.mark.django_db
ANNA, ADDRESS = "+12125550123", "anna@example.com"
BROWSER = {"user-agent": "Firefox"}


@pytest.fixture(autouse=True)
def mail_is_set_up(settings):
    settings.CAN_MAIL = True
    settings.PUBLIC_URL = "https://texts.example.com"
    settings.DEFAULT_FROM_EMAIL = "Texts <texts@example.com>"


@pytest.fixture
def line():
    return factories.line(brand=factories.brand(name="Harbor Clinic"), number="+12015550100")


@pytest.fixture
def program(line):
    return offered(line, name="Offers", slug="offers", category=Category.PROMOTIONAL)


def offered(line, **fields):
    program = factories.program(brand=line.brand, **fields)
    Disclosure.objects.create(program=program, version=1, text="I agree to get texts from Harbor Clinic …")
    Disclosure.objects.create(program=program, version=1, text="Acepto recibir mensajes …", language="es")
    return program


@pytest.fixture
def by_link(line):
    """Double opt-in, confirmed by the link."""
    return offered(line, name="Alerts", slug="alerts", is_double_opt_in=True, confirmed_by=ConfirmedBy.EMAIL)


@pytest.fixture
def by_text(line):
    return offered(line, name="Notices", slug="notices", is_double_opt_in=True)


def joined(program, language="en", **fields):
    wording = program.disclosures.get(language=language).sha256
    data = {"phone": "(212) 555-0123", "name": "Anna", "agree": "on", "wording": wording, "email": ADDRESS} | fields
    url = f"{reverse('join', args=[program.slug])}?lang={language}"
    return Client(headers=BROWSER).post(url, data)


def sent():
    """The one email that a worker hands over."""
    outbox.outbox.clear()
    tasks.send_mail()
    [email] = outbox.outbox
    return email


def link(email, page):
    [found] = re.findall(rf"https://texts\.example\.com(\S*{page}\S*)", email.body)
    return found


def confirmed(path):
    return Client(headers=BROWSER).post(path, secure=True)


def standing():
    return Standing.objects.get(subject__phone=ANNA).state


def stopped(program):
    page = preferences.read(links.PREFERENCES.sign(f"{Standing.objects.get().subject_id}.{program.brand_id}"))
    preferences.stop(page=page, scope=None, evidence={"words": "stop"}, now=timezone.now())


# --- The copy ------------------------------------------------------------------------------------------------------


def test_whoever_gives_an_address_gets_one_email_with_what_was_agreed_to_and_both_links(program):
    done = joined(program)
    assert (done.status_code, done.url) == (303, "/join/offers/thanks/?lang=en&mail=1")
    assert "We also sent you an email" in Client().get(done.url).content.decode()
    email = sent()
    for words in (
        "I agree to get texts from Harbor Clinic …",
        "Harbor Clinic",
        "Offers",
        "•••\u00a0•••\u00a00123",
        "2026",
    ):
        assert words in email.body
    assert "2125550123" not in re.sub(r"\D", "", email.body.replace("0123", ""))
    assert (email.to, email.from_email) == ([ADDRESS], "Harbor Clinic <texts@example.com>")
    assert link(email, "/confirm/")
    assert email.extra_headers["List-Unsubscribe"] == f"<https://texts.example.com{link(email, '/unsubscribe/')}>"
    assert email.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    evidence = ConsentEvent.objects.get().evidence
    assert evidence.get(name="email").value == ADDRESS
    tasks.send_mail()
    assert len(outbox.outbox) == 1


def test_the_email_says_nothing_that_somebody_typed_and_opens_nobody_s_own_page(program):
    joined(program, name="Buy at evil.example")
    email = sent()
    assert "evil" not in email.body + email.subject
    assert "/preferences/" not in email.body


def test_it_is_in_the_language_that_was_agreed_to(program):
    joined(program, language="es")
    email = sent()
    assert "Acepto recibir mensajes …" in email.body
    assert "Esta página cancela" in email.body


@pytest.mark.parametrize("address", ["", "   "])
def test_without_an_address_nothing_is_sent(program, address):
    assert joined(program, email=address).url == "/join/offers/thanks/?lang=en"
    assert not Mail.objects.exists()


def test_an_address_that_is_none_is_said_beside_it_and_nothing_is_recorded(program):
    response = joined(program, email="anna@")
    assert (response.status_code, b"Write it like name@example.com" in response.content) == (422, True)
    assert not ConsentEvent.objects.exists()


def test_where_no_email_can_be_sent_nobody_is_asked_for_an_address(program, settings):
    settings.CAN_MAIL = False
    assert b'name="email"' not in Client().get("/join/offers/").content
    assert joined(program).status_code == 303
    assert not Mail.objects.exists()


def test_a_double_click_is_one_email_and_another_address_meanwhile_gets_its_own(program):
    for address in (ADDRESS, ADDRESS, "other@example.com"):
        joined(program, email=address)
    assert ConsentEvent.objects.count() == 1
    assert sorted(Mail.objects.values_list("to", flat=True)) == [ADDRESS, "other@example.com"]


def test_an_address_is_not_flooded_with_copies(program, settings):
    settings.MAILS_PER_ADDRESS = (2, 86400)
    codes = [joined(program, phone=f"212555010{n}", email=ADDRESS.upper()).status_code for n in range(3)]
    assert codes == [303, 303, 429]
    assert Mail.objects.count() == 2


# --- The outbox ------------------------------------------------------------------------------------------------------


def failing(error):
    return mock.patch("django.core.mail.EmailMessage.send", side_effect=error)


def test_what_was_not_sent_is_tried_again_and_the_last_failure_is_kept():
    email, now = factories.mail(), NOON
    with failing(OSError("the server is away")):
        for wait in mailing.AGAIN_AFTER:
            assert not mailing.send_due(clock=lambda now=now: now)
            email.refresh_from_db()
            assert (email.state, email.due_at) == (Mail.State.QUEUED, now + wait)
            assert not mailing.are_due(now=now + wait - timedelta(seconds=1))
            now += wait
        mailing.send_due(clock=lambda: now)
    email.refresh_from_db()
    assert (email.state, email.error) == (Mail.State.FAILED, "OSError: the server is away")


def test_an_address_that_is_refused_is_not_tried_again():
    email = factories.mail()
    with failing(smtplib.SMTPRecipientsRefused({ADDRESS: (550, b"no such user")})):
        mailing.send_due(clock=lambda: NOON)
    email.refresh_from_db()
    assert (email.state, email.attempts) == (Mail.State.FAILED, 1)


def test_a_worker_that_died_on_the_way_loses_nothing_and_repeats_the_same_message():
    email = factories.mail()
    assert mailing.taken(now=NOON) == email
    assert mailing.taken(now=NOON) is None
    later = NOON + mailing.AGAIN_AFTER[0]
    assert mailing.send_due(clock=lambda: later) is False
    assert outbox.outbox[0].extra_headers["Message-ID"] == f"<{email.ref}@example.com>"


def test_the_clock_nudges_for_what_waits_and_forgets_after_a_month():
    factories.mail()
    with mock.patch("conversations.nudging.nudge_mail") as nudge:
        clock.nudge_mail(NOON)
        assert nudge.called
    assert mailing.forget(now=NOON + timedelta(days=30)) == 0
    assert mailing.forget(now=NOON + timedelta(days=31)) == 1


def test_the_email_is_written_with_the_consent_or_not_at_all(program):
    with mock.patch("conversations.nudging.nudge_mail", side_effect=RuntimeError), pytest.raises(RuntimeError):
        joined(program)
    assert not ConsentEvent.objects.exists()
    assert not Mail.objects.exists()


# --- Confirming ------------------------------------------------------------------------------------------------------


def test_a_scanner_that_follows_every_link_changes_nothing(by_link):
    joined(by_link)
    email, before = sent(), ConsentEvent.objects.count()
    for page in ("/confirm/", "/unsubscribe/"):
        for ask in (Client().get, Client().head):
            assert ask(link(email, page), secure=True).status_code == 200
    assert ConsentEvent.objects.count() == before
    assert not Mail.objects.get().confirmed_at


def test_with_single_opt_in_the_link_proves_who_reads_the_address(program):
    joined(program)
    response = confirmed(link(sent(), "/confirm/"))
    assert (response.status_code, b"You have confirmed what you agreed to" in response.content) == (200, True)
    event = ConsentEvent.objects.first()
    assert (event.kind, event.source, event.effect) == (Kind.CONFIRMED, Source.EMAIL, Effect.NOTHING)
    proofs = dict(event.evidence.values_list("name", "value"))
    assert (proofs["email"], proofs["ip"], proofs["user_agent"]) == (ADDRESS, "127.0.0.1", "Firefox")
    assert proofs["words"] == "Yes, I agreed to get these texts from Harbor Clinic"
    assert standing().level(program.pk) == Level.WRITTEN
    assert Message.objects.count() == 1  # the phone heard of it when they joined


def test_with_double_opt_in_by_text_the_link_proves_and_only_the_phone_confirms(by_text):
    joined(by_text)
    page = confirmed(link(sent(), "/confirm/")).content.decode()
    assert "reply YES there" in page
    assert standing().level(by_text.pk) == Level.NONE
    assert standing().request(by_text.pk)
    assert [message.purpose for message in Message.objects.all()] == [Purpose.DOUBLE_OPT_IN]


def test_with_double_opt_in_by_email_the_link_confirms_and_the_phone_is_greeted(by_link):
    done = Client().get(joined(by_link).url).content.decode()
    assert "open its link and confirm" in done
    assert not Message.objects.exists()
    assert standing().level(by_link.pk) == Level.NONE
    confirmed(link(sent(), "/confirm/"))
    assert standing().level(by_link.pk) == Level.EXPRESS
    assert ConsentEvent.objects.first().effect == Effect.GRANTED
    assert [message.purpose for message in Message.objects.all()] == [Purpose.OPT_IN_CONFIRMATION]


def test_the_form_of_a_program_that_is_confirmed_by_email_needs_an_address(by_link):
    assert joined(by_link, email="").status_code == 422
    assert not ConsentEvent.objects.exists()


def test_while_no_email_can_be_sent_such_a_program_asks_the_phone(by_link, settings):
    settings.CAN_MAIL = False
    assert joined(by_link, email="").status_code == 303
    assert Message.objects.get().purpose == Purpose.DOUBLE_OPT_IN


def test_elsewhere_such_a_program_asks_the_phone(by_link):
    evidence = {"words": "x", "said": "yes"}
    joining.join(program=by_link, phone=ANNA, source=Source.PHONE, evidence=evidence, now=NOON)
    assert Message.objects.get().purpose == Purpose.DOUBLE_OPT_IN


def test_a_link_that_was_used_says_so_and_counts_once(by_link):
    joined(by_link)
    path = link(sent(), "/confirm/")
    confirmed(path)
    before = ConsentEvent.objects.count()
    assert b"confirmed this already" in confirmed(path).content
    assert b"<button" not in Client().get(path, secure=True).content
    assert ConsentEvent.objects.count() == before


def test_confirming_is_limited_like_the_form(by_link, settings):
    joined(by_link)
    settings.JOINS_PER_ADDRESS = (0, 3600)
    assert confirmed(link(sent(), "/confirm/")).status_code == 429
    assert standing().level(by_link.pk) == Level.NONE


def test_a_forged_press_confirms_nothing(by_link):
    joined(by_link)
    response = Client(enforce_csrf_checks=True).post(link(sent(), "/confirm/"), secure=True)
    assert (response.status_code, b"Please open the form again" in response.content) == (403, True)
    assert standing().level(by_link.pk) == Level.NONE


@pytest.mark.parametrize(("days", "opens"), [(6, True), (8, False)])
def test_a_link_is_good_for_a_week(days, opens):
    email = factories.mail()
    token, slug, now = links.CONFIRM.sign(str(email.ref)), email.event.program.slug, NOON + timedelta(days=days)
    if opens:
        assert by_email.read(slug=slug, token=token, now=now).mail == email
    else:
        with pytest.raises(by_email.LinkTooOld):
            by_email.read(slug=slug, token=token, now=now)


def test_where_it_answers_a_question_the_link_is_good_as_long_as_the_question_waits(by_link):
    joined(by_link)
    email = Mail.objects.get()
    assert email.expires_at - email.event.occurred_at == timedelta(hours=72)


def test_a_link_that_has_expired_says_what_to_do(by_link):
    joined(by_link)
    path = link(sent(), "/confirm/")
    Mail.objects.update(expires_at=timezone.now())
    response = confirmed(path)
    assert (response.status_code, b"sign up again" in response.content) == (410, True)
    assert 'href="/join/alerts/"' in response.content.decode()
    Mail.objects.all().delete()  # forgotten after a month
    assert confirmed(path).status_code == 410
    assert standing().level(by_link.pk) == Level.NONE


# The last character of a signature of 32 bytes holds two bits that mean nothing, so those before it are changed.
@given(st.data())
def test_no_other_token_than_the_one_we_signed_opens_anything(data):
    token = links.CONFIRM.sign(str(UUID(int=7)))
    place = data.draw(st.integers(0, len(token) - 2))
    other = data.draw(st.characters(codec="ascii", categories=["L", "N"]).filter(lambda it: it != token[place]))
    with pytest.raises(by_email.LinkTooOld):  # ours, and of an email that is there no more
        by_email.read(slug="offers", token=token, now=NOON)
    with pytest.raises(by_email.NoSuchLink):
        by_email.read(slug="offers", token=token[:place] + other + token[place + 1 :], now=NOON)


@pytest.mark.parametrize(
    "change",
    [
        lambda it: it | {"token": it["token"][:-1]},
        lambda it: it | {"token": "nonsense"},
        lambda it: it | {"token": links.CONFIRM.sign("nonsense")},
        lambda it: it | {"token": links.UNSUBSCRIBE.sign(it["token"].partition(":")[0])},
        lambda it: it | {"slug": "other"},
    ],
    ids=["cut", "nonsense", "no id", "for another purpose", "another program"],
)
def test_a_link_that_is_not_ours_or_another_program_s_confirms_nothing(program, change):
    offered(factories.line(), slug="other")
    joined(program)
    args = change({"slug": "offers", "token": links.CONFIRM.sign(str(Mail.objects.get().ref))})
    before = ConsentEvent.objects.count()
    assert confirmed(reverse("join-confirm", kwargs=args)).status_code == 404
    assert ConsentEvent.objects.count() == before


# --- After a no ------------------------------------------------------------------------------------------------------


def test_row_17_after_a_stop_a_stale_link_lifts_nothing(by_link):
    joined(by_link)
    path = link(sent(), "/confirm/")
    stopped(by_link)
    assert confirmed(path).status_code == 200  # nobody learns from the page who said STOP
    assert standing().is_suppressed
    assert standing().level(by_link.pk) == Level.NONE
    assert not Message.objects.filter(purpose=Purpose.OPT_IN_CONFIRMATION).exists()


@pytest.mark.parametrize("scope", [None, Category.INFORMATIONAL])
def test_row_17_after_a_stop_joining_again_by_form_and_link_lifts_nothing(by_link, scope):
    joined(by_link)
    confirmed(link(sent(), "/confirm/"))
    page = preferences.read(links.PREFERENCES.sign(f"{Standing.objects.get().subject_id}.{by_link.brand_id}"))
    preferences.stop(page=page, scope=scope, evidence={"words": "stop"}, now=timezone.now())
    ten_minutes_later = timezone.now() + timedelta(minutes=11)
    with mock.patch("django.utils.timezone.now", return_value=ten_minutes_later):
        joined(by_link)
        confirmed(link(sent(), "/confirm/"))
    assert standing().is_suppressed_for(Category.INFORMATIONAL)
    assert standing().level(by_link.pk, Category.INFORMATIONAL) == Level.NONE


# --- Unsubscribing ---------------------------------------------------------------------------------------------------


def test_row_5_one_click_revokes_once_without_cookies_or_redirect(program):
    joined(program)
    header = sent().extra_headers["List-Unsubscribe"].strip("<>")
    path = header.removeprefix("https://texts.example.com")
    client = Client(enforce_csrf_checks=True, headers={"user-agent": "Mail"})
    for _ in range(2):
        assert client.post(path, {"List-Unsubscribe": "One-Click"}, secure=True).status_code == 200
    [event] = ConsentEvent.objects.filter(kind=Kind.REVOKED)
    proofs = dict(event.evidence.values_list("name", "value"))
    assert (event.source, proofs["email"], proofs["words"]) == (Source.EMAIL, ADDRESS, "List-Unsubscribe=One-Click")
    assert standing().is_suppressed


def test_row_5_the_link_ends_all_texts_by_one_press_and_tells_nobody_what_there_was(program):
    joined(program)
    path = link(sent(), "/unsubscribe/")
    before = Client().get(path, secure=True).content
    assert b"Offers" not in before
    page = confirmed(path).content.decode()
    assert "sends no more texts to the number •••\u00a0•••\u00a00123" in page
    assert standing().is_suppressed
    assert ConsentEvent.objects.first().evidence.get(name="words").value == "Stop all texts from Harbor Clinic"
    assert Client().get(path, secure=True).content == before


@pytest.mark.parametrize("token", ["nonsense", "1:nonsense", "", links.CONFIRM.sign("1"), links.UNSUBSCRIBE.sign("0")])
def test_another_link_ends_nothing(program, token):
    joined(program)
    assert Client().post(f"/unsubscribe/{token or 'x'}/", secure=True).status_code == 404
    assert not standing().is_suppressed


# --- Where the own page is handed out --------------------------------------------------------------------------------


def test_help_gives_the_phone_itself_the_link_to_its_own_page(line):
    traffic.arrive(traffic.text("HELP", sender=ANNA, recipient=line.number))
    body = Message.objects.get(purpose=Purpose.HELP).body
    path = re.search(r"https://texts\.example\.com(/preferences/\S+)", body)[1]
    assert b"You have signed up for nothing here" in Client().get(path, secure=True).content


def test_an_agent_finds_the_link_in_the_contact_s_pane():
    conversation = factories.conversation()
    client = Client()
    client.force_login(factories.user())
    page = client.get(reverse("conversation-panel", args=[conversation.pk]), secure=True).content.decode()
    assert page.count(links.preferences(conversation.contact.subject_id, conversation.line.brand_id)) == 2


# --- The demo's mailbox, the admin -----------------------------------------------------------------------------------


def test_the_demo_has_a_mailbox_and_nobody_else(program, settings):
    joined(program)
    assert Client().get("/mailbox/", secure=True).status_code == 404
    settings.MAILBOX = True
    page = Client().get("/mailbox/", secure=True).content.decode()
    assert f'href="https://texts.example.com{link(sent(), "/confirm/")}"' in page
    done = Client().get("/join/offers/thanks/?mail=1", secure=True).content.decode()
    assert 'href="/mailbox/"' in done


def test_the_admin_shows_what_became_of_an_email_and_never_its_link():
    email = factories.mail(state=Mail.State.FAILED, error="550 no such user", body="the link")
    client = Client()
    client.force_login(factories.user(factories.Role.ADMINISTRATOR))
    page = client.get(f"/admin/conversations/mail/{email.pk}/change/", secure=True).content.decode()
    assert "550 no such user" in page
    assert "the link" not in page
    assert "1 email could not be sent." in client.get("/admin/", secure=True).content.decode()


def test_a_program_that_is_confirmed_by_email_is_not_ready_where_none_can_be_sent(by_link, settings):
    settings.CAN_MAIL = False
    assert any("set EMAIL_URL" in words for words in readiness.what_is_missing(by_link))
    with pytest.raises(ValidationError, match="EMAIL_URL"):
        by_link.clean()
    settings.CAN_MAIL = True
    assert not any("EMAIL_URL" in words for words in readiness.what_is_missing(by_link))
