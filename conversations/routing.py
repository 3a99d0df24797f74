"""Texts to the team whose rule fits; what somebody owns, or has handed to a team, stays where it is."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import connection

from conversations import opening, timeline, triage, waits
from conversations.models import Contact, Entry, Message, RoutingRule
from conversations.triage import Facts, Hours, Rule

ROUTED = """
UPDATE conversations_conversation conversation SET team_id = route.team_id
FROM unnest(%s::bigint[], %s::bigint[]) AS route (id, team_id)
WHERE conversation.id = route.id AND conversation.owner_id IS NULL
    AND conversation.team_id IS DISTINCT FROM route.team_id
    AND NOT EXISTS (
        SELECT FROM conversations_entry entry JOIN conversations_wait wait USING (conversation_id)
        WHERE entry.conversation_id = conversation.id AND entry.kind = 'transferred'
            AND wait.answered_at IS NULL AND entry.at >= wait.since)
RETURNING conversation.id
"""


def route(texts: Sequence[Message], *, now: datetime) -> None:
    """Gives the conversations of these texts to the teams that the rules name, by the first text of each that wants an
    answer. What nobody's rule fits stays with its team, or with everybody. The number of statements depends on the
    rules, never on the texts.

    The caller holds the conversations' locks; the messages must carry their conversation with its contact.
    """
    first: dict[int, Message] = {}
    for text in texts:
        if text.conversation.owner_id is None and waits.expects_an_answer(text.body):
            first.setdefault(text.conversation_id, text)
    found = rules() if first else []
    if not found:
        return
    facts = facts_of(first, found, now=now)
    decided = {pk: rule for pk in first if (rule := triage.decide(found, facts[pk])) is not None}
    if not decided:
        return
    with connection.cursor() as cursor:
        cursor.execute(ROUTED, [list(decided), [rule.team_id for rule in decided.values()]])
        moved = {pk for (pk,) in cursor.fetchall()}
    names = dict(
        RoutingRule.objects.filter(pk__in={rule.id for rule in decided.values()}).values_list("pk", "team__name")
    )
    by_rule: dict[Rule, list[int]] = defaultdict(list)
    for pk in sorted(moved):
        by_rule[decided[pk]].append(pk)
    for rule, ids in by_rule.items():
        timeline.record(ids, Entry.Kind.ROUTED, at=now, team=names[rule.id], rule=rule.name)


def rules() -> list[Rule]:
    """Those in force, in order."""
    rows = RoutingRule.objects.filter(is_active=True, team__is_active=True).prefetch_related("lines", "tags")
    return [as_rule(row) for row in rows]


def as_rule(row: RoutingRule) -> Rule:
    return Rule(
        id=row.pk,
        name=row.name,
        team_id=row.team_id,
        line_ids=frozenset(line.pk for line in row.lines.all()),
        program_id=row.program_id,
        words=tuple(filter(None, map(str.strip, row.words.splitlines()))),
        language=row.language,
        tag_ids=frozenset(tag.pk for tag in row.tags.all()),
        hours=Hours(row.hours),
    )


def facts_of(first: Mapping[int, Message], found: Sequence[Rule], *, now: datetime) -> dict[int, Facts]:
    """What the rules ask about these texts; nothing is read that none asks about."""
    contacts = {text.conversation.contact_id for text in first.values()}
    tags: dict[int, set[int]] = defaultdict(set)
    if any(rule.tag_ids for rule in found):
        for contact_id, tag_id in Contact.tags.through.objects.filter(contact__in=contacts).values_list(
            "contact_id", "tag_id"
        ):
            tags[contact_id].add(tag_id)
    programs = last_programs(list(first)) if any(rule.program_id for rule in found) else {}
    open_teams = teams_open({rule.team_id for rule in found if rule.hours}, now=now)
    return {
        pk: Facts(
            body=text.body,
            line_id=text.conversation.line_id,
            program_id=programs.get(pk),
            language=text.conversation.contact.language,
            tag_ids=frozenset(tags[text.conversation.contact_id]),
            open_teams=open_teams,
        )
        for pk, text in first.items()
    }


def teams_open(team_ids: set[int], *, now: datetime) -> frozenset[int]:
    return frozenset(pk for pk, one in opening.staffed(team_ids).items() if one.week.is_open(now))


def last_programs(conversation_ids: Sequence[int]) -> dict[int, int | None]:
    """What program the last text of ours belongs to that belongs to any."""
    sent = Message.objects.filter(
        conversation__in=conversation_ids, direction=Message.Direction.OUT, program__isnull=False
    )
    latest = sent.order_by("conversation", "-pk").distinct("conversation")
    return dict(latest.values_list("conversation_id", "program_id"))
