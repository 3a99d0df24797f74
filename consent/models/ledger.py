"""The ledger: numbers, what happened to them, what proves it. Only ever inserted (``ledger.record``); triggers refuse
everything else."""

import hashlib
import hmac
import json
from collections.abc import Iterable
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from consent.folding import Entry
from consent.models.choices import choices
from consent.models.programs import Brand, Program
from consent.purposes import Effect, Kind, Source

GENESIS = "0" * 64


def phone_hash(phone: str) -> str:
    """The keyed hash under which a number is known even after it was erased. 64 hex digits."""
    return hmac.new(settings.PHONE_HASH_KEY.encode(), phone.encode(), hashlib.sha256).hexdigest()


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
            # officer: what happened lately (overview), and the list of one kind
            models.Index(fields=["kind", "recorded_at"], name="event_lately"),
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
        indexes = [
            # record: the seals after an event, one of which holds it
            models.Index(fields=["sealed_at"], name="seal_time")
        ]

    def __str__(self) -> str:
        return f"#{self.seq} {self.hash[:12]}"
