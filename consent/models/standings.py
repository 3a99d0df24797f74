"""What the ledger says today, and what a person must still judge."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.conf import settings
from django.db import models

from consent import deadlines
from consent.folding import Grant, State
from consent.models.ledger import ConsentEvent, Subject
from consent.models.programs import Brand
from consent.purposes import Category, Level

# ``State.is_suppressed`` for the database.
SUPPRESSED = models.Q(revoked_at__isnull=False) & (
    models.Q(resumed_at=None) | models.Q(revoked_at__gte=models.F("resumed_at"))
)


class StandingQuerySet(models.QuerySet["Standing"]):
    def suppressed(self) -> "StandingQuerySet":
        return self.filter(SUPPRESSED)

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
    requests = models.JSONField(default=dict, db_default={})
    partly_revoked_at = models.JSONField(default=dict, db_default={})
    version = models.PositiveBigIntegerField(default=0, db_default=0)

    objects = StandingQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subject", "brand"], name="a_number_has_one_standing_per_brand")]
        indexes = [
            # officer: how many numbers have opted out (overview), and their list
            models.Index(fields=["-id"], name="standing_suppressed", condition=SUPPRESSED)
        ]

    def __str__(self) -> str:
        return f"{self.subject} · {self.brand}"

    @property
    def state(self) -> State:
        return State(
            self.revoked_at,
            self.resumed_at,
            self.suspected_at,
            self.cleared_at,
            grants_in(self.grants),
            grants_in(self.requests),
            {Category(name): datetime.fromisoformat(at) for name, at in self.partly_revoked_at.items()},
        )

    @state.setter
    def state(self, state: State) -> None:
        self.revoked_at, self.resumed_at = state.revoked_at, state.resumed_at
        self.suspected_at, self.cleared_at = state.suspected_at, state.cleared_at
        self.grants, self.requests = grants_as_json(state.grants), grants_as_json(state.requests)
        self.partly_revoked_at = {name: at.isoformat() for name, at in sorted(state.partly_revoked_at.items())}


def grants_in(stored: dict[str, dict[str, str]]) -> dict[int, Grant]:
    return {
        int(program_id): Grant(Level(grant["level"]), datetime.fromisoformat(grant["since"]))
        for program_id, grant in stored.items()
    }


def grants_as_json(grants: dict[int, Grant]) -> dict[str, dict[str, str]]:
    return {
        str(program_id): {"level": grant.level, "since": grant.since.isoformat()}
        for program_id, grant in sorted(grants.items())
    }


class ReviewQuerySet(models.QuerySet["Review"]):
    def open(self) -> "ReviewQuerySet":
        return self.filter(decided_at=None)

    def open_for(self, suspicions: Sequence[ConsentEvent]) -> None:
        """One open review per number and brand, however many suspect texts; the first sets the deadline."""
        for event in suspicions:  # under the standing's lock: nobody else opens one for the same number and brand
            pair = {"subject_id": event.subject_id, "brand_id": event.brand_id}
            if not self.open().filter(**pair).update(last_event=event):
                due_at = deadlines.due(event.recorded_at, settings.TIME_ZONE, "review").at
                self.create(**pair, first_event=event, last_event=event, due_at=due_at)


class Review(models.Model):
    """A person must judge whether texts of a number asked a brand to stop. ``last_event`` is the latest of them: a
    judgement names it, so that nobody judges what they have not read."""

    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="reviews")
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+")
    first_event = models.ForeignKey(ConsentEvent, on_delete=models.PROTECT, related_name="+")
    last_event = models.ForeignKey(ConsentEvent, on_delete=models.PROTECT, related_name="+")
    due_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    decision = models.ForeignKey(ConsentEvent, on_delete=models.PROTECT, null=True, related_name="+")

    objects = ReviewQuerySet.as_manager()

    class Meta:
        ordering = ["due_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["subject", "brand"],
                condition=models.Q(decided_at=None),
                name="a_number_is_reviewed_once_at_a_time_per_brand",
            ),
            models.CheckConstraint(
                condition=models.Q(decided_at=None, decision=None)
                | models.Q(decided_at__isnull=False, decision__isnull=False),
                name="a_decided_review_has_its_event",
            ),
        ]
        indexes = [
            # the queue, most urgent first
            models.Index(fields=["due_at", "id"], name="review_open", condition=models.Q(decided_at=None)),
            # officer: the list, what waits first and then what was judged last
            models.Index(models.F("decided_at").desc(nulls_first=True), "due_at", "id", name="review_list"),
        ]

    def __str__(self) -> str:
        return f"{self.subject} · {self.brand}"
