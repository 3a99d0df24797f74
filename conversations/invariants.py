"""What must be true of events, messages and waits, checked from the rows alone (``manage.py audit``).

A moment's grace is given to what is on its way; the answers of a busy product are true all the same.
"""

from collections.abc import Iterator
from datetime import datetime

from django.db import connection

from consent.invariants import MOST, Invariant, rows
from consent.verification import Problem
from conversations import waits

EVENTS = "conversations_carrierevent"
MESSAGES = "conversations_message"
WAITS = "conversations_wait"
CONVERSATIONS = "conversations_conversation"

LOST = rows(
    EVENTS,
    """
    SELECT id, 'it was acknowledged and has been in no thread for over a minute'
    FROM conversations_carrierevent WHERE state = 'stored' AND received_at < %(now)s - interval '1 minute'
    UNION ALL
    SELECT id, 'it says that it is in a thread, and no message is'
    FROM conversations_carrierevent event
    WHERE state = 'threaded' AND kind = 'inbound' AND NOT EXISTS (
        SELECT FROM conversations_message message WHERE message.carrier_id = event.payload->>'message_uuid')
    """,
)

UNDECIDED = rows(
    MESSAGES,
    """
    SELECT message.id, format('it is %%s, and the gate never allowed it', message.status)
    FROM conversations_message message
    WHERE (message.status IN ('sending', 'sent', 'unknown', 'delivered') OR message.handed_over_at IS NOT NULL)
        AND NOT EXISTS (
            SELECT FROM consent_decision decision
            WHERE decision.message_ref = message.ref AND decision.verdict = 'allowed')
    UNION ALL
    SELECT message.id, 'its decision is about another message or number'
    FROM conversations_message message
    JOIN consent_decision decision ON decision.id = message.decision_id
    JOIN conversations_conversation conversation ON conversation.id = message.conversation_id
    JOIN conversations_contact contact ON contact.id = conversation.contact_id
    WHERE decision.message_ref <> message.ref OR decision.subject_id <> contact.subject_id
    """,
)

# The two seconds are kept by a clock that nobody sets; what is written is by one that somebody may set, by a little.
LATE = rows(
    MESSAGES,
    """
    SELECT message.id, 'it was handed over later than two seconds after the gate allowed it'
    FROM conversations_message message
    WHERE message.handed_over_at IS NOT NULL AND NOT EXISTS (
        SELECT FROM consent_decision decision
        WHERE decision.message_ref = message.ref AND decision.verdict = 'allowed'
            AND message.handed_over_at BETWEEN decision.decided_at - interval '50 milliseconds'
                AND decision.decided_at + interval '2050 milliseconds')
    """,
)

STUCK = rows(
    MESSAGES,
    """
    SELECT id, 'it has been on its way to the carrier for over two minutes'
    FROM conversations_message WHERE status = 'sending' AND status_at < %(now)s - interval '2 minutes'
    UNION ALL
    SELECT id, 'its hour has come, and it is still held'
    FROM conversations_message WHERE status = 'held' AND due_at < %(now)s - interval '15 minutes'
    UNION ALL
    SELECT message.id, 'a worker left it behind, and no other takes it'
    FROM conversations_message message
    JOIN conversations_conversation conversation ON conversation.id = message.conversation_id
    JOIN conversations_line line ON line.id = conversation.line_id AND line.is_active AND line.paused_at IS NULL
    WHERE message.status = 'queued' AND message.lease_until < %(now)s - interval '1 minute'
        AND message.due_at < %(now)s
    UNION ALL
    SELECT message.id, 'it is due, and nothing of its lane has moved for a quarter of an hour'
    FROM conversations_message message
    JOIN conversations_conversation conversation ON conversation.id = message.conversation_id
    JOIN conversations_line line ON line.id = conversation.line_id AND line.is_active AND line.paused_at IS NULL
    WHERE message.status = 'queued' AND message.due_at < %(now)s - interval '15 minutes' AND line.per_day IS NULL
        AND NOT EXISTS (
            SELECT FROM conversations_message other
            WHERE other.lane = message.lane AND other.status <> 'queued'
                AND other.status_at > %(now)s - interval '15 minutes')
    """,
)

# A reply that is out ends the waits that began before it.
CAUSELESS = rows(
    WAITS,
    """
    SELECT wait.id, 'it is for a text of another conversation, or for none'
    FROM conversations_wait wait JOIN conversations_message text ON text.id = wait.opened_by_id
    WHERE text.conversation_id <> wait.conversation_id OR text.direction <> 'in'
    UNION ALL
    SELECT wait.id, 'it goes on though a reply is out'
    FROM conversations_wait wait
    WHERE wait.answered_at IS NULL AND EXISTS (
        SELECT FROM conversations_message reply
        WHERE reply.conversation_id = wait.conversation_id AND reply.id > wait.opened_by_id
            AND reply.purpose = 'reply' AND reply.status IN ('sent', 'delivered'))
    UNION ALL
    SELECT wait.id, 'it ended with a reply that did not arrive'
    FROM conversations_wait wait JOIN conversations_message answer ON answer.id = wait.answered_with_id
    WHERE answer.status IN ('failed', 'unknown', 'blocked', 'expired', 'cancelled') AND NOT EXISTS (
        SELECT FROM conversations_message reply
        WHERE reply.conversation_id = wait.conversation_id AND reply.id > answer.id
            AND reply.purpose = 'reply' AND reply.status IN ('sent', 'delivered'))
    """,
)

# Nobody is forgotten: the clock tells of every deadline, and what its owner leaves behind goes back to the queue. After
# an outage it lets everybody come back first, for four minutes; asked in those, this finds what it is about to do.
FORGOTTEN = rows(
    WAITS,
    """
    SELECT id, 'its deadline passed a quarter of an hour ago, and nobody was told'
    FROM conversations_wait
    WHERE answered_at IS NULL AND stage IN ('', 'warned') AND due_at < %(now)s - interval '15 minutes'
    UNION ALL
    SELECT wait.id, 'its owner has been gone for a quarter of an hour, and it has not come back'
    FROM conversations_wait wait
    JOIN conversations_conversation conversation
        ON conversation.id = wait.conversation_id AND conversation.snoozed_until IS NULL
    JOIN conversations_presence presence ON presence.user_id = conversation.owner_id
    WHERE wait.answered_at IS NULL AND wait.since < %(now)s - interval '15 minutes'
        AND greatest(presence.seen_at, conversation.owned_since) < %(now)s - interval '17 minutes'
    UNION ALL
    SELECT wait.id, 'it is in the queue of a team that is no more'
    FROM conversations_wait wait
    JOIN conversations_conversation conversation ON conversation.id = wait.conversation_id
    JOIN conversations_team team ON team.id = conversation.team_id
    WHERE wait.answered_at IS NULL AND conversation.owner_id IS NULL AND NOT team.is_active
    """,
)

UNCOVERED = """
SELECT text.id, text.body
FROM conversations_message text
WHERE text.direction = 'in' AND text.id > %(after)s AND NOT EXISTS (
    SELECT FROM conversations_wait wait
    WHERE wait.conversation_id = text.conversation_id AND wait.opened_by_id <= text.id
        AND (wait.answered_at IS NULL OR wait.answered_with_id > text.id OR wait.answered_at >= text.status_at))
    AND NOT EXISTS (
        SELECT FROM consent_consentevent event
        WHERE event.message_ref = text.carrier_id AND event.message_ref <> ''
            AND event.kind IN ('requested', 'granted', 'confirmed') AND event.effect <> 'nothing')
ORDER BY text.id LIMIT 1000
"""


def unanswered(now: datetime) -> Iterator[Problem]:
    """Texts that nobody waits for and nobody ended the wait of: the first promise. STOP and START need no answer."""
    after = found = 0
    while found < MOST:
        with connection.cursor() as cursor:
            cursor.execute(UNCOVERED, {"after": after})
            texts = cursor.fetchall()
        for after, body in texts:
            if waits.expects_an_answer(body):
                found += 1
                yield Problem(MESSAGES, after, "nobody answered it, and nobody is waiting for an answer")
        if not texts:
            return


# An agent may mark as unread what they have read; that counts one.
MISCOUNTED = rows(
    CONVERSATIONS,
    """
    SELECT conversation.id, told.what
    FROM conversations_conversation conversation
    LEFT JOIN LATERAL (
        SELECT due_at FROM conversations_wait wait
        WHERE wait.conversation_id = conversation.id AND wait.answered_at IS NULL
    ) wait ON true
    CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE direction = 'in') AS texts,
            max(occurred_at) FILTER (WHERE direction = 'in') AS wrote_at,
            coalesce(max(id) FILTER (WHERE status <> 'cancelled' AND (direction = 'in' OR purpose = 'reply')),
                max(id) FILTER (WHERE direction = 'in' OR purpose = 'reply')) AS last_id
        FROM conversations_message message WHERE message.conversation_id = conversation.id
    ) recount
    CROSS JOIN LATERAL unnest(array_remove(ARRAY[
        CASE WHEN conversation.due_at IS DISTINCT FROM wait.due_at THEN 'its deadline is not that of its wait' END,
        CASE WHEN conversation.wrote_at IS DISTINCT FROM recount.wrote_at
            THEN 'it does not say when the person last wrote' END,
        CASE WHEN conversation.last_message_id IS DISTINCT FROM recount.last_id
            THEN 'it does not name its last message' END,
        CASE WHEN conversation.unread > greatest(recount.texts, 1) THEN 'it counts more unread texts than there are' END
    ], NULL)) AS told (what)
    """,
)

INVARIANTS = (
    Invariant("Every event that was acknowledged is in a thread, or parked where an operator sees it.", LOST),
    Invariant("Every text has an answer, or a person who waits for one, or somebody who said that none is needed.",
              unanswered),
    Invariant("Every wait has its cause, and ends only with an answer that is out or by a person.", CAUSELESS),
    Invariant("Whoever waits has an owner who is here, or a queue, and a deadline that is heeded.", FORGOTTEN),
    Invariant("Everything that was sent, the gate allowed.", UNDECIDED),
    Invariant("Nothing was handed over later than two seconds after its gate.", LATE),
    Invariant("Nothing sticks on its way.", STUCK),
    Invariant("What the list shows of a conversation equals a recount.", MISCOUNTED),
)  # fmt: skip
