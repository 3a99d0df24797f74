import json
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.folding import GRANTS, Entry, Grant, State, apply, confirmed_level, fold
from consent.purposes import Category, Effect, Kind, Level, Source

MIDNIGHT = datetime(2026, 3, 1, tzinfo=UTC)


def at(minute: int) -> datetime:
    return MIDNIGHT + timedelta(minutes=minute)


# Few moments and programs, so that ties and collisions are common. A grant always names its program.
programs = st.integers(1, 2)
entries = st.sampled_from(Kind).flatmap(
    lambda kind: st.builds(
        Entry,
        kind=st.just(kind),
        occurred_at=st.integers(0, 5).map(at),
        program_id=programs if kind in GRANTS else st.none() | programs,
        level=st.sampled_from(Level),
        scope=st.none() | st.sampled_from(Category) if kind == Kind.REVOKED else st.none(),
        may_lift=st.booleans(),
    )
)


@given(st.lists(entries, max_size=12).flatmap(lambda several: st.tuples(st.just(several), st.permutations(several))))
def test_any_order_of_the_same_events_gives_the_same_state(orders):
    one, other = orders
    assert fold(one) == fold(other)


@given(st.lists(entries, max_size=8), st.lists(entries, max_size=8))
def test_recording_an_event_twice_changes_nothing_more(before, after):
    assert fold([*before, *after, *before]) == fold([*before, *after])


@given(st.lists(entries, max_size=10), st.integers(0, 5).map(at))
def test_after_a_stop_nothing_older_or_as_old_lifts_it(several, stopped_at):
    younger = [entry.occurred_at > stopped_at for entry in several if entry.kind in GRANTS | {Kind.RESUMED}]
    state = fold([*several, Entry(Kind.REVOKED, stopped_at)])
    assert state.is_suppressed or any(younger)


@given(st.lists(entries, max_size=10))
def test_whoever_is_opted_out_holds_no_consent(several):
    state = fold(several)
    if state.is_suppressed:
        assert {state.level(program_id) for program_id in (None, 1, 2)} == {Level.NONE}


@given(st.lists(entries, min_size=1, max_size=10))
def test_an_effect_is_told_exactly_when_something_that_counts_changed(several):
    before = fold(several[:-1])
    after, effect = apply(before, several[-1])
    scope = several[-1].scope
    changed = {
        Effect.SUPPRESSED: after.is_suppressed_for(scope) and not before.is_suppressed_for(scope),
        Effect.REQUESTED: after.requests != before.requests,
        Effect.RESUMED: before.is_suppressed and not after.is_suppressed,
        Effect.SUSPECTED: after.is_suspected and not before.is_suspected,
        Effect.CLEARED: before.is_suspected and not after.is_suspected,
        Effect.GRANTED: after.grants != before.grants or (before.is_suppressed and not after.is_suppressed),
        Effect.NOTHING: True,
    }
    assert changed[effect]
    if changed[Effect.SUPPRESSED]:
        assert effect == Effect.SUPPRESSED
    if changed[Effect.RESUMED]:
        assert effect in {Effect.RESUMED, Effect.GRANTED}


@given(st.lists(entries, max_size=10), st.integers(0, 5).map(at), st.sampled_from(Category))
def test_a_no_to_one_category_says_nothing_about_the_others(several, stopped_at, scope):
    before = fold(several)
    after = fold([*several, Entry(Kind.REVOKED, stopped_at, scope=scope)])
    for category in Category:
        if category != scope:
            assert after.is_suppressed_for(category) == before.is_suppressed_for(category)
            assert after.level(1, category) == before.level(1, category)
    granted = [entry.occurred_at for entry in several if entry.kind in GRANTS | {Kind.RESUMED}]
    assert after.is_suppressed_for(scope) or max(granted) > stopped_at


def test_a_request_permits_nothing_until_it_is_confirmed():
    asked = Entry(Kind.REQUESTED, at(1), 1, Level.WRITTEN)
    state, effect = apply(State(), asked)
    assert effect == Effect.REQUESTED
    assert state.level(1) == Level.NONE
    assert state.request(1) == Grant(Level.WRITTEN, at(1))
    confirmed = fold([asked, Entry(Kind.CONFIRMED, at(2), 1, Level.WRITTEN)])
    assert confirmed.level(1) == Level.WRITTEN
    assert confirmed.request(1) is None


def test_a_stop_withdraws_a_request():
    assert fold([Entry(Kind.REQUESTED, at(1), 1, Level.WRITTEN), Entry(Kind.REVOKED, at(1))]).request(1) is None


def test_a_request_lifts_no_earlier_no():
    assert fold([Entry(Kind.REVOKED, at(1)), Entry(Kind.REQUESTED, at(2), 1, Level.WRITTEN)]).is_suppressed


def test_a_start_older_than_the_last_stop_changes_nothing_although_it_comes_later():
    state, effect = apply(fold([Entry(Kind.REVOKED, at(5))]), Entry(Kind.RESUMED, at(4)))
    assert state.is_suppressed
    assert effect == Effect.NOTHING


def test_a_stop_and_a_start_of_the_same_moment_revoke_in_either_order():
    tied = (Entry(Kind.REVOKED, at(5)), Entry(Kind.RESUMED, at(5)))
    assert all(fold(order).is_suppressed for order in permutations(tied))


def test_a_second_stop_is_kept_but_tells_no_effect():
    state, effect = apply(fold([Entry(Kind.REVOKED, at(1))]), Entry(Kind.REVOKED, at(2)))
    assert state.revoked_at == at(2)
    assert effect == Effect.NOTHING


def test_a_grant_after_a_stop_lifts_it_for_its_own_program():
    state = fold([Entry(Kind.REVOKED, at(1)), Entry(Kind.GRANTED, at(2), program_id=1, level=Level.WRITTEN)])
    assert not state.is_suppressed
    assert (state.level(1), state.level(2)) == (Level.WRITTEN, Level.NONE)


def test_a_stop_ends_every_grant_that_is_not_younger():
    granted = [Entry(Kind.GRANTED, at(minute), program_id=minute, level=Level.EXPRESS) for minute in (1, 2, 3)]
    state = fold([*granted, Entry(Kind.REVOKED, at(2)), Entry(Kind.RESUMED, at(4))])
    assert [state.level(program_id) for program_id in (1, 2, 3)] == [Level.NONE, Level.NONE, Level.EXPRESS]


def test_of_two_grants_of_one_moment_the_weaker_counts():
    tied = [Entry(Kind.GRANTED, at(1), 1, Level.WRITTEN), Entry(Kind.GRANTED, at(1), 1, Level.EXPRESS)]
    assert fold(tied).grants == fold(reversed(tied)).grants == {1: Grant(Level.EXPRESS, at(1))}


@pytest.mark.parametrize("cleared", [1, 2])
def test_a_suspicion_as_old_as_its_clearing_stands(cleared):
    state = fold([Entry(Kind.SUSPECTED, at(2)), Entry(Kind.CLEARED, at(cleared))])
    assert state.is_suspected
    assert not fold([Entry(Kind.SUSPECTED, at(2)), Entry(Kind.CLEARED, at(3))]).is_suspected


def test_of_nobody_heard_of_nothing_is_said():
    assert fold([]) == State()
    assert not State().is_suppressed
    assert not State().is_suspected


@pytest.mark.parametrize("source", [Source.WEB, Source.API, Source.PAPER, Source.IMPORT, Source.EMAIL])
def test_row_17_a_stop_that_arrives_late_is_in_force_whatever_was_claimed_meanwhile(source):
    """Sent before the claim and received after it: had it come at once, the claim had lifted nothing."""
    claim = Entry.of("granted", at(10), 1, json.dumps({"level": "express", "source": source}))
    state, effect = apply(fold([claim]), Entry(Kind.REVOKED, at(9)))
    assert (state.is_suppressed, effect) == (True, Effect.SUPPRESSED)
    assert fold([Entry(Kind.REVOKED, at(9)), claim]) == state


def test_a_keyword_texted_after_a_stop_that_arrives_late_stands():
    joined = Entry.of("granted", at(10), 1, json.dumps({"level": "express", "source": Source.KEYWORD}))
    assert not fold([joined, Entry(Kind.REVOKED, at(9))]).is_suppressed


def test_after_a_narrower_no_and_a_start_only_what_was_agreed_to_since_counts():
    agreed, no = Entry(Kind.GRANTED, at(1), 1, Level.EXPRESS), Entry(Kind.REVOKED, at(2), scope=Category.PROMOTIONAL)
    state = fold([agreed, no, Entry(Kind.RESUMED, at(3))])
    assert not state.is_suppressed_for(Category.PROMOTIONAL)
    assert state.level(1, Category.PROMOTIONAL) == Level.NONE
    assert state.level(1, Category.INFORMATIONAL) == Level.EXPRESS


def test_a_narrower_no_is_a_no_as_well():
    assert fold([Entry(Kind.REVOKED, at(2), scope=Category.PROMOTIONAL)]).has_any_no
    assert not fold([Entry(Kind.REVOKED, at(2), scope=Category.PROMOTIONAL), Entry(Kind.RESUMED, at(3))]).has_any_no


def test_an_answer_older_than_its_question_confirms_nothing():
    state = fold([Entry(Kind.REQUESTED, at(5), 1, Level.WRITTEN)])
    levels = [confirmed_level(state, 1, at(minute), timedelta(minutes=10)) for minute in (4, 5, 15, 16)]
    assert levels == [Level.NONE, Level.WRITTEN, Level.WRITTEN, Level.NONE]


def test_a_grant_of_nothing_lifts_nothing():
    assert fold([Entry(Kind.REVOKED, at(1)), Entry(Kind.GRANTED, at(2), level=Level.WRITTEN)]).is_suppressed
