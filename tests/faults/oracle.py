"""What must be true of the product after whatever happened to it, from what the load and the carrier remember."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from conversations.states import FINAL, Status
from tests.faults.load import Load, Memory
from tests.product import Product

FROM_US = {"opt_out_confirmation", "help"}  # what may be said to who has said STOP
MOST = 500

TEXTS = """
    SELECT message.carrier_id, message.body, contact.phone
    FROM conversations_message message
    JOIN conversations_conversation conversation ON conversation.id = message.conversation_id
    JOIN conversations_contact contact ON contact.id = conversation.contact_id
    WHERE message.direction = 'in'
"""
OURS = """
    SELECT message.ref, message.status, contact.phone, message.purpose, decision.decided_at
    FROM conversations_message message
    JOIN conversations_conversation conversation ON conversation.id = message.conversation_id
    JOIN conversations_contact contact ON contact.id = conversation.contact_id
    LEFT JOIN consent_decision decision ON decision.id = message.decision_id
    WHERE message.direction = 'out'
"""
STANDINGS = """
    SELECT subject.phone, standing.revoked_at >= coalesce(standing.resumed_at, '-infinity')
    FROM consent_standing standing JOIN consent_subject subject ON subject.id = standing.subject_id
    JOIN conversations_line line ON line.brand_id = standing.brand_id AND line.number = '+12015550100'
"""


class Ours(NamedTuple):
    """One message of ours."""

    status: Status
    person: str
    purpose: str
    decided_at: datetime | None


def ours(cc: Product) -> dict[str, Ours]:
    return {
        str(ref): Ours(Status(status), phone[1:], purpose, decided_at)
        for ref, status, phone, purpose, decided_at in cc.rows(OURS)
    }


def taken(cc: Product) -> dict[str, tuple[str, int]]:
    """What the carrier took of late: by reference, to whom, and how many times."""
    seen = cc.sandbox(f"requests?limit={MOST}")["requests"]
    return {seen["client_ref"]: (seen["to"], seen["accepted_times"]) for seen in seen if seen["accepted_times"]}


def on_their_way(cc: Product) -> list[dict[str, Any]]:
    """Webhooks that the carrier has not delivered yet."""
    return [
        webhook
        for state in ("waiting", "retrying")
        for webhook in cc.sandbox(f"webhooks?state={state}&limit={MOST}")["webhooks"]
    ]


def unsettled(cc: Product, load: Load, *, entirely: bool) -> list[str]:
    """What is still on its way. Unless ``entirely``, what waits for a webhook that the carrier will deliver again is
    taken as settled."""
    load.look(MOST)
    coming = on_their_way(cc)
    reported_later = set() if entirely else {webhook["body"].get("client_ref") for webhook in coming}
    at_the_carrier = taken(cc)
    left = [f"webhook {webhook['id']} is {webhook['state']}" for webhook in coming if entirely]
    left += [
        f"{kind} event {key} is stored only"
        for kind, key in cc.rows("SELECT kind, key FROM conversations_carrierevent WHERE state = 'stored'")
    ]
    for ref, message in ours(cc).items():
        is_lost = message.status == Status.UNKNOWN and ref not in at_the_carrier
        if message.status not in FINAL and not is_lost and ref not in reported_later:
            left.append(f"{message.purpose} {ref} is {message.status}")
    return left


def violations(cc: Product, load: Load) -> list[str]:
    """Every promise that was broken, in words. Call it when everything has settled."""
    messages, at_the_carrier = ours(cc), taken(cc)
    return [
        *load.surprises,
        *wrong_texts(cc, load),
        *parked(cc),
        *wrong_replies(load, messages),
        *wrongly_sent(messages, at_the_carrier),
        *sent_after_stop(load, messages, at_the_carrier),
        *wrong_standings(cc, load),
    ]


def wrong_texts(cc: Product, load: Memory) -> Iterator[str]:
    """Each text that got its 200 is in its own thread, once; none is anywhere else."""
    found = defaultdict(list)
    for uuid, body, phone in cc.rows(TEXTS):
        found[uuid].append((phone[1:], body))
    for uuid, text in load.texts.items():
        places = found.pop(uuid, [])
        right = [(text.person, text.body)]
        if places != right and (places or text.accepted_at):
            yield f"text {uuid} of {text.person} should be {right} and is {places}"
    for uuid, was_accepted in load.others.items():
        places = found.pop(uuid, [])
        if len(places) > 1 or (was_accepted and not places):
            yield f"text {uuid} of the flood is in {places}"
    for uuid, places in found.items():
        yield f"nobody texted {uuid}, which is in {places}"


def parked(cc: Product) -> Iterator[str]:
    for key, error in cc.rows("SELECT key, error FROM conversations_carrierevent WHERE state = 'parked'"):
        yield f"event {key} is parked: {error}"


def wrong_replies(load: Memory, messages: dict[str, Ours]) -> Iterator[str]:
    for ref, person in load.replies.items():
        if ref not in messages:
            yield f"reply {ref} was accepted and is lost"
        elif messages[ref].person != person:
            yield f"reply {ref} to {person} is in the thread of {messages[ref].person}"


def wrongly_sent(messages: dict[str, Ours], at_the_carrier: dict[str, tuple[str, int]]) -> Iterator[str]:
    for ref, (to, times) in at_the_carrier.items():
        if times > 1:
            yield f"{ref} was sent {times} times"
        if ref not in messages:
            yield f"{ref} was sent to {to}, and nobody remembers it"
        elif messages[ref].person != to:
            yield f"{ref} to {messages[ref].person} was sent to {to}"
        elif messages[ref].status in FINAL - {Status.DELIVERED}:
            yield f"{ref} was sent, and is called {messages[ref].status}"


def sent_after_stop(
    load: Memory, messages: dict[str, Ours], at_the_carrier: dict[str, tuple[str, int]]
) -> Iterator[str]:
    """What the gate allowed before the STOP may still be on its way for two seconds; what it allowed after is wrong."""
    for ref in at_the_carrier.keys() & messages.keys():
        message = messages[ref]
        for opt_out in load.all_opt_outs():
            since, until = opt_out.stop.accepted_at, opt_out.start.sent_at if opt_out.start else None
            if since is None or message.decided_at is None or message.purpose in FROM_US:
                continue
            is_between = since < message.decided_at and (until is None or message.decided_at < until)
            if message.person == opt_out.person and is_between:
                yield f"{message.purpose} {ref} was sent to {message.person} after their STOP at {since}"


def wrong_standings(cc: Product, load: Memory) -> Iterator[str]:
    """Whoever's last word was STOP is opted out, and nobody else."""
    is_out = {phone[1:]: bool(is_out) for phone, is_out in cc.rows(STANDINGS)}
    for person, opt_out in load.opt_outs.items():
        last = opt_out.start or opt_out.stop
        if last.accepted_at and is_out.get(person) != (last is opt_out.stop):
            yield f"{person} said {last.body} last, and is opted {'out' if is_out.get(person) else 'in'}"
