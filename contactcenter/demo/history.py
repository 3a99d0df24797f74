"""Plays a plan through the domain, at the times when things happened.

These are the functions that webhooks, workers and screens call, so that ledger, decisions and waits are true; only the
call to the carrier is left out. No row of theirs is written here.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import singledispatchmethod
from itertools import groupby
from random import Random
from uuid import UUID, uuid4

from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone
from django_q.models import OrmQ

from consent import ledger, reviews
from consent.models import Hold as HeldNumber
from consent.models import Program, Review
from consent.purposes import Level
from contactcenter.accounts.models import User
from contactcenter.demo import carrier, events, organisation, plan
from contactcenter.demo.events import Act, Event, Fate, Said, Thread
from conversations import assigning, contacts, dispatch, handling, inbound, notes, outbound, settling, unread
from conversations.models import Conversation, Line, Message
from conversations.reading import Delivery

AT_ONCE = 500
SETTLED_AFTER = timedelta(seconds=1)
REPORTED_AFTER = timedelta(seconds=8)


def make(*, conversations: int, now: datetime) -> bool:
    """The history up to ``now``, all or nothing; false when there are conversations already. Needs the organisation."""
    with transaction.atomic():
        if not conversations or Conversation.objects.exists():
            return False
        last = OrmQ.objects.aggregate(last=Max("pk"))["last"] or 0
        with savepoints(are_used=False):
            history = History()
            history.play(plan.made(now=now, conversations=conversations).events)
            history.seal(now)
        OrmQ.objects.filter(pk__gt=last).delete()  # nudges to send what has long left
    return True


@contextmanager
def savepoints(*, are_used: bool) -> Iterator[None]:
    """All is one transaction, and what fails fails altogether: the savepoints within would be a third of all
    statements. Only what is meant to go wrong needs them."""
    before, connection.features.uses_savepoints = connection.features.uses_savepoints, are_used
    try:
        yield
    finally:
        connection.features.uses_savepoints = before


@contextmanager
def mishaps() -> Iterator[None]:
    """What is meant to go wrong goes wrong alone, and need not alarm whoever watches."""
    logging.disable(logging.WARNING)
    try:
        with savepoints(are_used=True):
            yield
    finally:
        logging.disable(logging.NOTSET)


class History:
    """Events in order of time. Texts wait for each other until somebody looks at one of their threads, so that a batch
    holds as many as it can."""

    def __init__(self) -> None:
        self.rng = Random(plan.SEED)  # noqa: S311 a demo's dice are no secret
        self.users = dict(User.objects.values_list("username", "pk"))
        self.programs = {program.slug: program for program in Program.objects.all()}
        self.brand_of = dict(Line.objects.values_list("number", "brand_id"))
        self.texts: list[events.Text] = []
        self.fates: dict[str, Fate] = {}
        self.conversations: dict[Thread, Conversation] = {}

    def play(self, happened: Sequence[Event]) -> None:
        for at, group in groupby(happened, key=lambda event: event.at if isinstance(event, Said) else None):
            if at is None:
                for event in group:
                    self.happen(event)
            else:
                self.record([event for event in group if isinstance(event, Said)], at)
        if self.texts:
            self.thread_texts(self.texts[-1].at + carrier.POSTED_AFTER)

    @singledispatchmethod
    def happen(self, event: Event) -> None:
        raise NotImplementedError(event)

    # --- In

    @happen.register
    def text(self, event: events.Text) -> None:
        self.texts.append(event)

    def catch_up(self, thread: Thread, now: datetime) -> None:
        """Threads what has arrived, if any of it belongs there."""
        if any(text.thread == thread for text in self.texts):
            self.thread_texts(now)

    def thread_texts(self, now: datetime) -> None:
        arrived = [text for text in self.texts if text.at + carrier.POSTED_AFTER <= now]
        self.texts = self.texts[len(arrived) :]
        if arrived:
            self.arrive([carrier.text(event) for event in arrived], now)

    def arrive(self, deliveries: Sequence[Delivery], now: datetime) -> None:
        if not all(inbound.receive(deliveries, now=now)):
            raise RuntimeError("The database refused a webhook of the demo's.")
        inbound.thread(now=now)

    @happen.register
    def garbled(self, event: events.Garbled) -> None:
        self.catch_up(event.thread, event.at)
        with mishaps():
            self.arrive([carrier.garbled(event.thread, event.at)], event.at + carrier.POSTED_AFTER)

    @happen.register
    def stray(self, event: events.Stray) -> None:
        self.thread_texts(event.at)
        with mishaps():
            self.arrive([carrier.text(event.text)], event.at + carrier.POSTED_AFTER)

    # --- Out

    @happen.register
    def reply(self, event: events.Reply) -> None:
        self.fates[str(event.ref)] = event.fate
        outbound.send(
            conversation=self.conversation(event.thread, event.at),
            body=event.body,
            author_id=self.users[event.author],
            ref=event.ref,
            now=event.at,
            due_at=event.due_at,
        )

    @happen.register
    def retry(self, event: events.Retry) -> None:
        outbound.retry(message=sent(event.ref), author_id=self.users[event.author], now=event.at)

    @happen.register
    def cancel(self, event: events.Cancel) -> None:
        handling.cancel(message=sent(event.ref), now=event.at)

    @happen.register
    def leave(self, event: events.Leave) -> None:
        """Claim, gate and settlement are the worker's own; only its call to the carrier is played."""
        if event.thread:
            self.catch_up(event.thread, event.at)
        token, at = uuid4(), event.at
        claimed = dispatch.claim(lane=Message.Lane.AGENTS, limit=AT_ONCE, token=token, now=at)
        hand_overs = dispatch.gated(claimed, token=token, clock=lambda: at)
        results, deliveries = [], []
        for one in hand_overs:
            fate = self.fates.pop(one.ref, Fate.DELIVERED)
            outcome = carrier.outcome(fate, self.rng)
            handed_over_at = at + timedelta(seconds=self.rng.uniform(0.04, 0.8))
            results.append(settling.Result(one, outcome, handed_over_at))
            deliveries += carrier.reports(one, outcome.carrier_id, fate, handed_over_at, self.rng)
        settling.settle(results, clock=lambda: at + SETTLED_AFTER)
        if deliveries:
            self.arrive(deliveries, at + REPORTED_AFTER)

    # --- The desk

    def conversation(self, thread: Thread, now: datetime) -> Conversation:
        self.catch_up(thread, now)
        if thread not in self.conversations:
            number, line = thread
            self.conversations[thread] = Conversation.objects.select_related("contact").get(
                contact__phone=number, line__number=line
            )
        return self.conversations[thread]

    @happen.register
    def act(self, event: Act) -> None:
        conversation, by_id = self.conversation(event.thread, event.at), self.users.get(event.author)
        match event.kind:
            case Act.Kind.RESOLVE if by_id:
                handling.resolve(conversation=conversation, by_id=by_id, now=event.at)
            case Act.Kind.NO_ANSWER_NEEDED if by_id:
                handling.no_answer_needed(conversation=conversation, by_id=by_id, now=event.at)
            case Act.Kind.SNOOZE if event.until:
                handling.snooze(conversation=conversation, until=event.until, by_id=by_id, now=event.at)
            case Act.Kind.ASSIGN:
                was_id = Conversation.objects.values_list("owner", flat=True).get(pk=conversation.pk)
                assigning.assign(
                    conversation=conversation, to_id=by_id, was_id=was_id, by_id=by_id or was_id or 0, now=event.at
                )
            case Act.Kind.READ:
                last = Message.objects.filter(conversation=conversation).latest("pk")
                unread.mark_read(conversation=conversation, up_to=last.pk)
            case _:
                raise ValueError(event)

    @happen.register
    def note(self, event: events.Note) -> None:
        contact = self.conversation(event.thread, event.at).contact
        form = contacts.DetailsForm(dict(event.details), instance=contact)
        if not form.is_valid():
            raise ValueError(form.errors)
        form.save()
        for tag in event.tags:
            contacts.add_tag(contact=contact, name=tag)

    @happen.register
    def remark(self, event: events.Remark) -> None:
        notes.write(
            conversation=self.conversation(event.thread, event.at),
            author=User.objects.get(username=event.author),
            ref=event.ref,
            body=event.body,
            now=event.at,
        )

    # --- Consent

    def record(self, sayings: Sequence[Said], now: datetime) -> None:
        for saying in sayings:
            self.catch_up(saying.thread, now)
        ledger.record_many([self.report(saying) for saying in sayings], now=now)

    def report(self, saying: Said) -> ledger.Report:
        number, line = saying.thread
        program = self.programs.get(saying.program)
        return ledger.Report(
            phone=number,
            brand_id=program.brand_id if program else self.brand_of[line],
            kind=saying.kind,
            source=saying.source,
            occurred_at=saying.occurred_at,
            program_id=program.pk if program else None,
            level=organisation.LEVELS.get(saying.program, Level.NONE),
            actor_id=self.users.get(saying.author),
            message_ref=saying.message_ref,
            evidence=saying.evidence,
        )

    @happen.register
    def judge(self, event: events.Judge) -> None:
        self.catch_up(event.thread, event.at)
        review = Review.objects.open().get(subject__phone=event.thread[0], brand=self.brand_of[event.thread[1]])
        reviews.decide(
            review=review,
            is_revocation=event.is_revocation,
            up_to=review.last_event_id,
            actor_id=self.users[event.judged_by],
            now=event.at,
        )

    @happen.register
    def hold(self, event: events.Hold) -> None:
        held = HeldNumber.objects.put(phone=event.thread[0], reason=event.reason)
        HeldNumber.objects.filter(pk=held.pk).update(
            released_at=timezone.now(), released_by_id=self.users[event.released_by]
        )

    @happen.register
    def end_of_day(self, event: events.Seal) -> None:
        self.seal(event.at)

    def seal(self, now: datetime) -> None:
        while ledger.seal(now=now):
            pass


def sent(ref: UUID) -> Message:
    return Message.objects.select_related("conversation").get(ref=ref)
