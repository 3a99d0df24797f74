"""What the timeline's lines say, in sentences for people."""

from datetime import datetime

from django.utils.translation import gettext as _

from conversations import wording
from conversations.models import UNTIL_THEY_REPLY, Entry

Kind = Entry.Kind


def sentence(entry: Entry) -> str:
    """Who did what: “Ana Ruiz claimed this”."""
    names = {
        "by": str(entry.by) if entry.by else "",
        "owner": entry.facts.get("owner", ""),
        "was": entry.facts.get("was", ""),
        "team": entry.facts.get("team", ""),
        "rule": entry.facts.get("rule", ""),
        "disposition": entry.facts.get("disposition", ""),
        "tag": entry.facts.get("added", ""),
        "until": until(entry.facts.get("until")),
    }
    kind = Kind(entry.kind)
    words = (entry.facts.get("undoes") and undone(kind)) or SENTENCES[kind](entry, names)
    return words % {name: value or _("Somebody") for name, value in names.items()}


def until(text: str | None) -> str:
    at = datetime.fromisoformat(text) if text else None
    return _("they reply") if at == UNTIL_THEY_REPLY else wording.moment(at)


def undone(kind: Kind) -> str:
    """What a line says that takes an earlier one back, by its own kind."""
    return {
        Kind.REOPENED: _("%(by)s undid that: open again"),
        Kind.WOKE: _("%(by)s undid the snooze"),
        Kind.SNOOZED: _("%(by)s undid the waking: snoozed again"),
        Kind.ASSIGNED: _("%(by)s undid the change of owner"),
        Kind.TRANSFERRED: _("%(by)s undid the transfer"),
        Kind.RETURNED: _("%(by)s undid the claim"),
        Kind.TAGGED: _("%(by)s undid the tag"),
        Kind.UNBLOCKED: _("%(by)s undid the block"),
    }.get(kind, "")


def routed(entry: Entry, names: dict[str, str]) -> str:
    if not names["team"]:
        return _("Left to everybody: its team is no more")
    return _("Routed to %(team)s by “%(rule)s”") if names["rule"] else _("Routed to %(team)s")


def given(entry: Entry, names: dict[str, str]) -> str:
    return _("Given to %(owner)s")


def claimed(entry: Entry, names: dict[str, str]) -> str:
    return _("%(by)s took this over from %(was)s") if names["was"] else _("%(by)s claimed this")


def assigned(entry: Entry, names: dict[str, str]) -> str:
    if not names["by"]:
        return _("Assigned to %(owner)s")
    if names["was"] and names["was"] != names["by"]:
        return _("%(by)s assigned this to %(owner)s, who takes over from %(was)s")
    return _("%(by)s assigned this to %(owner)s")


def transferred(entry: Entry, names: dict[str, str]) -> str:
    if names["owner"] and names["team"]:
        return _("%(by)s transferred this to %(owner)s (%(team)s)")
    if names["owner"]:
        return _("%(by)s transferred this to %(owner)s")
    return _("%(by)s transferred this to %(team)s") if names["team"] else _("%(by)s transferred this to everybody")


def returned(entry: Entry, names: dict[str, str]) -> str:
    if names["by"]:
        is_own = names["was"] in {"", names["by"]}
        return _("%(by)s returned this to the queue") if is_own else _("%(by)s returned this from %(was)s to the queue")
    return {
        "left": _("Returned to the queue: %(was)s no longer answers here"),
        "off_shift": _("Returned to the queue: %(was)s went off shift"),
        "idle": _("Returned to the queue: %(was)s was idle"),
    }.get(entry.facts.get("why", ""), _("Returned to the queue"))


def snoozed(entry: Entry, names: dict[str, str]) -> str:
    if not names["until"]:
        return _("%(by)s snoozed this") if names["by"] else _("Snoozed")
    return _("%(by)s snoozed this until %(until)s") if names["by"] else _("Snoozed until %(until)s")


def woke(entry: Entry, names: dict[str, str]) -> str:
    if names["by"]:
        return _("%(by)s woke this")
    if entry.facts.get("why") == "deadline":
        return _("Awake again: its deadline passed")
    return _("Awake again: the snooze is over")


def resolved(entry: Entry, names: dict[str, str]) -> str:
    if names["disposition"]:
        return _("%(by)s resolved this as “%(disposition)s”") if names["by"] else _("Resolved as “%(disposition)s”")
    return _("%(by)s resolved this") if names["by"] else _("Resolved")


def reopened(entry: Entry, names: dict[str, str]) -> str:
    return _("%(by)s reopened this") if names["by"] else _("Open again")


def no_answer_needed(entry: Entry, names: dict[str, str]) -> str:
    return _("%(by)s: no answer needed") if names["by"] else _("No answer needed")


def tagged(entry: Entry, names: dict[str, str]) -> str:
    return _("%(by)s added the tag %(tag)s") if names["tag"] else _("%(by)s changed the tags")


def breached(entry: Entry, names: dict[str, str]) -> str:
    return _("The deadline passed without an answer")


def escalated(entry: Entry, names: dict[str, str]) -> str:
    return _("Escalated: still without an answer")


def blocked(entry: Entry, names: dict[str, str]) -> str:
    return _("%(by)s blocked this number")


def unblocked(entry: Entry, names: dict[str, str]) -> str:
    return _("%(by)s unblocked this number")


def started(entry: Entry, names: dict[str, str]) -> str:
    return _("%(by)s began this conversation")


SENTENCES = {
    Kind.ROUTED: routed,
    Kind.GIVEN: given,
    Kind.CLAIMED: claimed,
    Kind.ASSIGNED: assigned,
    Kind.TRANSFERRED: transferred,
    Kind.RETURNED: returned,
    Kind.SNOOZED: snoozed,
    Kind.WOKE: woke,
    Kind.RESOLVED: resolved,
    Kind.REOPENED: reopened,
    Kind.NO_ANSWER_NEEDED: no_answer_needed,
    Kind.TAGGED: tagged,
    Kind.BREACHED: breached,
    Kind.ESCALATED: escalated,
    Kind.BLOCKED: blocked,
    Kind.UNBLOCKED: unblocked,
    Kind.STARTED: started,
}
