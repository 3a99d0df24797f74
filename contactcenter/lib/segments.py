"""How many SMS segments a text takes: what it costs, and what the composer's meter shows.

3GPP TS 23.038 and 23.040: a text whose every character is in the GSM 7-bit alphabet goes out in septets
(160 in a single message, 153 in each part of a longer one), any other text in 16-bit units (70 and 67).
A character of two units never straddles two parts, so a part may leave one unit unused. What is billed is
the carrier's own count in the receipt (``sms.count_total``).
"""

import unicodedata
from dataclasses import dataclass
from typing import Literal

Encoding = Literal["GSM-7", "UCS-2"]

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_ESCAPED = frozenset("\f^{}\\[~]|€")
_GSM = _BASIC | _ESCAPED
_SINGLE = {"GSM-7": 160, "UCS-2": 70}
_PART = {"GSM-7": 153, "UCS-2": 67}

_TYPOGRAPHY = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′`´ʹʼ＇", "'"),
        **dict.fromkeys("“”„‟″«»＂", '"'),
        **dict.fromkeys("‐‑‒–—―−﹣－", "-"),
        **dict.fromkeys("\t\u00a0\u1680\u202f\u205f\u3000", " "),
        **dict.fromkeys("\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a", " "),
        **dict.fromkeys("\v\u0085\u2028\u2029", "\n"),
        **dict.fromkeys("\u00ad\u200b\u2060\ufeff"),
        "…": "...",
    }
)


@dataclass(frozen=True, slots=True)
class Segments:
    """The size of one text on the air.

    ``units`` are septets (GSM-7) or 16-bit units (UCS-2); ``room`` is how many more of them fit before the
    text takes another segment.
    """

    encoding: Encoding
    units: int
    segments: int
    room: int


def count(text: str) -> Segments:
    """Measure a text; the empty text is GSM-7 and takes no segment. Lone surrogates count one unit each."""
    encoding: Encoding = "GSM-7" if _GSM.issuperset(text) else "UCS-2"
    if encoding == "GSM-7":
        wide = [char in _ESCAPED for char in text]
    else:
        wide = [char > "\uffff" for char in text]
    units = len(wide) + sum(wide)
    if units <= _SINGLE[encoding]:
        return Segments(encoding, units, 1 if text else 0, room=_SINGLE[encoding] - units)
    segments, room = 1, _PART[encoding]
    for is_wide in wide:
        width = 1 + is_wide
        if width > room:
            segments, room = segments + 1, _PART[encoding]
        room -= width
    return Segments(encoding, units, segments, room)


def to_gsm(text: str) -> str:
    """Return the text with typographic characters replaced by their GSM equivalents.

    Curly quotes, dashes, ellipses, odd spaces and tabs are what word processors and phones put in unasked,
    and one of them more than halves what fits into a segment. Letters and emoji stay, composed (NFC) as
    the GSM alphabet has them; so the result is GSM-7 only if nothing else stood in the way.
    """
    return unicodedata.normalize("NFC", text).translate(_TYPOGRAPHY)
