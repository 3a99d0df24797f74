"""The inbox with ten and with ten thousand conversations: no more queries, and none that reads everything."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from conversations import listing
from conversations.listing import Listing, Show, View
from conversations.models import Conversation
from tests import factories
from tests.conversations import screens

pytestmark = pytest.mark.django_db

GROW = """
WITH subjects AS (
    INSERT INTO consent_subject (phone, phone_hash)
    SELECT %(area)s || to_char(n, 'FM0000000'), md5(%(area)s || n) || md5(%(area)s || -n)
    FROM generate_series(1, %(count)s) n
    RETURNING id, phone
), contacts AS (
    INSERT INTO conversations_contact (subject_id, phone, name, reference, language, time_zone)
    SELECT id, phone, 'Person ' || id, '', '', '' FROM subjects RETURNING id
), conversations AS (
    INSERT INTO conversations_conversation (contact_id, line_id, owner_id, wrote_at)
    SELECT id, %(line)s, CASE WHEN id %% 5 = 0 THEN %(user)s END, now() FROM contacts RETURNING id
)
INSERT INTO conversations_message (conversation_id, ref, direction, kind, channel, body, status, status_at, occurred_at,
    purpose, lane, error_code, error_detail)
SELECT id, gen_random_uuid(), 'in', 'text', 'sms', 'Is the garage open on day ' || id, 'received', now(),
    now() - id * interval '1 second', '', '', '', ''
FROM conversations;
UPDATE conversations_conversation conversation
SET last_message_id = message.id, last_message_at = message.occurred_at,
    due_at = CASE WHEN message.id %% 50 = 0 THEN message.occurred_at END,
    resolved_at = CASE WHEN message.id %% 50 <> 0 AND message.id %% 3 = 0 THEN now() END
FROM conversations_message message WHERE message.conversation_id = conversation.id AND last_message_id IS NULL;
"""


def grow(count: int, *, line: int, user: int, area: str = "+1303") -> None:
    with connection.cursor() as cursor:
        for statement in GROW.split(";")[:-1]:
            cursor.execute(statement, {"count": count, "line": line, "user": user, "area": area})
        cursor.execute("ANALYZE conversations_conversation, conversations_message, conversations_contact")


def queries(client: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


def test_ten_thousand_conversations_cost_no_more_queries_than_ten(client: Client) -> None:
    user = factories.user()
    client.force_login(user)
    conversation = screens.waiting(minutes=5)
    urls = [
        reverse("inbox"),
        reverse("inbox-list"),
        reverse("inbox-list") + "?view=mine&show=unread",
        reverse("inbox-list") + "?show=failed",
        reverse("inbox-list") + "?q=garage",
        reverse("conversation", args=[conversation.pk]),
        reverse("conversation-thread", args=[conversation.pk]),
        reverse("conversation-panel", args=[conversation.pk]),
    ]
    grow(10, line=conversation.line_id, user=user.pk)
    few = {url: queries(client, url) for url in urls}

    grow(10_000, line=conversation.line_id, user=user.pk, area="+1304")
    assert Conversation.objects.count() > 10_000

    many = {url: queries(client, url) for url in urls}
    assert all(many[url] <= few[url] for url in urls), (few, many)  # fewer where the first part fills the page


@pytest.mark.parametrize(
    "asked",
    [
        {"view": View.ALL},
        {"view": View.MINE},
        {"view": View.UNASSIGNED},
        {"view": View.SNOOZED},
        {"view": View.ALL, "show": Show.RESOLVED},
        {"view": View.ALL, "show": Show.FAILED},
    ],
)
def test_no_list_reads_all_conversations(asked: dict[str, object]) -> None:
    user = factories.user()
    grow(10_000, line=factories.line().pk, user=user.pk)

    for _, column, part in listing.parts(Listing(user.pk, **asked)):
        plan = part.values_list("pk", column)[:51].explain()
        assert "Seq Scan on conversations_conversation" not in plan, plan
