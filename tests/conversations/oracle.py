"""The same rules as the batched ingest, written plainly: one row at a time, by the ORM. Tests compare the two."""

from datetime import datetime, timedelta

from consent import keywords, ledger
from consent.models import Brand, ConsentEvent, Subject
from consent.purposes import Effect, Kind, Source
from conversations.models import CarrierEvent, Contact, Conversation, Line, Message, Wait
from conversations.reading import Delivery


def take(deliveries: list[Delivery], now: datetime) -> None:
    """Step 1 of each, then step 2 of each."""
    events = [event for event in (store(one, now) for one in deliveries) if event is not None]
    for event in events:
        thread(event, now)


def store(one: Delivery, now: datetime) -> CarrierEvent | None:
    event, is_new = CarrierEvent.objects.get_or_create(
        key=one.key,
        defaults={
            "kind": one.kind,
            "payload": one.payload,
            "sha256": one.sha256,
            "received_at": one.received_at,
        },
    )
    if not is_new:
        return None
    match = keywords.match(one.payload["text"])
    kind = {"stop": Kind.REVOKED, "start": Kind.RESUMED}.get(match.meaning) if match else None
    line = Line.objects.filter(number="+" + one.payload["to"]).first()
    if match is None or kind is None:
        return event
    brands = [line.brand] if line else Brand.objects.order_by("pk") if kind == Kind.REVOKED else []
    for brand in brands:
        ledger.record(
            now=now,
            report=ledger.Report(
                phone="+" + one.payload["from"],
                brand_id=brand.pk,
                kind=kind,
                source=Source.KEYWORD,
                occurred_at=datetime.fromisoformat(one.payload["timestamp"]),
                rule=f"keyword:{match.word}",
                message_ref=one.payload["message_uuid"],
                evidence={"words": one.payload["text"]},
            ),
        )
    return event


def thread(event: CarrierEvent, now: datetime) -> None:
    payload = event.payload
    line = Line.objects.filter(number="+" + payload["to"]).first()
    if line is None:
        event.state, event.error, event.attempts = "parked", "no line", 1
        event.save()
        return
    number = "+" + payload["from"]
    contact, _ = Contact.objects.get_or_create(phone=number, defaults={"subject": Subject.objects.for_phone(number)})
    conversation, _ = Conversation.objects.get_or_create(contact=contact, line=line)
    occurred_at = min(datetime.fromisoformat(payload["timestamp"]), event.received_at)
    message = Message.objects.create(
        conversation=conversation,
        direction="in",
        body=payload["text"],
        status="received",
        status_at=event.received_at,
        occurred_at=occurred_at,
        carrier_id=payload["message_uuid"],
    )
    conversation.wrote_at = max(conversation.wrote_at or occurred_at, occurred_at)
    conversation.last_message, conversation.last_message_at = message, event.received_at
    conversation.unread += 1
    match = keywords.match(message.body)
    meaning = match.meaning if match else ""
    if (
        meaning not in {"stop", "start"}
        and not Wait.objects.filter(conversation=conversation, answered_at=None).exists()
    ):
        wait = Wait.objects.create(
            conversation=conversation,
            opened_by=message,
            since=event.received_at,
            due_at=event.received_at + timedelta(minutes=15),
        )
        conversation.due_at = wait.due_at
    conversation.save()
    changed = ConsentEvent.objects.filter(message_ref=message.carrier_id).first()
    effect = Effect(changed.effect) if changed else Effect.NOTHING
    purpose = {Effect.SUPPRESSED: "opt_out_confirmation", Effect.RESUMED: "opt_in_confirmation"}.get(effect)
    if purpose and line.carrier_answers_stop:
        purpose = None
    if meaning == "help":
        purpose = "help"
    if purpose:
        Message.objects.create(
            conversation=conversation,
            direction="out",
            body="automatic",
            purpose=purpose,
            status="queued",
            status_at=now,
            occurred_at=now,
            due_at=now,
            lane="agents",
        )
    event.state = "threaded"
    event.save()
