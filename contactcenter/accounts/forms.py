"""What people choose for themselves."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from contactcenter.accounts.models import SendKey, Undo, User

THEMES = (("auto", _("System")), ("light", _("Light")), ("dark", _("Dark")))


class SettingsForm(forms.ModelForm[User]):
    """One's own settings. ``theme`` is kept in a cookie, not in the row, so that signed-out pages have it as well."""

    theme = forms.ChoiceField(label=_("Appearance"), choices=THEMES, widget=forms.RadioSelect)

    class Meta:
        model = User
        fields = ("single_keys", "send_key", "plays_sound", "counts_in_title", "notifies", "undo_seconds")
        widgets = {"send_key": forms.RadioSelect, "undo_seconds": forms.RadioSelect}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["send_key"].choices = SendKey.choices  # type: ignore[attr-defined]
        self.fields["undo_seconds"].choices = Undo.choices  # type: ignore[attr-defined]
        self.fields["undo_seconds"].required = False

    def clean_undo_seconds(self) -> int:
        return int(self.cleaned_data["undo_seconds"] or Undo.NEVER)

    def save(self, commit: bool = True) -> User:
        """Writes these columns only: an administrator may be changing the others."""
        self.instance.save(update_fields=self.Meta.fields)
        return self.instance
