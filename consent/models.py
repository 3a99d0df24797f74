"""Who may be texted, and why: the tables.

``ConsentEvent`` is the truth. It is only ever inserted (``ledger.record``), and triggers refuse everything else.
``Standing`` is what the ledger says today; it can be rebuilt, and its row is what a send and a STOP both lock.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import connection, models, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from consent.folding import Entry, Grant, State
from consent.purposes import Category, Effect, Kind, Level, Purpose, Source, Verdict

GENESIS = "0" * 64


def choices(enum: type[StrEnum]) -> list[tuple[str, str]]:
    return [(word.value, word.value.replace("_", " ").capitalize()) for word in enum]


def phone_hash(phone: str) -> str:
    """The keyed hash under which a number is known even after it was erased. 64 hex digits."""
    return hmac.new(settings.PHONE_HASH_KEY.encode(), phone.encode(), hashlib.sha256).hexdigest()


class Brand(models.Model):
    """The legal sender that consumers know. A "no" is said to a brand."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    legal_name = models.CharField(_("legal name"), max_length=200, blank=True)
    help_contact = models.CharField(
        _("help contact"), max_length=200, help_text=_("Where people get help: a phone number or an address.")
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Program(models.Model):
    """One kind of messages of a brand (a 10DLC "campaign")."""

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="programs")
    name = models.CharField(_("name"), max_length=100)
    slug = models.SlugField(unique=True)
    category = models.CharField(max_length=20, choices=choices(Category))
    consent_level = models.CharField(_("consent it needs"), max_length=20, choices=choices(Level))
    frequency = models.CharField(max_length=100, blank=True, help_text=_("For example: up to 4 messages a month."))
    help_contact = models.CharField(max_length=200, blank=True, help_text=_("Empty: the brand's."))
    terms_url = models.URLField(blank=True)
    privacy_url = models.URLField(blank=True)
    opt_in_keyword = models.CharField(max_length=30, blank=True)
    is_double_opt_in = models.BooleanField(default=False)
    is_active = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["brand__name", "name"]
        constraints = [
            models.UniqueConstraint(fields=["brand", "name"], name="program_name_is_unique_within_its_brand"),
            models.CheckConstraint(
                condition=models.Q(category__in=list(Category)), name="program_has_a_known_category"
            ),
            models.CheckConstraint(
                condition=models.Q(consent_level__in=list(Level)), name="program_needs_a_known_level"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.brand} · {self.name}"


class Disclosure(models.Model):
    """An exact wording that a person saw when consenting. A change of wording is a new version; triggers refuse
    edits."""

    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="disclosures")
    version = models.PositiveIntegerField()
    language = models.CharField(max_length=10, default="en")
    text = models.TextField()
    sha256 = models.CharField(max_length=64, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["program", "language", "-version"]
        constraints = [
            models.UniqueConstraint(
                fields=["program", "language", "version"], name="disclosure_version_is_unique_per_language"
            )
        ]

    def __str__(self) -> str:
        return f"{self.program} v{self.version} ({self.language})"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.sha256 = hashlib.sha256(self.text.encode()).hexdigest()
        super().save(*args, **kwargs)


class SubjectManager(models.Manager["Subject"]):
    def for_phones(self, phones: Iterable[str]) -> dict[str, "Subject"]:
        """The subjects of these E.164 numbers by number, made where missing. Two or three statements for any number."""
        by_hash = {phone_hash(phone): phone for phone in sorted(set(phones))}
        found = {subject.phone_hash: subject for subject in self.filter(phone_hash__in=by_hash)}
        if missing := [digest for digest in by_hash if digest not in found]:
            self.bulk_create(
                [Subject(phone=by_hash[digest], phone_hash=digest) for digest in sorted(missing)],
                ignore_conflicts=True,
            )
            found |= {subject.phone_hash: subject for subject in self.filter(phone_hash__in=missing)}
        return {phone: found[digest] for digest, phone in by_hash.items()}

    def for_phone(self, phone: str) -> "Subject":
        return self.for_phones([phone])[phone]


class Subject(models.Model):
    """A phone number that permission belongs to. Outlives contacts; an erasure leaves only the keyed hash.

    ``head_*`` point at the number's last ledger event (the chain's end), ``sealed_seq`` at the last one in a seal.
    """

    phone = models.CharField(max_length=20, null=True, unique=True)  # noqa: DJ001 null: erased
    phone_hash = models.CharField(max_length=64, unique=True)
    head_seq = models.PositiveBigIntegerField(default=0, db_default=0)
    head_hash = models.CharField(max_length=64, default=GENESIS, db_default=GENESIS)
    sealed_seq = models.PositiveBigIntegerField(default=0, db_default=0)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects: ClassVar[SubjectManager] = SubjectManager()

    class Meta:
        verbose_name = _("number")
        indexes = [
            # ledger.seal: the heads that moved since the last seal
            models.Index(
                fields=["id"],
                name="subject_unsealed",
                condition=models.Q(head_seq__gt=models.F("sealed_seq")),
            )
        ]

    def __str__(self) -> str:
        return self.phone or f"erased {self.phone_hash[:8]}"


class ConsentEvent(models.Model):
    """One line of the append-only ledger.

    ``body`` is the canonical JSON that the hash covers together with the hash of the number's previous event; the other
    columns repeat it for queries, and a CHECK compares them (see the migration).
    """

    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="events")
    seq = models.PositiveBigIntegerField(_("place in the number's chain"))
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+")
    program = models.ForeignKey(Program, on_delete=models.PROTECT, null=True, related_name="+")
    kind = models.CharField(max_length=20, choices=choices(Kind))
    source = models.CharField(max_length=20, choices=choices(Source))
    effect = models.CharField(max_length=20, choices=choices(Effect))
    occurred_at = models.DateTimeField(help_text=_("When the person acted, by the carrier's clock where it says."))
    recorded_at = models.DateTimeField()
    message_ref = models.CharField(_("carrier's id of the text"), max_length=64, blank=True)
    body = models.TextField()
    prev_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64, unique=True)

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["subject", "seq"], name="a_chain_has_one_event_at_each_place")]
        indexes = [
            # contact panel and standing rebuild: what happened between a number and a brand
            models.Index(fields=["subject", "brand", "-seq"], name="event_history"),
            # inbound: what a text changed, so that it is confirmed once
            models.Index(fields=["message_ref"], name="event_message", condition=~models.Q(message_ref="")),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.get_source_display()})"

    @property
    def facts(self) -> dict[str, Any]:
        """The body, parsed."""
        return json.loads(self.body)  # type: ignore[no-any-return]

    @property
    def entry(self) -> Entry:
        """What the fold needs to know of it."""
        return Entry.of(self.kind, self.occurred_at, self.program_id, self.body)


class Evidence(models.Model):
    """What proves an event: words, an address, a page. Erasable; the ledger keeps the salted digest."""

    event = models.ForeignKey(ConsentEvent, on_delete=models.PROTECT, related_name="evidence")
    name = models.CharField(max_length=30)
    value = models.TextField(null=True)  # noqa: DJ001 null: erased
    salt = models.CharField(max_length=32, null=True)  # noqa: DJ001 null: erased
    digest = models.CharField(max_length=64)

    class Meta:
        verbose_name_plural = _("evidence")
        constraints = [models.UniqueConstraint(fields=["event", "name"], name="evidence_is_named_once")]

    def __str__(self) -> str:
        return f"{self.name}: {self.value if self.value is not None else _('erased')}"


class StandingQuerySet(models.QuerySet["Standing"]):
    def locked(self, pairs: Iterable[tuple[int, int]]) -> dict[tuple[int, int], "Standing"]:
        """The rows of these (subject id, brand id), made where missing, locked in order until the transaction ends.

        All inserts come before any lock, each in sorted order, so that two callers can never wait for each other.
        """
        wanted = set(pairs)
        rows = self.filter(
            subject_id__in={subject_id for subject_id, _ in wanted},
            brand_id__in={brand_id for _, brand_id in wanted},
        ).order_by("subject_id", "brand_id")
        if missing := sorted(wanted - set(rows.values_list("subject_id", "brand_id"))):
            self.bulk_create(
                [Standing(subject_id=subject_id, brand_id=brand_id) for subject_id, brand_id in missing],
                ignore_conflicts=True,
            )
        return {(row.subject_id, row.brand_id): row for row in rows.select_for_update(no_key=True)}


class Standing(models.Model):
    """What the ledger says today of one number and brand: ``folding.fold`` of its events.

    The row is the lock: a STOP and the gate both take it, and whoever comes first inserts it.
    """

    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="standings")
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+")
    revoked_at = models.DateTimeField(null=True)
    resumed_at = models.DateTimeField(null=True)
    suspected_at = models.DateTimeField(null=True)
    cleared_at = models.DateTimeField(null=True)
    grants = models.JSONField(default=dict, db_default={})
    version = models.PositiveBigIntegerField(default=0, db_default=0)

    objects = StandingQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subject", "brand"], name="a_number_has_one_standing_per_brand")]

    def __str__(self) -> str:
        return f"{self.subject} · {self.brand}"

    @property
    def state(self) -> State:
        grants = {
            int(program_id): Grant(Level(grant["level"]), datetime.fromisoformat(grant["since"]))
            for program_id, grant in self.grants.items()
        }
        return State(self.revoked_at, self.resumed_at, self.suspected_at, self.cleared_at, grants)

    @state.setter
    def state(self, state: State) -> None:
        self.revoked_at, self.resumed_at = state.revoked_at, state.resumed_at
        self.suspected_at, self.cleared_at = state.suspected_at, state.cleared_at
        self.grants = {
            str(program_id): {"level": grant.level, "since": grant.since.isoformat()}
            for program_id, grant in sorted(state.grants.items())
        }


class HoldManager(models.Manager["Hold"]):
    """A hold has no row to lock before it exists, so gates (any number at once) and new holds exclude each other."""

    LOCK = 0x401D  # any number, the same in every process

    def lock_out_new_ones(self) -> None:
        """Until the transaction ends, no hold can be put in force: whatever the gate reads stays true."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [self.LOCK])

    def put(self, *, phone: str, reason: str) -> "Hold":
        """Holds a number; in force before the next gate decides."""
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [self.LOCK])
            return self.create(phone=phone[:20], phone_hash=phone_hash(phone), reason=reason)


class Hold(models.Model):
    """A number we could not write a possible "no" for. Nothing is sent to it until a person clears it."""

    phone_hash = models.CharField(max_length=64)
    phone = models.CharField(max_length=20)
    reason = models.TextField()
    since = models.DateTimeField(db_default=Now())
    released_at = models.DateTimeField(null=True, blank=True)
    released_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    objects: ClassVar[HoldManager] = HoldManager()

    class Meta:
        indexes = [
            # gate: is this number held?
            models.Index(fields=["phone_hash"], name="hold_open", condition=models.Q(released_at=None))
        ]

    def __str__(self) -> str:
        return self.phone


class Seal(models.Model):
    """Once a minute, a root over the chains that moved, linked to the seal before. ``body`` is canonical JSON:
    ``{"at", "heads": [[number's keyed hash, place, event hash], …], "seq"}``."""

    seq = models.PositiveBigIntegerField(unique=True)
    sealed_at = models.DateTimeField()
    body = models.TextField()
    prev_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64, unique=True)

    class Meta:
        ordering = ["-seq"]

    def __str__(self) -> str:
        return f"#{self.seq} {self.hash[:12]}"


class Decision(models.Model):
    """The gate's recorded verdict for one message, with every reason and the facts it saw. Never changed."""

    message_ref = models.UUIDField(_("message"), db_index=True, help_text=_("The message's own id."))
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="decisions")
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+")
    program = models.ForeignKey(Program, on_delete=models.PROTECT, null=True, related_name="+")
    purpose = models.CharField(max_length=30, choices=choices(Purpose))
    verdict = models.CharField(max_length=10, choices=choices(Verdict))
    reasons = ArrayField(models.CharField(max_length=40))
    held_until = models.DateTimeField(null=True)
    facts = models.JSONField()
    rules_version = models.CharField(max_length=64)
    ledger_seq = models.PositiveBigIntegerField(
        null=True, help_text=_("The place in the number's chain up to which the gate saw; empty in old decisions.")
    )
    decided_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=models.Q(verdict__in=list(Verdict)), name="decision_has_a_known_verdict"),
            models.CheckConstraint(
                condition=models.Q(verdict=Verdict.HELD) ^ models.Q(held_until=None),
                name="only_a_held_decision_says_until_when",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.verdict}: {', '.join(self.reasons)}"
