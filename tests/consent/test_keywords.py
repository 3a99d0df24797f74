import itertools
import json
import string
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent import keywords, rulebook

STOP = ["STOP", "STOPALL", "STOP ALL", "UNSUBSCRIBE", "UNSUB", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT", "OPT OUT"]
FRENCH = ["ARRET", "ARRETER", "ARRETE", "ARRETEZ", "DESABONNER", "DESABONNEMENT"]
SPANISH = [
    "PARAR", "PARE", "PAREN", "ALTO", "BASTA", "BAJA", "CANCELAR", "DETENER", "ELIMINAR", "SALIR", "TERMINAR",
    "DARME DE BAJA",
]  # fmt: skip
MEANINGS = dict.fromkeys([*STOP, *FRENCH, *SPANISH], "stop") | {
    "START": "start",
    "UNSTOP": "start",
    "HELP": "help",
    "INFO": "help",
    "AIDE": "help",
    "AYUDA": "help",
    "JOIN": "join",
    "UNIRME": "join",
    "UNIRSE": "join",
    "REJOINDRE": "join",
}
# 47 CFR 64.1200(a)(10)
PER_SE = ["STOP", "QUIT", "END", "REVOKE", "OPT OUT", "CANCEL", "UNSUBSCRIBE"]

FULL_WIDTH = {ord(char): chr(ord(char) + 0xFEE0) for char in string.ascii_letters + "."}
CYRILLIC = str.maketrans("ABCEHIJKMOPSTXY", "АВСЕНІЈКМОРЅТХУ")
GREEK = str.maketrans("ABEHIKMNOPTXYZ", "ΑΒΕΗΙΚΜΝΟΡΤΧΥΖ")


def mathematical(first: int) -> dict[int, str]:
    return {65 + place: chr(first + place) for place in range(26)}


WRITINGS = {
    "as listed": lambda word: word,
    "small": str.lower,
    "title": str.title,
    "alternating": lambda word: "".join(char.lower() if place % 2 else char for place, char in enumerate(word)),
    "full width": lambda word: word.translate(FULL_WIDTH),
    "full width small": lambda word: word.lower().translate(FULL_WIDTH),
    "Cyrillic": lambda word: word.translate(CYRILLIC),
    "Cyrillic small": lambda word: word.translate(CYRILLIC).lower(),
    "Greek": lambda word: word.translate(GREEK),
    "mathematical bold": lambda word: word.translate(mathematical(0x1D400)),
    "mathematical sans": lambda word: word.translate(mathematical(0x1D5A0)),
    "circled": lambda word: word.translate(mathematical(0x24B6)),
    "negative circled": lambda word: word.translate(mathematical(0x1F150)),
    "squared": lambda word: word.translate(mathematical(0x1F130)),
    "negative squared": lambda word: word.translate(mathematical(0x1F170)),
    "parenthesised": lambda word: word.translate(mathematical(0x1F110)) if " " not in word else word,
    "acute": lambda word: "".join(char + "\u0301" if char in "AEIOU" else char for char in word),
    "composed": lambda word: unicodedata.normalize("NFC", word.replace("O", "O\u0308").replace("E", "E\u0301")),
    "zalgo": lambda word: "".join(char + "\u0336\u0489\u20dd" for char in word),
    "zero width": lambda word: "\u200b".join(word),
    "soft hyphens": lambda word: "\u00ad".join(word),
    "direction marks": lambda word: "\u202e" + "\u200f".join(word) + "\u202c",
    "variation selectors": lambda word: "\ufe0f".join(word),
    "tags": lambda word: word + "\U000e0041\U000e007f",
    "small capitals": lambda word: word.translate(str.maketrans("ABCEHIKLNOPQRSTUV", "ᴀʙᴄᴇʜɪᴋʟɴᴏᴘꞯʀꜱᴛᴜᴠ")),
    "spaced": lambda word: " ".join(word) if " " not in word else word,
    "dotted": lambda word: ".".join(word) + "." if " " not in word else word,
    "dashed": lambda word: "-".join(word) if " " not in word else word,
    "one letter a line": lambda word: "\n".join(word) if " " not in word else word,
    "said twice": lambda word: f"{word} {word}" if " " not in word else word,
}
SURROUNDINGS = [
    "{}",
    "{}.",
    "{}!!!",
    "{}?",
    " {}\n",
    "“{}”",
    "'{}'",
    "*{}*",
    "{} 🙏",
    "🛑👍🏽{}❤️",
    "({})",
    "\ufeff{}",
    "{}™",
    "— {} 🏴󠁧󠁢󠁥󠁮󠁧󠁿",
]
DISGUISES = [(writing, around) for writing in WRITINGS for around in SURROUNDINGS]


@pytest.mark.parametrize("word", MEANINGS)
def test_every_listed_word_matches_as_itself(word: str) -> None:
    assert keywords.match(word) == keywords.Match(word, MEANINGS[word])


def test_the_list_is_complete_and_nothing_else_is_listed() -> None:
    assert {word.word: word.meaning for word in rulebook.words()} == MEANINGS


@pytest.mark.parametrize("word", MEANINGS)
def test_row_3_no_disguise_hides_a_keyword(word: str) -> None:
    disguised = {around.format(WRITINGS[writing](word)) for writing, around in DISGUISES}
    assert len(disguised) >= 200
    missed = [text for text in disguised if keywords.match(text) != keywords.Match(word, MEANINGS[word])]
    assert missed == []


@pytest.mark.parametrize("word", PER_SE)
def test_the_seven_words_of_the_law_stop(word: str) -> None:
    assert keywords.match(word.lower()).meaning == "stop"


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("ST\u00d8P", "STOP"),
        ("ꓢꓔꓳꓑ", "STOP"),
        ("Arrêt!", "ARRET"),
        ("ARRE\u0302T", "ARRET"),
        ("opt-out", "OPT OUT"),
        ("Opt  out.", "OPT OUT"),
        ("opt\nout", "OPT OUT"),
        ("O P T O U T", "OPTOUT"),
        ("stop, all", "STOP ALL"),
        ("S T O P A L L", "STOPALL"),
        ("1️⃣ stop", "STOP"),
        ("ℹ️ Info", "INFO"),
        ("STOP\x00", "STOP"),
        ("ST\x00OP", "STOP"),
        ("STOP 🇺🇸", "STOP"),
        ("S\u3164TOP", "STOP"),
        ("stop stop STOP", "STOP"),
        ("“STOP", "STOP"),
    ],
)
def test_what_people_and_keyboards_really_send(text: str, word: str) -> None:
    assert keywords.match(text).word == word


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "…",
        "🛑",
        "stop by at 5",
        "please stop",
        "STOP PLEASE",
        "can you cancel my 3pm",
        "the end",
        "ST OP",
        "STOPP",
        "STOP2",
        "2 STOP",
        "STOP it",
        "help me",
        "no",
        "yes",
        "para",
        "es alto",
        "Liked “STOP”",
        "Loved “Reply STOP to end”",
        'Disliked "STOP"',
        "Laughed at “STOP”",
        "👍 to “STOP”",
        "Reacted 🛑 to “STOP”",
        "A gardé un cœur pour «\u00a0STOP\u00a0»",
        "opt",
        "out",
        "T O P",
        "СТОП СЕЙЧАС",
        "STOP これ",
    ],
)
def test_words_around_a_keyword_make_it_free_text(text: str) -> None:
    assert keywords.match(text) is None


invisible = st.text(
    st.sampled_from("\u200b\u200c\u200d\u2060\ufeff\u00ad\u202a\u202c\u2066\u2069\ufe0f\u034f\x07\U000e0067")
)
ornament = st.text(st.sampled_from(" \t\n.,!?;:'\"“”‘’«»()[]{}<>*_~#-–—…\u00a0🙏😡🛑❤👍🏽🇺🇸☠✋\u200b\ufe0f"))


@given(st.sampled_from(list(MEANINGS)), st.data())
def test_any_decorated_keyword_matches(word: str, data: st.DataObject) -> None:
    letters = [
        data.draw(st.sampled_from([letter, letter.lower(), letter.translate(FULL_WIDTH), letter.translate(CYRILLIC)]))
        + data.draw(invisible)
        for letter in word
    ]
    text = data.draw(ornament) + "".join(letters) + data.draw(ornament)
    assert keywords.match(text) == keywords.Match(word, MEANINGS[word])


other_words = st.text(st.characters(categories=["Lu", "Ll", "Nd"]), min_size=1).filter(
    lambda word: keywords.fold(word) not in {"", "ALL", "STOP", "OUT", "OPT", *MEANINGS}
)


@given(st.sampled_from(list(MEANINGS)), other_words, st.booleans(), st.sampled_from([" ", ", ", "\n", " - ", "! "]))
def test_any_other_word_beside_it_makes_it_free_text(word: str, other: str, is_first: bool, between: str) -> None:
    text = other + between + word if is_first else word + between + other
    assert keywords.match(text) is None


@given(st.text(st.characters()) | st.text(st.characters(categories=["Cs", "Cc", "Cn", "Co"])))
def test_nothing_is_too_strange_to_be_read(text: str) -> None:
    found = keywords.match(text)
    assert found is None or MEANINGS[found.word] == found.meaning


@given(st.text())
def test_folding_is_done_once(text: str) -> None:
    assert keywords.fold(keywords.fold(text)) == keywords.fold(text)


def test_a_programs_keyword_joins() -> None:
    found = keywords.match("“Ｄeals” 🎉", join=["PARTS", "Deals"])
    assert found == keywords.Match("Deals", "join")
    assert keywords.match("Deals") is None
    assert keywords.match("my deals", join=["Deals"]) is None


def test_the_keys_of_a_mapping_will_do_and_find_their_program() -> None:
    programs = {"Sale 24": "promotions"}
    assert programs[keywords.match("SALE-24", join=programs).word] == "promotions"


@pytest.mark.parametrize("word", MEANINGS)
def test_no_program_can_take_a_listed_word(word: str) -> None:
    assert keywords.match(word, join=[word, word.lower()]).meaning == MEANINGS[word]


def test_an_empty_join_word_matches_nothing() -> None:
    assert keywords.match("", join=[""]) is None
    assert keywords.match("…", join=["!"]) is None


def test_two_listed_words_that_read_alike_must_mean_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    clash = [*rulebook.words(), rulebook.Word(
        word="OPT-OUT", meaning="help", language="en", effective_from=rulebook.words()[0].effective_from, citation="-"
    )]  # fmt: skip
    monkeypatch.setattr(rulebook, "words", lambda: clash)
    with pytest.raises(rulebook.RulebookError, match="OPT-OUT"):
        keywords._listed.__wrapped__()


def test_in_twenty_thousand_real_texts_only_whole_messages_match() -> None:
    corpus = Path(__file__).parents[2].parent / "shared/corpus/sms_messages.jsonl"
    if not corpus.exists():
        pytest.skip("the corpus of real texts (../shared/corpus) is not here")
    with corpus.open() as lines:
        texts = [json.loads(line)["text"] for line in lines]
    found = {text for text in texts if keywords.match(text)}
    assert all(len(keywords.fold(text).split()) <= 2 for text in found)
    assert len(found) <= 5, found


def test_the_disguises_differ_from_one_another() -> None:
    for first, second in itertools.combinations(sorted(WRITINGS.keys() - {"Greek", "Cyrillic"}), 2):
        assert WRITINGS[first]("STOPAXUE") != WRITINGS[second]("STOPAXUE")
