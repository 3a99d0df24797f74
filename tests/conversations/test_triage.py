"""Which rule a text meets: words, languages, lines, tags and hours, without a database."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations import triage
from conversations.triage import Facts, Hours, Rule


def rule(number: int = 1, **fields: object) -> Rule:
    return Rule(id=number, name=f"Rule {number}", team_id=number, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("words", "body", "found"),
    [
        (("bill*",), "a question about BILLING", "bill*"),
        (("bill",), "a question about billing", ""),
        (("bill",), "My Bill!", "bill"),
        (("lab results",), "where are my lab  results?", "lab results"),
        (("lab results",), "results of the lab", ""),
        (("lab result*",), "my lab results", "lab result*"),
        (("résultats",), "mes resultats", "résultats"),
        (("cita",), "¿Tengo CITA hoy?", "cita"),
        (("cita",), "recitar", ""),
        (("it’s late",), "it's late", "it’s late"),
        (("*",), "anything", ""),
        (("",), "anything", ""),
        (("refund", "bill"), "bill me", "bill"),
        (("rendez-vous",), "un rendez-vous demain", "rendez-vous"),
        (("bill",), "", ""),
    ],
)
def test_words_are_whole_in_any_case_and_with_any_accents(words: tuple[str, ...], body: str, found: str) -> None:
    assert triage.found(words, body) == found


@given(st.text(max_size=60), st.lists(st.text(max_size=12), max_size=4))
def test_no_text_and_no_word_breaks_it(body: str, words: list[str]) -> None:
    assert triage.found(words, body) in {"", *words}
    assert triage.guess(body) in {"", "en", "es", "fr"}


@given(st.lists(st.sampled_from(["bill", "test", "lab", "Zürich"]), min_size=1, max_size=6))
def test_a_word_that_is_there_is_found(tokens: list[str]) -> None:
    assert triage.found((tokens[-1].upper(),), " ".join(tokens)) == tokens[-1].upper()


@pytest.mark.parametrize(
    ("body", "language"),
    [
        ("Can you tell me when the office is open?", "en"),
        ("Hola, ¿cuando puedo ir a mi cita?", "es"),
        ("Bonjour, je voudrais un rendez-vous pour demain", "fr"),
        ("ok", ""),
        ("", ""),
    ],
)
def test_a_language_is_guessed_by_its_common_words(body: str, language: str) -> None:
    assert triage.guess(body) == language


FACTS = Facts(body="I want a refund", line_id=7, program_id=3, tag_ids=frozenset({5}), open_teams=frozenset({1}))


@pytest.mark.parametrize(
    ("fields", "fits"),
    [
        ({}, True),
        ({"line_ids": frozenset({7, 8})}, True),
        ({"line_ids": frozenset({8})}, False),
        ({"program_id": 3}, True),
        ({"program_id": 4}, False),
        ({"words": ("refund*",)}, True),
        ({"words": ("bill",)}, False),
        ({"language": "en"}, False),
        ({"tag_ids": frozenset({4, 5})}, True),
        ({"tag_ids": frozenset({4})}, False),
        ({"hours": Hours.OPEN}, True),
        ({"hours": Hours.CLOSED}, False),
        ({"words": ("refund",), "line_ids": frozenset({8})}, False),
    ],
)
def test_every_condition_must_hold_and_an_empty_one_does(fields: dict[str, object], fits: bool) -> None:
    assert (triage.decide([rule(**fields)], FACTS) is not None) is fits


def test_what_was_noted_of_them_comes_before_a_guess() -> None:
    spanish = rule(language="es")
    assert triage.decide([spanish], Facts(body="can you tell me when", line_id=1, language="es")) == spanish


@given(
    st.permutations([rule(1, words=("bill",)), rule(2, words=("refund",)), rule(3), rule(4, line_ids=frozenset({9}))])
)
def test_the_first_that_fits_decides(rules: list[Rule]) -> None:
    fitting = [one for one in rules if one.id in {2, 3}]
    assert triage.decide(rules, FACTS) == fitting[0]
