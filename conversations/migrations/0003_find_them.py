"""The indexes of the list and of search, built beside the running product: no text waits for them."""

import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.functions.text
from django.contrib.postgres.operations import AddIndexConcurrently, ValidateConstraint
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("conversations", "0002_owners_snoozes_tags_search")]

    operations = [
        AddIndexConcurrently(
            model_name="conversation",
            index=models.Index(
                condition=models.Q(("resolved_at", None), ("snoozed_until", None)),
                fields=["-last_message_at", "-id"],
                name="conversation_open",
            ),
        ),
        AddIndexConcurrently(
            model_name="conversation",
            index=models.Index(
                condition=models.Q(("resolved_at", None), ("snoozed_until", None)),
                fields=["owner", "-last_message_at", "-id"],
                name="conversation_owned",
            ),
        ),
        AddIndexConcurrently(
            model_name="conversation",
            index=models.Index(
                condition=models.Q(("snoozed_until", None), _negated=True),
                fields=["snoozed_until", "id"],
                name="conversation_snoozed",
            ),
        ),
        AddIndexConcurrently(
            model_name="message",
            index=models.Index(
                condition=models.Q(
                    ("purpose", "reply"),
                    (
                        "status__in",
                        (
                            "failed",
                            "unknown",
                            "blocked",
                            "expired",
                        ),
                    ),
                ),
                fields=["-id"],
                name="message_undelivered",
            ),
        ),
        AddIndexConcurrently(
            model_name="message",
            index=django.contrib.postgres.indexes.GinIndex(
                django.contrib.postgres.search.SearchVector("body", config="simple"), name="message_search"
            ),
        ),
        AddIndexConcurrently(
            model_name="contact",
            index=django.contrib.postgres.indexes.GinIndex(
                django.contrib.postgres.indexes.OpClass(
                    django.db.models.functions.text.Upper("name"), name="gin_trgm_ops"
                ),
                name="contact_name_search",
            ),
        ),
        AddIndexConcurrently(
            model_name="contact",
            index=django.contrib.postgres.indexes.GinIndex(
                fields=["phone"], name="contact_phone_search", opclasses=["gin_trgm_ops"]
            ),
        ),
        ValidateConstraint(model_name="conversation", name="what_is_resolved_neither_waits_nor_sleeps"),
    ]
