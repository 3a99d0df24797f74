"""What we send from."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from consent.models import Brand, Program
from contactcenter.lib import phone


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
