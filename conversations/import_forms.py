"""What somebody says of a file: that it is one, and what its columns hold."""

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from consent import importing
from consent.import_claims import Plan
from consent.models import Brand, ConsentImport, Program
from conversations import import_wording

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class UploadForm(forms.Form):
    kind = forms.ChoiceField(label=_l("What is in it?"), choices=ConsentImport.Kind, widget=forms.RadioSelect)
    file = forms.FileField(label=_l("CSV file or Excel workbook (.xlsx)"), max_length=255)

    def clean_file(self) -> "UploadedFile[Any]":
        file: UploadedFile[Any] = self.cleaned_data["file"]
        if (file.size or 0) > importing.BYTES_AT_MOST:
            raise forms.ValidationError(_("This file is larger than 20 MB. Split it into several."))
        return file


class PlanForm(forms.Form):
    """One choice of a column for each thing that a column may hold."""

    program = forms.ModelChoiceField(
        label=_l("Program"),
        queryset=Program.objects.filter(is_active=True).select_related("brand"),
        required=False,
        empty_label=_l("A column names it"),
    )
    brand = forms.ModelChoiceField(
        label=_l("Who may no longer text them"),
        queryset=Brand.objects.all(),
        required=False,
        empty_label=_l("All of our brands"),
    )
    is_day_first = forms.TypedChoiceField(
        label=_l("03/04/2026 is"),
        choices=((False, _l("March 4")), (True, _l("April 3"))),
        coerce=lambda value: value == "True",
    )

    def __init__(self, draft: ConsentImport, data: Any = None) -> None:
        super().__init__(data, initial={"is_day_first": draft.is_day_first})
        is_opt_outs = draft.kind == ConsentImport.Kind.OPT_OUTS
        del self.fields["program" if is_opt_outs else "brand"]
        self.held = import_wording.OPT_OUT_FIELDS if is_opt_outs else import_wording.FIELDS
        columns = [("", "—"), *((str(place), column(place, name)) for place, name in enumerate(draft.headings))]
        for name, words in self.held.items():
            self.fields[f"column_{name}"] = forms.ChoiceField(
                label=words, choices=columns, required=name == "phone", initial=str(draft.columns.get(name, ""))
            )

    def plan(self) -> Plan:
        said = self.cleaned_data
        chosen = {name: said[f"column_{name}"] for name in self.held}
        return Plan(
            columns={name: int(place) for name, place in chosen.items() if place},
            is_day_first=said["is_day_first"],
            program=said.get("program"),
            brand=said.get("brand"),
        )

    def columns(self) -> list[forms.BoundField]:
        return [self[f"column_{name}"] for name in self.held]

    def add_missing(self, names: frozenset[str]) -> None:
        """Says at each field that no row could be taken in without it."""
        for name in names:
            if f"column_{name}" in self.fields:
                what = import_wording.lacking([name])
                self.add_error(
                    f"column_{name}",
                    _("Every row would be refused: none says %(what)s. Choose the column, or don't import this file.")
                    % {"what": what},
                )


def column(place: int, heading: str) -> str:
    """As spreadsheets call it: “C · Phone”."""
    letter = LETTERS[place] if place < len(LETTERS) else LETTERS[place // 26 - 1] + LETTERS[place % 26]
    return f"{letter} · {heading}" if heading else letter
