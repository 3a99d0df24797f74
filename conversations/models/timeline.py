"""What colleagues say among themselves, and who did what."""

from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from conversations.models.people import Conversation


class Entry(models.Model):
    """One line of a conversation's timeline: who did what, when. ``facts`` is what words need: names as they were."""

    class Kind(models.TextChoices):
        ROUTED = "routed", _("Routed")
        GIVEN = "given", _("Assigned automatically")
        CLAIMED = "claimed", _("Claimed")
        ASSIGNED = "assigned", _("Assigned")
        TRANSFERRED = "transferred", _("Transferred")
        RETURNED = "returned", _("Returned to the queue")
        SNOOZED = "snoozed", _("Snoozed")
        WOKE = "woke", _("Woke")
        RESOLVED = "resolved", _("Resolved")
        REOPENED = "reopened", _("Reopened")
        NO_ANSWER_NEEDED = "no_answer_needed", _("No answer needed")
        TAGGED = "tagged", _("Tags changed")
        BREACHED = "breached", _("Deadline passed")
        ESCALATED = "escalated", _("Escalated")
        BLOCKED = "blocked", _("Number blocked")
        UNBLOCKED = "unblocked", _("Number unblocked")
        STARTED = "started", _("Started")

    conversation = models.ForeignKey(Conversation, on_delete=models.PROTECT, related_name="entries")
    kind = models.CharField(max_length=20, choices=Kind)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        help_text=_("Empty: by itself."),
    )
    at = models.DateTimeField()
    facts = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.CheckConstraint(
                # the names of a class are not seen in a nested one
                condition=models.Q(kind__in=[
                    "routed", "given", "claimed", "assigned", "transferred", "returned", "snoozed", "woke", "resolved",
                    "reopened", "no_answer_needed", "tagged", "breached", "escalated", "blocked", "unblocked",
                    "started",
                ]),
                name="timeline_entry_has_a_known_kind",
            )
        ]  # fmt: skip
        indexes = [models.Index(fields=["conversation", "at", "id"], name="entry_thread")]  # thread: between two times

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.get_kind_display()}"


class Note(models.Model):
    """What colleagues say about a conversation; the person never sees it. ``ref`` is made by the browser: no double
    click writes it twice."""

    conversation = models.ForeignKey(Conversation, on_delete=models.PROTECT, related_name="notes")
    ref = models.UUIDField(unique=True, default=uuid4, editable=False)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    body = models.TextField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=~models.Q(body=""), name="a_note_says_something")]
        indexes = [models.Index(fields=["conversation", "created_at", "id"], name="note_thread")]

    def __str__(self) -> str:
        return self.body[:40]


class Mention(models.Model):
    """A note calls somebody. Waits until they have opened the conversation."""

    note = models.ForeignKey(Note, on_delete=models.CASCADE, related_name="mentions")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="mentions", db_index=False
    )
    seen_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["note", "user"], name="a_note_calls_somebody_once")]
        indexes = [
            # inbox: who is called and has not looked
            models.Index(fields=["user", "-id"], name="mention_unseen", condition=models.Q(seen_at=None)),
            # the page of mentions: what somebody has seen, the newest first
            models.Index(fields=["user", "-id"], name="mention_seen", condition=~models.Q(seen_at=None)),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.note}"


class Draft(models.Model):
    """What somebody is writing, so that no reload, crash or other machine loses it. One of each kind per conversation.

    ``version`` orders the saves of all their pages: an older one never overwrites a newer.
    """

    class Kind(models.TextChoices):
        REPLY = "reply", _("Reply")
        NOTE = "note", _("Note")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="drafts")
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="drafts", db_index=False)
    kind = models.CharField(max_length=5, choices=Kind)
    body = models.TextField()
    version = models.PositiveBigIntegerField(default=0)
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "conversation", "kind"], name="one_draft_of_a_kind"),
            models.CheckConstraint(condition=models.Q(kind__in=["reply", "note"]), name="draft_has_a_known_kind"),
        ]

    def __str__(self) -> str:
        return self.body[:40]
