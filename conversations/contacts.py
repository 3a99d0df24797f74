"""What agents note about a person. Consent is none of it: that belongs to the number."""

import zoneinfo

from django import forms
from django.db import transaction
from django.db.models import Value
from django.db.models.functions import Lower
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from conversations import live
from conversations.models import Contact, Conversation, Tag

LANGUAGES = (
    ("", gettext_lazy("Not known")),
    ("en", gettext_lazy("English")),
    ("es", gettext_lazy("Spanish")),
    ("fr", gettext_lazy("French")),
    ("zh", gettext_lazy("Chinese")),
    ("tl", gettext_lazy("Tagalog")),
    ("vi", gettext_lazy("Vietnamese")),
    ("ar", gettext_lazy("Arabic")),
    ("ko", gettext_lazy("Korean")),
    ("ru", gettext_lazy("Russian")),
    ("pt", gettext_lazy("Portuguese")),
    ("ht", gettext_lazy("Haitian Creole")),
)
TAGS_AT_MOST = 20
SUGGESTIONS = 200
# As many open screens as are told at once of a tag's new name.
TOLD = 200


class DetailsForm(forms.ModelForm[Contact]):
    """What an agent may change of a person."""

    language = forms.ChoiceField(label=gettext_lazy("Language"), choices=LANGUAGES, required=False)

    class Meta:
        model = Contact
        fields = ("name", "reference", "language", "time_zone", "postal_code")

    def clean_time_zone(self) -> str:
        zone: str = self.cleaned_data["time_zone"].strip()
        is_place = "/" in zone or zone == "UTC"  # not "localtime" or "Factory", which no browser knows
        if zone and not (is_place and zone in zoneinfo.available_timezones()):
            raise forms.ValidationError(_("There is no such time zone; one looks like America/Chicago."))
        return zone

    def save(self, commit: bool = True) -> Contact:
        with transaction.atomic():
            # Only what was changed here: a colleague may have changed the rest.
            self.instance.save(update_fields=self.changed_data)
            show_changes(self.instance)
        return self.instance


class TooManyTags(Exception):
    """Says so, in words for the person who typed."""


def tag_names() -> list[str]:
    """What is offered to whoever types a tag."""
    return list(Tag.objects.values_list("name", flat=True)[:SUGGESTIONS])


def add_tag(*, contact: Contact, name: str) -> Tag | None:
    """Puts a tag on a person; a new one is made. Nothing where they have it. Raises ``TooManyTags``."""
    name = " ".join(name.replace("\x00", "").split())[: Tag._meta.get_field("name").max_length]
    if not name:
        return None
    with transaction.atomic():
        show_changes(contact)
        if contact.tags.count() >= TAGS_AT_MOST:
            raise TooManyTags(_("A person can have %(number)d tags. Remove one first.") % {"number": TAGS_AT_MOST})
        Tag.objects.bulk_create([Tag(name=name)], ignore_conflicts=True)
        tag = Tag.objects.alias(lower=Lower("name")).get(lower=Lower(Value(name)))
        if contact.tags.filter(pk=tag.pk).exists():
            return None
        contact.tags.add(tag)
    return tag


def remove_tag(*, contact: Contact, tag_id: int) -> None:
    with transaction.atomic():
        show_changes(contact)
        contact.tags.remove(tag_id)


def show_tag(tag: Tag) -> None:
    """Open screens refetch whoever has this tag; the rest see it with their next refetch."""
    tagged = Conversation.objects.filter(contact__tags=tag).order_by("-last_message_at", "-pk")
    with transaction.atomic():
        live.changed(tagged.values_list("pk", flat=True)[:TOLD])


def show_changes(contact: Contact) -> None:
    """Every screen that shows this person refetches."""
    live.changed(Conversation.objects.filter(contact=contact).values_list("pk", flat=True))
