"""Who we talk with, and each of the conversations."""

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
        return last is not None and last.purpose == Purpose.REPLY and last.status in OUT
