"""Emails that wait to be sent, and for a month what became of them."""

from datetime import datetime
from uuid import uuid4

from django.db import models
from django.utils.translation import gettext_lazy as _

from consent.models import ConsentEvent


class MailQuerySet(models.QuerySet["Mail"]):
    def due(self, now: datetime) -> "MailQuerySet":
        return self.filter(state=Mail.State.QUEUED, due_at__lte=now).order_by("due_at", "id")


class Mail(models.Model):
    """One email about one consent, to one address, written in the transaction that recorded it: the row is the queue.

    Whoever takes it puts ``due_at`` off first, so that it is tried again if they die. ``ref`` is what its link to
    confirm is signed over; the link is good until ``expires_at``.
    """

    class State(models.TextChoices):
        QUEUED = "queued", _("Queued")
        SENT = "sent", _("Sent")
        FAILED = "failed", _("Failed")

    ref = models.UUIDField(unique=True, default=uuid4, editable=False)
    event = models.ForeignKey(ConsentEvent, on_delete=models.PROTECT, related_name="+")
    to = models.EmailField(_("to"))
    subject = models.CharField(_("subject"), max_length=300)
    body = models.TextField()
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    due_at = models.DateTimeField(_("due"), help_text=_("Not before."))
    error = models.CharField(_("error"), max_length=300, blank=True)
    created_at = models.DateTimeField(_("written"))
    expires_at = models.DateTimeField(_("link good until"))
    confirmed_at = models.DateTimeField(_("confirmed"), null=True)

    objects = MailQuerySet.as_manager()

    class Meta:
        verbose_name = _("email")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["event", "to"], name="an_address_hears_of_a_consent_once"),
            models.CheckConstraint(
                condition=models.Q(state__in=["queued", "sent", "failed"]), name="an_email_has_a_known_state"
            ),
            models.CheckConstraint(
                condition=~models.Q(state="failed") | ~models.Q(error=""), name="a_failed_email_says_why"
            ),
        ]
        indexes = [
            # mailing: what is due; clock, each second
            models.Index(fields=["due_at", "id"], name="mail_due", condition=models.Q(state="queued")),
            # admin: what needs an operator
            models.Index(fields=["-id"], name="mail_failed", condition=models.Q(state="failed")),
            # mailing: what is old enough to be forgotten
            models.Index(fields=["created_at"], name="mail_age"),
        ]

    def __str__(self) -> str:
        return f"{self.subject} → {self.to}"
