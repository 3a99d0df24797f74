import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent import keywords, revocation, rulebook


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("STOP", "keyword:STOP"),
        ("“ｓｔｏｐ”!!", "keyword:STOP"),
        ("opt-out", "keyword:OPT OUT"),
        ("Arrêt", "keyword:ARRET"),
    ],
)
def test_a_stop_keyword_revokes_and_says_which(text: str, rule: str) -> None:
    assert revocation.classify(text) == revocation.Classification("revoke", rule, rulebook.version())


@pytest.mark.parametrize("text", ["", "START", "HELP", "INFO", "stop by at 5", "Liked “STOP”"])
def test_other_texts_do_not(text: str) -> None:
    assert revocation.classify(text) == revocation.Classification("none", "", rulebook.version())


@pytest.mark.parametrize(
    "word", [word for word in rulebook.words() if word.meaning == "stop"], ids=lambda word: word.word
)
def test_every_listed_stop_word_revokes(word: rulebook.Word) -> None:
    assert revocation.classify(word.word.lower()).kind == "revoke"


@given(st.text(st.characters()))
def test_it_agrees_with_the_keywords_and_never_raises(text: str) -> None:
    found = keywords.match(text)
    kind = revocation.classify(text).kind
    assert kind == "revoke" if found is not None and found.meaning == "stop" else kind in {"revoke", "suspect", "none"}
