import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.contrib.postgres.operations import AddConstraintNotValid, TrigramExtension
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("consent", "0002_history_only_grows"),
        ("conversations", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        TrigramExtension(),
        migrations.CreateModel(
            name="Tag",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=40, verbose_name="name")),
            ],
            options={
                "ordering": ["name"],
            },
        ),
        migrations.AddField(
            model_name="contact",
            name="language",
            field=models.CharField(blank=True, db_default="", max_length=10, verbose_name="language"),
        ),
        migrations.AddField(
            model_name="contact",
            name="reference",
            field=models.CharField(
                blank=True,
                db_default="",
                max_length=60,
                verbose_name="reference",
            ),
        ),
        migrations.AddField(
            model_name="contact",
            name="time_zone",
            field=models.CharField(
                blank=True,
                db_default="",
                help_text="Empty: where their number comes from.",
                max_length=60,
                verbose_name="time zone",
            ),
        ),
        migrations.AddField(
            model_name="conversation",
            name="owner",
            field=models.ForeignKey(
                null=True,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="conversation",
            name="resolved_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="conversation",
            name="snoozed_until",
            field=models.DateTimeField(null=True),
        ),
        AddConstraintNotValid(
            model_name="conversation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("resolved_at", None), models.Q(("due_at", None), ("snoozed_until", None)), _connector="OR"
                ),
                name="what_is_resolved_neither_waits_nor_sleeps",
            ),
        ),
        migrations.AddConstraint(
            model_name="tag",
            constraint=models.UniqueConstraint(
                django.db.models.functions.text.Lower("name"), name="tag_names_differ_by_more_than_case"
            ),
        ),
        migrations.AddField(
            model_name="contact",
            name="tags",
            field=models.ManyToManyField(
                blank=True, related_name="contacts", to="conversations.tag", verbose_name="tags"
            ),
        ),
    ]
