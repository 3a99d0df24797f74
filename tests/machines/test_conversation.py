"""Conversations in any order of texts, replies, receipts, crashes and what people do in the inbox."""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from conversations import assigning, counting, handling, inbound, listing, outbound, queues, unread, waits
from conversations.carriers.outcomes import Kind, Outcome
from conversations.listing import OF_WHO_WAITS, Listing, Show, View
from conversations.models import Conversation, Message, Wait
from conversations.states import UNDELIVERED, Status
from tests import factories
from tests.conversations import traffic
from tests.machines.examples import PAUSES, REPORTS, Crash, Example, Steps, dies, many

OTHER_LINE = "+12015550101"
# Who writes, and to which line.
PAIRS = (
    ("+12015550123", traffic.LINE),
    ("+12015550124", traffic.LINE),
    ("+12015550123", OTHER_LINE),
)
PLACES = st.integers(0, len(PAIRS) - 1)
AGENTS = st.integers(0, 1)
THREADING = st.sampled_from(["threaded", "threaded", "left for later", "crash"])
ANSWERS = {
    "accepted": (Outcome(Kind.SENT), True),
    "refused": (Outcome(Kind.REFUSED, code="1120"), False),
    "no answer": (Outcome(Kind.UNKNOWN, code="no_answer"), True),
    "no connection": (Outcome(Kind.NOT_SENT, code="no_connection"), False),
}
EVERY_LIST = [(view, show) for view in View for show in Show]


class ConversationMachine(Example):
    replies = Bundle("replies")

    @initialize(target=replies)
    def three_conversations_begin(self) -> MultipleResults[Message]:
        for number in (traffic.LINE, OTHER_LINE):
            traffic.line(number=number)
        self.agents = [factories.user(), factories.user()]
        self.receive(*(self.text("Hello", sender=phone, recipient=line) for phone, line in PAIRS))
        inbound.thread(now=self.now)
        self.conversations = [
            Conversation.objects.get(contact__phone=phone, line__number=line) for phone, line in PAIRS
        ]
        self.unread = {conversation.pk: 1 for conversation in self.conversations}
        self.texts = dict(self.unread)
        # Up to which message somebody said that no answer is needed, by conversation.
        self.judged = {conversation.pk: 0 for conversation in self.conversations}
        self.looks = self.look()
        self.steps = Steps()
        return multiple(self.reply(0, 0))

    # --- People outside ----------------------------------------------------------------------------------------

    @rule(place=PLACES, body=st.sampled_from(["Hello?", "Hello?", "STOP", "START", "HELP"]), then=THREADING)
    def text_comes(self, place: int, body: str, then: str) -> None:
        phone, line = PAIRS[place]
        self.receive(self.text(body, sender=phone, recipient=line, ago=timedelta(minutes=next(self.numbers) % 4)))
        self.follow_up(then)

    @rule(data=st.data(), then=THREADING)
    def webhook_comes_again(self, data: st.DataObject, then: str) -> None:
        again = data.draw(st.sampled_from(self.delivered), label="webhook")
        self.receive(again, again)
        self.follow_up(then)

    @rule(message=replies, report=st.sampled_from(sorted(REPORTS)), then=THREADING)
    def receipt_comes(self, message: Message, report: str, then: str) -> None:
        if self.carrier.called[str(message.ref)]:
            self.receive(self.receipt(message, report))
            self.follow_up(then)

    def follow_up(self, then: str) -> None:
        """What becomes of a webhook after its 200."""
        with self.patch.context() as patch, suppress(Crash):
            if then == "crash":
                patch.setattr(waits, "open_for", dies)
                patch.setattr(waits, "follow", dies)
            if then != "left for later":
                inbound.thread(now=self.now)

    # --- Replies -----------------------------------------------------------------------------------------------

    @rule(target=replies, place=PLACES, agent=AGENTS)
    def reply(self, place: int, agent: int) -> Message:
        return outbound.send(
            conversation=self.conversations[place],
            body=f"Answer {next(self.numbers)}",
            author_id=self.agents[agent].pk,
            ref=self.ref(),
            now=self.now,
        )

    @rule(target=replies, message=replies, agent=AGENTS)
    def retry(self, message: Message, agent: int) -> Message | MultipleResults[Message]:
        with suppress(outbound.CannotSend):
            return outbound.retry(message=message, author_id=self.agents[agent].pk, now=self.now)
        return multiple()

    @rule(message=replies)
    def cancel(self, message: Message) -> None:
        handling.cancel(message=message, now=self.now)

    @rule(answer=st.sampled_from(sorted(ANSWERS)))
    def work(self, answer: str) -> None:
        self.send_all(*ANSWERS[answer])

    # --- The inbox ---------------------------------------------------------------------------------------------

    @rule(place=PLACES, agent=AGENTS, has_seen_all=st.sampled_from([True, True, False]), resolves=st.booleans())
    def judge(self, place: int, agent: int, has_seen_all: bool, resolves: bool) -> None:
        """No answer is needed, says somebody, perhaps of a page that is out of date."""
        conversation = self.conversations[place]
        texts = Message.objects.filter(conversation=conversation, direction="in").order_by("pk")
        seen = (texts.last() if has_seen_all else texts.first()).pk
        act = handling.resolve if resolves else waits.end
        with suppress(waits.WrittenSince):
            act(conversation=conversation, by_id=self.agents[agent].pk, now=self.now, up_to=seen)
            assert seen == texts.last().pk, "nobody is judged unread"
            self.judged[conversation.pk] = seen
            self.unread[conversation.pk] = 0

    @rule(place=PLACES, agent=AGENTS)
    def reopen(self, place: int, agent: int) -> None:
        handling.reopen(conversation=self.conversations[place], by_id=self.agents[agent].pk, now=self.now)

    @rule(place=PLACES, minutes=st.sampled_from([0, 0, 1, 10]))
    def put_off(self, place: int, minutes: int) -> None:
        by = {"conversation": self.conversations[place], "by_id": self.agents[0].pk, "now": self.now}
        if minutes:
            handling.snooze(until=self.now + timedelta(minutes=minutes), **by)
        else:
            handling.unsnooze(**by)

    @rule(place=PLACES, agent=st.sampled_from([None, 0, 1]))
    def assign(self, place: int, agent: int | None) -> None:
        owner = None if agent is None else self.agents[agent].pk
        conversation = Conversation.objects.get(pk=self.conversations[place].pk)
        with suppress(assigning.CannotAssign):
            assigning.assign(
                conversation=conversation,
                to_id=owner,
                was_id=conversation.owner_id,
                by_id=owner or self.agents[0].pk,
                now=self.now,
            )

    @rule(place=PLACES, glance=st.sampled_from(["first", "last", "again"]))
    def read(self, place: int, glance: str) -> None:
        conversation = self.conversations[place]
        before = self.unread[conversation.pk]
        if glance == "again":
            unread.mark_unread(conversation=conversation)
            self.unread[conversation.pk] = max(before, 1)
            return
        messages = Message.objects.filter(conversation=conversation).order_by("pk")
        up_to = (messages.first() if glance == "first" else messages.last()).pk
        unread.mark_read(conversation=conversation, up_to=up_to)
        self.unread[conversation.pk] = min(before, messages.filter(direction="in", pk__gt=up_to).count())

    @rule(agent=AGENTS, is_active=st.booleans())
    def agent_comes_or_goes(self, agent: int, is_active: bool) -> None:
        self.agents[agent].is_active = is_active
        self.agents[agent].save(update_fields=["is_active"])

    @rule(pause=PAUSES)
    def time_passes(self, pause: timedelta) -> None:
        self.now += pause
        self.tick()
        assert not Conversation.objects.filter(snoozed_until__lte=self.now).exists()

    # --- What is always true -----------------------------------------------------------------------------------

    @invariant()
    def who_waits_is_answered_or_judged_by_a_person_first(self) -> None:
        open_waits = dict(Wait.objects.filter(answered_at=None).values_list("conversation", "opened_by"))
        for pk, judged in self.judged.items():
            texts = Message.objects.filter(conversation=pk, direction="in").values_list("pk", "body")
            out = Message.objects.filter(conversation=pk, purpose="reply", status__in=[Status.SENT, Status.DELIVERED])
            answered = max(out.values_list("pk", flat=True), default=0)
            owed = [text for text, body in texts if text > max(answered, judged) and waits.expects_an_answer(body)]
            assert not owed or open_waits.get(pk, owed[0] + 1) <= owed[0], "a text that nobody answers"
            assert open_waits.get(pk, answered + 1) > answered, "it waits for an answer that has gone out"

    @invariant()
    def list_and_thread_say_the_same(self) -> None:
        due = dict(Wait.objects.filter(answered_at=None).values_list("conversation", "due_at"))
        for row in Conversation.objects.all():
            said = [
                message
                for message in Message.objects.filter(conversation=row).order_by("pk")
                if message.direction == "in" or (message.purpose == "reply" and message.status != Status.CANCELLED)
            ]
            texts = [message for message in said if message.direction == "in"]
            self.unread[row.pk] += len(texts) - self.texts[row.pk]
            self.texts[row.pk] = len(texts)
            assert row.unread == self.unread[row.pk]
            assert row.due_at == due.get(row.pk)
            assert row.wrote_at == max(text.occurred_at for text in texts)
            assert row.last_message_id == said[-1].pk, "the list does not name the last message"
            at = [message.occurred_at if message.is_out else message.status_at for message in said]
            assert row.last_message_at == max(at), "the list does not say when the last message was"

    @invariant()
    def every_change_that_screens_show_has_a_version(self) -> None:
        before, self.looks = self.looks, self.look()
        for pk, (version, look) in self.looks.items():
            assert version >= before[pk][0]
            assert look == before[pk][1] or version > before[pk][0], "open screens keep what is out of date"

    @invariant()
    def failure_is_never_hidden(self) -> None:
        failed = [pk for pk, before, after in self.steps.since_last() if after in UNDELIVERED and before != after]
        hidden = Conversation.objects.exclude(resolved_at=None, snoozed_until=None)
        assert not hidden.filter(messages__in=failed, messages__purpose="reply").exists()

    @invariant()
    def lists_and_counts_equal_a_plain_reader_s(self) -> None:
        rows = list(Conversation.objects.all())
        failed = set(
            Message.objects.filter(purpose="reply", status__in=UNDELIVERED, retried_as=None).values_list(
                "conversation", flat=True
            )
        )
        view, show = EVERY_LIST[next(self.numbers) % len(EVERY_LIST)]
        mine = self.agents[0].pk
        asked = Listing(user_id=mine, view=view, show=show)
        assert pages(asked) == [row.pk for row in listed(rows, asked, failed)]
        is_open = [row for row in rows if row.resolved_at is None and row.snoozed_until is None]
        owners = Counter(row.owner_id for row in is_open)
        counts = counting.count(mine, None, queues.Staff({}, {}), fresh=True)
        assert counts == counting.Counts(
            needs_reply=sum(row.due_at is not None and row.owner_id in {mine, None} for row in is_open),
            mine=owners[mine],
            unassigned=owners[None],
            all=len(is_open),
            snoozed=sum(row.snoozed_until is not None for row in rows),
            mine_unread=sum(row.owner_id == mine and row.unread > 0 for row in is_open),
        )

    def look(self) -> dict[int, tuple[int, Any]]:
        """Version and what screens show, by conversation."""
        shown = ("owner", "snoozed_until", "resolved_at", "last_message", "last_message_at", "unread", "due_at")
        messages = {pk: [] for pk in self.judged}
        for conversation, *message in Message.objects.order_by("pk").values_list("conversation", "pk", "status"):
            messages[conversation].append(message)
        return {
            pk: (version, (columns, messages[pk]))
            for pk, version, *columns in Conversation.objects.values_list("pk", "version", *shown)
        }


def pages(asked: Listing) -> list[int]:
    """All rows of a list, read two at a time."""
    found = listing.find(asked, limit=2)
    ids = [pk for pk, _ in found.versions]
    return ids + pages(Listing(asked.user_id, asked.view, asked.show, after=found.next)) if found.next else ids


def listed(rows: Sequence[Conversation], asked: Listing, failed: set[int]) -> list[Conversation]:
    """Who waits, the most urgent first; then the others, the newest first."""

    def belongs(row: Conversation) -> bool:
        is_of_view = {View.MINE: row.owner_id == asked.user_id, View.UNASSIGNED: row.owner_id is None}
        is_shown = {
            Show.WAITING: row.due_at is not None,
            Show.UNREAD: row.unread > 0,
            Show.FAILED: row.pk in failed,
        }
        if not (is_of_view.get(asked.view, True) and is_shown.get(asked.show, True)):
            return False
        if asked.view in OF_WHO_WAITS:
            is_theirs = row.owner_id is None or (asked.view == View.NEEDS_REPLY and row.owner_id == asked.user_id)
            return is_theirs and row.due_at is not None and row.snoozed_until is None and asked.show != Show.RESOLVED
        if asked.show == Show.RESOLVED:
            return row.resolved_at is not None
        if asked.view == View.SNOOZED:
            return row.snoozed_until is not None
        return asked.show == Show.WAITING or (row.resolved_at is None and row.snoozed_until is None)

    def order(row: Conversation) -> tuple[bool, float, int]:
        if asked.view == View.SNOOZED and asked.show != Show.RESOLVED:
            return False, row.snoozed_until.timestamp(), row.pk
        if row.due_at is not None:
            return False, row.due_at.timestamp(), row.pk
        return True, -row.last_message_at.timestamp(), -row.pk

    return sorted(filter(belongs, rows), key=order)


@pytest.mark.django_db
def test_whatever_happens_in_whatever_order_nobody_is_forgotten_and_the_list_tells_the_truth() -> None:
    run_state_machine_as_test(ConversationMachine, settings=many(30, 30))
