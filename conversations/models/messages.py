"""What was said, what became of it, and who waits for an answer."""

from datetime import datetime
from typing import ClassVar
from uuid import uuid4

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from consent.models import Decision, Program, choices
from consent.purposes import Purpose
from conversations.models.people import Conversation, Team
from conversations.states import MAY_RETRY, MOVES, OUT, UNDELIVERED, Status


class MessageQuerySet(models.QuerySet["Message"]):
    def move(self, to: Status, *, now: datetime, **changes: object) -> int:
        """Moves those of these messages that may move there, and says how many did."""
        return self.filter(status__in=MOVES[to]).update(status=to, status_at=now, **changes)

    def out(self) -> "MessageQuerySet":
        """People's replies that the carrier has taken."""
        return self.filter(purpose=Purpose.REPLY, status__in=OUT)

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

    class Stage(models.TextChoices):
        """How near the deadline the clock has seen it; each is told once."""

        OPEN = "", _("Open")
        WARNED = "warned", _("Due soon")
        BREACHED = "breached", _("Overdue")
        ESCALATED = "escalated", _("Escalated")

    class Ending(models.TextChoices):
        REPLY = "reply", _("Replied")
        NO_ANSWER_NEEDED = "no_answer_needed", _("No answer needed")

    conversation = models.ForeignKey(Conversation, on_delete=models.PROTECT, related_name="waits")
    opened_by = models.ForeignKey(
        Message, on_delete=models.PROTECT, related_name="+", help_text=_("The first text that nobody has answered.")
    )
    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    is_first = models.BooleanField(
        default=False, db_default=False, help_text=_("Nobody had answered since they began, or began again.")
    )
    since = models.DateTimeField()
    due_at = models.DateTimeField()
    warns_at = models.DateTimeField(null=True)
    escalates_at = models.DateTimeField(null=True)
    stage = models.CharField(max_length=10, choices=Stage, default=Stage.OPEN, blank=True, db_default="")
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
        indexes = [
            # clock: what is due to be warned of, has passed, is escalated
            models.Index(fields=["stage", "due_at"], name="wait_open", condition=models.Q(answered_at=None)),
            # board, reports: what was answered since a moment
            models.Index(
                fields=["answered_at"],
                name="wait_answered",
                condition=models.Q(answered_at__isnull=False),
                include=["since", "ending"],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.conversation} since {self.since:%Y-%m-%d %H:%M}"
