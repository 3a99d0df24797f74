"""What people do by the links in our emails: confirm what they agreed to, or end it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.core import signing
from django.db import transaction

from consent import acquiring
from consent.models import Brand, ConsentEvent, Program, Standing
from consent.purposes import Source
from contactcenter.lib import phone
from conversations import joining, leaving, links
from conversations.models import Mail


class NoSuchLink(LookupError):
    """Not one of ours, for another program, or of a number that was erased."""


class LinkTooOld(LookupError):
    """It was one of ours, and is good no more."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What an email asks its reader to confirm."""

    mail: Mail
    program: Program
    phone: str

    @property
    def masked(self) -> str:
        return phone.masked(self.phone)

    @property
    def is_confirmed(self) -> bool:
        return self.mail.confirmed_at is not None


def read(*, slug: str, token: str, now: datetime) -> Asked:
    """What a link asks. Changes nothing. Raises ``NoSuchLink`` and ``LinkTooOld``."""
    try:
        ref = UUID(links.CONFIRM.unsign(token))
    except (signing.BadSignature, ValueError) as error:
        raise NoSuchLink from error
    mail = Mail.objects.select_related("event__subject", "event__program__brand").filter(ref=ref).first()
    if mail is None:
        raise LinkTooOld  # signed by us, and forgotten since
    program, number = mail.event.program, mail.event.subject.phone
    if program is None or program.slug != slug or not program.is_active or number is None:
        raise NoSuchLink
    if mail.confirmed_at is None and mail.expires_at <= now:
        raise LinkTooOld
    return Asked(mail=mail, program=program, phone=number)


def confirm(*, asked: Asked, evidence: Mapping[str, str], now: datetime) -> ConsentEvent | None:
    """Records, once, that the reader of the address confirmed; ``None`` when that was recorded before.

    It grants only where the program is confirmed by email, and only while no "no" is in force; then the phone is told.
    Raises ``joining.NoLine``.
    """
    event = asked.mail.event
    with transaction.atomic():
        Standing.objects.locked([(event.subject_id, event.brand_id)])
        if not Mail.objects.filter(pk=asked.mail.pk, confirmed_at=None).update(confirmed_at=now):
            return None
        confirmed = acquiring.confirm(
            phone=asked.phone,
            program=asked.program,
            source=Source.EMAIL,
            evidence={**evidence, "email": asked.mail.to},
            occurred_at=now,
            now=now,
            only_proves=not asked.program.is_confirmed_by_email,
        )
        joining.tell(confirmed, program=asked.program, phone=asked.phone, now=now)
    return confirmed


@dataclass(frozen=True, kw_only=True)
class WayOut:
    """Whose texts to which number a link ends."""

    event: ConsentEvent
    brand: Brand
    phone: str

    @property
    def masked(self) -> str:
        return phone.masked(self.phone)


def way_out(token: str) -> WayOut:
    """What a link to unsubscribe ends; it never expires. One statement. Raises ``NoSuchLink``."""
    try:
        event = ConsentEvent.objects.select_related("subject", "brand").get(pk=links.UNSUBSCRIBE.unsign(token))
    except (signing.BadSignature, ValueError, ConsentEvent.DoesNotExist) as error:
        raise NoSuchLink from error
    if event.subject.phone is None:
        raise NoSuchLink
    return WayOut(event=event, brand=event.brand, phone=event.subject.phone)


def unsubscribe(*, out: WayOut, evidence: Mapping[str, str], now: datetime) -> list[ConsentEvent]:
    """Ends every text of the brand; empty when a "no" is in force already, however often mail programs ask."""
    pair = (out.event.subject_id, out.brand.pk)
    with transaction.atomic():
        if Standing.objects.locked([pair])[pair].state.is_suppressed:
            return []
        typed = out.event.evidence.filter(name="email").values_list("value", flat=True).first()
        return leaving.leave(
            phone=out.phone,
            source=Source.EMAIL,
            evidence={**evidence, "email": typed or ""},
            now=now,
            brand_ids=[out.brand.pk],
        )
