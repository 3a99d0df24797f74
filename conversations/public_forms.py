"""What strangers type into the form to join."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from contactcenter.lib import phone
from conversations import lines


class JoinForm(forms.Form):
    """``wording`` is the hash of the disclosure that was on the page; the view compares it. Without ``can_mail`` nobody
    is asked for an address; where the answer comes by email, nobody can do without."""

    phone = forms.CharField(max_length=40, error_messages={"required": _("Type your mobile number.")})
    name = forms.CharField(max_length=100, required=False)
    email = forms.EmailField(
        max_length=254,
        required=False,
        error_messages={
            "required": _("Type your email address: the link to confirm goes there."),
            "invalid": _("This is not an email address. Write it like name@example.com."),
        },
    )
    agree = forms.BooleanField(
        error_messages={"required": _("Tick the box if you agree. We text nobody who does not.")}
    )
    wording = forms.CharField(max_length=64, required=False)

    def __init__(self, *args: Any, can_mail: bool, needs_mail: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].required = needs_mail
        if not can_mail:
            del self.fields["email"]

    def clean_phone(self) -> str:
        try:
            number = phone.normalize(self.cleaned_data["phone"])
        except phone.InvalidPhone:
            raise forms.ValidationError(
                _now("This is not a mobile number that we can text. Write it like (201) 555-0100.")
            ) from None
        if lines.is_ours(number):
            raise forms.ValidationError(_now("This is our number. Type your own mobile number."))
        if not phone.may_be_mobile(number):
            raise forms.ValidationError(
                _now("We can text only mobile numbers in the United States and Canada. Write it like (201) 555-0100.")
            )
        return number
