"""Copies of what people agreed to, by email: written with the consent, sent by a worker, forgotten after a month."""

import smtplib
from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import formataddr, parseaddr

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from consent import rulebook
from consent.models import ConsentEvent, Disclosure, Program
from contactcenter.lib import phone
from conversations import links, nudging
from conversations.models import Mail

# Between one attempt and the next, far longer than one takes. After the last it has failed.
AGAIN_AFTER = [timedelta(minutes=minutes) for minutes in (2, 10, 60, 4 * 60, 12 * 60, 24 * 60)]
LINK_DAYS = 7
KEPT = timedelta(days=30)
BATCH_SECONDS = 5
FORGOTTEN_AT_ONCE = 500


def write(*, event: ConsentEvent, program: Program, disclosure: Disclosure, to: str, now: datetime) -> None:
    """Queues the copy of a consent, in the language of its words. Must run in the transaction that recorded it.

    It holds nothing that was typed, so that nobody can have us say something to somebody else; and nothing of what we
    knew of the number before, since nobody has shown yet that it is theirs.
    """
    mail = Mail(event=event, to=to, created_at=now, due_at=now, expires_at=good_until(event, program, now))
    with translation.override(disclosure.language):
        context = {
            "program": program,
            "disclosure": disclosure,
            "masked": phone.masked(event.subject.phone or ""),
            "when": local(event.occurred_at),
            "confirm": links.confirm(program.slug, mail.ref),
            "until": local(mail.expires_at),
            "unsubscribe": links.unsubscribe(event.pk),
            "contact": program.help_contact or program.brand.help_contact,
        }
        names = {"brand": program.brand.name}
        asking, copying = _("Please confirm: texts from %(brand)s"), _("What you agreed to: texts from %(brand)s")
        mail.subject = " ".join(((asking if program.is_confirmed_by_email else copying) % names).split())
        mail.body = render_to_string("mail/joined.txt", context)
    Mail.objects.bulk_create([mail], ignore_conflicts=True)
    nudging.nudge_mail()


def local(at: datetime) -> str:
    """A time on the center's clock, with the name of its zone."""
    here = timezone.localtime(at)
    return f"{date_format(here, 'DATETIME_FORMAT')} {here.tzname()}"


def good_until(event: ConsentEvent, program: Program, now: datetime) -> datetime:
    """How long the link works: while its question waits, else for a week."""
    if not program.is_confirmed_by_email:
        return now + timedelta(days=LINK_DAYS)
    hours = int(rulebook.value("confirmation.double_opt_in_hours", now.date()))
    return event.occurred_at + timedelta(hours=hours)


def are_due(*, now: datetime) -> bool:
    return Mail.objects.due(now).exists()


def send_due(*, clock: Callable[[], datetime]) -> bool:
    """Sends what is due, for a few seconds at most; whether anything is left. A worker that dies on the way may have
    sent: it is sent again, under the same Message-ID."""
    until = clock() + timedelta(seconds=BATCH_SECONDS)
    while clock() < until:
        mail = taken(now=clock())
        if mail is None:
            return False
        send(mail)
    return are_due(now=clock())


def taken(*, now: datetime) -> Mail | None:
    """The next one, put off: nobody else is at it until its next attempt is due."""
    with transaction.atomic():
        due = Mail.objects.due(now).select_related("event__brand")
        mail = due.select_for_update(skip_locked=True, of=("self",)).first()
        if mail is not None:
            mail.due_at = now + AGAIN_AFTER[min(mail.attempts, len(AGAIN_AFTER) - 1)]
            mail.attempts += 1
            mail.save(update_fields=["due_at", "attempts"])
    return mail


def send(mail: Mail) -> None:
    """One attempt, with no transaction open."""
    try:
        message(mail).send()
    except (OSError, ValueError) as error:  # SMTP's errors are OSErrors; a header that can't be is a ValueError
        is_final = mail.attempts > len(AGAIN_AFTER) or is_refused(error)
        state, words = Mail.State.FAILED if is_final else Mail.State.QUEUED, f"{type(error).__name__}: {error}"[:300]
    else:
        state, words = Mail.State.SENT, ""
    Mail.objects.filter(pk=mail.pk, state=Mail.State.QUEUED).update(state=state, error=words)


def is_refused(error: Exception) -> bool:
    """Whether the address is refused for good."""
    is_of_address = isinstance(error, smtplib.SMTPRecipientsRefused)
    return is_of_address and all(code >= 500 for code, _words in error.recipients.values())  # type: ignore[attr-defined]


def message(mail: Mail) -> EmailMessage:
    """With the header by which mail programs offer to unsubscribe in one click (RFC 8058)."""
    address = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    return EmailMessage(
        subject=mail.subject,
        body=mail.body,
        from_email=formataddr((mail.event.brand.name, address)),
        to=[mail.to],
        headers={
            "Message-ID": f"<{mail.ref}@{address.rpartition('@')[2] or 'localhost'}>",
            "Auto-Submitted": "auto-generated",
            "List-Unsubscribe": f"<{links.unsubscribe(mail.event_id)}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        },
    )


def forget(*, now: datetime) -> int:
    """Deletes what is older than a month, whatever became of it. How many."""
    old = Mail.objects.filter(created_at__lt=now - KEPT).values_list("pk", flat=True)[:FORGOTTEN_AT_ONCE]
    return Mail.objects.filter(pk__in=list(old)).delete()[0]
