"""The demo's plan: pure, always the same, and made of things that could happen."""

import re
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consent import keywords
from contactcenter.demo import dialogues, organisation, people, plan
from contactcenter.demo.desk import DAYS, SUNDAY, local
from contactcenter.demo.events import Act, Leave, Reply, Text
from contactcenter.demo.stories import STORIES, Situation
from contactcenter.lib import phone, redact, segments
from conversations.outbound import MAX_SEGMENTS

NOW = datetime(2026, 11, 23, 15, 30, tzinfo=UTC)
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2028, 12, 31), timezones=st.just(UTC))  # any hour, Sundays too
A_FEW = settings(max_examples=15, deadline=None)
SPARE = {"pharmacy: asks about the weekend"}
OUT_BY_KEYWORD = {Situation.STOPPED, Situation.STARTED_AGAIN, Situation.BLOCKED, Situation.HELPED, Situation.KEPT}


def words(made):
    return [(event.thread, event.at, event.body) for event in made.events if isinstance(event, Text | Reply)]


def threads(made):
    found = defaultdict(list)
    for event in made.events:
        if isinstance(event, Text | Reply):
            found[event.thread].append(event)
    return found


def test_the_same_seed_says_the_same_at_the_same_times():
    first, again = plan.made(now=NOW, conversations=60), plan.made(now=NOW, conversations=60)
    assert first.events == again.events
    assert words(plan.made(now=NOW, conversations=60, seed=7)) != words(first)


@given(MOMENTS)
@A_FEW
def test_whenever_it_is_made_everything_happened_in_order_within_three_weeks_before(now):
    made = plan.made(now=now, conversations=60)
    moments = [event.at for event in made.events]
    assert moments == sorted(moments)
    assert now - timedelta(days=DAYS + 3) < moments[0]
    assert moments[-1] < now
    assert Counter(made.cast.values()).keys() == set(Situation)


@given(MOMENTS)
@A_FEW
def test_we_only_answer_people_who_wrote_and_only_in_texts_that_may_be_sent(now):
    for thread, said in threads(plan.made(now=now, conversations=60)).items():
        assert isinstance(said[0], Text), thread
        for event in said:
            assert not re.search(r"[{}|]", event.body), event.body
            assert event.body.strip() or getattr(event, "is_picture", False)
            if isinstance(event, Reply):
                assert redact.redact(event.body) == event.body
                assert segments.count(event.body).segments <= MAX_SEGMENTS


@pytest.mark.parametrize("number", [0, 1, 5, len(Situation), 61, plan.WHOLE])
def test_there_are_exactly_as_many_conversations_as_asked_for(number):
    made = plan.made(now=NOW, conversations=number)
    assert len(made.cast) == len(threads(made)) == number


def test_the_whole_demo_is_alive_and_as_large_as_promised():
    made = plan.made(now=NOW)
    cast = Counter(made.cast.values())
    waiting = [Situation.OVERDUE, Situation.REPLY_FAILED, Situation.DUE_SOON, Situation.WAITING]
    assert [cast[situation] for situation in waiting] == [2, 1, 3, 8]
    assert cast[Situation.OPEN] == 60
    assert cast[Situation.SNOOZED] == 5
    opted_out = [Situation.STOPPED, Situation.STOPPED_IN_WORDS, Situation.CARRIER_STOPPED, Situation.BLOCKED]
    assert sum(cast[situation] for situation in opted_out) == 12
    assert cast[Situation.RESOLVED] > 250
    long_ones = [said for thread, said in threads(made).items() if made.cast[thread] == Situation.LONG]
    assert all(len(said) >= 120 for said in long_ones)
    on_two_lines = Counter(number for number, _ in made.cast)
    assert on_two_lines.most_common(1)[0][1] == 2


def test_the_desk_is_closed_on_sundays_and_answers_mostly_by_day():
    made = plan.made(now=NOW)
    leaves = [local(event.at) for event in made.events if isinstance(event, Leave)]
    assert all(at.weekday() != SUNDAY for at in leaves)
    by_day = [at for at in leaves if 8 <= at.hour < 18]
    assert 0.8 < len(by_day) / len(leaves) < 1


def test_few_conversations_look_alike():
    made = plan.made(now=NOW)
    openings = Counter(said[0].body.lower() for said in threads(made).values())
    assert openings.most_common(1)[0][1] <= 10
    assert len(openings) > 230


def test_nobody_is_taken_for_opting_out_by_accident():
    made = plan.made(now=NOW)
    for event in made.events:
        if isinstance(event, Text) and keywords.match(event.body):
            assert made.cast[event.thread] in OUT_BY_KEYWORD, event.body


def test_a_reply_leaves_within_seconds_except_where_nothing_leaves_any_more():
    made = plan.made(now=NOW)
    leaves = [event.at for event in made.events if isinstance(event, Leave)]
    for event in made.events:
        if isinstance(event, Reply) and event.due_at is None:
            soonest = min(at for at in leaves if at > event.at)
            is_slow = soonest - event.at > timedelta(seconds=15)
            assert is_slow == (made.cast[event.thread] == Situation.EXPIRED and "box beside" in event.body)


def test_every_number_is_fictional_valid_and_only_one_person_s():
    drawn = people.numbers(Random(1))
    everybody = [number for number, _ in drawn]
    assert len(everybody) == len(set(everybody)) > 2000
    ours = {line.number for line in organisation.LINES} | {organisation.NO_LINE}
    assert not ours & set(everybody)
    for number in everybody:
        assert re.fullmatch(r"\+1\d{3}55501\d\d", number)
        assert phone.normalize(number) == number


def test_there_are_enough_dialogues_and_every_part_finds_its_own():
    everything = [one for ones in dialogues.library().values() for one in ones]
    assert len(everything) >= 45 + len(dialogues.library()["daily"])
    assert len({one.name for one in everything}) == len(everything)
    assert {"es", "fr"} <= {one.language for one in everything}
    used = {name for part in plan.PARTS.values() for name in part.names}
    assert {one.name for topic in ("special", "waiting") for one in dialogues.library()[topic]} - used <= SPARE
    for name in used:
        assert dialogues.named(name).turns
    assert set(STORIES) == set(Situation)
    with pytest.raises(LookupError):
        dialogues.named("nothing of the kind")


def test_a_text_s_lines_blanks_and_choices_are_read():
    (dialogue,) = dialogues.read("x", "== asks | a, b | es\n> [{day}|{day}] or {day2}?\n< One\n  two {me}\n")
    assert (dialogue.name, dialogue.tags, dialogue.language) == ("asks", ("a", "b"), "es")
    assert (dialogue.replies, dialogue.says_who) == (1, True)
    blanks = dialogues.Blanks(Random(1), NOW, me="Ana")
    first, second = (turn.filled(blanks) for turn in dialogue.turns)
    assert first == f"{blanks['day']} or {blanks['day2']}?"
    assert blanks["day"] != blanks["day2"]
    assert second == "One\ntwo Ana"


def test_what_waits_for_somebody_is_somebody_s():
    made = plan.made(now=NOW)
    owner = {}  # whoever answers first owns it, unless it is given to somebody
    for event in made.events:
        if isinstance(event, Reply):
            owner.setdefault(event.thread, event.author)
        elif isinstance(event, Act) and event.kind == Act.Kind.ASSIGN:
            owner[event.thread] = event.author
    waiting = {Situation.OVERDUE, Situation.REPLY_FAILED, Situation.DUE_SOON, Situation.WAITING}
    owners = Counter(owner.get(thread, "") for thread, situation in made.cast.items() if situation in waiting)
    assert owners == {"agent": 5, "agent2": 4, "": 5}
