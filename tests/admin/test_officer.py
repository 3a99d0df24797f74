"""The compliance officer's pages: judging suspects, the overview, the rules, and why a text was sent or not."""

import json
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from consent import ledger, rulebook
from consent.models import ConsentEvent, Decision, Evidence, Hold, Review, Standing, Subject, phone_hash
from consent.purposes import Category, Kind, Level, Purpose, Source, Verdict
from contactcenter.accounts.models import Role
from tests import factories

pytestmark = pytest.mark.django_db

PHONE = "+12015550123"


@pytest.fixture(autouse=True)
def nothing_is_cached():
    cache.clear()


def signed_in(role, **fields):
    client = Client()
    client.user = factories.user(role, **fields)
    client.force_login(client.user)
    return client


@pytest.fixture
def officer():
    return signed_in(Role.COMPLIANCE, first_name="Ana", last_name="Reyes")


@pytest.fixture
def brand():
    return factories.brand()


def recorded(brand, kind, *, phone=PHONE, at=None, **fields):
    at = at or timezone.now()
    fields = {"source": Source.FREE_TEXT, "occurred_at": at} | fields
    return ledger.record(now=at, report=ledger.Report(phone=phone, brand_id=brand.pk, kind=kind, **fields))


def suspected(brand, words="no more of this", *, phone=PHONE, ago=timedelta(minutes=5)):
    evidence, rule = {"words": words}, "free_text:en.no_more"
    return recorded(brand, Kind.SUSPECTED, phone=phone, at=timezone.now() - ago, rule=rule, evidence=evidence)


def decided(brand, *, phone=PHONE, **fields):
    fields = {
        "message_ref": uuid4(), "purpose": Purpose.CAMPAIGN, "verdict": Verdict.BLOCKED, "reasons": ["opted_out"],
        "facts": {"is_suppressed": True}, "rules_version": rulebook.version(), "decided_at": timezone.now(),
    } | fields  # fmt: skip
    return Decision.objects.create(subject=Subject.objects.for_phone(phone), brand=brand, **fields)


def change(row):
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def shown(client, url, **query):
    response = client.get(url, query)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def judge(client, review, up_to, is_revocation="yes"):
    form = {"up_to": up_to.pk, "is_revocation": is_revocation}
    return client.post(reverse("admin:consent_review_judge", args=[review.pk]), form, follow=True)


def told(response):
    return " ".join(str(message) for message in response.context["messages"])


# --- Judging -------------------------------------------------------------------------------------------------


def test_a_review_shows_the_texts_the_rule_in_words_and_when_it_is_due(officer, brand):
    suspected(brand, "no more of <this>")
    suspected(brand, "I mean it", ago=timedelta(minutes=1))
    page = shown(officer, change(Review.objects.get()))
    assert page.index("no more of &lt;this&gt;") < page.index("I mean it")
    assert "words like “no more” (English)" in page
    assert "Due in" in page


def test_what_was_sent_before_the_text_is_on_its_review(officer, brand):
    program = factories.program(brand=brand, name="Weekly offers")
    allowed = {"verdict": Verdict.ALLOWED, "reasons": ["consent_given"], "program": program}
    decided(brand, decided_at=timezone.now() - timedelta(hours=1), **allowed)
    suspected(brand)
    decided(brand, **allowed | {"program": factories.program(brand=brand, name="Later ones")})
    page = shown(officer, change(Review.objects.get()))
    assert "Weekly offers" in page
    assert "Later ones" not in page


def test_one_press_judges_and_leads_to_the_next_one(officer, brand):
    first = suspected(brand, ago=timedelta(hours=2))
    suspected(brand, phone="+12015550124")
    urgent, other = Review.objects.all()
    response = judge(officer, urgent, first)
    assert response.redirect_chain[0][0] == change(other)
    assert "Opted out." in told(response)
    assert Standing.objects.get(subject__phone=PHONE).state.is_suppressed
    response = judge(officer, other, other.last_event, "no")
    assert "Nothing else waits" in told(response)
    assert response.redirect_chain[0][0] == reverse("admin:consent_review_changelist")
    assert not Standing.objects.get(subject__phone="+12015550124").state.is_suspected


def test_another_text_while_the_officer_reads_is_shown_before_anything_is_decided(officer, brand):
    read = suspected(brand)
    suspected(brand, "STOP IT NOW", ago=timedelta(0))
    response = judge(officer, Review.objects.get(), read, "no")
    assert "Another text came" in told(response)
    assert "STOP IT NOW" in response.content.decode()
    assert Review.objects.get().decided_at is None
    assert Standing.objects.get().state.is_suspected


def test_of_two_officers_the_second_is_told_that_it_was_judged(officer, brand):
    event = suspected(brand)
    judge(signed_in(Role.COMPLIANCE), Review.objects.get(), event, "no")
    response = judge(officer, Review.objects.get(), event)
    assert "Somebody else has judged" in told(response)
    assert not Standing.objects.get().state.is_suppressed


def test_what_was_judged_stays_listed_with_verdict_officer_and_time_it_took(officer, brand):
    event = suspected(brand, ago=timedelta(hours=3))
    judge(officer, Review.objects.get(), event)
    for page in (
        shown(officer, reverse("admin:consent_review_changelist"), decided_at="yes"),
        shown(officer, change(Review.objects.get())),
    ):
        assert "Ana Reyes" in page
        assert "opt-out" in page
        assert "3 hours" in page


def test_the_queue_is_in_order_of_urgency_and_says_what_is_overdue(officer, brand):
    suspected(brand, "late", phone="+12015550125", ago=timedelta(days=9))
    suspected(brand, "soon", phone="+12015550126")
    judged = suspected(brand, "done", phone="+12015550127", ago=timedelta(days=20))
    judge(officer, Review.objects.get(last_event=judged), judged, "no")
    page = shown(officer, reverse("admin:consent_review_changelist"))
    assert page.index("late") < page.index("soon") < page.index("done")
    assert "overdue by" in page
    assert "2 texts wait for a judgement, 1 of them is overdue." in shown(officer, reverse("admin:index"))


@pytest.mark.parametrize("role", [Role.AGENT, Role.SUPERVISOR])
def test_only_compliance_and_administrators_judge(brand, role):
    event, client = suspected(brand), signed_in(role)
    assert judge(client, Review.objects.get(), event).status_code == 403
    assert Review.objects.get().decided_at is None
    if role == Role.SUPERVISOR:
        page = shown(client, change(Review.objects.get()))
        assert "A compliance officer decides." in page
        assert "is_revocation" not in page


def test_an_administrator_judges_too(brand):
    judge(
        signed_in(Role.ADMINISTRATOR), Review.objects.get(last_event=suspected(brand)), Review.objects.get().last_event
    )
    assert Standing.objects.get().state.is_suppressed


def test_a_judgement_that_does_not_say_what_it_means_is_refused(officer, brand):
    suspected(brand)
    url = reverse("admin:consent_review_judge", args=[Review.objects.get().pk])
    assert officer.post(url, {"is_revocation": "maybe", "up_to": "x"}).status_code == 400
    assert officer.get(url).status_code == 405
    assert officer.post(reverse("admin:consent_review_judge", args=[0]), {}).status_code == 404


def test_keys_are_off_for_who_has_switched_them_off(brand):
    suspected(brand)
    for is_on in (True, False):
        page = shown(signed_in(Role.COMPLIANCE, single_keys=is_on), change(Review.objects.get()))
        assert ("js/judging.js" in page) == ("<kbd>R</kbd>" in page) == is_on


def test_a_text_that_was_erased_is_said_to_be(officer, brand):
    event = suspected(brand)
    Evidence.objects.filter(event=event).update(value=None, salt=None)
    assert "(the text was erased)" in shown(officer, change(Review.objects.get()))
    Subject.objects.update(phone=None)
    page = shown(officer, change(Review.objects.get()))
    assert "This number was erased" in page
    assert "is_revocation" not in page


def test_a_review_of_many_texts_shows_the_last_ones_in_as_many_statements(officer, brand):
    def statements():
        with CaptureQueriesContext(connection) as queries:
            page = shown(officer, change(Review.objects.get()))
        return len(queries), page

    suspected(brand)
    statements()
    few, _page = statements()
    for number in range(30):
        suspected(brand, f"text {number}", ago=timedelta(seconds=60 - number))
    many, page = statements()
    assert many <= few + 1
    assert "11 earlier texts" in page
    assert "text 29" in page


# --- Overview ------------------------------------------------------------------------------------------------


OVERVIEW = "admin:consent_overview"


def test_the_overview_counts_what_waits_and_each_figure_opens_its_list(officer, brand):
    suspected(brand, phone="+12015550131", ago=timedelta(days=9))
    suspected(brand, phone="+12015550132")
    Hold.objects.create(phone=PHONE, phone_hash=phone_hash(PHONE), reason="the disk was full")
    recorded(brand, Kind.REVOKED, phone="+12015550133")
    decided(brand, verdict=Verdict.HELD, reasons=["quiet_hours"], held_until=timezone.now() + timedelta(hours=9))
    recorded(brand, Kind.REQUESTED, phone="+12015550134", program_id=factories.program(brand=brand).pk)
    response = officer.get(reverse(OVERVIEW))
    tiles = {tile["words"]: tile for tile in response.context["tiles"]}
    assert {words: tile["many"] for words, tile in tiles.items()} == {
        "texts wait for a judgement": "2",
        "number on hold": "1",
        "message held": "1",
        "number has opted out": "1",
        "opt-in question waits for a YES": "1",
    }
    assert tiles["texts wait for a judgement"]["note"] == "1 overdue"
    for tile in tiles.values():
        assert len(officer.get(tile["url"]).context["cl"].result_list) == int(tile["many"]), tile["words"]


def test_every_row_of_the_overview_leads_to_a_list_that_holds_what_it_counts(officer, brand):
    program = factories.program(brand=brand)
    recorded(brand, Kind.REVOKED, source=Source.KEYWORD)
    decided(brand)
    decided(brand, reasons=["consent_too_weak", "opted_out"])
    recorded(brand, Kind.GRANTED, phone="+12015550141", source=Source.WEB, program_id=program.pk, level=Level.EXPRESS)
    context = officer.get(reverse(OVERVIEW)).context
    rows = [(many, url) for _words, many, _times, url in context["speeds"]]
    rows += [(why.month, url) for _words, why, url in context["reasons"]]
    assert [(why.reason, why.week, why.month) for _words, why, _url in context["reasons"]] == [
        ("opted_out", 2, 2), ("consent_too_weak", 1, 1)]  # fmt: skip
    assert len(rows) == 3
    for many, url in rows:
        assert len(officer.get(url).context["cl"].result_list) == many
    [(_words, many, url)] = context["consents"]
    assert many == 1
    found = officer.get(url).context["cl"].result_list
    assert [(event.kind, event.source) for event in found] == [(Kind.GRANTED, Source.WEB)]


def test_the_overview_is_read_at_most_once_a_minute_and_says_as_of_when(officer, brand):
    assert "As of" in shown(officer, reverse(OVERVIEW))
    recorded(brand, Kind.REVOKED)
    with CaptureQueriesContext(connection) as queries:
        assert officer.get(reverse(OVERVIEW)).context["opted_out"] == 0
    assert not [query for query in queries if "consent_consentevent" in query["sql"]]
    cache.clear()
    assert officer.get(reverse(OVERVIEW)).context["opted_out"] == 1


def test_the_chart_has_its_numbers_in_a_table_and_no_inline_style(officer, brand):
    recorded(brand, Kind.REVOKED)
    page = shown(officer, reverse(OVERVIEW))
    assert 'role="img" aria-label="Bars by day' in page
    assert page.count('<th scope="row">') >= 30
    assert "style=" not in page
    assert "<style" not in page


# --- Rules ---------------------------------------------------------------------------------------------------


def test_every_rule_and_word_is_on_the_page_with_its_source(officer):
    page = shown(officer, reverse("admin:consent_rules"))
    assert "Nothing here is legal advice." in page
    assert rulebook.version() in page
    for rule in rulebook.all_rules():
        assert f"<code>{rule.id}</code>" in page
    for word in rulebook.words():
        assert word.word in page
    assert "47 CFR 64.1200(a)(12); 89 FR 15756" in page


def test_a_rule_says_whether_it_is_in_force_today(officer, monkeypatch):
    today = timezone.localdate()
    day = timedelta(days=1)
    base = {"id": "confirmation.within_seconds", "jurisdiction": "US", "citation": "somewhere"}
    rules = (
        rulebook.Rule(**base, value=1, effective_from=today - 9 * day, effective_to=today - day),
        rulebook.Rule(**base, value=2, effective_from=today, effective_to=today),
        rulebook.Rule(**base, value=3, effective_from=today + day),
    )
    monkeypatch.setattr(rulebook, "all_rules", lambda: rules)
    [(_group, rows)] = officer.get(reverse("admin:consent_rules")).context["groups"]
    assert [(row["value"], row["state"]) for row in rows] == [(1, "past"), (2, "now"), (3, "coming")]


def test_rules_are_searched_by_any_of_their_words(officer):
    response = officer.get(reverse("admin:consent_rules"), {"q": "64.1200(A)(12)"})
    found = [row["rule"] for _group, rows in response.context["groups"] for row in rows]
    assert "confirmation.within_seconds" in {rule.id for rule in found}
    assert all("64.1200(a)(12)" in rule.citation for rule in found)
    assert "No rule and no word says that." in shown(officer, reverse("admin:consent_rules"), q="zeppelin")


# --- Why -----------------------------------------------------------------------------------------------------


def test_a_decision_says_its_reasons_in_sentences_and_its_facts_in_a_table(officer, brand):
    decision = decided(
        brand,
        reasons=["opted_out", "a_reason_of_tomorrow"],
        facts={
            "purpose": "campaign", "is_suppressed": True, "level_held": "express", "wrote_at": None,
            "revoked_at": "2026-03-02T17:00:00+00:00", "zones": ["America/Phoenix"], "fact_of_tomorrow": {"a": [1, 2]},
        },
    )  # fmt: skip
    response = officer.get(change(decision))
    facts = {str(name): lines for name, lines in response.context["facts"]}
    assert facts["Had opted out"] == ["yes"]
    assert facts["Last wrote to this line"] == ["none"]
    assert facts["Last opted out"][0].startswith("Mar 2, 2026, ")
    assert facts["Fact of tomorrow"] == ["a: 1, 2"]
    assert "Phoenix (America/Phoenix)" in facts["Time where they may be"][0]
    page = response.content.decode()
    assert "This person has opted out." in page
    assert "a_reason_of_tomorrow" in page


def test_a_message_held_for_the_hour_says_which_rule_and_what_the_clock_there_said(officer, brand):
    at = timezone.now().replace(hour=9, minute=30)  # half past two in Phoenix
    decision = decided(
        brand, verdict=Verdict.HELD, reasons=["quiet_hours"], held_until=at + timedelta(hours=6), decided_at=at,
        facts={"zones": ["America/Phoenix"], "regions": ["US-AZ"], "category": "promotional"},
    )  # fmt: skip
    closures = officer.get(change(decision)).context["closures"]
    assert closures
    assert all(rule.startswith("hours.promotional") for rule, _zone, _local in closures)
    assert {(zone, local.split(" ", 1)[1]) for _rule, zone, local in closures} == {("America/Phoenix", "2:30 AM")}


def test_a_decision_shows_the_ledger_as_far_as_the_gate_read_it(officer, brand):
    before = recorded(brand, Kind.REVOKED)
    decision = decided(brand, ledger_seq=before.seq)
    recorded(brand, Kind.RESUMED)
    response = officer.get(change(decision))
    assert [event.pk for event, _words, _source in response.context["lines"]] == [before.pk]
    listed = officer.get(response.context["ledger_url"]).context["cl"].result_list
    assert [event.pk for event in listed] == [before.pk]


def test_a_decision_by_other_rules_says_so(officer, brand):
    assert "the one in use now" in shown(officer, change(decided(brand)))
    assert "another than the one in use now" in shown(officer, change(decided(brand, rules_version="old")))


@pytest.mark.parametrize("value", ["2026-99-99T00:00:00+00:00", "nowhere/at all", "../../etc", "", 3, 0.5, [None]])
def test_whatever_a_fact_holds_the_page_opens(officer, brand, value):
    assert officer.get(change(decided(brand, facts={"zones": value, "odd": {"x": value}}))).status_code == 200


# --- A number's whole record -----------------------------------------------------------------------------------


def test_everything_about_a_number_is_on_one_page_and_in_one_file(officer, brand):
    program = factories.program(brand=brand)
    evidence = {"words": "I <agree>", "name": "Kim Lee", "page": "<html>", "ip": "203.0.113.9"}
    event = recorded(
        brand, Kind.GRANTED, source=Source.WEB, program_id=program.pk, level=Level.EXPRESS, evidence=evidence
    )
    ledger.seal(now=timezone.now())
    recorded(brand, Kind.REVOKED)
    decided(brand)
    recorded(brand, Kind.REVOKED, phone="+12015550199", evidence={"words": "somebody else"})
    page = shown(officer, reverse("admin:consent_subject_record", args=[event.subject_id]))
    assert "I &lt;agree&gt;" in page
    assert "all 2 lines are what was written" in page
    assert "This person has opted out." in page
    assert "somebody else" not in page
    response = officer.get(reverse("admin:consent_subject_file", args=[event.subject_id]))
    assert response["Content-Disposition"].startswith("attachment; ")
    record = json.loads(response.content)
    assert [line["kind"] for line in record["events"]] == ["granted", "revoked"]
    assert (record["problems"], record["sealed_up_to"], len(record["decisions"])) == ([], 1, 1)
    assert {proof["value"] for proof in record["events"][0]["evidence"]} == set(evidence.values())


def test_a_consent_s_page_says_what_its_record_lacks(officer, brand):
    program = factories.program(brand=brand, category=Category.PROMOTIONAL)
    event = recorded(brand, Kind.GRANTED, source=Source.KEYWORD, program_id=program.pk, evidence={"words": "JOIN"})
    assert "Lacks: name and telephone number." in shown(officer, change(event))
    assert "Lacks" not in shown(officer, change(recorded(brand, Kind.REVOKED)))


@pytest.mark.parametrize("name", ["consent_subject_record", "consent_subject_file"])
def test_a_record_is_for_who_may_see_numbers(brand, name):
    subject = recorded(brand, Kind.REVOKED).subject_id
    for role, status in ((Role.AGENT, 403), (Role.SUPERVISOR, 200), (Role.COMPLIANCE, 200), (Role.ADMINISTRATOR, 200)):
        assert signed_in(role).get(reverse(f"admin:{name}", args=[subject])).status_code == status
    assert signed_in(Role.COMPLIANCE).get(reverse(f"admin:{name}", args=[0])).status_code == 404
    assert ConsentEvent.objects.exists()
