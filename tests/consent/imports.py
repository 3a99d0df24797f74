"""Files for the tests of the import."""

import csv
import io
from collections.abc import Iterable, Mapping

from consent import importing
from consent.import_claims import Plan
from consent.models import ConsentImport, Program
from consent.purposes import Category, Level
from tests import factories
from tests.factories import NOON

# What written consent on the web needs, in columns as a form's export has them.
SIGNED_UP = {
    "Phone": "+12125550123",
    "Date": "2026-02-01 10:30",
    "Consent text": "I agree to get texts from Harbor Clinic.",
    "Method": "web form",
    "URL": "https://harbor.example/join",
    "IP address": "192.0.2.7",
    "User agent": "Firefox",
}


def program(**fields) -> Program:
    return factories.program(
        **{"category": Category.PROMOTIONAL, "consent_level": Level.WRITTEN, "is_active": True} | fields
    )


def csv_of(rows: Iterable[Mapping[str, str]], delimiter: str = ",") -> bytes:
    rows = list(rows)
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def uploaded(
    content: bytes | Iterable[Mapping[str, str]], kind=ConsentImport.Kind.CONSENTS, by=None, **fields
) -> ConsentImport:
    content = content if isinstance(content, bytes) else csv_of(content)
    by = by or factories.user("compliance")
    return importing.upload(
        file=io.BytesIO(content), file_name="people.csv", kind=kind, created_by_id=by.pk, now=fields.get("now", NOON)
    )


def started(content, program=None, kind=ConsentImport.Kind.CONSENTS, brand=None, now=NOON) -> ConsentImport:
    draft = uploaded(content, kind, now=now)
    importing.start(draft=draft, plan=Plan(columns=draft.columns, program=program, brand=brand), now=now)
    return draft


def taken_in(content, program=None, now=NOON, **fields) -> ConsentImport:
    of = started(content, program, now=now, **fields)
    while importing.take_in(pk=of.pk, now=now):
        pass
    return ConsentImport.objects.get(pk=of.pk)


def reasons(of: ConsentImport) -> list[tuple[int, str, str]]:
    return list(of.refusals.order_by("row").values_list("row", "reason", "detail"))
