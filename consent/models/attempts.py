"""How often a public form was used, and from where: kept for a day, under keyed hashes only."""

from django.db import models


class Attempt(models.Model):
    """One use of a public form by whoever has this address or number."""

    key = models.CharField(max_length=64)
    at = models.DateTimeField()

    class Meta:
        indexes = [
            # limits: how many since when
            models.Index(fields=["key", "at"], name="attempt_key"),
            # limits: what is too old to count
            models.Index(fields=["at"], name="attempt_age"),
        ]

    def __str__(self) -> str:
        return f"{self.key[:8]} {self.at:%c}"
