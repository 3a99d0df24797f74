"""What the carrier tells us, how fast it lets us send, and who is alive to do so."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from conversations.models.messages import Message


class CarrierEvent(models.Model):
    """What the carrier told us, as it came but for card and social security numbers. Nothing acknowledged is ever lost:
    an event is threaded, or parked where an operator sees it with the error and a way to try again."""

    class Kind(models.TextChoices):
        INBOUND = "inbound", _("Message in")
        STATUS = "status", _("Receipt")

    class State(models.TextChoices):
        STORED = "stored", _("Stored")
        THREADED = "threaded", _("Threaded")
        PARKED = "parked", _("Parked")

    key = models.CharField(max_length=200, unique=True, help_text=_("The carrier's own id: duplicates meet here."))
    kind = models.CharField(max_length=10, choices=Kind)
    payload = models.JSONField()
    sha256 = models.CharField(_("SHA-256 of the original"), max_length=64)
    received_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State, default=State.STORED)
    error = models.TextField(blank=True)
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state="parked") ^ models.Q(error=""), name="a_parked_event_says_why"
            )
        ]
        indexes = [
            # sweep: what a crash left between its two steps
            models.Index(
                fields=["kind", "received_at", "id"], name="carrier_event_stored", condition=models.Q(state="stored")
            ),
            # admin and healthz: what needs an operator
            models.Index(fields=["-id"], name="carrier_event_parked", condition=models.Q(state="parked")),
        ]

    def __str__(self) -> str:
        return self.key


class Receipt(models.Model):
    """The carrier's delivery report for one of our messages."""

    message = models.ForeignKey(Message, on_delete=models.PROTECT, related_name="receipts")
    event = models.OneToOneField(CarrierEvent, on_delete=models.PROTECT, related_name="receipt")
    status = models.CharField(max_length=20, help_text=_("The carrier's word."))
    occurred_at = models.DateTimeField()
    code = models.CharField(max_length=30, blank=True)
    detail = models.CharField(max_length=300, blank=True)
    segments = models.PositiveSmallIntegerField(null=True, help_text=_("As billed."))
    price = models.DecimalField(max_digits=12, decimal_places=6, null=True)
    currency = models.CharField(max_length=3, blank=True)

    class Meta:
        ordering = ["occurred_at", "id"]

    def __str__(self) -> str:
        return f"{self.status} {self.code}".strip()


class Bucket(models.Model):
    """A token bucket that all workers share: the account's, and each line's per second, minute and day."""

    key = models.CharField(max_length=60, unique=True)
    tokens = models.FloatField()
    filled_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.key


class Heartbeat(models.Model):
    """When a background process last showed that it is alive."""

    name = models.CharField(max_length=30, unique=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
