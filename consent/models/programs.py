"""Who sends, what kinds of messages, and the exact words that people agreed to."""

import hashlib
from typing import Any

from django.conf import settings
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from consent import phrases
from consent.elements import Offer
from consent.models import readiness
from consent.models.choices import choices
from consent.purposes import Category, ConfirmedBy, Level

LANGUAGES = [("en", _("English")), ("es", _("Spanish")), ("fr", _("French"))]
# CTIA Messaging Principles (May 2023), Exhibit II; 47 CFR 64.1200(a)(2).
STRONG_ENOUGH = (
    models.Q(category=Category.CONVERSATIONAL)
    | models.Q(category=Category.INFORMATIONAL, consent_level__in=[Level.EXPRESS, Level.WRITTEN])
    | models.Q(category=Category.PROMOTIONAL, consent_level=Level.WRITTEN)
)


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
    frequency = models.CharField(
        _("frequency"), max_length=100, blank=True, help_text=_("For example: up to 4 messages a month.")
    )
    help_contact = models.CharField(max_length=200, blank=True, help_text=_("Empty: the brand's."))
    terms_url = models.URLField(_("address of the terms"), blank=True)
    privacy_url = models.URLField(_("address of the privacy policy"), blank=True)
    opt_in_keyword = models.CharField(max_length=30, blank=True)
    is_double_opt_in = models.BooleanField(default=False)
    confirmed_by = models.CharField(
        _("double opt-in is confirmed by"),
        max_length=10,
        choices=[(ConfirmedBy.TEXT, _("a text: YES from the phone")), (ConfirmedBy.EMAIL, _("a link in an email"))],
        default=ConfirmedBy.TEXT,
        db_default=ConfirmedBy.TEXT,
        help_text=_(
            "A text proves whose phone it is. A link proves only who reads the email; it counts for the public form, "
            "everybody else is asked by text."
        ),
    )
    description = models.CharField(
        _("description"),
        max_length=200,
        blank=True,
        db_default="",
        help_text=_("What people get, for example: appointment reminders."),
    )
    confirmation_text = models.TextField(
        blank=True, db_default="", help_text=_("What who has joined is told at once. Empty: written for you.")
    )
    question_text = models.TextField(
        blank=True, db_default="", help_text=_("With double opt-in: what people answer YES to. Empty: written for you.")
    )
    language = models.CharField(
        _("language"),
        max_length=10,
        choices=LANGUAGES,
        default="en",
        db_default="en",
        help_text=_("In which it texts, and in which it must have a disclosure."),
    )
    is_active = models.BooleanField(_("active"), default=False)
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
            models.CheckConstraint(
                condition=models.Q(confirmed_by__in=list(ConfirmedBy)), name="a_program_is_confirmed_in_a_known_way"
            ),
            models.CheckConstraint(
                condition=STRONG_ENOUGH,
                name="a_program_asks_for_the_consent_that_its_category_needs",
                violation_error_message=_(
                    "Promotional programs need written consent, informational ones at least express consent."
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.brand} · {self.name}"

    @property
    def offer(self) -> Offer:
        """The program as its wordings speak of it."""
        return Offer(
            brand=self.brand.name,
            program=self.name,
            description=self.description,
            category=Category(self.category),
            level=Level(self.consent_level),
            frequency=self.frequency,
            contact=self.help_contact or self.brand.help_contact,
            terms_url=self.terms_url,
            privacy_url=self.privacy_url,
        )

    @property
    def is_confirmed_by_email(self) -> bool:
        """Whether who joins by the public form answers by a link. While no email can be sent, the phone is asked."""
        return self.is_double_opt_in and self.confirmed_by == ConfirmedBy.EMAIL and bool(settings.CAN_MAIL)

    @property
    def confirmation(self) -> str:
        """What who has joined is told, in the program's language."""
        return self.confirmation_in(self.language)

    @property
    def question(self) -> str:
        """What people answer YES to, in the program's language."""
        return self.question_in(self.language)

    def confirmation_in(self, language: str) -> str:
        """The program's own text where it is in this language, else ours."""
        own = self.confirmation_text if language == self.language else ""
        return own or phrases.confirmation(self.offer, language)

    def question_in(self, language: str) -> str:
        """The program's own text where it is in this language, else ours."""
        own = self.question_text if language == self.language else ""
        return own or phrases.question(self.offer, language)

    def clean(self) -> None:
        """An active program has all that it needs; no keyword is ever one that means something else."""
        if self.brand_id is not None and (why_not := readiness.why_not(self, self.opt_in_keyword)):
            raise ValidationError({"opt_in_keyword": why_not})
        if not self.is_active or self.brand_id is None or not (self.category and self.consent_level):
            return
        wrong: dict[str, list[str]] = {}
        for item in readiness.checklist(self):
            if not item.is_done:
                wrong.setdefault(item.field or NON_FIELD_ERRORS, []).append(item.remedy)
        if wrong:
            raise ValidationError(wrong)

    def current_disclosure(self, language: str = "en") -> "Disclosure | None":
        """The latest wording in a language; in English where there is none."""
        latest = {found.language: found for found in self.disclosures.order_by("version")}
        return latest.get(language) or latest.get("en")


class Disclosure(models.Model):
    """An exact wording that a person saw when consenting. A change of wording is a new version; triggers refuse
    edits."""

    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="disclosures")
    version = models.PositiveIntegerField()
    language = models.CharField(_("language"), max_length=10, choices=LANGUAGES, default="en")
    text = models.TextField(_("text"))
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
