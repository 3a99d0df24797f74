from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent import rulebook
from consent.policy import ANSWERS_TO_KEYWORDS, Facts, decide
from consent.purposes import Level, Purpose, Verdict

NOW = datetime(2026, 3, 2, 17, 0, tzinfo=UTC)
JUST_NOW = NOW - timedelta(minutes=3)
WINDOW = timedelta(days=rulebook.value("conversation.reply_window_days", NOW.date()))
WITHIN = timedelta(seconds=rulebook.value("confirmation.within_seconds", NOW.date()))
A_SECOND = timedelta(seconds=1)

reply = Facts(Purpose.REPLY, wrote_at=JUST_NOW)
campaign = Facts(Purpose.CAMPAIGN, level_needed=Level.WRITTEN, level_held=Level.WRITTEN)
opted_out = {"is_suppressed": True, "revoked_at": JUST_NOW}
confirmation = Facts(Purpose.OPT_OUT_CONFIRMATION, wrote_at=JUST_NOW, **opted_out)
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
    assert ruling.verdict == Verdict.BLOCKED or facts.purpose in ANSWERS_TO_KEYWORDS


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
