"""The ledger's lines in words for people: what happened, and through what."""

from django.utils.translation import gettext as _

from consent.models import ConsentEvent
from consent.purposes import Effect, Kind, Source


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
    told = words[Kind(event.kind)]
    return f"{told} {_('(changed nothing)')}" if event.effect == Effect.NOTHING else told


def source(event: ConsentEvent) -> str:
    """Through what an event reached us: the keyword itself where there was one."""
    rule = str(event.facts.get("rule", ""))
    if event.source == Source.KEYWORD and ":" in rule:
        return rule.partition(":")[2].upper()
    return {
        Source.KEYWORD: _("a keyword"),
        Source.FREE_TEXT: _("their own words"),
        Source.CARRIER: _("the carrier’s report"),
        Source.AGENT: _("an agent"),
        Source.WEB: _("the website"),
        Source.EMAIL: _("email"),
        Source.PAPER: _("a paper form"),
        Source.PHONE: _("a phone call"),
        Source.API: _("the API"),
        Source.IMPORT: _("an import"),
    }[Source(event.source)]
