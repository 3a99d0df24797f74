"""What must prove a consent, by the level it claims and the way it came: pure.

The union of what CTIA 5.1.2, TSR 310.5(a)(8) and 47 CFR 64.1200(f)(9) want kept (shared names are the evidence's).
"""

from collections.abc import Collection, Mapping

from consent.purposes import Level, Source

# By how the consent came: what must be there for each level. ``words`` are those that the person saw or said yes to.
EXPRESS: Mapping[Source, frozenset[str]] = {
    Source.KEYWORD: frozenset({"words"}),
    Source.WEB: frozenset({"words", "url", "ip", "user_agent"}),
    Source.EMAIL: frozenset({"words", "email"}),
    Source.AGENT: frozenset({"words", "said"}),
    Source.PAPER: frozenset({"words", "document"}),
    Source.PHONE: frozenset({"words", "said"}),
    Source.API: frozenset({"words", "method"}),
    Source.IMPORT: frozenset({"words", "method"}),
}
WRITTEN: Mapping[Source, frozenset[str]] = {
    Source.KEYWORD: frozenset({"words", "disclosure"}),
    Source.WEB: frozenset({"words", "disclosure", "url", "ip", "user_agent", "page"}),
    Source.EMAIL: frozenset({"words", "disclosure", "email"}),
    Source.PAPER: frozenset({"words", "document", "name"}),
    Source.API: frozenset({"words", "method", "url", "ip", "user_agent"}),
    Source.IMPORT: frozenset({"words", "method", "url", "ip", "user_agent"}),
}
# What a signature on paper leaves instead of an address on the web.
SIGNED = frozenset({"words", "method", "document", "name"})

# What people type into a field that must not be empty.
NOTHING = frozenset({"", "-", "--", "–", "—", ".", "?", "n/a", "na", "n.a.", "nil", "none", "null", "unknown"})


def missing(level: Level, source: Source, evidence: Mapping[str, str] | Collection[str]) -> frozenset[str]:
    """The names of the evidence that this claim lacks; empty when it is proven.

    A level that cannot come this way at all (written consent by telephone) lacks ``writing``.
    """
    if isinstance(evidence, Mapping):
        evidence = {name for name, value in evidence.items() if value.strip().casefold() not in NOTHING}
    if level in {Level.NONE, Level.CONVERSATIONAL}:
        return frozenset({"words"}) - set(evidence)
    needed = (WRITTEN if level == Level.WRITTEN else EXPRESS).get(source)
    if needed is None:
        return frozenset({"writing"})
    lacking = needed - set(evidence)
    is_on_paper = source in {Source.API, Source.IMPORT} and "document" in evidence
    return SIGNED - set(evidence) if lacking and is_on_paper else lacking
