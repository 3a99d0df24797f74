"""How a text is read before it is judged: whose words it holds, and which words they are.

What a phone quotes (tapbacks, "On … wrote:", lines behind ">") is not the sender's. The rest becomes plain
small words one space apart, with ``.`` and ``,`` where a clause ends, whatever case, width, accents, emoji
and invisible characters it was written with; spellings that people use in texts become the listed ones.
"""

import re
from collections.abc import Mapping

from consent import keywords

# What phones write when somebody taps a reaction: the verb, perhaps a picture, and the text reacted to.
_TAPBACK = re.compile(
    r"\s*(?:(?:liked|loved|disliked|laughed at|emphasi[sz]ed|questioned|reacted|removed an?)\b"
    r"|(?:le|me) (?:gust|encant|dio risa)|no le gust|le dio|se ri[oó] de|enfatiz|destac"
    r"|reaccion|pregunt[oó] por|indic[oó]|quit[oó] (?:un|el)"
    r"|(?:a|n'a pas|n’a pas) (?:aim|ador|ri |mis |r[eé]agi|gard|soulign|interrog|insist|exclam|supprim|retir)"
    r"|[^\w\s\"'“«>]+\s*(?:to|a|à|sur|en)\b)"
    r"[^\"“«\n]{0,40}[\"“«]",
    re.IGNORECASE,
)
_QUOTED_BELOW = re.compile(
    r"(?:^|\n)\s*(?:On|El|Le)\b[^\n]{4,120}\b(?:wrote|escribió|escribio|a écrit|a ecrit)\s*:"
    r"|\n\s*-{2,}\s*(?:Original|Mensaje|Message)",
    re.IGNORECASE,
)
_QUOTED_LINE = re.compile(r"^\s*>.*$", re.MULTILINE)
_QUOTATION = re.compile(r"(\w+)?[\s:,]{0,3}(?:“[^“”]{3,300}”|«[^«»]{3,300}»|(?<!\w)\"[^\"]{3,300}\"(?!\w))")
# "I said “stop texting me”" quotes one's own wish.
_FIRST_PERSON = re.compile(
    r"\b(?:i|i've|ive|we)\b[^.!?]{0,25}\b(?:said|say|saying|told|wrote|texted|replied|sent|asked|typed|put)\b"
    r"[^.!?]{0,25}$"
    r"|\b(?:dije|digo|puse|escrib[ií]|mand[eé]|contest[eé]|respond[ií]|ped[ií]|j'ai|je vous ai|j’ai)\b[^.!?]{0,30}$",
    re.IGNORECASE,
)
_APOSTROPHES = "'’‘`´ʼ＇"
_MARKS = re.compile(r"[^\w\s]|_")
_RUNS = re.compile(r"(\w)\1{2,}")
_ENDS = re.compile(r"(?: [.,]){2,} ")
_SIGNS = str.maketrans(
    dict.fromkeys(".!?;:\n\r", " . ")
    | dict.fromkeys(',()[]{}<>|"=•–—', " , ")
    | dict.fromkeys("-_*~/\\^", " ")
    | {"'": None, "`": None, "#": " number ", "&": " and ", "+": " and ", "@": "a"}
)


def own_words(text: str) -> str:
    """Return what the sender wrote: empty for a reaction to another text; quoted texts are gone."""
    if '"' in text or "“" in text or "«" in text or ">" in text or "wrote" in text or ":" in text:
        is_quoting = '"' in text or "“" in text or "«" in text
        if is_quoting and _TAPBACK.match(text):
            return ""
        below = _QUOTED_BELOW.search(text)
        if below:
            text = text[: below.start()]
        text = _QUOTED_LINE.sub("", text)
        if is_quoting:
            text = _QUOTATION.sub(_unquoted, text)
    return text


def _unquoted(found: re.Match[str]) -> str:
    """The quotation without its words, unless it is the sender's own or the whole text."""
    before, after = found.string[: found.start()], found.string[found.end() :]
    word = found.group(1) or ""
    is_whole = not word and not re.search(r"\w", before + after)
    if is_whole or _FIRST_PERSON.search(f"{before}{word}"):
        return found.group()
    return f"{word} “” "


def plain(text: str, spellings: Mapping[str, str]) -> str:
    """Return the words of a text, each in its listed spelling, and the ends of its clauses, one space apart.

    Begins and ends with the end of a clause: " . please stop , thanks . ".
    """
    signs = keywords.latin_capitals(straight(text)).lower().translate(_SIGNS)
    if not signs.isascii():
        signs = _MARKS.sub(lambda mark: mark.group() if mark.group() in ".," else " , ", signs)
    words = [spellings.get(word, word) for word in _RUNS.sub(r"\1", signs).split()]
    return _ENDS.sub(" . ", f" . {' '.join(words)} . ")


def straight(text: str) -> str:
    """Apostrophes as one; decomposition would tear some from their word."""
    if text.isascii():
        return text
    for apostrophe in _APOSTROPHES:
        text = text.replace(apostrophe, "'")
    return text
