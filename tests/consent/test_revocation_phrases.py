"""Free text in three languages: what revokes, what only sounds so, and how well texts of others are judged."""

import csv
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent import revocation, rulebook
from consent.revocation import learning, phrases, reading, weighing

SETS = sorted((Path(__file__).parent / "phrasings").glob("*.tsv"))
LITIGATED = [
    "I would appreciate it if we discontinue any further texts",
    "Thank you but I would like the text messages to stop can we make that happen",
    "I'm simply asking for texts to stop. I would appreciate that. Thanks",
    "I've changed my mind and don't want to receive these anymore.",
    "Please do not send any further messages.",
    "I don't want these messages anymore. This is your last warning!",
    "Take my contact info off please",
    "I want to confirm that I have been removed off your contacts",
    "I asked to be removed from this service a few times. Stop the messages.",
    "Again I want to stop this service thank you",
    "Thank you. I'd like my contact info removed.",
]
NEAR_MISSES = {
    "stop by": ["stop by at 5", "I'll stop by after work", "where is the bus stop"],
    "other things": ["can you cancel my 3pm", "Please stop payment on check 204", "take the fries off my order"],
    "wanted": ["don't stop, I love these", "Please don't stop sending these", "No dejen de mandarme los avisos"],
    "their own": ["why did you stop sending reminders?", "Did you stop sending texts? I miss them"],
    "another channel": ["text me instead of calling", "Don't call, text", "No me llamen, mejor mándenme mensaje"],
    "ordinary Spanish": ["para mañana", "para el lunes está bien", "es muy alto"],
    "ordinary French": ["Laissez le colis devant la porte", "C'est à quel arrêt de bus ?", "plus tôt c'est possible ?"],
    "playful": ["lol stop it 😂 that puppy is adorable", "Stop!! You're kidding, I won?!"],
    "health": ["my nose won't stop bleeding", "Should I stop taking the lisinopril?", "No me deja de doler la muela"],
    "tapbacks": ["Liked “STOP texting me”", "Loved \"Reply STOP to end\"", "👍 to “Reply STOP to end texts”",
                 "Le gustó “Responda STOP”", "A aimé « Répondez STOP pour ne plus recevoir de SMS »"],
    "quotes": ["Ok see you\n> stop texting me",
               "Yes\nOn Mon, Nov 2, 2026 at 9:01 AM Clinic wrote:\nReply STOP to end texts",
               "The sign said \"stop texting\" haha"],
}  # fmt: skip


@pytest.mark.parametrize("text", LITIGATED)
def test_row_4_every_litigated_wording_revokes(text: str) -> None:
    assert revocation.classify(text).kind == "revoke"


@pytest.mark.parametrize(("family", "text"), [(family, text) for family in NEAR_MISSES for text in NEAR_MISSES[family]])
def test_ordinary_use_does_not(family: str, text: str) -> None:
    assert revocation.classify(text) == revocation.Classification("none", "", rulebook.version())


def test_the_rule_is_named() -> None:
    assert revocation.classify("pls stop txting me").rule == "free_text:en.stop_texting"
    assert revocation.classify("ya no me escriban").rule == "free_text:es.no_me_escriban"
    assert revocation.classify("Wrong number") == revocation.Classification(
        "suspect", "free_text:en.wrong_number", rulebook.version()
    )


@pytest.mark.parametrize("path", SETS, ids=lambda path: path.stem)
def test_texts_written_by_others_are_judged_well(path: Path) -> None:
    kinds: Counter[tuple[str, str]] = Counter()
    with path.open(newline="") as lines:
        for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
            kinds[row["label"], revocation.classify(row["text"].replace("\\n", "\n")).kind] += 1
    right, wrong = kinds["revoke", "revoke"], kinds["none", "revoke"]
    assert right / sum(kinds["revoke", kind] for kind in ("revoke", "suspect", "none")) >= 0.97
    assert right / (right + wrong) >= 0.97
    total = sum(kinds["wrong_number", kind] for kind in ("revoke", "suspect", "none"))
    assert kinds["wrong_number", "none"] <= 0.05 * total
    assert kinds["none", "suspect"] <= 0.08 * sum(kinds["none", kind] for kind in ("revoke", "suspect", "none"))


WISHES = ["stop texting me", "take me off your list", "dejen de escribirme", "arrêtez de m'envoyer des messages"]


@given(st.sampled_from(WISHES), st.data())
def test_case_accents_and_what_nobody_sees_change_nothing(wish: str, data: st.DataObject) -> None:
    disguised = "".join(
        data.draw(st.sampled_from([char, char.upper()]))
        + data.draw(st.sampled_from(["", "\u200b", "\u0301", "\ufe0f"]))
        for char in wish
    )
    around = st.text(st.sampled_from(" .!…🙏😡,-"), max_size=4)
    assert revocation.classify(data.draw(around) + disguised + data.draw(around)).kind == "revoke"


@given(
    st.text()
    | st.lists(st.sampled_from([*WISHES, '"', "“", "”", "«", ">", "\n", "wrote:", "Liked", "stop"])).map(" ".join)
)
def test_nothing_is_too_strange_to_be_judged(text: str) -> None:
    assert revocation.classify(text).kind in {"revoke", "suspect", "none"}


def test_full_width_letters_and_missing_apostrophes() -> None:
    assert revocation.classify("ｓｔｏｐ ｔｅｘｔｉｎｇ ｍｅ").kind == "revoke"
    assert (
        revocation.classify("dont text me anymore").kind
        == revocation.classify("don’t text me anymore").kind
        == "revoke"
    )


def test_ones_own_words_remain_when_quotes_go() -> None:
    assert reading.own_words("Liked “STOP”") == ""
    assert "stop" not in reading.own_words('My mom said "stop texting them" haha')
    assert revocation.classify('I said "stop texting me" yesterday').kind == "revoke"


def language(directory: Path, says: str, kind: str = "revoke") -> phrases.Phrasebook:
    (directory / "xx.toml").write_text(
        '[words]\nno_name = ["x"]\ntitle = ["mr"]\nthing = ["blue moon"]\n'
        f'[[phrase]]\nid = "p"\nkind = "{kind}"\nsays = ["{says}"]\n'
    )
    return phrases.load(directory)


@pytest.mark.parametrize(
    ("says", "text", "is_found"),
    [
        ("stop ~1 music", "stop the music", True),
        ("stop ~1 music", "stop . music", False),
        ("^ stop {thing} $", "stop blue moon", True),
        ("^ stop {thing} $", "please stop blue moon", False),
        ("stop !music", "stop music", False),
        ("!<dont stop now?", "dont stop now", False),
        ("play* {thing}", "playing blue moon", True),
    ],
)
def test_the_grammar(tmp_path: Path, says: str, text: str, is_found: bool) -> None:
    assert (language(tmp_path, says).judged(f" . {text} . ", text) == ("revoke", "xx.p")) is is_found


@pytest.mark.parametrize(
    ("says", "kind"), [("{nothing}", "revoke"), ("stop", "maybe"), ("~3", "revoke"), ("a* ~2", "revoke")]
)
def test_a_phrase_with_a_mistake_is_refused_and_named(tmp_path: Path, says: str, kind: str) -> None:
    with pytest.raises(rulebook.RulebookError, match=r"language/xx\.toml: phrase p"):
        language(tmp_path, says, kind)


WORDS = ["please", "stop", "these", "texts", ".", "i", "dont", "want", "to", "dog", "again", "retirenme", "xyzzy"]


@given(st.lists(st.sampled_from(WORDS), max_size=9))
def test_a_text_weighs_what_its_parts_and_pairs_weigh(words: list[str]) -> None:
    scales = revocation.scales()
    kinds = [scales.kinds.get(word, word) for word in words]
    counted = [weighing.ANY_TEXT, *(part for word in words for part in weighing.parts(word))]
    counted += weighing.pairs(words, kinds)
    scores = [scales.weights.get(one, weighing.NOTHING) for one in counted]
    assert scales.score(words) == pytest.approx([sum(score[place] for score in scores) for place in (0, 1)])


def test_what_the_weights_alone_recognise_names_its_language_and_its_words() -> None:
    judged = revocation.classify("no puedo más con tanto anuncio en mi cel, ya bórrenme de ahí")
    assert judged.kind == "revoke"
    assert judged.rule.startswith("free_text:es.")


def test_a_wish_among_other_matters_counts() -> None:
    about = "Yes the blue one, size ten. Is the store on Main open on Sunday? My sister will pick it up at five. "
    assert revocation.classify(about + "And please take me off your texting list.").kind == "revoke"


def test_one_long_word_is_not_many() -> None:
    assert revocation.classify("https://example.com/" + "long" * 40).kind == "none"
    assert revocation.classify("no" + "o" * 200).kind == "none"


def test_learning_tells_labels_apart(tmp_path: Path) -> None:
    path = tmp_path / "few.tsv"
    rows = [("revoke", "stop these"), ("none", "see you"), ("wrong_number", "not maria")] * 4
    path.write_text("language\tlabel\ttext\n" + "".join(f"en\t{label}\t{text}\n" for label, text in rows))
    examples = list(learning.labelled([path]))
    weights = learning.learned(examples, "revoke")
    assert weights["stop"] > 0 > weights["see"]
    assert learning.learned(examples, "revoke") == weights


def test_a_line_of_weights_with_a_mistake_is_named(tmp_path: Path) -> None:
    path = tmp_path / "weights.tsv"
    path.write_text("stop\t1.00\t0.00\nquit\tmuch\t0.00\n")
    with pytest.raises(rulebook.RulebookError, match="line 2"):
        weighing.load(path, {})
