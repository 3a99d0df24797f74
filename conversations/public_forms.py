"""What strangers type into the form to join."""

from django import forms
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from contactcenter.lib import phone


class JoinForm(forms.Form):
    """``wording`` is the hash of the disclosure that was on the page; the view compares it."""

    phone = forms.CharField(max_length=40, error_messages={"required": _("Type your mobile number.")})
    name = forms.CharField(max_length=100, required=False)
    agree = forms.BooleanField(
        error_messages={"required": _("Tick the box if you agree. We text nobody who does not.")}
    )
    wording = forms.CharField(max_length=64, required=False)

    def clean_phone(self) -> str:
        try:
            return phone.normalize(self.cleaned_data["phone"])
        except phone.InvalidPhone:
            raise forms.ValidationError(
                _now("This is not a mobile number that we can text. Write it like (201) 555-0100.")
            ) from None
