"""The addresses of consumers' own pages, as texts and emails carry them. Each is signed, and is the key to its page."""

from django.conf import settings
from django.core import signing
from django.urls import reverse

# Never expire: a way out must stay open.
PREFERENCES = signing.Signer(salt="preferences")
UNSUBSCRIBE = signing.Signer(salt="unsubscribe")
CONFIRM = signing.Signer(salt="confirm-by-email")


def is_public() -> bool:
    """Whether a phone elsewhere can open our addresses; in a demo, whoever plays the customer sits at this machine."""
    return str(settings.PUBLIC_URL).startswith("https://") or bool(settings.SANDBOX_URL)


def preferences(subject_id: int, brand_id: int) -> str:
    """A number's own page for a brand. Only for that phone, and for who knows its owner: it shows what it gets."""
    return absolute("preferences", PREFERENCES.sign(f"{subject_id}.{brand_id}"))


def unsubscribe(event_id: int) -> str:
    """The page that ends the texts of the brand that a consent was given to. It shows nothing of anybody."""
    return absolute("unsubscribe", UNSUBSCRIBE.sign(str(event_id)))


def confirm(slug: str, ref: object) -> str:
    """The page that confirms the consent which an email is about."""
    return absolute("join-confirm", slug, CONFIRM.sign(str(ref)))


def absolute(name: str, *args: object) -> str:
    return f"{str(settings.PUBLIC_URL).rstrip('/')}{reverse(name, args=args)}"
