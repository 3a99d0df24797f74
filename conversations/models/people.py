"""Who we talk with, and each of the conversations."""

from datetime import UTC, datetime

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models.functions import Lower, Now, Upper
from django.utils.translation import gettext_lazy as _

from consent.models import Subject
from consent.purposes import Purpose
from contactcenter.lib import phone
from conversations.models.lines import Line
from conversations.states import OUT


class Tag(models.Model):
    """A word that agents put on people, to find them again."""

    name = models.CharField(_("name"), max_length=40)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(Lower("name"), name="tag_names_differ_by_more_than_case")]

    def __str__(self) -> str:
        return self.name


def center_zone() -> str:
    return settings.TIME_ZONE


class Team(models.Model):
    """People who answer together: a queue, its hours, and how soon it answers.

    Durations are in minutes of the team's opening hours.
    """

    name = models.CharField(_("name"), max_length=60)
    time_zone = models.CharField(_("time zone"), max_length=60, default=center_zone)
    is_active = models.BooleanField(_("active"), default=True)
    gives_out = models.BooleanField(
        _("gives out work by itself"), default=True, help_text=_("Off: agents claim from the queue.")
    )
    first_response = models.PositiveSmallIntegerField(_("first answer within"), default=15)
    next_response = models.PositiveSmallIntegerField(_("next answers within"), default=15)
    warns_before = models.PositiveSmallIntegerField(_("warns before the deadline"), default=5)
    escalates_after = models.PositiveSmallIntegerField(
        _("tells supervisors after the deadline"), default=15, help_text=_("Minutes after it has passed.")
    )
    idle_after = models.PositiveSmallIntegerField(
        _("takes work back after"),
        default=10,
        help_text=_("Minutes for which its owner has not touched the keyboard or has been on a break."),
    )
    greeting = models.TextField(
        _("greeting"), blank=True, help_text=_("Answers somebody's first text while the team is open. Empty: none.")
    )
    out_of_office = models.TextField(
        _("out-of-office answer"),
        blank=True,
        help_text=_("Answers while the team is closed; {opens} becomes “Monday at 9:00 AM”. Empty: none."),
    )
    answers_again_after = models.PositiveSmallIntegerField(
        _("never again within"),
        default=720,
        help_text=_("Minutes between two automatic answers to one person; an hour at least."),
    )
    members = models.ManyToManyField(
        settings.AUTH_USER_MODEL, through="Membership", related_name="teams", verbose_name=_("members")
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(Lower("name"), name="team_names_differ_by_more_than_case"),
            models.CheckConstraint(
                condition=models.Q(first_response__gt=0, next_response__gt=0), name="a_team_has_time_to_answer"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Disposition(models.Model):
    """How a conversation ended: what it was about, for reports. Chosen when resolving."""

    name = models.CharField(_("name"), max_length=60)
    position = models.PositiveSmallIntegerField(_("position"), default=100)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        ordering = ["position", "name"]
        constraints = [models.UniqueConstraint(Lower("name"), name="disposition_names_differ_by_more_than_case")]

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
    postal_code = models.CharField(
        _("postal code"),
        max_length=10,
        blank=True,
        db_default="",
        help_text=_("ZIP or Canadian: which hours are right."),
    )
    tags = models.ManyToManyField(Tag, blank=True, related_name="contacts", verbose_name=_("tags"))
    blocked_at = models.DateTimeField(
        null=True, help_text=_("A nuisance: their texts are kept and wait for nobody. This is no opt-out.")
    )
    blocked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        indexes = [
            # inbox search: any part of a name, in any case, or of a number
            GinIndex(OpClass(Upper("name"), name="gin_trgm_ops"), name="contact_name_search"),
            GinIndex(fields=["phone"], opclasses=["gin_trgm_ops"], name="contact_phone_search"),
        ]

    def __str__(self) -> str:
        return self.name or phone.display(self.phone)


# When a snooze ends that has no time: never by the clock. Orders behind every time, and is shown in words.
UNTIL_THEY_REPLY = datetime(9999, 1, 1, tzinfo=UTC)
OPEN = models.Q(resolved_at=None, snoozed_until=None)


class Conversation(models.Model):
    """Everything said between one contact and one line, for ever.

    It is open until somebody resolves it; a text from the person opens it again, and wakes it where it was snoozed.
    The columns from ``wrote_at`` on repeat what its messages and waits say, for the list; ``version`` counts visible
    changes.
    """

    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="conversations")
    line = models.ForeignKey(Line, on_delete=models.PROTECT, related_name="conversations")
    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, related_name="conversations", db_index=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_index=False)
    owned_since = models.DateTimeField(null=True)
    last_agent = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_index=False,
        help_text=_("Who answered last: asked first when they write again."),
    )  # fmt: skip
    disposition = models.ForeignKey(Disposition, models.PROTECT, null=True, related_name="+", db_index=False)
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
            # a team's queue: who waits for anybody in it, the most urgent first
            models.Index(
                fields=["team", "due_at", "id"],
                name="conversation_queue",
                condition=models.Q(owner=None, snoozed_until=None) & ~models.Q(due_at=None),
            ),
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
        return last is not None and last.purpose == Purpose.REPLY and last.status in OUT
