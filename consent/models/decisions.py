"""What the gate decided, and whom it may not decide about yet."""

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import connection, models, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from consent.models.choices import choices
from consent.models.ledger import Subject, phone_hash
from consent.models.programs import Brand, Program
from consent.purposes import Purpose, Verdict
from consent.reasons import sentences


class HoldManager(models.Manager["Hold"]):
    """A hold has no row to lock before it exists, so gates (any number at once) and new holds exclude each other."""

    LOCK = 0x401D  # any number, the same in every process

    def lock_out_new_ones(self) -> None:
        """Until the transaction ends, no hold can be put in force: whatever the gate reads stays true."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [self.LOCK])

    def put(self, *, phone: str, reason: str) -> "Hold":
        """Holds a number; in force before the next gate decides."""
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [self.LOCK])
            return self.create(phone=phone[:20], phone_hash=phone_hash(phone), reason=reason)


class Hold(models.Model):
    """A number we could not write a possible "no" for. Nothing is sent to it until a person clears it."""

    phone_hash = models.CharField(max_length=64)
    phone = models.CharField(max_length=20)
    reason = models.TextField()
    since = models.DateTimeField(db_default=Now())
    released_at = models.DateTimeField(null=True, blank=True)
    released_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    objects: ClassVar[HoldManager] = HoldManager()

    class Meta:
        indexes = [
            # gate: is this number held?
            models.Index(fields=["phone_hash"], name="hold_open", condition=models.Q(released_at=None))
        ]

    def __str__(self) -> str:
        return self.phone


class Decision(models.Model):
    """The gate's recorded verdict for one message, with every reason and the facts it saw. Never changed."""

    message_ref = models.UUIDField(_("message"), db_index=True, help_text=_("The message's own id."))
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="decisions")
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+")
    program = models.ForeignKey(Program, on_delete=models.PROTECT, null=True, related_name="+")
    purpose = models.CharField(max_length=30, choices=choices(Purpose))
    verdict = models.CharField(max_length=10, choices=choices(Verdict))
    reasons = ArrayField(models.CharField(max_length=40))
    held_until = models.DateTimeField(null=True)
    facts = models.JSONField()
    rules_version = models.CharField(max_length=64)
    ledger_seq = models.PositiveBigIntegerField(
        null=True, help_text=_("The place in the number's chain up to which the gate saw; empty in old decisions.")
    )
    decided_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=models.Q(verdict__in=list(Verdict)), name="decision_has_a_known_verdict"),
            models.CheckConstraint(
                condition=models.Q(verdict=Verdict.HELD) ^ models.Q(held_until=None),
                name="only_a_held_decision_says_until_when",
            ),
        ]
        indexes = [
            # officer: what was not sent at once lately, and why (overview, and the list of one verdict)
            models.Index(
                fields=["verdict", "decided_at"], name="decision_against", condition=~models.Q(verdict=Verdict.ALLOWED)
            ),
            # officer: what is held now
            models.Index(fields=["held_until"], name="decision_held", condition=models.Q(verdict=Verdict.HELD)),
            # gate: what a brand sent to a number on its own account within a day, which caps count
            models.Index(
                fields=["subject", "brand", "decided_at"],
                name="decision_unasked",
                condition=models.Q(verdict=Verdict.ALLOWED, purpose__in=[Purpose.CAMPAIGN, Purpose.ALERT]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_verdict_display()}: {sentences(self.reasons)}".removesuffix(": ")
