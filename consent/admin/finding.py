"""How these pages find what a typed phone number is about."""

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from consent.models import Subject, phone_hash
from contactcenter.accounts.site import as_numbers

BY_NUMBER = _("A phone number, exactly; one that was erased is found too.")


def hashes(term: str) -> list[str]:
    """The keyed hashes that a typed number may be known by; it may be one itself."""
    return [term.lower(), *map(phone_hash, as_numbers(term))]


def of_number(term: str) -> Q:
    # Ids, not a subquery: OR-ed with other conditions, a subquery would cost the indexes.
    return Q(subject__in=list(Subject.objects.filter(phone_hash__in=hashes(term)).values_list("pk", flat=True)))
