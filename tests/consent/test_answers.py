"""A yes is a yes in polite company; one word more, and a person reads it."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent import answers, revocation, rulebook

DAY = date(2026, 11, 23)
YES = sorted(word for word in answers.yes_words(DAY) if len(word) > 1)
COMPANY = [phrase.strip() for phrase in str(rulebook.value("confirmation.yes_company", DAY)).split(",")]
# Of every kind that may turn a yes into something else.
OTHER = ("but", "no", "stop", "not", "later", "if", "maybe", "pero", "mais", "para", "when", "unsubscribe", "tomorrow")

company = st.lists(st.sampled_from(COMPANY), max_size=1)
spelled = st.sampled_from([str.lower, str.upper, str.capitalize])


@given(company, st.sampled_from(YES), company, spelled, st.sampled_from([" ", ", "]), st.sampled_from("!.👍 "))
def test_a_polite_yes_is_one(before, yes, after, spell, space, end):
    assert answers.is_yes(space.join(map(spell, [*before, yes, *after])) + end, DAY)


@given(company, st.sampled_from(YES), company, st.sampled_from(OTHER), st.data())
def test_one_word_more_and_it_is_none(before, yes, after, other, data):
    words = [*before, yes, *after]
    words.insert(data.draw(st.integers(0, len(words))), other)
    assert not answers.is_yes(" ".join(words), DAY)


@given(st.lists(st.sampled_from(COMPANY), min_size=1, max_size=4))
def test_company_alone_says_nothing(words):
    assert not answers.is_yes(" ".join(words), DAY)


@given(st.text(max_size=120))
def test_nothing_is_both_a_yes_and_a_no(text):
    assert not answers.is_yes(text, DAY) or revocation.classify(text).kind == "none"


@pytest.mark.parametrize("words", ["Y", "YES", "yes", "Sí", "s í", "Ｙｅｓ", "yes yes", "YEP 🙏", "oui oui merci"])
def test_the_words_alone(words):
    assert answers.is_yes(words, DAY)


@pytest.mark.parametrize(
    "words", ["", "yes?", "¿sí?", "yes？", "y please", "Y gracias", "yesterday", "yes " * 30, "👍"]
)
def test_what_is_doubtful_or_something_else(words):
    assert not answers.is_yes(words, DAY)
