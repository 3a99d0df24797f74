"""Phone numbers, normalised here and nowhere else.

Inside the product a number is E.164 with its plus: ``+12015550100``. The carrier writes the same number
without the plus; people write it in every other way. ``phonenumbers.geocoder`` and ``.carrier`` are never
imported: they cost a second and a hundred megabytes.
"""

import re
from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_CARRIER_DIGITS = re.compile(r"\+?([1-9][0-9]{6,14})")


class InvalidPhone(ValueError):
    """What a person typed cannot be texted; the message says what to type instead."""


def normalize(raw: str, region: str = "US") -> str:
    """Return the E.164 form of a number that a person typed or imported.

    ``region`` is the country (ISO 3166, two letters) in which a number without ``+`` is read. Raises
    ``InvalidPhone`` for what is no phone number, for one with an extension (a text would reach the
    switchboard) and for one that no country assigns. The strict test is meant: the weaker "possible
    number" passes +1 000 000 0000. It also refuses an area code younger than the installed
    ``phonenumbers``, which costs nobody an answer, since numbers that text us go through ``from_carrier``.
    The fictional 201-555-01xx numbers of the demo are valid.
    """
    shown = " ".join(raw.split())[:40]
    try:
        number = phonenumbers.parse(raw, region)
    except phonenumbers.NumberParseException:
        raise InvalidPhone(
            f"“{shown}” is not one phone number. Write it like +1 201 555 0100: plus, country code, number."
        ) from None
    if number.extension:
        raise InvalidPhone(f"“{shown}” has an extension, which a text cannot reach. Give a direct number.")
    if not phonenumbers.is_valid_number(number):
        raise InvalidPhone(
            f"“{shown}” is not a number in use. Check the digits, and write a number from outside "
            f"{region} with plus and country code."
        )
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


# Where +1 leads: the United States with its territories, and Canada.
_NEAR = frozenset({"US", "CA", "PR", "VI", "GU", "AS", "MP"})
_MOBILE = frozenset({PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE})  # here the two look alike


def may_be_mobile(e164: str) -> bool:
    """Whether a number may be a mobile one of the United States or Canada: not toll-free, 900 or from elsewhere."""
    number = phonenumbers.parse(e164)
    is_near = phonenumbers.region_code_for_number(number) in _NEAR
    return is_near and phonenumbers.number_type(number) in _MOBILE


@lru_cache(10_000)  # a line is in every text, and who writes once writes again
def from_carrier(sender: str) -> str:
    """Return how we store an address that the carrier sent; never raises, so that no message is lost.

    7 to 15 digits, with or without plus, become E.164 even when the library has never heard of the area
    code. Short codes and alphanumeric sender ids ("24273", "MyBank") come back verbatim.
    """
    digits = _CARRIER_DIGITS.fullmatch(sender)
    if digits is None:
        return sender
    e164 = "+" + digits[1]
    try:
        return normalize(e164)
    except InvalidPhone:
        return e164


def to_carrier(e164: str) -> str:
    """Return the digits without plus, as the carrier wants them; short codes and sender ids verbatim."""
    return e164.removeprefix("+")


def is_phone(value: str) -> bool:
    """Whether a stored address is an E.164 number, and not a short code or a sender id."""
    return _E164.fullmatch(value) is not None


def masked(e164: str) -> str:
    """Return a number as it is shown to whoever has a link, who need not be its owner: ``••• ••• 0123``."""
    return f"•••\u00a0•••\u00a0{e164[-4:]}"  # in one piece on the narrowest screen


@lru_cache(10_000)  # each row of each list shows one
def display(e164: str) -> str:
    """Return a number as people read it: ``(201) 555-0100``, or ``+44 20 7946 0000`` outside +1.

    What is not a stored E.164 number comes back verbatim.
    """
    if not is_phone(e164):
        return e164
    try:
        number = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        return e164
    form = PhoneNumberFormat.NATIONAL if number.country_code == 1 else PhoneNumberFormat.INTERNATIONAL
    return phonenumbers.format_number(number, form)
