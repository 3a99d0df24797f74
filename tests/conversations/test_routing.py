"""Texts to the teams whose rules fit, and a supervisor who tries them first."""

from datetime import time
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from contactcenter.accounts.models import Role
from conversations import handling, inbound
from conversations.models import Conversation, Entry, Message, OpeningHours, Tag, Team, Wait
from tests import factories
from tests.conversations import traffic

pytestmark = pytest.mark.django_db


@pytest.fixture
def billing() -> Team:
    return factories.team(name="Billing", first_response=42)


def team_of(body: str, **fields: Any) -> Team | None:
    return traffic.conversation(body, **fields).team


def test_a_text_goes_to_the_team_and_its_wait_has_that_team_s_target(billing: Team) -> None:
    factories.routing_rule(billing, words="refund*\nbill*", name="Money")

    shown = traffic.conversation("Where is my refund?")

    assert shown.team == billing
    wait = Wait.objects.get()
    assert (wait.team, (wait.due_at - wait.since).total_seconds()) == (billing, 42 * 60)
    assert Entry.objects.get().facts == {"team": "Billing", "rule": "Money"}


def test_what_no_rule_fits_and_what_waits_for_nobody_stays_where_it_is(billing: Team) -> None:
    factories.routing_rule(billing, words="refund")
    assert team_of("Hello") is None
    factories.routing_rule(billing)
    assert team_of("STOP", sender="+12015550177") is None


def test_by_line_tag_language_program_and_hours(billing: Team) -> None:
    at_night = factories.team(name="Night")
    OpeningHours.objects.create(
        team=at_night, weekday=(timezone.now().weekday() + 3) % 7, opens=time(9), closes=time(10)
    )
    vip, line = Tag.objects.create(name="VIP"), factories.line(number="+12015550155", per_second=1000)
    factories.routing_rule(billing, lines=[line], position=1)
    factories.routing_rule(at_night, hours="open", position=2)
    factories.routing_rule(at_night, hours="closed", language="es", position=3)
    factories.routing_rule(billing, tags=[vip], position=4)
    factories.contact("+12015550166").tags.add(vip)

    assert team_of("Hi", recipient="+12015550155") == billing
    assert team_of("Hi", sender="+12015550166") == billing
    assert team_of("Hola, cuando puedo ir a mi cita", sender="+12015550167") == at_night
    assert team_of("Hi", sender="+12015550168") is None


def test_what_we_last_sent_them_says_what_they_answer_to(billing: Team) -> None:
    program = factories.program()
    factories.routing_rule(billing, program=program)
    shown = traffic.conversation("Hello")
    now = timezone.now()
    Message.objects.create(
        conversation=shown, direction="out", body="Your bill", status="queued", status_at=now, occurred_at=now,
        purpose="campaign", lane="campaigns", due_at=now, program=program,
    )  # fmt: skip
    traffic.arrive(traffic.text("What is this?"))

    shown.refresh_from_db()
    assert shown.team == billing


def test_somebody_s_own_conversation_keeps_its_team(billing: Team) -> None:
    shown = traffic.conversation("Hello")
    Conversation.objects.filter(pk=shown.pk).update(owner=factories.user())
    factories.routing_rule(billing)
    traffic.arrive(traffic.text("refund"))

    shown.refresh_from_db()
    assert shown.team is None


def test_what_comes_again_after_a_resolve_is_routed_anew_and_told_only_when_it_moves(billing: Team) -> None:
    factories.routing_rule(billing)
    shown = traffic.conversation("Hello")
    handling.resolve(conversation=shown, by_id=factories.user().pk, now=timezone.now())
    traffic.arrive(traffic.text("Hello again"))

    assert Entry.objects.filter(kind=Entry.Kind.ROUTED).count() == 1


@pytest.mark.parametrize("field", [{"is_active": False}, {"team__is_active": False}])
def test_a_rule_or_team_that_is_switched_off_routes_nothing(billing: Team, field: dict[str, bool]) -> None:
    rule = factories.routing_rule(billing)
    (name, value), *_ = field.items()
    if name == "is_active":
        type(rule).objects.update(is_active=value)
    else:
        Team.objects.update(is_active=value)
    assert team_of("Hello") is None


def test_a_batch_costs_as_many_statements_as_one_text(billing: Team) -> None:
    traffic.line()
    factories.routing_rule(billing, words="refund", tags=[Tag.objects.create(name="VIP")], hours="open")
    factories.routing_rule(billing, words="bill*", program=factories.program())

    def statements(many: int) -> int:
        texts = [traffic.text("My bill", sender=factories.phone_number()) for _ in range(many)]
        inbound.receive(texts, now=timezone.now())
        with CaptureQueriesContext(connection) as queries:
            inbound.thread(now=timezone.now())
        return len(queries)

    statements(1)
    assert statements(1) == statements(20)


# --- The admin ---------------------------------------------------------------------------------------------------


@pytest.fixture
def supervisor(client: Client) -> Client:
    client.force_login(factories.user(Role.SUPERVISOR))
    return client


def test_a_supervisor_tries_an_example_and_reads_why(supervisor: Client, billing: Team) -> None:
    line = factories.line(name="Front desk")
    factories.routing_rule(factories.team(name="Lab"), words="lab results", name="Lab", position=1)
    factories.routing_rule(billing, words="bill*", lines=[line], name="Money", position=2)
    factories.routing_rule(billing, name="Rest", position=3)

    page = supervisor.get("/admin/conversations/try-routing/", {"text": "my billing", "line": line.pk}).content.decode()

    assert "Goes to Billing, by the rule “Money”" in page
    assert "✗ has one of: lab results" in page
    assert "✓ has one of: bill* (bill*)" in page
    assert "Rest" not in page


def test_an_example_that_fits_nowhere_says_so(supervisor: Client) -> None:
    line = factories.line()
    page = supervisor.get("/admin/conversations/try-routing/", {"text": "hi", "line": line.pk}).content.decode()
    assert "No rule fits" in page
    assert "Add a rule" in page


def team_form(**fields: Any) -> dict[str, Any]:
    form = {
        "name": "Lab", "time_zone": "America/New_York", "is_active": "on", "gives_out": "on", "idle_after": 10,
        "first_response": 15, "next_response": 15, "warns_before": 5, "escalates_after": 15, "greeting": "",
        "out_of_office": "", "answers_again_after": 720,
    }  # fmt: skip
    for prefix in ("memberships", "opening_hours", "holidays"):
        form |= {f"{prefix}-TOTAL_FORMS": 0, f"{prefix}-INITIAL_FORMS": 0}
    return form | fields


def hours(*shifts: tuple[str, str]) -> dict[str, Any]:
    form: dict[str, Any] = {"opening_hours-TOTAL_FORMS": len(shifts)}
    for n, (opens, closes) in enumerate(shifts):
        form |= {
            f"opening_hours-{n}-{name}": value for name, value in (("weekday", 0), ("opens", opens), ("closes", closes))
        }
    return form


def test_a_supervisor_makes_a_team_with_hours(supervisor: Client) -> None:
    answer = supervisor.post(
        "/admin/conversations/team/add/", team_form(**hours(("08:00", "12:00"), ("13:00", "00:00")))
    )

    assert answer.status_code == 302
    assert Team.objects.get().opening_hours.count() == 2
    assert supervisor.get("/admin/conversations/team/").status_code == 200


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (hours(("08:00", "12:00"), ("11:00", "13:00")), "overlap"),
        (hours(("08:00", "00:00"), ("11:00", "13:00")), "overlap"),
        ({"time_zone": "New York"}, "America/New_York"),
        ({"first_response": 0}, "At least one minute"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(supervisor: Client, fields: dict[str, Any], words: str) -> None:
    answer = supervisor.post("/admin/conversations/team/add/", team_form(**fields))
    assert words in answer.content.decode()
    assert not Team.objects.exists()


def test_switching_a_team_off_leaves_its_people_to_everybody(supervisor: Client, billing: Team) -> None:
    factories.routing_rule(billing)
    shown = traffic.conversation("Hello")

    answer = supervisor.post(
        f"/admin/conversations/team/{billing.pk}/change/", team_form(name="Billing", is_active=""), follow=True
    )

    assert "1 open conversations of this team are in everybody" in answer.content.decode()
    shown.refresh_from_db()
    assert (shown.team, shown.due_at is not None) == (None, True)


def test_agents_and_officers_change_none_of_it(client: Client, billing: Team) -> None:
    for role, status in ((Role.AGENT, 403), (Role.COMPLIANCE, 403), (Role.SUPERVISOR, 200), (Role.ADMINISTRATOR, 200)):
        client.force_login(factories.user(role))
        assert client.get("/admin/conversations/team/add/").status_code == status


def test_the_teams_s_week_is_told_in_its_list(supervisor: Client, billing: Team) -> None:
    OpeningHours.objects.create(
        team=billing, weekday=(timezone.now().weekday() + 3) % 7, opens=time(9), closes=time(10)
    )
    assert "Closed until" in supervisor.get("/admin/conversations/team/").content.decode()
