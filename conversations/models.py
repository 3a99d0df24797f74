"""Messages, threads and the carrier's events: the tables."""

from datetime import datetime
from typing import ClassVar
from uuid import uuid4

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.search import SearchVector
from django.db import models
from django.db.models.functions import Lower, Now, Upper
from django.utils.translation import gettext_lazy as _

from consent.models import Brand, Decision, Program, Subject, choices
from consent.purposes import Purpose
from contactcenter.lib import phone
from conversations.states import MAY_RETRY, MOVES, UNDELIVERED, Status


class Line(models.Model):
    """A number or code that we send from."""

    class Kind(models.TextChoices):
        TEN_DLC = "10dlc", _("10DLC number")
        TOLL_FREE = "toll_free", _("Toll-free number")
        SHORT_CODE = "short_code", _("Short code")

    number = models.CharField(_("number"), max_length=20, unique=True)
    name = models.CharField(_("name"), max_length=60)
    kind = models.CharField(max_length=12, choices=Kind)
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="lines")
    program = models.ForeignKey(
        Program, on_delete=models.PROTECT, null=True, blank=True, related_name="lines",
        help_text=_("The program that conversations on this line belong to."),
    )  # fmt: skip
    carrier_answers_stop = models.BooleanField(
        _("the carrier answers STOP itself"),
        default=False,
        help_text=_("Toll-free lines, or Opt-Out Assist is on: then we stay silent, or people get two answers."),
    )
    carrier_answers_help = models.BooleanField(
        _("the carrier answers HELP itself"), default=False, help_text=_("Opt-Out Assist is on.")
    )
    per_second = models.PositiveIntegerField(_("messages per second"), default=5)
    per_minute = models.PositiveIntegerField(_("messages per minute"), null=True, blank=True)
    per_day = models.PositiveIntegerField(_("messages per day"), null=True, blank=True)
    is_active = models.BooleanField(default=True)
    paused_at = models.DateTimeField(null=True, blank=True)
    paused_reason = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(kind="toll_free") | models.Q(carrier_answers_stop=True),
                name="on_toll_free_lines_the_carrier_answers_stop",
            ),
            models.CheckConstraint(condition=models.Q(per_second__gt=0), name="line_may_send_something"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {phone.display(self.number)}"


class Tag(models.Model):
    """A word that agents put on people, to find them again."""

    name = models.CharField(_("name"), max_length=40)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(Lower("name"), name="tag_names_differ_by_more_than_case")]

    def __str__(self) -> str:
        return self.name


class Contact(models.Model):
    """A person with one number. What they agreed to belongs to the number (``consent``), not to this row."""

    subject = models.OneToOneField(Subject, on_delete=models.PROTECT, related_name="contact")
    phone = models.CharField(_("phone"), max_length=20, unique=True)
    name = models.CharField(_("name"), max_length=100, blank=True)
    # db_default: the release before goes on inserting while this one is installed
    reference = models.CharField(_("reference"), max_length=60, blank=True, db_default="")
    language = models.CharField(_("language"), max_length=10, blank=True, db_default="")
    time_zone = models.CharField(
        _("time zone"), max_length=60, blank=True, db_default="", help_text=_("Empty: where their number comes from.")
    )
    tags = models.ManyToManyField(Tag, blank=True, related_name="contacts", verbose_name=_("tags"))
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        indexes = [
            # inbox search: any part of a name, in any case, or of a number
            GinIndex(OpClass(Upper("name"), name="gin_trgm_ops"), name="contact_name_search"),
            GinIndex(fields=["phone"], opclasses=["gin_trgm_ops"], name="contact_phone_search"),
        ]

    def __str__(self) -> str:
        return self.name or phone.display(self.phone)


OPEN = models.Q(resolved_at=None, snoozed_until=None)


class Conversation(models.Model):
    """Everything said between one contact and one line, for ever.

    It is open until somebody resolves it; a text from the person opens it again, and wakes it where it was snoozed.
    The columns from ``wrote_at`` on repeat what its messages and waits say, for the list; ``version`` counts visible
    changes.
    """

    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="conversations")
    line = models.ForeignKey(Line, on_delete=models.PROTECT, related_name="conversations")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_index=False)
    snoozed_until = models.DateTimeField(null=True)
    resolved_at = models.DateTimeField(null=True)
    wrote_at = models.DateTimeField(_("person last wrote"), null=True)
    last_message = models.ForeignKey("Message", on_delete=models.PROTECT, null=True, related_name="+")
    last_message_at = models.DateTimeField(null=True)
    unread = models.PositiveIntegerField(default=0, db_default=0)
    due_at = models.DateTimeField(_("answer due"), null=True)
    version = models.PositiveBigIntegerField(default=0, db_default=0)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    is_opted_out, snippet = False, ""  # what ``listing`` finds out for its rows

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["contact", "line"], name="a_contact_has_one_conversation_per_line"),
            models.CheckConstraint(
                condition=models.Q(resolved_at=None) | models.Q(due_at=None, snoozed_until=None),
                name="what_is_resolved_neither_waits_nor_sleeps",
            ),
        ]
        indexes = [
            # inbox list: who waits, the most urgent first
            models.Index(fields=["due_at", "id"], name="conversation_waiting", condition=~models.Q(due_at=None)),
            # inbox list, all: the rest of what is open, newest first
            models.Index(fields=["-last_message_at", "-id"], name="conversation_open", condition=OPEN),
            # inbox list, mine and unassigned
            models.Index(fields=["owner", "-last_message_at", "-id"], name="conversation_owned", condition=OPEN),
            # inbox list, snoozed; clock: who wakes
            models.Index(
                fields=["snoozed_until", "id"], name="conversation_snoozed", condition=~models.Q(snoozed_until=None)
            ),
            # inbox list, resolved; search; lines: whom to tell
            models.Index(fields=["-last_message_at", "-id"], name="conversation_recent"),
        ]

    def __str__(self) -> str:
        return str(self.contact)

    @property
    def is_answered(self) -> bool:
        """Whether the last word is a person's of ours, and has gone out."""
        last = self.last_message
        return last is not None and last.purpose == Purpose.REPLY and last.status in {Status.SENT, Status.DELIVERED}


class MessageQuerySet(models.QuerySet["Message"]):
    def move(self, to: Status, *, now: datetime, **changes: object) -> int:
        """Moves those of these messages that may move there, and says how many did."""
        return self.filter(status__in=MOVES[to]).update(status=to, status_at=now, **changes)

    def due(self, lane: str, now: datetime) -> "MessageQuerySet":
        """Queued, its time has come, nobody is at it, and its line is switched on and not paused."""
        return self.filter(
            models.Q(lease_until=None) | models.Q(lease_until__lte=now),
            status=Status.QUEUED,
            lane=lane,
            due_at__lte=now,
            conversation__line__paused_at=None,
            conversation__line__is_active=True,
        ).order_by("due_at", "id")


class Message(models.Model):
    """One text, in or out. ``states`` has its life.

    ``ref`` is our own id: the browser makes it, the carrier echoes it, and its uniqueness is what makes sending the
    same thing twice impossible. A claim is a lease on a queued row, not a status: when it runs out, the row is simply
    free again.
    """

    class Direction(models.TextChoices):
        IN = "in", _("From the person")
        OUT = "out", _("To the person")

    class Kind(models.TextChoices):
        TEXT = "text", _("Text")
        UNSUPPORTED = "unsupported", _("Unsupported")

    class Lane(models.TextChoices):
        AGENTS = "agents", _("Replies")
        CAMPAIGNS = "campaigns", _("Campaigns")

    conversation = models.ForeignKey(Conversation, on_delete=models.PROTECT, related_name="messages")
    ref = models.UUIDField(unique=True, default=uuid4, editable=False)
    direction = models.CharField(max_length=3, choices=Direction)
    kind = models.CharField(max_length=12, choices=Kind, default=Kind.TEXT)
    channel = models.CharField(max_length=30, default="sms", help_text=_("The carrier's word."))
    body = models.TextField()
    status = models.CharField(max_length=10, choices=choices(Status))
    status_at = models.DateTimeField(help_text=_("When it came into this status."))
    occurred_at = models.DateTimeField(help_text=_("In: the carrier's time. Out: when it was written."))
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    carrier_id = models.CharField(max_length=64, null=True, unique=True)  # noqa: DJ001 null: the carrier has not named it

    # out only
    purpose = models.CharField(max_length=30, choices=choices(Purpose), blank=True)
    program = models.ForeignKey(Program, on_delete=models.PROTECT, null=True, related_name="+")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    lane = models.CharField(max_length=10, choices=Lane, blank=True)
    due_at = models.DateTimeField(null=True, help_text=_("Not before."))
    expires_at = models.DateTimeField(null=True, help_text=_("Of no use after."))
    lease_until = models.DateTimeField(null=True)
    lease_token = models.UUIDField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0, help_text=_("Times through the gate."))
    decision = models.OneToOneField(Decision, on_delete=models.PROTECT, null=True, related_name="message")
    handed_over_at = models.DateTimeField(null=True, help_text=_("When the call to the carrier began."))
    error_code = models.CharField(max_length=30, blank=True)
    error_detail = models.CharField(max_length=300, blank=True)
    retry_of = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="retried_as")

    objects: ClassVar[MessageQuerySet] = MessageQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(status__in=list(Status)), name="message_has_a_known_status"),
            models.CheckConstraint(
                condition=models.Q(direction="in", status="received", purpose="", due_at=None)
                | (models.Q(direction="out", due_at__isnull=False) & ~models.Q(status="received") &
                ~models.Q(purpose="")), name="only_what_we_send_has_a_purpose_and_a_time",
            ),
            models.CheckConstraint(
                condition=~models.Q(status__in=["sending", "sent", "unknown", "delivered"])
                | models.Q(decision__isnull=False),
                name="nothing_is_sent_without_a_decision",
            ),
            models.CheckConstraint(
                condition=~models.Q(purpose=Purpose.REPLY) | models.Q(author__isnull=False),
                name="a_reply_has_an_author" ),
        ]  # fmt: skip
        indexes = [
            # thread: newest first, older pages below an id
            models.Index(fields=["conversation", "-id"], name="message_thread"),
            # dispatch: what is due in a lane
            models.Index(fields=["lane", "due_at", "id"], name="message_queue", condition=models.Q(status="queued")),
            # clock: held until now; handed over and never answered
            models.Index(fields=["due_at"], name="message_held", condition=models.Q(status="held")),
            models.Index(fields=["status_at"], name="message_sending", condition=models.Q(status="sending")),
            # inbox list: what did not arrive
            models.Index(
                fields=["-id"], name="message_undelivered", condition=models.Q(purpose="reply", status__in=UNDELIVERED)
            ),
            # inbox search: words of a text, as they are written in any language
            GinIndex(SearchVector("body", config="simple"), name="message_search"),
        ]

    def __str__(self) -> str:
        return f"{self.get_direction_display()}: {self.body[:40]}"

    @property
    def is_out(self) -> bool:
        return self.direction == self.Direction.OUT

    @property
    def may_cancel(self) -> bool:
        """Only what a person wrote: the confirmation of an opt-out is not theirs to hold back."""
        return self.purpose == Purpose.REPLY and self.status in MOVES[Status.CANCELLED]

    @property
    def may_retry(self) -> bool:
        """Only what a person wrote: an automatic or campaign text sent again by hand would shed its purpose."""
        is_reply = self.is_out and self.purpose == Purpose.REPLY
        return is_reply and self.status in MAY_RETRY and not hasattr(self, "retried_as")


class Wait(models.Model):
    """One unanswered stretch of a conversation. Only a person ends it: by a reply, or by saying that none is needed."""

    class Ending(models.TextChoices):
        REPLY = "reply", _("Replied")
        NO_ANSWER_NEEDED = "no_answer_needed", _("No answer needed")

    conversation = models.ForeignKey(Conversation, on_delete=models.PROTECT, related_name="waits")
    opened_by = models.ForeignKey(
        Message, on_delete=models.PROTECT, related_name="+", help_text=_("The first text that nobody has answered.")
    )
    since = models.DateTimeField()
    due_at = models.DateTimeField()
    answered_with = models.ForeignKey(Message, on_delete=models.PROTECT, null=True, related_name="answered_waits")
    answered_at = models.DateTimeField(null=True)
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    ending = models.CharField(max_length=20, choices=Ending, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["conversation"], condition=models.Q(answered_at=None),
                name="a_conversation_waits_once_at_a_time" ),
            models.CheckConstraint(
                condition=models.Q(answered_at=None, answered_by=None, answered_with=None, ending="")
                | (models.Q(answered_at__isnull=False, answered_by__isnull=False) & ~models.Q(ending="")),
                name="only_a_person_ends_a_wait",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.conversation} since {self.since:%Y-%m-%d %H:%M}"


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
