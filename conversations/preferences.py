"""A consumer's own page: what they get from a brand, and how they end it. The link is the key to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.core import signing

from consent.folding import State
from consent.models import Brand, ConsentEvent, Program, Standing, Subject
from consent.purposes import Category, Level, Source
from contactcenter.lib import phone
from conversations import leaving, links
from conversations.models import Line


class NoSuchPage(LookupError):
    """The token is not one of ours, or its number was erased."""


@dataclass(frozen=True, kw_only=True)
class Preferences:
    """What a number gets from a brand. ``programs`` are those it agreed to or was asked about, with whether each may
    text now; ``stopped`` are the categories that it ended."""

    subject: Subject
    brand: Brand
    state: State
    programs: list[tuple[Program, bool]]
    line: Line | None

    @property
    def phone(self) -> str:
        assert self.subject.phone is not None  # noqa: S101 ``read`` refuses erased numbers
        return self.subject.phone

    @property
    def masked(self) -> str:
        """The number as it is shown to whoever has the link."""
        return phone.masked(self.phone)

    @property
    def categories(self) -> list[Category]:
        """What can be ended by itself: the kinds of texts that it gets, where those are several."""
        found = sorted({Category(program.category) for program, is_on in self.programs if is_on})
        return found if len(found) > 1 else []


def read(token: str) -> Preferences:
    """The page that a token opens. Five statements. Raises ``NoSuchPage``."""
    try:
        subject_id, brand_id = map(int, links.PREFERENCES.unsign(token).split("."))
        subject, brand = Subject.objects.get(pk=subject_id), Brand.objects.get(pk=brand_id)
    except (signing.BadSignature, ValueError, Subject.DoesNotExist, Brand.DoesNotExist) as error:
        raise NoSuchPage from error
    if subject.phone is None:
        raise NoSuchPage
    standing = Standing.objects.filter(subject=subject, brand=brand).first()
    state = standing.state if standing else State()
    known = set(state.grants) | set(state.requests)
    programs = [(program, is_on(state, program)) for program in Program.objects.filter(pk__in=known, is_active=True)]
    line = Line.objects.filter(brand=brand, is_active=True).order_by("pk").first()
    return Preferences(subject=subject, brand=brand, state=state, programs=programs, line=line)


def is_on(state: State, program: Program) -> bool:
    """Whether what the number agreed to still stands."""
    category = Category(program.category)
    return not state.is_suppressed_for(category) and state.level(program.pk, category) != Level.NONE


def stop(
    *, page: Preferences, scope: Category | None, evidence: Mapping[str, str], now: datetime
) -> list[ConsentEvent]:
    """Ends every text of the brand, or those of one category."""
    return leaving.leave(
        phone=page.phone, source=Source.WEB, evidence=evidence, now=now, brand_ids=[page.brand.pk], scope=scope
    )
