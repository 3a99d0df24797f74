"""Files of consents or opt-outs: what was uploaded, what is still to be taken in, what was refused.

An ``ImportPart`` is both the rows and the queue: taking it in and deleting it are one transaction, so that whatever
crashes, each row counts once.
"""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from consent.models.programs import Brand, Program


class ImportQuerySet(models.QuerySet["ConsentImport"]):
    def under_way(self) -> "ImportQuerySet":
        return self.filter(state__in=(ConsentImport.State.QUEUED, ConsentImport.State.RUNNING))

    def move(self, state: "ConsentImport.State", *, now: datetime, **changes: object) -> int:
        """Compare-and-set: how many of these were in a state from which this one is reached."""
        return self.filter(state__in=MOVES[state]).update(state=state, state_at=now, **changes)


class ConsentImport(models.Model):
    """One file. ``draft`` until somebody has said what its columns hold; ``columns`` is their place by what they hold
    (see ``import_rows.HEADINGS``). ``rows`` counts all, ``taken`` and ``refused`` those that are dealt with."""

    class Kind(models.TextChoices):
        CONSENTS = "consents", _("Consents")
        OPT_OUTS = "opt_outs", _("Opt-outs")

    class State(models.TextChoices):
        DRAFT = "draft", _("Not started")
        QUEUED = "queued", _("Waiting for its turn")
        RUNNING = "running", _("Under way")
        DONE = "done", _("Done")
        CANCELLED = "cancelled", _("Cancelled")
        FAILED = "failed", _("Stopped by an error")

    kind = models.CharField(max_length=10, choices=Kind)
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    state_at = models.DateTimeField()
    file_name = models.CharField(max_length=255)
    sha256 = models.CharField(max_length=64)
    headings = models.JSONField(default=list)
    columns = models.JSONField(default=dict)
    is_day_first = models.BooleanField(default=False)
    program = models.ForeignKey(Program, on_delete=models.PROTECT, null=True, related_name="+")
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, null=True, related_name="+")
    rows = models.PositiveIntegerField(default=0)
    taken = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    asked = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    objects = ImportQuerySet.as_manager()

    class Meta:
        verbose_name = _("import")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(rows__gte=models.F("taken") + models.F("refused")),
                name="an_import_deals_with_each_row_once",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="done") | models.Q(rows=models.F("taken") + models.F("refused")),
                name="an_import_that_is_done_dealt_with_every_row",
            ),
            models.CheckConstraint(
                condition=models.Q(kind="opt_outs", program=None) | models.Q(kind="consents", brand=None),
                name="an_import_is_about_programs_or_brands_by_its_kind",
            ),
        ]
        indexes = [
            # clock and workers: what is under way, the oldest first
            models.Index(fields=["id"], name="import_under_way", condition=models.Q(state__in=("queued", "running"))),
        ]

    def __str__(self) -> str:
        return self.file_name

    @property
    def dealt_with(self) -> int:
        return self.taken + self.refused

    @property
    def is_under_way(self) -> bool:
        return self.state in {self.State.QUEUED, self.State.RUNNING}


State = ConsentImport.State
# From where each state is reached.
MOVES: dict[ConsentImport.State, frozenset[ConsentImport.State]] = {
    State.DRAFT: frozenset(),
    State.QUEUED: frozenset({State.DRAFT, State.FAILED}),
    State.RUNNING: frozenset({State.QUEUED, State.RUNNING}),  # again with each part: it is alive
    State.DONE: frozenset({State.QUEUED, State.RUNNING}),
    State.CANCELLED: frozenset({State.DRAFT, State.QUEUED, State.RUNNING, State.FAILED}),
    State.FAILED: frozenset({State.QUEUED, State.RUNNING}),
}


class ImportPart(models.Model):
    """Some hundred rows that wait to be taken in: ``[[number of the row, [cell, …]], …]``."""

    of = models.ForeignKey(ConsentImport, on_delete=models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField()
    rows = models.JSONField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["of", "number"], name="the_parts_of_an_import_are_numbered_once")
        ]

    def __str__(self) -> str:
        return f"{self.of} · {self.number}"


class ImportRefusal(models.Model):
    """A row that was not taken in, and why (``conversations.import_wording`` has the sentences)."""

    of = models.ForeignKey(ConsentImport, on_delete=models.CASCADE, related_name="refusals")
    row = models.PositiveIntegerField()
    reason = models.CharField(max_length=30)
    detail = models.TextField(blank=True)
    cells = models.JSONField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["of", "row"], name="a_row_is_refused_once")]

    def __str__(self) -> str:
        return f"{self.row}: {self.reason}"
