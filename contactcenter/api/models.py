"""Who may use the API, and what their requests were answered. Without DRF, so that the clock stays light."""

from datetime import datetime, timedelta
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import connection, models
from django.db.models.functions import Lower, Now
from django.utils.translation import gettext_lazy as _

from consent.models import Brand

ANSWERS_KEPT_FOR = timedelta(hours=24)
# As often as a token's last use is written down: knowing the minute is enough, and not every request writes.
SEEN_EVERY = timedelta(minutes=1)


class Scope(models.TextChoices):
    """What a token may do. Closed: the database refuses any other word."""

    CONSENTS_READ = "consents:read", _("read who agreed to what")
    CONSENTS_WRITE = "consents:write", _("record and take back consent")
    MESSAGES_READ = "messages:read", _("read what became of alerts")
    MESSAGES_WRITE = "messages:write", _("send alerts")


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def in_force(self, now: datetime) -> "ApiTokenQuerySet":
        return self.filter(models.Q(expires_at=None) | models.Q(expires_at__gt=now), revoked_at=None)

    def seen(self, now: datetime) -> int:
        """Notes that these were used, unless that has been noted within the last minute."""
        is_old = models.Q(last_used_at=None) | models.Q(last_used_at__lte=now - SEEN_EVERY)
        return self.filter(is_old).update(last_used_at=now)


class ApiToken(models.Model):
    """A secret that lets another system use the API. Only its SHA-256 is kept: 32 random bytes need no slow hash, and
    the lookup by hash leaks nothing about the secret by its time."""

    name = models.CharField(_("name"), max_length=60, help_text=_("Of the system that will use it."))
    prefix = models.CharField(_("begins with"), max_length=12, editable=False)
    sha256 = models.CharField(max_length=64, unique=True, editable=False)
    scopes = ArrayField(models.CharField(max_length=20, choices=Scope), verbose_name=_("may"))
    brand = models.ForeignKey(
        Brand, on_delete=models.PROTECT, null=True, blank=True, related_name="+",
        help_text=_("Only for this brand; empty: for all."),
    )  # fmt: skip
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True, editable=False)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True, help_text=_("Empty: never."))
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True, editable=False)

    objects: ClassVar[ApiTokenQuerySet] = ApiTokenQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ["-id"]
        verbose_name = _("API token")
        constraints = [
            models.UniqueConstraint(
                Lower("name"),
                name="api_token_names_differ_by_more_than_case",
                violation_error_message=_("Another token already has this name."),
            ),
            models.CheckConstraint(
                condition=models.Q(scopes__contained_by=Scope.values, scopes__len__gt=0),
                name="api_token_has_known_scopes",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    def may(self, scope: str) -> bool:
        return scope in self.scopes

    def is_in_force(self, now: datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)


class IdempotencyKeyManager(models.Manager["IdempotencyKey"]):
    LOCK = 0x1DE3  # any number, the same in every process
    PURGED_AT_ONCE = 1000

    def only_one(self, token: ApiToken, key: str) -> None:
        """Until the transaction ends, whoever else brings this token's key waits here: before any other lock."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [self.LOCK, f"{token.pk}:{key}"])

    def purge(self, *, now: datetime) -> int:
        """Forgets answers that are a day old, as many as one statement may take; how many."""
        old = self.filter(created_at__lte=now - ANSWERS_KEPT_FOR).order_by("created_at")
        return self.filter(pk__in=old.values("pk")[: self.PURGED_AT_ONCE]).delete()[0]


class IdempotencyKey(models.Model):
    """The answer to one request, kept for a day, so that the same request sent again changes nothing more.

    Written in the transaction that did what was asked: a key without its deed, or a deed without its key, cannot be.
    """

    token = models.ForeignKey(ApiToken, on_delete=models.PROTECT, related_name="+")
    key = models.CharField(max_length=100)
    request_hash = models.CharField(max_length=64, help_text=_("SHA-256 over method, path and canonical JSON body."))
    status = models.PositiveSmallIntegerField()
    body = models.TextField(help_text=_("JSON."))
    created_at = models.DateTimeField()

    objects: ClassVar[IdempotencyKeyManager] = IdempotencyKeyManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["token", "key"], name="a_token_uses_a_key_once"),
            models.CheckConstraint(
                condition=models.Q(status__gte=200, status__lt=300), name="only_what_was_done_is_answered_again"
            ),
        ]
        indexes = [
            # clock: what is old enough to be forgotten
            models.Index(fields=["created_at"], name="idempotencykey_age")
        ]

    def __str__(self) -> str:
        return self.key
