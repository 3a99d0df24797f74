"""What the API's bodies are made of: strict, so that a typing error is never a silent loss."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from consent.models import Program
from contactcenter.api.models import ApiToken
from contactcenter.lib import phone


class Strict(serializers.Serializer[Any]):
    """Refuses members that it does not know: of a misspelt ``occurred_at`` nobody would hear again."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping) and (unknown := sorted(data.keys() - self.fields.keys())):
            known = ", ".join(self.fields)
            text = _("There is no such member. There are: %(known)s.") % {"known": known}
            raise serializers.ValidationError(dict.fromkeys(unknown, text))
        return super().to_internal_value(data)


class PhoneField(serializers.CharField):
    """A number as people write it, read as a US one without a plus; E.164 within."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=40, **options)

    def to_internal_value(self, data: Any) -> str:
        try:
            return phone.normalize(super().to_internal_value(data))
        except phone.InvalidPhone as error:
            raise serializers.ValidationError(str(error)) from None


@extend_schema_field(OpenApiTypes.DATETIME)
class MomentField(serializers.DateTimeField):
    """A time with its offset: without one nobody knows whose clock was meant. Told in UTC."""

    default_error_messages = {"naive": "Say the offset from UTC as well, for example 2026-11-23T09:30:00-05:00."}

    def __init__(self, **options: Any) -> None:
        super().__init__(default_timezone=UTC, **options)

    def enforce_timezone(self, value: datetime) -> datetime:
        if timezone.is_naive(value):
            self.fail("naive")
        return super().enforce_timezone(value)


def valid(serializer: type[serializers.Serializer[Any]], data: Any) -> dict[str, Any]:
    """The body, checked and translated; raises what the exception handler explains."""
    checked = serializer(data=data)
    checked.is_valid(raise_exception=True)
    return dict(checked.validated_data)


def program_of(token: ApiToken, slug: str) -> Program:
    """The program that this token may name."""
    programs = Program.objects.select_related("brand").filter(slug=slug)
    program = (programs.filter(brand=token.brand) if token.brand else programs).first()
    if program is None:
        text = _(
            "There is no program “%(slug)s”, or this token is for another brand. Programs are in the administration."
        )
        raise serializers.ValidationError({"program": text % {"slug": slug}})
    return program
