"""The people who work in the contact center."""

from typing import Any

from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    AGENT = "agent", _("Agent")
    SUPERVISOR = "supervisor", _("Supervisor")
    COMPLIANCE = "compliance", _("Compliance officer")
    ADMINISTRATOR = "administrator", _("Administrator")


class SendKey(models.TextChoices):
    """What the composer sends with; the other one begins a new line."""

    ENTER = "enter", _("Enter")
    CTRL_ENTER = "ctrl_enter", _("Ctrl+Enter")


class Undo(models.IntegerChoices):
    """For how many seconds a reply can still be taken back."""

    NEVER = 0, _("Not at all")
    FIVE = 5, _("5 seconds")
    TEN = 10, _("10 seconds")
    THIRTY = 30, _("30 seconds")


class UserManager(BaseUserManager["User"]):
    def create_user(self, username: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(username=self.model.normalize_username(username), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, username: str, password: str | None = None, **fields: Any) -> "User":
        """Django's ``createsuperuser`` makes an administrator: there is no power beyond the roles."""
        return self.create_user(username, password, **{**fields, "role": Role.ADMINISTRATOR})


class User(AbstractUser):
    """Somebody who signs in. What they may do follows from their role alone (see ``access``)."""

    role = models.CharField(_("role"), max_length=20, choices=Role, default=Role.AGENT)

    single_keys = models.BooleanField(_("keyboard shortcuts"), default=True)
    send_key = models.CharField(_("send with"), max_length=10, choices=SendKey, default=SendKey.ENTER)
    plays_sound = models.BooleanField(_("sound"), default=False)
    counts_in_title = models.BooleanField(_("unread count in the title"), default=False)
    notifies = models.BooleanField(_("desktop notifications"), default=False)
    undo_seconds = models.PositiveSmallIntegerField(_("take back a reply"), choices=Undo, default=Undo.NEVER)

    groups = None  # type: ignore[assignment]
    user_permissions = None  # type: ignore[assignment]

    objects = UserManager()  # type: ignore[misc, assignment]

    class Meta(AbstractUser.Meta):
        constraints = [
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="user_has_a_known_role"),
            models.CheckConstraint(condition=models.Q(send_key__in=SendKey.values), name="user_sends_with_a_known_key"),
            models.CheckConstraint(
                condition=models.Q(undo_seconds__in=Undo.values), name="user_takes_back_within_a_known_time"
            ),
        ]

    def __str__(self) -> str:
        return self.get_full_name() or self.username

    @property
    def is_staff(self) -> bool:  # type: ignore[override]
        """May open the admin."""
        return self.is_active and self.role != Role.AGENT

    @property
    def is_superuser(self) -> bool:  # type: ignore[override]
        """Nobody passes every check: administrators have a list of permissions like everybody else."""
        return False

    @property
    def initials(self) -> str:
        letters = [word[0] for word in str(self).split() if word]
        return "".join(letters[:1] + letters[1:][-1:]).upper()
