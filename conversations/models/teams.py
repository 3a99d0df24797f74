"""Who works here, when, and what comes to whom."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from consent.models import Program, choices
from conversations.models.lines import Line
from conversations.models.people import Tag, Team
from conversations.shifts import CAPACITY, Availability


class Membership(models.Model):
    """Somebody answers for a team."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["team", "user"], name="nobody_is_twice_in_a_team")]

    def __str__(self) -> str:
        return f"{self.user} · {self.team}"


class OpeningHours(models.Model):
    """One interval of a team's week, in the team's time zone. A team without any is always open."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="opening_hours")
    weekday = models.PositiveSmallIntegerField(
        _("weekday"),
        choices=list(
            enumerate([_("Monday"), _("Tuesday"), _("Wednesday"), _("Thursday"), _("Friday"), _("Saturday"),
                       _("Sunday")])
        ),
    )  # fmt: skip
    opens = models.TimeField(_("opens"))
    closes = models.TimeField(_("closes"), help_text=_("00:00: at midnight, the end of that day."))

    class Meta:
        ordering = ["weekday", "opens"]
        verbose_name_plural = _("opening hours")
        constraints = [
            models.CheckConstraint(condition=models.Q(weekday__lte=6), name="a_week_has_seven_days"),
            models.CheckConstraint(
                condition=models.Q(closes__gt=models.F("opens")) | models.Q(closes="00:00"),
                name="hours_close_after_they_open",
            ),
            models.UniqueConstraint(fields=["team", "weekday", "opens"], name="hours_begin_once"),
        ]

    def __str__(self) -> str:
        return f"{self.get_weekday_display()} {self.opens:%H:%M}–{self.closes:%H:%M}"


class Holiday(models.Model):
    """A day that is not like its weekday: closed, or open between two times."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="holidays")
    day = models.DateField(_("day"))
    name = models.CharField(_("name"), max_length=60)
    opens = models.TimeField(_("opens"), null=True, blank=True, help_text=_("Empty: closed all day."))
    closes = models.TimeField(_("closes"), null=True, blank=True)

    class Meta:
        ordering = ["day"]
        constraints = [
            models.UniqueConstraint(fields=["team", "day"], name="a_holiday_is_named_once"),
            models.CheckConstraint(
                condition=models.Q(opens=None, closes=None)
                | models.Q(opens__isnull=False, closes__gt=models.F("opens"))
                | models.Q(opens__isnull=False, closes="00:00"),
                name="a_holiday_is_closed_or_has_both_times",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day:%Y-%m-%d} {self.name}"


class Presence(models.Model):
    """Whether somebody is here, and how much they take on. Made when they first open the inbox.

    ``seen_at`` is written by their sockets, ``active_at`` by their keys and pointer. Whoever gives work to a person
    locks this row first: that is what keeps to the capacity, however many give at once.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="presence"
    )
    availability = models.CharField(max_length=10, choices=choices(Availability), default=Availability.AVAILABLE)
    capacity = models.PositiveSmallIntegerField(
        _("capacity"),
        default=CAPACITY,
        help_text=_("Open conversations at once; snoozed and resolved ones do not count."),
    )
    seen_at = models.DateTimeField(null=True)
    active_at = models.DateTimeField(null=True)
    given_at = models.DateTimeField(null=True, help_text=_("When they last were given a conversation."))

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(availability__in=list(Availability)), name="presence_has_a_known_availability"
            )
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.get_availability_display()}"


class RoutingRule(models.Model):
    """Which team a text goes to. The first rule of which every condition holds decides; an empty condition holds."""

    class Hours(models.TextChoices):
        ANY = "", _("at any time")
        OPEN = "open", _("while the team is open")
        CLOSED = "closed", _("while the team is closed")

    name = models.CharField(_("name"), max_length=80)
    position = models.PositiveSmallIntegerField(_("position"), default=100, help_text=_("The lowest is asked first."))
    is_active = models.BooleanField(_("active"), default=True)
    team = models.ForeignKey(
        Team, on_delete=models.CASCADE, related_name="routing_rules", verbose_name=_("goes to the team")
    )
    lines = models.ManyToManyField(Line, blank=True, related_name="+", verbose_name=_("to one of these lines"))
    program = models.ForeignKey(
        Program, on_delete=models.PROTECT, null=True, blank=True, related_name="+",
        verbose_name=_("about the program"), help_text=_("What we last sent them belongs to it."),
    )  # fmt: skip
    words = models.TextField(
        _("has one of these words"), blank=True, help_text=_("One a line, in any case; “bill*” also finds “billing”.")
    )
    language = models.CharField(_("in the language"), max_length=10, blank=True, help_text=_("en, es or fr."))
    tags = models.ManyToManyField(Tag, blank=True, related_name="+", verbose_name=_("from people with one of the tags"))
    hours = models.CharField(_("hours"), max_length=6, choices=Hours, default=Hours.ANY, blank=True)

    class Meta:
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.name
