"""``/healthz`` looks through a connection of its own, so these tests commit."""

import threading
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from consent.models import Hold
from contactcenter import health
from conversations import heartbeats
from conversations.models import Line
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def every_part_is_well(monkeypatch):
    monkeypatch.setattr(health, "_latest", None)
    monkeypatch.setattr(health, "FRESH_SECONDS", 0)
    monkeypatch.setattr(health.webhooks, "signature_health", lambda: None)
    for name in heartbeats.EXPECTED:
        heartbeats.beat(name, now=timezone.now())


def part(client, name):
    """(status of the answer, ok of the part, why)."""
    response = client.get("/healthz")
    told = response.json()["parts"][name]
    assert response.json()["ok"] == (response.status_code == 200)
    return response.status_code, told["ok"], told["why"]


def test_all_is_well(client):
    response = client.get("/healthz")
    assert response.status_code == 200, response.json()
    assert {name for name, told in response.json()["parts"].items() if told["ok"]} == {
        "carrier signature", "database", "holds", "inbound messages", "lines", "live", "migrations", "parked events",
        "number key", "processes", "redis",
    }  # fmt: skip
    assert "no-store" in response["Cache-Control"]


def test_a_signature_that_is_refused_is_red_and_says_which_secret_to_check(client, monkeypatch):
    monkeypatch.setattr(health.webhooks, "signature_health", lambda: "wrong secret: check VONAGE_SIGNATURE_SECRET")
    assert part(client, "carrier signature") == (503, False, "wrong secret: check VONAGE_SIGNATURE_SECRET")


def test_a_redis_that_is_gone_is_red(client, settings, tmp_path):
    settings.REDIS_URL = f"unix://{tmp_path}/nobody.sock"
    status, is_ok, why = part(client, "redis")
    assert (status, is_ok) == (503, False)
    assert str(tmp_path) not in why


def test_a_database_that_is_gone_is_red_and_nothing_of_it_is_told(client, monkeypatch):
    def gone():
        raise OperationalError('connection to server at "db.internal", user "app", password "hunter2" failed')

    monkeypatch.setattr(health, "database_findings", gone)
    response = client.get("/healthz")
    assert response.status_code == 503
    assert response.json()["parts"]["database"] == {"ok": False, "why": "It does not answer (OperationalError)."}
    assert "hunter2" not in response.content.decode()


def test_a_frozen_database_is_red_in_time_and_is_asked_by_one_thread_only(client, monkeypatch):
    thawed, asked = threading.Event(), []

    def frozen():
        asked.append(1)
        thawed.wait()
        return {"database": health.Finding()}

    monkeypatch.setattr(health, "database_findings", frozen)
    monkeypatch.setattr(health, "PATIENCE_SECONDS", 0.05)
    for _ in range(3):
        assert part(client, "database")[:2] == (503, False)
    assert len(asked) == 1
    thawed.set()
    health._latest.result()
    monkeypatch.setattr(health, "PATIENCE_SECONDS", 60)
    assert part(client, "database")[:2] == (200, True)


def test_whoever_asks_again_at_once_gets_the_same_examination(client, monkeypatch):
    monkeypatch.setattr(health, "FRESH_SECONDS", 60)
    client.get("/healthz")
    first = health._latest
    client.get("/healthz")
    assert health._latest is first


def test_a_slow_query_is_given_up(client, monkeypatch):
    def slow():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(600)")

    monkeypatch.setattr(health, "STATEMENT_MILLISECONDS", 20)
    monkeypatch.setitem(health.PARTS, "lines", slow)
    status, is_ok, why = part(client, "lines")
    assert (status, is_ok) == (503, False)
    assert "OperationalError" in why
    assert part(client, "holds")[1], "the others are told all the same"


def test_a_migration_that_is_missing_is_red_and_named(client, monkeypatch):
    monkeypatch.setattr(health, "newest_migrations", lambda: frozenset({("consent", "0099_later")}))
    assert part(client, "migrations") == (503, False, "Run manage.py migrate: consent.0099_later")


def test_processes_that_show_no_sign_of_life_are_named(client, monkeypatch):
    monkeypatch.setattr(health.heartbeats, "overdue", lambda: ["clock", "worker-agents"])
    assert part(client, "processes") == (503, False, "No sign of life from: clock, worker-agents.")


def test_a_process_that_was_never_started_is_missed(client):
    heartbeats.Heartbeat.objects.filter(name=heartbeats.CLOCK).delete()
    assert part(client, "processes")[2] == "No sign of life from: clock."


def test_a_paused_line_is_red_with_its_reason_and_without_numbers(client):
    reason = "Sender +12015550100 or (201) 555-0101 is not allowed (1120)"
    line = factories.line(name="Main", paused_at=timezone.now(), paused_reason=reason)
    told = "Main is paused: Sender (number) or (number) is not allowed (1120)"
    assert part(client, "lines") == (503, False, told)
    Line.objects.filter(pk=line.pk).update(is_active=False)
    assert part(client, "lines")[1], "a line that is switched off need not send"


def test_an_acknowledged_message_that_lies_about_is_red_after_a_minute(client):
    payload = factories.text_payload(sender="+12015550123")
    event = factories.carrier_event(payload, received_at=timezone.now() - timedelta(seconds=50))
    assert part(client, "inbound messages") == (200, True, "")
    type(event).objects.filter(pk=event.pk).update(received_at=timezone.now() - timedelta(seconds=70))
    status, is_ok, why = part(client, "inbound messages")
    assert (status, is_ok) == (503, False)
    assert "in no conversation yet" in why


def test_parked_events_and_holds_are_warnings(client):
    factories.carrier_event(factories.text_payload(sender="+12015550123"), state="parked", error="no line")
    Hold.objects.create(phone="+12015550123", phone_hash="x", reason="disk full")
    Hold.objects.create(phone="+12015550123", phone_hash="x", reason="over", released_at=timezone.now())
    assert part(client, "parked events") == (200, True, "1 could not be applied; see Carrier events in the admin.")
    assert part(client, "holds") == (200, True, "1 number is held until a person releases it.")
    Hold.objects.create(phone="+12015550124", phone_hash="y", reason="disk full")
    assert part(client, "holds") == (200, True, "2 numbers are held until a person releases them.")


def test_nobody_is_asked_to_sign_in_and_nothing_is_changed_by_it(client):
    assert client.get("/healthz").status_code == 200
    assert client.post("/healthz").status_code == 405


def test_a_changed_number_key_is_red(settings):
    factories.contact()
    assert health.number_key().ok
    settings.PHONE_HASH_KEY = "another key"
    assert not health.number_key().ok
