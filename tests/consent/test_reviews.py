from datetime import timedelta

import pytest

from consent import ledger, reviews
from consent.models import Review, Standing
from consent.purposes import Kind, Source
from tests import factories
from tests.factories import NOON

pytestmark = pytest.mark.django_db
PHONE = "+12125550123"


@pytest.fixture
def brand():
    return factories.brand()


@pytest.fixture
def officer():
    return factories.user()


def suspect(brand, *, minute, words="please no"):
    at = NOON + timedelta(minutes=minute)
    return ledger.record(
        now=at,
        report=ledger.Report(
            phone=PHONE, brand_id=brand.pk, kind=Kind.SUSPECTED, source=Source.FREE_TEXT, occurred_at=at,
            rule="free_text:unclear", message_ref=f"text-{minute}", evidence={"words": words},
        ),
    )  # fmt: skip


def state():
    return Standing.objects.get(subject__phone=PHONE).state


def decide(officer, *, is_revocation, up_to, minute=9):
    return reviews.decide(
        review=Review.objects.get(), is_revocation=is_revocation, up_to=up_to.pk, actor_id=officer.pk,
        now=NOON + timedelta(minutes=minute),
    )  # fmt: skip


def test_several_suspect_texts_are_one_review_and_the_first_sets_the_deadline(brand):
    first, second = suspect(brand, minute=0), suspect(brand, minute=5)
    review = Review.objects.open().get()
    assert (review.first_event, review.last_event) == (first, second)
    assert NOON < review.due_at <= NOON + timedelta(days=5)


def test_what_was_no_opt_out_is_cleared_and_the_next_suspicion_is_a_new_review(brand, officer):
    decide(officer, is_revocation=False, up_to=suspect(brand, minute=0))
    assert not state().is_suspected
    assert not state().is_suppressed
    suspect(brand, minute=20)
    assert state().is_suspected
    assert Review.objects.open().count() == 1


def test_what_was_an_opt_out_counts_since_the_text_and_is_in_the_ledger_with_rule_and_officer(brand, officer):
    event = decide(officer, is_revocation=True, up_to=suspect(brand, minute=3))
    assert (event.kind, event.occurred_at) == (Kind.REVOKED, NOON + timedelta(minutes=3))
    assert (event.facts["rule"], event.facts["actor"]) == ("review:free_text:unclear", officer.pk)
    assert state().is_suppressed
    assert not state().is_suspected


def test_a_start_after_the_text_outlives_the_judgement(brand, officer):
    event = suspect(brand, minute=0)
    start = NOON + timedelta(minutes=2)
    ledger.record(now=start, report=ledger.Report(
        phone=PHONE, brand_id=brand.pk, kind=Kind.RESUMED, source=Source.KEYWORD, occurred_at=start))  # fmt: skip
    decide(officer, is_revocation=True, up_to=event)
    assert not state().is_suppressed


def test_nobody_judges_what_they_have_not_read(brand, officer):
    read = suspect(brand, minute=0)
    suspect(brand, minute=1, words="STOP IT")
    with pytest.raises(reviews.HasChanged):
        decide(officer, is_revocation=False, up_to=read)
    assert state().is_suspected


def test_of_two_officers_one_judges(brand, officer):
    event = suspect(brand, minute=0)
    decide(officer, is_revocation=False, up_to=event)
    with pytest.raises(reviews.HasChanged):
        decide(officer, is_revocation=True, up_to=event)
    assert not state().is_suppressed
