from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent import rulebook
from consent.policy import ANSWERS_TO_KEYWORDS, Facts, decide
from consent.purposes import Category, Level, Purpose, Verdict

NOW = datetime(2026, 3, 2, 17, 0, tzinfo=UTC)
JUST_NOW = NOW - timedelta(minutes=3)
WINDOW = timedelta(days=rulebook.value("conversation.reply_window_days", NOW.date()))
WITHIN = timedelta(seconds=rulebook.value("confirmation.within_seconds", NOW.date()))
A_SECOND = timedelta(seconds=1)

reply = Facts(Purpose.REPLY, wrote_at=JUST_NOW)
campaign = Facts(Purpose.CAMPAIGN, level_needed=Level.WRITTEN, level_held=Level.WRITTEN)
opted_out = {"is_suppressed": True, "revoked_at": JUST_NOW}
confirmation = Facts(Purpose.OPT_OUT_CONFIRMATION, wrote_at=JUST_NOW, **opted_out)
question = Facts(Purpose.DOUBLE_OPT_IN, is_awaiting_yes=True)
help_text = Facts(Purpose.HELP, wrote_at=JUST_NOW)

ALLOWED = {
    "an answer to somebody who wrote": (reply, "person_wrote"),
    "an answer on the window's last moment": (replace(reply, wrote_at=NOW - WINDOW), "person_wrote"),
    "an answer to somebody who never wrote but agreed": (
        Facts(Purpose.REPLY, level_held=Level.CONVERSATIONAL),
        "consent_given",
    ),
    "an agent's answer while an opt-out is only suspected": (replace(reply, is_suspected=True), "person_wrote"),
    "an opt-in confirmation": (replace(reply, purpose=Purpose.OPT_IN_CONFIRMATION), "person_wrote"),
    "an out-of-office": (replace(reply, purpose=Purpose.OUT_OF_OFFICE), "person_wrote"),
    "a campaign with exactly the consent it needs": (campaign, "consent_given"),
    "a campaign with more consent than it needs": (replace(campaign, level_needed=Level.EXPRESS), "consent_given"),
    "a campaign to somebody who also wrote": (replace(campaign, wrote_at=JUST_NOW), "consent_given"),
    "an alert with its consent": (replace(campaign, purpose=Purpose.ALERT), "consent_given"),
    "the confirmation of an opt-out": (confirmation, "answers_a_keyword"),
    "the confirmation at its last second": (replace(confirmation, revoked_at=NOW - WITHIN), "answers_a_keyword"),
    "help": (help_text, "answers_a_keyword"),
    "the question of an opt-in": (question, "asked_to_be_texted"),
    "the question that somebody asked for after opting out": (
        replace(question, has_asked_anew=True, **opted_out),
        "asked_to_be_texted",
    ),
    "help to somebody who opted out": (replace(help_text, **opted_out), "answers_a_keyword"),
    "help while an opt-out is suspected": (replace(help_text, is_suspected=True), "answers_a_keyword"),
}

BLOCKED = {
    "an answer after an opt-out": (replace(reply, **opted_out), ("opted_out",)),
    "an answer to somebody who never wrote": (Facts(Purpose.REPLY), ("never_wrote",)),
    "an answer after the window": (
        replace(reply, wrote_at=NOW - WINDOW - A_SECOND),
        ("wrote_too_long_ago",),
    ),
    "anything to a number on hold": (replace(reply, is_on_hold=True), ("number_on_hold",)),
    "help to a number on hold": (replace(help_text, is_on_hold=True), ("number_on_hold",)),
    "an automatic answer while an opt-out is suspected": (
        replace(reply, purpose=Purpose.OUT_OF_OFFICE, is_suspected=True),
        ("may_have_opted_out",),
    ),
    "a campaign while an opt-out is suspected": (replace(campaign, is_suspected=True), ("may_have_opted_out",)),
    "a campaign with weaker consent than it needs": (
        replace(campaign, level_held=Level.EXPRESS),
        ("consent_too_weak",),
    ),
    "a campaign to somebody who only wrote": (
        replace(campaign, wrote_at=JUST_NOW, level_held=Level.NONE),
        ("consent_too_weak",),
    ),
    "a campaign of a program that is not active": (
        replace(campaign, is_program_active=False),
        ("program_not_active",),
    ),
    "a campaign without a program": (Facts(Purpose.CAMPAIGN), ("program_missing",)),
    "an alert after an opt-out": (
        replace(campaign, purpose=Purpose.ALERT, level_held=Level.NONE, **opted_out),
        ("opted_out", "consent_too_weak"),
    ),
    "a confirmation of an opt-out that was taken back": (
        replace(confirmation, is_suppressed=False),
        ("no_opt_out_in_force",),
    ),
    "a confirmation of no opt-out": (Facts(Purpose.OPT_OUT_CONFIRMATION), ("no_opt_out_in_force",)),
    "a confirmation that comes too late": (
        replace(confirmation, revoked_at=NOW - WITHIN - A_SECOND),
        ("confirmation_too_late",),
    ),
    "the question that a form asked for after an opt-out": (replace(question, **opted_out), ("opted_out",)),
    "anything else to somebody who asked anew and has not said yes": (
        replace(reply, has_asked_anew=True, is_awaiting_yes=True, **opted_out),
        ("opted_out",),
    ),
    "help that nobody asked for": (Facts(Purpose.HELP), ("never_wrote",)),
    "everything at once, with every reason": (
        Facts(
            Purpose.CAMPAIGN,
            is_suspected=True,
            is_on_hold=True,
            level_needed=Level.WRITTEN,
            is_program_active=False,
            **opted_out,
        ),
        ("number_on_hold", "opted_out", "may_have_opted_out", "program_not_active", "consent_too_weak"),
    ),
}


@pytest.mark.parametrize("case", ALLOWED)
def test_allowed(case):
    facts, ground = ALLOWED[case]
    ruling = decide(facts, NOW)
    assert (ruling.verdict, ruling.reasons, ruling.held_until) == (Verdict.ALLOWED, (ground,), None)


@pytest.mark.parametrize("case", BLOCKED)
def test_blocked(case):
    facts, reasons = BLOCKED[case]
    ruling = decide(facts, NOW)
    assert (ruling.verdict, ruling.reasons, ruling.held_until) == (Verdict.BLOCKED, reasons, None)


moments = st.none() | st.integers(0, 60 * 24 * 60).map(lambda minutes: NOW - timedelta(minutes=minutes))
lately = st.integers(0, 30 * 60).map(lambda minutes: NOW - timedelta(minutes=minutes))
all_facts = st.builds(
    Facts,
    purpose=st.sampled_from(Purpose),
    is_suppressed=st.booleans(),
    is_suspected=st.booleans(),
    is_on_hold=st.booleans(),
    revoked_at=moments,
    wrote_at=moments,
    level_needed=st.sampled_from(Level),
    level_held=st.sampled_from(Level),
    is_program_active=st.booleans(),
    is_awaiting_yes=st.booleans(),
    has_asked_anew=st.booleans(),
    category=st.none() | st.sampled_from(Category),
    zones=st.frozensets(
        st.sampled_from(["America/New_York", "America/Chicago", "America/Phoenix", "Pacific/Honolulu"])
    ),
    regions=st.frozensets(st.sampled_from(["US-FL", "US-TX", "US-AZ"])),
    recent=st.lists(st.integers(0, 30 * 60).map(lambda minutes: NOW - timedelta(minutes=minutes)), max_size=5).map(
        tuple
    ),
)


@given(all_facts)
def test_every_purpose_gets_a_verdict_with_reasons_and_the_same_one_twice(facts):
    ruling = decide(facts, NOW)
    assert ruling.reasons
    assert (ruling.verdict == Verdict.HELD) == (ruling.held_until is not None)
    assert decide(facts, NOW) == ruling


@given(all_facts)
def test_an_opt_out_blocks_everything_but_the_answers_to_keywords(facts):
    ruling = decide(replace(facts, is_suppressed=True), NOW)
    is_asked_for = facts.purpose == Purpose.DOUBLE_OPT_IN and facts.has_asked_anew
    assert ruling.verdict == Verdict.BLOCKED or facts.purpose in ANSWERS_TO_KEYWORDS or is_asked_for


@given(all_facts)
def test_a_hold_blocks_everything(facts):
    assert decide(replace(facts, is_on_hold=True), NOW).verdict == Verdict.BLOCKED


@given(all_facts)
def test_automation_says_nothing_to_whoever_may_have_opted_out(facts):
    ruling = decide(replace(facts, is_suspected=True), NOW)
    assert ruling.verdict == Verdict.BLOCKED or facts.purpose in ANSWERS_TO_KEYWORDS | {Purpose.REPLY}


@given(all_facts.filter(lambda facts: facts.purpose in {Purpose.CAMPAIGN, Purpose.ALERT}))
def test_no_campaign_goes_out_on_less_consent_than_its_program_needs(facts):
    if decide(facts, NOW).verdict == Verdict.ALLOWED:
        assert facts.level_held.rank >= facts.level_needed.rank > Level.NONE.rank


@given(all_facts)
def test_another_objection_never_turns_a_block_into_an_allowance(facts):
    if decide(facts, NOW).verdict == Verdict.BLOCKED and facts.purpose != Purpose.OPT_OUT_CONFIRMATION:
        worse = replace(facts, is_suppressed=True, is_suspected=True)
        assert decide(worse, NOW).verdict == Verdict.BLOCKED


# --- Hours and caps ------------------------------------------------------------------------------------------

NEW_YORK = {"zones": frozenset({"America/New_York"}), "regions": frozenset({"US-NY"})}
offer = replace(campaign, category=Category.PROMOTIONAL, **NEW_YORK)
notice = replace(campaign, category=Category.INFORMATIONAL, level_needed=Level.EXPRESS, **NEW_YORK)
NIGHT = datetime(2026, 3, 3, 4, 30, tzinfo=UTC)  # 11:30 PM in New York
MORNING = datetime(2026, 3, 3, 14, 0, tzinfo=UTC)  # 9 AM there


def test_row_12_at_night_an_offer_is_held_until_the_morning():
    ruling = decide(offer, NIGHT)
    assert (ruling.verdict, ruling.reasons, ruling.held_until) == (Verdict.HELD, ("quiet_hours",), MORNING)
    assert decide(offer, MORNING).verdict == Verdict.ALLOWED
    assert decide(offer, MORNING - A_SECOND).verdict == Verdict.HELD


def test_row_12_an_allowed_offer_says_until_when_it_may_go():
    assert decide(offer, NOW).closes_at == datetime(2026, 3, 3, 1, 0, tzinfo=UTC)  # 8 PM there


def test_row_12_a_planned_notice_keeps_courtesy_hours_and_an_alert_does_not_wait():
    assert decide(notice, NIGHT).held_until == datetime(2026, 3, 3, 13, 0, tzinfo=UTC)  # 8 AM there
    assert decide(replace(notice, purpose=Purpose.ALERT), NIGHT).verdict == Verdict.ALLOWED
    assert decide(replace(offer, purpose=Purpose.ALERT), NIGHT).verdict == Verdict.HELD


def test_an_answer_keeps_no_hours():
    assert decide(replace(reply, category=Category.PROMOTIONAL, wrote_at=NIGHT), NIGHT).verdict == Verdict.ALLOWED


def test_row_13_an_offer_to_nobody_knows_where_is_blocked():
    nowhere = replace(offer, zones=frozenset(), regions=frozenset())
    assert decide(nowhere, NOW).reasons == ("zone_unknown",)
    assert decide(nowhere, NOW).verdict == Verdict.BLOCKED


def hours_before(now, *hours):
    return tuple(now - timedelta(hours=number) for number in hours)


def test_row_14_three_offers_in_a_day_and_the_fourth_waits_until_the_first_is_a_day_old():
    assert decide(replace(offer, recent=hours_before(NOW, 1, 2)), NOW).verdict == Verdict.ALLOWED
    ruling = decide(replace(offer, recent=hours_before(NOW, 3, 1, 2)), NOW)
    assert (ruling.verdict, ruling.reasons) == (Verdict.HELD, ("too_many",))
    assert ruling.held_until == NOW + timedelta(hours=21)


def test_row_14_a_day_later_to_the_second_it_may_go():
    recent = hours_before(NOW, 1, 2, 24)
    assert decide(replace(offer, recent=recent), NOW).verdict == Verdict.ALLOWED
    assert decide(replace(offer, recent=recent), NOW - A_SECOND).verdict == Verdict.HELD


def test_too_many_at_night_waits_for_both():
    evening = datetime(2026, 3, 3, 0, 30, tzinfo=UTC)  # 7:30 PM in New York
    ruling = decide(replace(offer, recent=(*hours_before(evening, 1, 2), evening - timedelta(hours=23))), evening)
    assert ruling.held_until == MORNING


def test_caps_count_no_notices():
    assert decide(replace(notice, recent=hours_before(NOW, 1, 2, 3, 4)), NOW).verdict == Verdict.ALLOWED


def test_all_reasons_are_told_also_those_that_time_would_mend():
    ruling = decide(replace(offer, is_suppressed=True, recent=hours_before(NIGHT, 1, 2, 3)), NIGHT)
    assert (ruling.verdict, ruling.reasons) == (Verdict.BLOCKED, ("opted_out", "quiet_hours", "too_many"))


@given(all_facts)
def test_what_is_held_passes_at_that_moment_and_not_before(facts):
    ruling = decide(facts, NOW)
    if ruling.held_until:
        assert decide(facts, ruling.held_until).verdict == Verdict.ALLOWED
        assert decide(facts, ruling.held_until - A_SECOND).verdict == Verdict.HELD


@pytest.mark.parametrize("category", Category)
@pytest.mark.parametrize("held", Level)
@pytest.mark.parametrize("purpose", [Purpose.CAMPAIGN, Purpose.ALERT])
def test_row_2_every_category_needs_its_level(category, held, purpose):
    needed = {
        Category.CONVERSATIONAL: Level.CONVERSATIONAL,
        Category.INFORMATIONAL: Level.EXPRESS,
        Category.PROMOTIONAL: Level.WRITTEN,
    }[category]
    facts = Facts(purpose, level_needed=needed, level_held=held, category=category, **NEW_YORK)
    assert (decide(facts, NOW).verdict == Verdict.ALLOWED) == (held.rank >= needed.rank)


def test_an_agent_is_told_until_when_she_may_answer():
    wrote_at = NOW - timedelta(days=3)
    ruling = decide(Facts(Purpose.REPLY, wrote_at=wrote_at), NOW)
    assert (ruling.verdict, ruling.closes_at) == (Verdict.ALLOWED, wrote_at + WINDOW)
    agreed = Facts(Purpose.REPLY, wrote_at=wrote_at, level_held=Level.EXPRESS)
    assert decide(agreed, NOW).closes_at is None


def test_a_question_that_nobody_waits_for_is_not_asked():
    ruling = decide(replace(question, is_awaiting_yes=False), NOW)
    assert (ruling.verdict, ruling.reasons) == (Verdict.BLOCKED, ("nothing_to_confirm",))
