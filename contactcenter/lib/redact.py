"""Card and social security numbers, taken out of a text before it reaches a disk, a log or a screen.

PCI DSS 4.2.2 lets a sender delete what nobody asked for; the last four digits stay, so that an agent can
say which card was meant. Whatever could be a card by issuer, length and check digit is taken for one: a
masked order number (one in ten of those that begin like a card) costs less than a kept card number.

A *run* is digits with little between them; a *group* is the digits between two visible separators. Numbers
are sought in whole groups only, which spares the longer numbers that merely contain one. The patterns are
possessive, so that the time taken grows with the length of the text, whatever the text is.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Any, NamedTuple

# What people type as a digit, in any script; \d alone knows neither superscript nor circled ones.
_DIGIT = r"[\d²³¹⁰⁴-⁹₀-₉①-⑨⓪⑴-⑼⒈-⒐⓵-⓽⓿❶-❾➀-➈➊-➒]"
_INVISIBLE = (
    r"[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u20e3\ufe00-\ufe0f\ufeff"
    r"\U000e0000-\U000e01ef]"
)
_VISIBLE = r"[\s.·•_\-\u2010-\u2015\u2212\ufe58\ufe63\uff0d\uff0e]"
_GROUP = re.compile(rf"{_DIGIT}(?:{_INVISIBLE}*+{_DIGIT})*+{_INVISIBLE}*+")
_RUN = re.compile(rf"{_DIGIT}(?:{_INVISIBLE}*+(?:{_VISIBLE}{_INVISIBLE}*+){{0,3}}+{_DIGIT})*+{_INVISIBLE}*+")
_UNSEEN = re.compile(_INVISIBLE)
_UUID = re.compile(
    r"((?<![0-9A-Za-z])[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[1-8][0-9A-Fa-f]{3}-[89ABab][0-9A-Fa-f]{3}-[0-9A-Fa-f]{12}"
    r"(?![0-9A-Za-z]))"
)
# Not our own mask, which would make every nine digits beside it suspect.
_SOCIAL = re.compile(r"\bssn\b|\bss ?#|(?<!\[)\bsocial\b(?! security number removed\])", re.IGNORECASE)
_NEAR = 40

# (first four digits from, to, lengths), after ISO/IEC 7812: a longer prefix is widened to its first four.
_ISSUERS = (
    (4000, 4999, {13, 16, 19}),  # Visa
    (5100, 5599, {16}),  # Mastercard
    (2221, 2720, {16}),  # Mastercard
    (3400, 3499, {15}),  # American Express
    (3700, 3799, {15}),  # American Express
    (6011, 6011, {16, 17, 18, 19}),  # Discover
    (6440, 6599, {16, 17, 18, 19}),  # Discover
    (3000, 3059, {14, 15, 16, 17, 18, 19}),  # Diners Club
    (3095, 3095, {14, 15, 16, 17, 18, 19}),  # Diners Club
    (3600, 3699, {14, 15, 16, 17, 18, 19}),  # Diners Club
    (3800, 3999, {14, 15, 16, 17, 18, 19}),  # Diners Club
    (3528, 3589, {16, 17, 18, 19}),  # JCB
    (6200, 6299, {16, 17, 18, 19}),  # UnionPay
    (8100, 8199, {16, 17, 18, 19}),  # UnionPay
    (5000, 5099, {13, 14, 15, 16, 17, 18, 19}),  # Maestro
    (5600, 5899, {13, 14, 15, 16, 17, 18, 19}),  # Maestro
    (6304, 6304, {13, 14, 15, 16, 17, 18, 19}),  # Maestro
    (6390, 6390, {13, 14, 15, 16, 17, 18, 19}),  # Maestro
    (6700, 6799, {13, 14, 15, 16, 17, 18, 19}),  # Maestro
)
# How cards are embossed. In another layout a number must stand alone or be evenly spaced to count.
_LAYOUTS = {(4, 4, 4, 4), (4, 4, 4, 4, 3), (4, 6, 5), (4, 6, 4), (4, 4, 4, 1), (4, 3, 3, 3), (8, 8), (6, 13)}
_CARD_DIGITS = range(13, 20)
_E164_DIGITS = 15
_SSN_LAYOUT = (3, 2, 4)


def redact(text: str) -> str:
    """Return the text with card numbers as ``[card ending 1111]`` and US social security numbers removed.

    Digits may be of any script, with up to three spaces, dashes or dots and any invisible characters
    between them. Nine digits without separators count as a social security number only near words that
    say so. Phone numbers with a plus, UUIDs and times stay. Redacting twice changes nothing more.
    """
    while True:
        pieces = _UUID.split(text)
        pieces[::2] = map(_without_findings, pieces[::2])
        redacted = "".join(pieces)
        # What a mask now separates may stand alone for the first time.
        if redacted == text:
            return text
        text = redacted


def redact_json(value: Any, *, keep: frozenset[str] = frozenset()) -> Any:
    """Return a copy of a JSON-like value (dict, list, str, number, bool, None) with every string redacted.

    Integers that are card numbers become redacted strings. Keys stay, and so does whatever stands under a
    key named in ``keep``: the carrier's identifiers and phone numbers. Any depth is safe.
    """
    holder: list[Any] = [value]
    pending: list[Any] = [holder]
    while pending:
        container = pending.pop()
        for key, child in list(container.items() if isinstance(container, dict) else enumerate(container)):
            if isinstance(key, str) and key in keep:
                continue
            container[key] = _redacted_child(child)
            if isinstance(child, dict | list):
                pending.append(container[key])
    return holder[0]


def _redacted_child(child: Any) -> Any:
    """A scalar redacted, a container copied; its own children are the caller's to visit."""
    if isinstance(child, dict | list):
        return child.copy()
    if isinstance(child, str):
        return redact(child)
    # Longer integers hold no card, and Python refuses to print the very longest.
    if isinstance(child, int) and abs(child) < 10**_CARD_DIGITS.stop:
        shown = str(child)
        redacted = redact(shown)
        return child if redacted == shown else redacted
    return child


class _Group(NamedTuple):
    start: int
    end: int
    digits: str


def _without_findings(text: str) -> str:
    parts: list[str] = []
    position = 0
    for start, end, mask in _findings(text):
        parts += (text[position:start], mask)
        position = end
    return "".join((*parts, text[position:]))


def _findings(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield (start, end, mask), left to right, without overlaps."""
    for run in _RUN.finditer(text):
        groups = [_group(match) for match in _GROUP.finditer(text, *run.span())]
        is_international = text[max(run.start() - 1, 0) : run.start()] in ("+", "＋")
        first = 0
        while first < len(groups):
            if end := _card_end(groups, first, is_international=is_international):
                number = "".join(group.digits for group in groups[first:end])
                yield groups[first].start, groups[end - 1].end, f"[card ending {number[-4:]}]"
            elif end := _ssn_end(text, groups, first):
                yield groups[first].start, groups[end - 1].end, "[social security number removed]"
            first = end or first + 1


def _group(match: re.Match[str]) -> _Group:
    written = match[0]
    if not written.isascii():
        written = "".join(str(unicodedata.digit(char)) for char in _UNSEEN.sub("", written))
    return _Group(match.start(), match.end(), written)


def _card_end(groups: list[_Group], first: int, *, is_international: bool) -> int:
    """The index after the card that begins at ``first`` and those that overlap it; 0 without a card."""
    end = _longest_card(groups, first, is_international=is_international)
    overlapping = first + 1
    while overlapping < end:
        end = max(end, _longest_card(groups, overlapping, is_international=is_international))
        overlapping += 1
    return end


def _longest_card(groups: list[_Group], first: int, *, is_international: bool) -> int:
    number, end = "", 0
    for last in range(first, len(groups)):
        number += groups[last].digits[: _CARD_DIGITS.stop]
        if len(number) >= _CARD_DIGITS.stop:
            break
        if is_international and first == 0 and len(number) <= _E164_DIGITS:
            continue
        if _is_issued(number) and _is_laid_out(groups, first, last + 1) and _passes_luhn(number):
            end = last + 1
    return end


def _is_issued(number: str) -> bool:
    return len(number) in _CARD_DIGITS and any(
        low <= int(number[:4]) <= high and len(number) in lengths for low, high, lengths in _ISSUERS
    )


def _is_laid_out(groups: list[_Group], first: int, end: int) -> bool:
    """Whether people would write one number so, given what stands before and after it in the run."""
    sizes = tuple(len(group.digits) for group in groups[first:end])
    before = len(groups[first - 1].digits) if first else 0
    after = len(groups[end].digits) if end < len(groups) else 0
    is_alone = not before and not after
    is_evenly_spaced = len(set(sizes)) == 1 and sizes[0] not in (before, after)
    return is_alone or len(sizes) == 1 or sizes in _LAYOUTS or is_evenly_spaced


def _passes_luhn(number: str) -> bool:
    doubled = sum(sum(divmod(2 * int(digit), 10)) for digit in number[-2::-2])
    return (doubled + sum(map(int, number[-1::-2]))) % 10 == 0


def _ssn_end(text: str, groups: list[_Group], first: int) -> int:
    """The index after the social security number that begins at ``first``; 0 without one."""
    for end in range(first + 1, min(first + 9, len(groups)) + 1):
        window = groups[first:end]
        sizes = tuple(len(group.digits) for group in window)
        if sum(sizes) < 9:
            continue
        if sum(sizes) > 9 or not _is_ssn("".join(group.digits for group in window)):
            return 0
        is_whole = end - first == len(groups)
        is_told = (is_whole or sizes in {(9,), _SSN_LAYOUT}) and _is_called_ssn(text, window)
        is_written_so = sizes == _SSN_LAYOUT and _stands_apart(text, groups, first, end)
        return end if is_told or is_written_so else 0
    return 0


def _is_ssn(number: str) -> bool:
    area, group, serial = number[:3], number[3:5], number[5:]
    return area not in {"000", "666"} and area < "900" and group != "00" and serial != "0000"


def _is_called_ssn(text: str, window: list[_Group]) -> bool:
    start, end = window[0].start, window[-1].end
    return any(map(_SOCIAL.search, (text[max(start - _NEAR, 0) : start], text[end : end + _NEAR])))


def _stands_apart(text: str, groups: list[_Group], first: int, end: int) -> bool:
    """Whether what separates it from the digits around it differs from what separates its own parts."""
    inside = {_separator(text, groups, index) for index in range(first + 1, end)}
    return _separator(text, groups, first) not in inside and _separator(text, groups, end) not in inside


def _separator(text: str, groups: list[_Group], index: int) -> str:
    """What stands before group ``index`` of the run: "" at either end of it, " " for any white space."""
    if index in (0, len(groups)):
        return ""
    between = _UNSEEN.sub("", text[groups[index - 1].end : groups[index].start])
    return between.strip() or " "
