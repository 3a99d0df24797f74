"""A whole audience before a campaign: what the gate would say to each of a million people, by the one policy."""

from collections import Counter

from bench import stage
from bench.figures import clock
from bench.report import Figure, at_most, tell

PEOPLE, QUICK_PEOPLE = 1_000_000, 50_000
SECONDS = 20.0

# Numbers of every area code; one in twenty left, one in two hundred is suspect, three in four agreed.
SUBJECTS = """
INSERT INTO consent_subject (phone, phone_hash)
SELECT '+1' || (201 + n %% 789) || (2000000 + n / 789), md5(n::text) || md5((-n)::text)
FROM generate_series(1, %s) AS n
"""
STANDINGS = """
INSERT INTO consent_standing (subject_id, brand_id, revoked_at, suspected_at, grants)
SELECT id, %(brand)s,
    CASE WHEN id %% 20 = 0 THEN now() - interval '1 day' * (id %% 300) END,
    CASE WHEN id %% 200 = 7 THEN now() - interval '1 hour' END,
    CASE WHEN id %% 4 > 0 THEN jsonb_build_object(%(program)s::text, jsonb_build_object(
        'level', 'written', 'since', to_char(now() - interval '400 days', 'YYYY-MM-DD"T"HH24:MI:SS"+00:00"')))
        ELSE '{}' END
FROM consent_subject
"""


def run(*, quick: bool) -> bool:
    with stage.database():
        return judge(QUICK_PEOPLE if quick else PEOPLE)


def judge(people: int) -> bool:
    from django.db import connection
    from django.utils import timezone

    from consent import survey
    from consent.models import Subject
    from consent.purposes import Category, Level, Purpose
    from tests import factories

    offers = factories.program(category=Category.PROMOTIONAL, consent_level=Level.WRITTEN)
    with connection.cursor() as cursor:
        cursor.execute(SUBJECTS, [people])
        cursor.execute(STANDINGS, {"brand": offers.brand_id, "program": offers.pk})
        cursor.execute("VACUUM ANALYZE")

    began = clock()
    everybody = [(pk, "", "") for pk in Subject.objects.values_list("pk", flat=True)]
    read = clock() - began
    began = clock()
    judged = survey.rulings(everybody, program=offers, purpose=Purpose.CAMPAIGN, now=timezone.now())
    verdicts = Counter(str(ruling.verdict) for _, ruling in judged)
    took = clock() - began
    goal = at_most(SECONDS) if people == PEOPLE else None
    tell(
        f"{people:,} people judged before a campaign",
        [
            Figure("all of them", took, "s", goal),
            Figure("  decisions", people / took, "/s"),
            Figure("reference: their ids, merely read", read, "s"),
            *(Figure(f"  {verdict}", number, "") for verdict, number in verdicts.most_common()),
        ],
    )
    return sum(verdicts.values()) == people
