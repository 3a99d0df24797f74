"""The forms for consent on paper or by telephone, and for a "no" that came by letter, telephone or email."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from consent.models import Brand, Disclosure
from consent.purposes import Source
from contactcenter.lib import phone

HOW_GIVEN = (
    (Source.PAPER, _l("Signed on paper")),
    (Source.PHONE, _l("By telephone")),
    (Source.AGENT, _l("In a conversation with one of us")),
    (Source.EMAIL, _l("By email")),
)
HOW_TAKEN_BACK = (
    (Source.PHONE, _l("By telephone")),
    (Source.PAPER, _l("By letter")),
    (Source.EMAIL, _l("By email")),
    (Source.AGENT, _l("In a conversation with one of us")),
)
# Where the evidence that is missing is asked for, and what to add there.
MISSING = {
    "document": ("document", _l("Say where the signed paper is kept: the number of the form, the scan or the folder.")),
    "name": ("name", _l("Give the name of who signed, as it stands on the paper.")),
    "said": ("said", _l("Write what they said, and who of us heard it.")),
    "email": ("email", _l("Give the email address that they wrote from.")),
    "words": ("wording", _l("Choose the wording that they read or heard.")),
    "disclosure": ("wording", _l("Choose the wording that they read or heard.")),
    "writing": (
        "how",
        _l(
            "This program needs consent in writing, which nobody gives by talking. Let them sign, text the program's "
            "keyword, or use its form on the web."
        ),
    ),
}
A_MINUTE = timedelta(minutes=1) - timedelta(microseconds=1)
CLOCKS_DIFFER = timedelta(minutes=1)


class RecordForm(forms.Form):
    """What both have in common: whose number, when, how, and what there is to show for it."""

    phone = forms.CharField(label=_l("Phone number"), max_length=40)
    how = forms.ChoiceField(label=_l("How"))
    said = forms.CharField(label=_l("What they said, and who heard it"), required=False, max_length=2000)
    document = forms.CharField(label=_l("Where the paper is kept"), required=False, max_length=300)
    name = forms.CharField(label=_l("Name on it"), required=False, max_length=200)
    email = forms.EmailField(label=_l("Their email address"), required=False)
    occurred_at = forms.DateTimeField(label=_l("When"), widget=forms.DateTimeInput(format="%Y-%m-%dT%H:%M"))

    def clean_phone(self) -> str:
        try:
            return phone.normalize(self.cleaned_data["phone"])
        except phone.InvalidPhone as error:
            raise forms.ValidationError(str(error)) from None

    def clean_occurred_at(self) -> datetime:
        at: datetime = self.cleaned_data["occurred_at"]
        if at > timezone.now() + CLOCKS_DIFFER:
            raise forms.ValidationError(_("This is still to come. Say when they did it."))
        return at

    def evidence(self) -> dict[str, str]:
        return {name: self.cleaned_data[name] for name in ("said", "document", "name", "email")}

    @property
    def source(self) -> Source:
        return Source(self.cleaned_data["how"])


class GaveForm(RecordForm):
    """``wording`` is one of the current disclosures, whose very words the person must have read or heard."""

    wording = forms.ModelChoiceField(label=_l("What they agreed to"), queryset=Disclosure.objects.none())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["how"].choices = HOW_GIVEN  # type: ignore[attr-defined]
        latest = Disclosure.objects.filter(program__is_active=True)
        latest = latest.order_by("program_id", "language", "-version").distinct("program_id", "language")
        self.fields["wording"].queryset = Disclosure.objects.filter(pk__in=latest)  # type: ignore[attr-defined]

    @property
    def wordings(self) -> list[Disclosure]:
        """Each program that can be agreed to, with its words."""
        found = self.fields["wording"].queryset  # type: ignore[attr-defined]
        return list(
            found.select_related("program__brand").order_by("program__brand__name", "program__name", "language")
        )

    def evidence(self) -> dict[str, str]:
        disclosure: Disclosure = self.cleaned_data["wording"]
        words = {"words": disclosure.text, "disclosure": f"{disclosure.pk} {disclosure.sha256}"}
        return words | super().evidence()

    def add_missing(self, names: frozenset[str]) -> None:
        """Asks for the evidence that is not there, each where it belongs."""
        for field, words in dict(MISSING[name] for name in sorted(names)).items():
            self.add_error(field, str(words))


class TookBackForm(RecordForm):
    """A "no" is never refused for want of proof."""

    brand = forms.ModelChoiceField(
        label=_l("Who may no longer text them"),
        queryset=Brand.objects.all(),
        required=False,
        empty_label=_l("All of our brands"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["how"].choices = HOW_TAKEN_BACK  # type: ignore[attr-defined]

    def clean_occurred_at(self) -> datetime:
        """The end of the minute that was chosen, so that nothing they agreed to within it outlives their "no"."""
        return min(super().clean_occurred_at() + A_MINUTE, timezone.now())
