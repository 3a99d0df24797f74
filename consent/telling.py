"""The ledger's lines in words for people: what happened, and through what."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from consent.models import ConsentEvent
from consent.purposes import Effect, Kind, Source

SOURCES: dict[str, Any] = {
    Source.KEYWORD: gettext_lazy("a keyword"),
    Source.FREE_TEXT: gettext_lazy("their own words"),
    Source.CARRIER: gettext_lazy("the carrier’s report"),
    Source.AGENT: gettext_lazy("an agent"),
    Source.WEB: gettext_lazy("the website"),
    Source.EMAIL: gettext_lazy("email"),
    Source.PAPER: gettext_lazy("a paper form"),
    Source.PHONE: gettext_lazy("a phone call"),
    Source.API: gettext_lazy("the API"),
    Source.IMPORT: gettext_lazy("an import"),
}


def event(event: ConsentEvent) -> str:
    """One line of a number's history."""
    words = {
        Kind.REQUESTED: _("Asked to be texted"),
        Kind.GRANTED: _("Agreed to be texted"),
        Kind.CONFIRMED: _("Confirmed that they want to be texted"),
        Kind.REVOKED: _("Opted out"),
        Kind.RESUMED: _("Opted in again"),
        Kind.SUSPECTED: _("May have asked to stop"),
        Kind.CLEARED: _("Not an opt-out, a person decided"),
    }
    if (event.kind, event.source, event.effect) == (Kind.CONFIRMED, Source.EMAIL, Effect.NOTHING):
        return _("Confirmed from their email that they had agreed")
    told = words[Kind(event.kind)]
    return f"{told} {_('(changed nothing)')}" if event.effect == Effect.NOTHING else told


def source(event: ConsentEvent) -> str:
    """Through what an event reached us: the keyword itself where there was one."""
    rule = str(event.facts.get("rule", ""))
    if event.source == Source.KEYWORD and ":" in rule:
        return rule.partition(":")[2].upper()
    return str(SOURCES[Source(event.source)])


LANGUAGES = {"en": gettext_lazy("English"), "es": gettext_lazy("Spanish"), "fr": gettext_lazy("French")}


def matched(rule: str) -> str:
    """What was recognised in a text, as the ledger notes it (``free_text:en.stop_texting``), in words."""
    how, _colon, what = rule.partition(":")
    if how == "keyword":
        return _("the keyword “%(word)s”") % {"word": what.upper()}
    if how == "review":
        return _("an officer’s judgement of %(what)s") % {"what": matched(what)} if ":" in what else _("an officer")
    language, _dot, words = what.partition(".")
    words = words.removeprefix("words: ").replace("_", " ")
    if how == "free_text":
        words = _("words like “%(words)s”") % {"words": words}
        return f"{words} ({LANGUAGES[language]})" if language in LANGUAGES else words
    return " ".join(filter(None, (how.replace("_", " "), words)))
