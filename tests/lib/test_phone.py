import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactcenter.lib import phone


@pytest.mark.parametrize(
    "typed",
    [
        "+12015550100",
        "12015550100",
        "2015550100",
        "(201) 555-0100",
        "201.555.0100",
        " +1 201 555 0100 ",
        "\u202a+1 (201) 555\u20110100\u202c",
        "２０１５５５０１００",
        "tel:+1-201-555-0100",
        "011 1 201 555 0100",
    ],
)
def test_every_way_of_writing_a_number_gives_one_form(typed: str) -> None:
    assert phone.normalize(typed) == "+12015550100"


def test_the_fictional_numbers_of_the_demo_are_numbers() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for last in range(100):
            assert phone.normalize(f"+1201555{100 + last:04}") == f"+1201555{100 + last:04}"


def test_a_number_is_read_in_the_region_given() -> None:
    assert phone.normalize("020 7946 0018", region="GB") == "+442079460018"
    assert phone.normalize("+44 20 7946 0018") == "+442079460018"


@pytest.mark.parametrize(
    "typed", ["", " ", "abc", "5551234", "+10000000000", "+11234567890", "0012125551234", "+", "24273", "+1"]
)
def test_what_is_no_number_is_refused(typed: str) -> None:
    with pytest.raises(phone.InvalidPhone):
        phone.normalize(typed)


@pytest.mark.parametrize("typed", ["2015550100/2015550101", "2015550100; 2015550101", "2015550100 2015550101"])
def test_two_numbers_in_one_field_are_refused_and_not_guessed_at(typed: str) -> None:
    with pytest.raises(phone.InvalidPhone):
        phone.normalize(typed)


def test_an_extension_is_refused_and_not_dropped() -> None:
    with pytest.raises(phone.InvalidPhone, match="extension"):
        phone.normalize("+1 201 555 0100 ext. 5")


def test_a_refusal_says_what_to_do_and_quotes_a_bounded_part_of_the_input() -> None:
    with pytest.raises(phone.InvalidPhone, match="Write it like") as refusal:
        phone.normalize("x" * 100_000)
    assert len(str(refusal.value)) < 200


def test_a_refusal_is_a_value_error() -> None:
    assert issubclass(phone.InvalidPhone, ValueError)


@given(st.text())
def test_typed_text_is_either_a_number_or_refused(typed: str) -> None:
    try:
        number = phone.normalize(typed)
    except phone.InvalidPhone:
        return
    assert phone.is_phone(number)
    assert phone.normalize(number) == number


def test_the_carriers_digits_are_the_number_that_people_type() -> None:
    assert phone.from_carrier("12015550100") == phone.normalize("(201) 555-0100")


@pytest.mark.parametrize("digits", ["17295550100", "447700900123", "15555550100", "10000000000", "1234567"])
def test_a_number_unknown_to_the_library_is_kept_when_the_carrier_sends_it(digits: str) -> None:
    with pytest.raises(phone.InvalidPhone):
        phone.normalize("+" + digits)
    assert phone.from_carrier(digits) == "+" + digits


@pytest.mark.parametrize("sender", ["24273", "MyBank", "Café 24", "1234567890123456", "0012015550100", "", "١٢٣٤٥٦٧٨"])
def test_short_codes_and_sender_ids_are_kept_verbatim(sender: str) -> None:
    assert phone.from_carrier(sender) == sender
    assert not phone.is_phone(sender)
    assert phone.display(sender) == sender


@given(st.from_regex(r"[1-9][0-9]{6,14}", fullmatch=True))
def test_any_number_of_the_carrier_is_kept_as_a_number(digits: str) -> None:
    assert phone.is_phone(phone.from_carrier(digits))


@given(st.from_regex(r"1[2-9][0-9]{9}", fullmatch=True))
def test_a_north_american_number_comes_and_goes_unchanged(digits: str) -> None:
    assert phone.to_carrier(phone.from_carrier(digits)) == digits


@given(st.text())
def test_no_sender_is_too_strange(sender: str) -> None:
    stored = phone.from_carrier(sender)
    phone.display(stored)
    assert phone.from_carrier(stored) == stored


def test_what_people_read() -> None:
    assert phone.display("+12015550100") == "(201) 555-0100"
    assert phone.display("+442079460018") == "+44 20 7946 0018"
    assert phone.display("+9991234567") == "+9991234567"


def test_only_the_stored_form_is_a_phone() -> None:
    assert phone.is_phone("+12015550100")
    assert not phone.is_phone("12015550100")
    assert not phone.is_phone("+12015550100\n")
    assert not phone.is_phone("+0201555010")
