import datetime
import json
from uuid import UUID

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from contactcenter.lib.redact import redact, redact_json

# The public test numbers of the issuers and payment providers.
CARDS = {
    "Visa": "4111111111111111",
    "Visa of 13 digits": "4222222222222",
    "Mastercard": "5555555555554444",
    "Mastercard 2-series": "2223003122003222",
    "American Express": "378282246310005",
    "American Express 34": "343434343434343",
    "Discover": "6011111111111117",
    "Diners Club": "30569309025904",
    "Diners Club 36": "36227206271667",
    "JCB": "3530111333300000",
    "UnionPay": "6200000000000005",
    "UnionPay of 19 digits": "6205500000000000004",
    "Maestro": "6759649826438453",
}


def check_digit(body: str) -> str:
    """ISO/IEC 7812-1, by the table: which digit makes the sum a multiple of ten."""
    doubled = [0, 2, 4, 6, 8, 1, 3, 5, 7, 9]
    total = sum(doubled[int(digit)] if place % 2 == 0 else int(digit) for place, digit in enumerate(reversed(body)))
    return str(-total % 10)


def numbers(prefixes: str, length: int) -> st.SearchStrategy[str]:
    bodies = st.from_regex(f"(?:{prefixes})[0-9]+", fullmatch=True).map(lambda body: body.ljust(length, "0"))
    return bodies.map(lambda body: body[: length - 1]).map(lambda body: body + check_digit(body))


visas = numbers("4", 16)
not_digits = st.text(st.characters(exclude_categories=["Nd", "No"]))
separators = st.sampled_from(["", " ", "-", ".", "\u00a0", "\u2009", "\u2011", "–", "\u200b", " - ", "\n", "\u00ad"])


@pytest.mark.parametrize("card", CARDS.values(), ids=CARDS.keys())
def test_a_card_of_every_issuer_is_masked(card: str) -> None:
    assert redact(f"it is {card}, thanks") == f"it is [card ending {card[-4:]}], thanks"


@pytest.mark.parametrize(
    "written",
    [
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "4111.1111.1111.1111",
        "4111\u00a01111\u00a01111\u00a01111",
        "4111 - 1111 - 1111 - 1111",
        "4111\n1111\n1111\n1111",
        "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
        "41 11 11 11 11 11 11 11",
        "411-111111111-1111",
        "41111111 11111111",
        "４１１１１１１１１１１１１１１１",
        "٤١١١١١١١١١١١١١١١",
        "④①①①①①①①①①①①①①①①",
        "𝟒𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏",
        "4\u200b1\u200c1\u200d1\u20601\ufeff1\u00ad1\u200e111111111",
        "4️⃣1️⃣1️⃣1️⃣1️⃣1️⃣1️⃣1️⃣1️⃣1️⃣1️⃣1️⃣1️⃣1️⃣1️⃣1️⃣",
        "4111–1111—1111−1111",
    ],
)
def test_a_card_is_masked_however_it_is_written(written: str) -> None:
    assert redact(written) == "[card ending 1111]"


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("4111111111111111 12 27 123", "[card ending 1111] 12 27 123"),
        ("4111 1111 1111 1111 12/27", "[card ending 1111] 12/27"),
        ("12345 4111 1111 1111 1111", "12345 [card ending 1111]"),
        ("ref4111111111111111x", "ref[card ending 1111]x"),
        ("3782 822463 10005 1225", "[card ending 0005] 1225"),
        ("4111111111111111 5555555555554444", "[card ending 1111] [card ending 4444]"),
        ("4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 12 27", "[card ending 1111] 12 27"),
        ("+4111111111111111", "+[card ending 1111]"),
    ],
)
def test_what_stands_beside_a_card_stays(text: str, redacted: str) -> None:
    assert redact(text) == redacted


@given(not_digits, visas, separators, not_digits)
@example("+", "4111111111111111", "", "")
def test_no_visa_number_is_left_in_any_text(before: str, card: str, separator: str, after: str) -> None:
    written = separator.join(card[place : place + 4] for place in range(0, 16, 4))
    redacted = redact(before + written + after)
    assert written not in redacted
    assert f"[card ending {card[-4:]}]" in redacted


@given(visas, st.lists(separators, min_size=15, max_size=15))
def test_no_mixture_of_separators_hides_a_card(card: str, between: list[str]) -> None:
    written = "".join(map("".join, zip(card, [*between, ""], strict=True)))
    assert redact(f"card: {written}!") == f"card: [card ending {card[-4:]}]!"


@given(
    st.one_of(
        numbers("5[1-5]", 16), numbers("222[1-9]", 16), numbers("3[47]", 15), numbers("6011|65", 16), numbers("36", 14)
    )
)
def test_every_number_an_issuer_could_give_out_is_masked(card: str) -> None:
    assert redact(f"({card})") == f"([card ending {card[-4:]}])"


@given(visas, st.integers(1, 9))
def test_an_order_number_that_fails_the_check_digit_stays(card: str, off: int) -> None:
    order = card[:-1] + str((int(card[-1]) + off) % 10)
    for text in (order, f"order {order} please", " ".join(order[place : place + 4] for place in range(0, 16, 4))):
        assert redact(text) == text


@given(st.from_regex(r"[0-9]{20,60}", fullmatch=True))
def test_a_number_too_long_for_a_card_stays_whatever_it_contains(number: str) -> None:
    assert redact(f"no {number}") == f"no {number}"


def test_numbers_of_no_issuer_stay() -> None:
    assert redact("9111111111111117") == "9111111111111117"
    assert redact("0000 0000 0000 0000") == "0000 0000 0000 0000"


national_numbers = st.from_regex(r"[2-9][0-9]{2}[2-9][0-9]{6}", fullmatch=True)


@given(national_numbers, national_numbers)
def test_phone_numbers_stay(number: str, other: str) -> None:
    area, exchange, line = number[:3], number[3:6], number[6:]
    for text in (
        number,
        f"1{number}",
        f"+1{number}",
        f"+1 {area} {exchange} {line}",
        f"({area}) {exchange}-{line}",
        f"{area}.{exchange}.{line}",
        f"{area}-{exchange}-{line} {other[:3]}-{other[3:6]}-{other[6:]}",
        f"{number} {other}",
    ):
        assert redact(text) == text


@given(st.from_regex(r"[1-9][0-9]{6,14}", fullmatch=True))
def test_an_international_number_stays(digits: str) -> None:
    assert redact(f"+{digits}") == f"+{digits}"


@given(st.uuids(version=4))
@example(UUID("41111111-1111-4111-8111-111111111111"))
@example(UUID("41234567-1234-4123-a234-123412341234"))
def test_a_uuid_stays(uuid: UUID) -> None:
    assert redact(f"id {uuid}.") == f"id {uuid}."


def test_a_uuid_whose_digits_happen_to_be_a_card_number_stays() -> None:
    card = "412345671234412" + check_digit("412345671234412")
    uuid = f"{card[:8]}-{card[8:12]}-{card[12:]}-abcd-abcdefabcdef"
    assert redact(uuid) == uuid
    assert redact(uuid.replace("-abcd-", "/")) != uuid.replace("-abcd-", "/")


def test_of_two_numbers_that_overlap_nothing_is_left() -> None:
    first = "444444444444444" + check_digit("444444444444444")
    second = first[4:] + "555"
    written = first + "555" + check_digit(second)
    assert redact(" ".join(written[place : place + 4] for place in range(0, 20, 4))) == f"[card ending {written[-4:]}]"


@given(st.datetimes(timezones=st.just(datetime.UTC), min_value=datetime.datetime(1970, 1, 1)), st.sampled_from("T "))
def test_a_time_stays(time: datetime.datetime, separator: str) -> None:
    assert redact(time.isoformat(separator)) == time.isoformat(separator)


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("078-05-1120", "[social security number removed]"),
        ("it's 078 05 1120 ok", "it's [social security number removed] ok"),
        ("078.05.1120", "[social security number removed]"),
        ("0️⃣78–05–1120", "[social security number removed]"),
        ("０７８-０５-１１２０", "[social security number removed]"),
        ("apt 12 078-05-1120", "apt 12 [social security number removed]"),
        ("my SSN is 078051120", "my SSN is [social security number removed]"),
        ("078051120 is my social", "[social security number removed] is my social"),
        ("Social Security: 078 051 120", "Social Security: [social security number removed]"),
        ("ssn#078051120 card 4111111111111111", "ssn#[social security number removed] card [card ending 1111]"),
    ],
)
def test_a_social_security_number_is_removed(text: str, redacted: str) -> None:
    assert redact(text) == redacted


@pytest.mark.parametrize(
    "text",
    [
        "078051120",
        "000-12-3456",
        "666-12-3456",
        "900-12-3456",
        "123-00-4567",
        "123-45-0000",
        "078-05-1120-7",
        "12-078-05-1120",
        "ssn 07805112",
        "ssn 0780511200",
        "12345-6789",
        "order 078051120, and forty or more characters on there is the word ssn",
    ],
)
def test_what_cannot_be_a_social_security_number_stays(text: str) -> None:
    assert redact(text) == text


def test_our_own_mask_does_not_call_its_neighbours_social_security_numbers() -> None:
    mask = "[social security number removed]"
    for gap in range(60):
        for text in (f"{mask}{'x' * gap}078051120", f"078051120{'x' * gap}{mask}"):
            assert redact(text) == text


@given(st.integers(1, 899), st.integers(1, 99), st.integers(1, 9999), st.sampled_from("- ."), not_digits, not_digits)
def test_no_social_security_number_is_left_in_any_text(
    area: int, group: int, serial: int, separator: str, before: str, after: str
) -> None:
    assume(area != 666)
    written = separator.join((f"{area:03}", f"{group:02}", f"{serial:04}"))
    redacted = redact(before + written + after)
    assert written not in redacted
    assert "[social security number removed]" in redacted


digit_soup = st.text(st.sampled_from("0123456789 -.+\u200b４/") | st.characters(), max_size=200)
number_soup = st.lists(
    visas
    | st.sampled_from([*CARDS.values(), "078-05-1120", "078051120", "ssn", " ", "-", "+", "/", "12", "415-555-0132"])
).map("".join)


@given(digit_soup | number_soup)
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    assert redact(redact(text)) == redact(text)


@given(not_digits)
def test_a_text_without_digits_is_unchanged(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize(
    "hostile",
    [
        "4" * 100_000,
        "4 " * 50_000,
        "4\u200b" * 50_000,
        "4" + "\u200b" * 100_000,
        "1 \u200b\u200b" * 25_000 + "x",
        "4111111111111111 " * 6_000,
        "4111 " * 20_000,
        "078-05-1120-" * 8_000,
        "ssn 078051120 " * 7_000,
        " " * 100_000,
        "a-" * 50_000,
    ],
    ids=lambda text: ascii(text[:12]),
)
def test_hostile_input_is_read_in_work_that_grows_with_its_length(hostile: str) -> None:
    # A quadratic pattern would take hours here; the length of the answer shows that it was read to the end.
    assert redact(hostile + "| 4111111111111111").endswith("| [card ending 1111]")


def test_a_json_structure_is_redacted_throughout_and_copied() -> None:
    body = {
        "text": "4111 1111 1111 1111",
        "content": [{"caption": "078-05-1120"}, ["4111111111111111", None, True, 1.5, 42]],
        "number": 4111111111111111,
        "order": 4111111111111112,
        "4111111111111111": "key",
    }
    before = json.dumps(body)
    assert redact_json(body) == {
        "text": "[card ending 1111]",
        "content": [{"caption": "[social security number removed]"}, ["[card ending 1111]", None, True, 1.5, 42]],
        "number": "[card ending 1111]",
        "order": 4111111111111112,
        "4111111111111111": "key",
    }
    assert json.dumps(body) == before


def test_kept_keys_are_left_alone_at_every_depth() -> None:
    body = {"to": "4915112345678", "sms": {"from": "4222222222222", "text": "4222222222222"}}
    assert redact_json(body, keep=frozenset({"to", "from"})) == {
        "to": "4915112345678",
        "sms": {"from": "4222222222222", "text": "[card ending 2222]"},
    }


def test_a_bare_value_is_redacted_too() -> None:
    assert redact_json("4111111111111111") == "[card ending 1111]"
    assert redact_json(4111111111111111) == "[card ending 1111]"
    assert redact_json(None) is None
    assert redact_json(10**5000) == 10**5000


def test_any_depth_is_safe() -> None:
    nested: list = ["4111111111111111"]
    for _ in range(100_000):
        nested = [nested]
    found = redact_json(nested)
    while isinstance(found[0], list):
        found = found[0]
    assert found == ["[card ending 1111]"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.floats(allow_nan=False) | not_digits,
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
)


@given(json_values)
def test_a_structure_without_cards_is_unchanged(value: object) -> None:
    assert redact_json(value) == value
