"""Writing to somebody first (``/inbox/new/``): who, from which line, and what the gate says, before there is a word."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods

from consent import reasons
from consent.policy import Ruling
from consent.purposes import Verdict
from contactcenter.accounts import access
from contactcenter.lib import phone
from conversations import inbox, lines, starting
from conversations.models import Line
from conversations.views import WRITERS, user_id


class StartForm(forms.Form):
    """Whom to write to, and from where."""

    phone = forms.CharField(label=_l("Phone number"), max_length=40)
    line = forms.ModelChoiceField(label=_l("From the line"), queryset=Line.objects.none(), empty_label=None)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["line"].queryset = (  # type: ignore[attr-defined]
            Line.objects.filter(is_active=True).select_related("brand").order_by("name", "pk")
        )

    def clean_phone(self) -> str:
        try:
            number = phone.normalize(self.cleaned_data["phone"])
        except phone.InvalidPhone as error:
            raise forms.ValidationError(str(error)) from None
        if lines.is_ours(number):
            raise forms.ValidationError(_("This is one of our own lines."))
        return number


@access.allow(*WRITERS)
@require_http_methods(["GET", "HEAD", "POST"])
@cache_control(no_store=True, private=True)
def new(request: HttpRequest) -> HttpResponse:
    """Asks whom, says what a text would meet, then leads to the conversation: also to one that is there already."""
    form = StartForm(request.POST or request.GET or None)
    if not form.is_valid():
        return render(request, "inbox/new.html", {"form": form})
    number, line = form.cleaned_data["phone"], form.cleaned_data["line"]
    if found := starting.existing(number=number, line=line):
        return redirect("conversation", found.pk)
    now = timezone.now()
    ruling = inbox.consent_of(starting.imagined(number=number, line=line), now=now).ruling
    if request.method == "POST" and ruling.verdict != Verdict.BLOCKED:
        return redirect("conversation", starting.start(number=number, line=line, by_id=user_id(request), now=now).pk)
    return render(request, "inbox/new.html", {"form": form, "number": number, "line": line, **said(ruling)})


def said(ruling: Ruling) -> dict[str, Any]:
    return {
        "verdict": str(ruling.verdict),
        "why": reasons.sentences(ruling.reasons),
        "held_until": ruling.held_until,
    }
