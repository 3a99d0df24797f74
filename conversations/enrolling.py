"""Somebody joins by the public form: their words, the page and where they came from prove it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from consent.models import ConsentEvent, Disclosure, Program, Standing, Subject
from consent.purposes import Kind, Source
from conversations import joining, mailing

# Whoever asks again within this is not texted again: a double click, an impatient person, or somebody else's phone.
AGAIN_AFTER = timedelta(minutes=10)
JOINED = (Kind.GRANTED, Kind.REQUESTED)


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What a person had before them, and from where they answered. ``page`` is its HTML."""

    disclosure: Disclosure
    page: str
    url: str
    ip: str
    user_agent: str


def enroll(
    *, program: Program, phone: str, name: str, shown: Shown, now: datetime, email: str = ""
) -> ConsentEvent | None:
    """Records the consent with its proof and lets the phone be told or asked; ``None`` when that happened just before.

    An address is sent a copy, with a link to confirm; where the program is confirmed by email, the link asks instead of
    a text. Raises ``acquiring.NotOffered`` and ``joining.NoLine``.
    """
    wording = shown.disclosure
    evidence = {
        "words": wording.text,
        "disclosure": f"{wording.pk} v{wording.version} {wording.language} sha256:{wording.sha256}",
        "url": shown.url,
        "ip": shown.ip,
        "user_agent": shown.user_agent or "(none sent)",
        "page": shown.page,
        "name": name,
        "email": email,
    }
    with transaction.atomic():
        subject = Subject.objects.for_phone(phone)
        Standing.objects.locked([(subject.pk, program.brand_id)])  # two at once: the second finds the first
        just_before = (
            ConsentEvent.objects.filter(
                subject=subject,
                program=program,
                source=Source.WEB,
                kind__in=JOINED,
                recorded_at__gt=now - AGAIN_AFTER,
            )
            .order_by("-seq")
            .first()
        )
        event = just_before or joining.join(
            program=program,
            phone=phone,
            source=Source.WEB,
            evidence=evidence,
            now=now,
            is_asked_by_text=not (email and program.is_confirmed_by_email),
        )
        if email:
            mailing.write(event=event, program=program, disclosure=wording, to=email, now=now)
    return None if just_before else event
