import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactcenter.lib import segments

FAMILY = "👨‍👩‍👧‍👦"
GSM = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)


@pytest.mark.parametrize(
    ("text", "encoding", "units", "expected"),
    [
        ("", "GSM-7", 0, 0),
        ("a", "GSM-7", 1, 1),
        ("a" * 160, "GSM-7", 160, 1),
        ("a" * 161, "GSM-7", 161, 2),
        ("a" * 306, "GSM-7", 306, 2),
        ("a" * 307, "GSM-7", 307, 3),
        ("a" * 459, "GSM-7", 459, 3),
        ("a" * 460, "GSM-7", 460, 4),
        ("€" * 80, "GSM-7", 160, 1),
        ("€" * 81, "GSM-7", 162, 2),
        ("€" * 152, "GSM-7", 304, 2),
        ("€" * 153, "GSM-7", 306, 3),
        ("a" * 159 + "€", "GSM-7", 161, 2),
        ("a" * 152 + "€" + "a" * 152, "GSM-7", 306, 3),
        ("a" * 153 + "€" + "a" * 151, "GSM-7", 306, 2),
        ("я" * 70, "UCS-2", 70, 1),
        ("я" * 71, "UCS-2", 71, 2),
        ("я" * 134, "UCS-2", 134, 2),
        ("я" * 135, "UCS-2", 135, 3),
        ("😀" * 35, "UCS-2", 70, 1),
        ("😀" * 36, "UCS-2", 72, 2),
        ("😀" * 66, "UCS-2", 132, 2),
        ("😀" * 67, "UCS-2", 134, 3),
        ("я" * 66 + "😀" + "я" * 66, "UCS-2", 134, 3),
        ("a" * 69 + "😀", "UCS-2", 71, 2),
        ("a" * 68 + "😀", "UCS-2", 70, 1),
        (FAMILY * 6, "UCS-2", 66, 1),
        (FAMILY * 7, "UCS-2", 77, 2),
        ("\ud800" * 71, "UCS-2", 71, 2),
        (GSM, "GSM-7", 127, 1),
    ],
)
def test_cases_counted_by_hand(text: str, encoding: str, units: int, expected: int) -> None:
    counted = segments.count(text)
    assert (counted.encoding, counted.units, counted.segments) == (encoding, units, expected)


@pytest.mark.parametrize("char", list(GSM))
def test_a_basic_character_takes_one_septet(char: str) -> None:
    assert segments.count(char) == segments.Segments("GSM-7", 1, 1, room=159)


@pytest.mark.parametrize("char", list("€|^{}[]~\\\f"))
def test_an_escaped_character_takes_two_septets(char: str) -> None:
    assert segments.count(char) == segments.Segments("GSM-7", 2, 1, room=158)


@pytest.mark.parametrize("char", list("ç`\t\u00a0’“”–…😀я\x1b\x00"))
def test_any_other_character_forces_sixteen_bits(char: str) -> None:
    assert segments.count("a" + char).encoding == "UCS-2"


def parts_on_the_air(text: str) -> tuple[str, int, list[bytes]]:
    """Cut a text as a phone does: encode each character, fill parts with whole characters."""
    table = dict.fromkeys(GSM, b"x") | dict.fromkeys("€|^{}[]~\\\f", b"\x1bx")
    encoding, single, part, size = "GSM-7", 160, 153, 1
    encoded = [table.get(char) for char in text]
    if None in encoded:
        encoding, single, part, size = "UCS-2", 70, 67, 2
        encoded = [char.encode("utf-16-be", "surrogatepass") for char in text]
    stream = b"".join(encoded)
    if len(stream) <= single * size:
        return encoding, len(stream) // size, [stream] if stream else []
    parts = [b""]
    for code in encoded:
        if len(parts[-1]) + len(code) > part * size:
            parts.append(b"")
        parts[-1] += code
    return encoding, len(stream) // size, parts


messages = st.one_of(
    st.text(max_size=500),
    st.text("ab €|\n", max_size=700),
    st.text("aя😀", max_size=300),
    st.builds(
        lambda fill, times, middle: fill * times + middle + fill * times,
        st.sampled_from("aя"),
        st.integers(60, 170),
        st.sampled_from("€😀ab"),
    ),
)


@given(messages)
def test_the_count_is_what_a_phone_would_send(text: str) -> None:
    encoding, units, parts = parts_on_the_air(text)
    counted = segments.count(text)
    assert (counted.encoding, counted.units, counted.segments) == (encoding, units, len(parts))


@given(messages)
def test_room_is_filled_exactly_before_another_segment_begins(text: str) -> None:
    counted = segments.count(text)
    filler = "a" if counted.encoding == "GSM-7" else "я"
    filled = segments.count(text + filler * counted.room)
    assert filled.room == 0
    assert filled.segments == max(counted.segments, 1)
    assert segments.count(text + filler * (counted.room + 1)).segments > filled.segments


def test_an_empty_text_has_room_for_a_whole_segment() -> None:
    assert segments.count("").room == 160


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        ("“Don’t” – really…", '"Don\'t" - really...'),
        ("‘a’ ‚b‛ „c‟ «d»", "'a' 'b' \"c\" \"d\""),
        ("a\u00a0b\tc\u2009d\u3000e", "a b c d e"),
        ("a\u2028b\u2029c", "a\nb\nc"),
        ("zero\u200bwidth\ufeff so\u00adft", "zerowidth soft"),
        ("cafe\u0301", "café"),
        ("5\u2212 3—2", "5- 3-2"),
    ],
)
def test_typography_becomes_plain(typed: str, plain: str) -> None:
    assert segments.to_gsm(typed) == plain
    assert segments.count(plain).encoding == "GSM-7"


def test_letters_and_emoji_are_not_taken_away() -> None:
    assert segments.to_gsm("Ça va 👨‍👩‍👧‍👦 я ❤️") == "Ça va 👨‍👩‍👧‍👦 я ❤️"


@given(st.text())
def test_making_plain_is_done_once(text: str) -> None:
    assert segments.to_gsm(segments.to_gsm(text)) == segments.to_gsm(text)


@given(st.text(GSM + "€|^{}[]~\\\f"))
def test_a_plain_text_is_left_alone(text: str) -> None:
    assert segments.to_gsm(text) == text
