"""`manage.py doctor`: each misconfiguration is said in words, with what to do."""

import re
from datetime import timedelta
from email.utils import format_datetime

import pytest
import requests
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.utils import timezone

from consent import rulebook
from contactcenter import address, doctor, health
from contactcenter.accounts.models import Role
from conversations import heartbeats
from conversations.models import Line
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def installed(settings, tmp_path):
    """An installation that has everything, without a carrier."""
    settings.VAR_DIR = tmp_path
    factories.user(Role.ADMINISTRATOR)
    factories.user()
    factories.line()
    for name in heartbeats.EXPECTED:
        heartbeats.beat(name, now=timezone.now())


@pytest.fixture
def answering(installed, settings, monkeypatch):
    """A carrier that is configured; what it answers can be set."""
    for name in ("VONAGE_APPLICATION_ID", "VONAGE_PRIVATE_KEY", "VONAGE_API_KEY"):
        setattr(settings, name, "given")
    settings.VONAGE_SIGNATURE_SECRETS = ["s" * 32]
    answer = requests.Response()
    answer.status_code = 401
    monkeypatch.setattr(doctor.requests, "head", lambda *args, **kwargs: answer)
    return answer


def told(name: str) -> list[str]:
    return [complaint.what for complaint in dict(doctor.examined())[name]]


def test_a_good_installation_has_nothing_to_mend(installed, capsys) -> None:
    call_command("doctor")
    said = capsys.readouterr().out
    assert "Nothing to mend." in said
    assert re.match(rf"Rules {rulebook.version()}, time zones \d{{4}}[a-z]\n", said)
    assert "✗" not in said


def test_an_empty_one_is_told_what_comes_first(capsys, settings, tmp_path) -> None:
    settings.VAR_DIR = tmp_path
    with pytest.raises(CommandError, match="things to mend"):
        call_command("doctor")
    said = capsys.readouterr().out
    assert "There is no administrator.\n      → Make one: manage.py createsuperuser" in said
    assert "There is no line that is switched on." in said
    assert "No sign of life from: clock, worker-agents, worker-campaigns." in said


def test_every_part_of_the_health_page_has_its_remedy() -> None:
    assert doctor.REMEDIES.keys() == health.PARTS.keys()


def test_a_paused_line_says_how_to_resume_it(installed) -> None:
    Line.objects.update(paused_at=timezone.now(), paused_reason="Invalid account (401)")
    (complaint,) = dict(doctor.examined())["The running product"]
    assert "Invalid account (401)" in complaint.what
    assert "Resume" in complaint.remedy


def test_a_host_where_nobody_can_listen_is_told(installed, settings) -> None:
    settings.HOST = "no.such.host.invalid"
    assert "HOST is 'no.such.host.invalid'" in told("Where it listens")[0]


def test_a_port_where_the_product_may_listen_already_is_no_fault(installed, settings) -> None:
    with address.listening("127.0.0.1", 0) as product:
        settings.HOST, settings.PORT = product.getsockname()
        assert told("Where it listens") == []


def test_a_folder_without_postgresql_is_told(installed, monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("POSTGRES_BINDIR", str(tmp_path))
    assert told("PostgreSQL's programs") == [
        f"POSTGRES_BINDIR is {tmp_path}, but there is no postgres and no initdb in it."
    ]


def test_a_folder_that_is_not_made_yet_is_a_note(installed, settings, tmp_path) -> None:
    settings.VAR_DIR = tmp_path / "none"
    (complaint,) = dict(doctor.examined())["Disk"]
    assert "where there is no folder yet" in complaint.what
    assert not complaint.is_serious


def test_a_secret_that_others_can_read_is_named(installed, settings) -> None:
    secret = settings.VAR_DIR / "secret-key"
    secret.touch(mode=0o644)
    assert told("Disk") == [f"{secret} can be read by others."]


def test_a_full_disk_is_told_in_time(installed, monkeypatch) -> None:
    monkeypatch.setattr(doctor, "FREE_BYTES", 1 << 62)
    assert "GB left" in told("Disk")[0]


def test_too_few_connections_are_a_note(installed, settings, capsys) -> None:
    settings.WEB_PROCESSES = 1000
    call_command("doctor")
    assert "Note: PostgreSQL takes" in capsys.readouterr().out


def test_a_database_that_is_away_is_told_once(installed, monkeypatch) -> None:
    def away() -> None:
        raise OperationalError("connection refused\nIs the server running?")

    monkeypatch.setattr(
        doctor,
        "EXAMINATIONS",
        [one._replace(complaints=away) if one.name == "PostgreSQL" else one for one in doctor.EXAMINATIONS],
    )
    found = dict(doctor.examined())
    assert [complaint.what for complaint in found["PostgreSQL"]] == [
        "The database does not answer as it should: connection refused"
    ]
    assert "The running product" not in found


def test_an_address_that_is_no_redis_is_told(installed, settings) -> None:
    settings.REDIS_URL = "http://localhost:6379"
    assert told("Redis") == ["REDIS_URL is no address of a Redis."]


def test_without_a_carrier_that_is_a_note(installed, capsys) -> None:
    call_command("doctor")
    assert "Note: No carrier is configured: nothing can be sent." in capsys.readouterr().out


def test_no_web_process_at_all_is_told(installed, settings) -> None:
    settings.WEB_PROCESSES = 0
    assert "WEB_PROCESSES is 0: nobody would answer." in told("Settings")


def test_redis_that_is_away_is_told(installed, settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1"
    assert told("Redis")


@pytest.mark.parametrize("off", [timedelta(minutes=5), -timedelta(minutes=5)])
def test_a_clock_that_the_carrier_would_refuse_is_told(answering, off) -> None:
    answering.headers["Date"] = format_datetime(timezone.now() + off, usegmt=False)
    assert re.search("(299|300|301) s apart", told("The carrier")[0])


@pytest.mark.parametrize("date", ["", "yesterday", None])
def test_a_carrier_that_answers_is_well(answering, date) -> None:
    answering.headers["Date"] = format_datetime(timezone.now()) if date is None else date
    assert told("The carrier") == []
    assert told("Webhooks") == ["The carrier has never called."]


@pytest.mark.parametrize(
    ("error", "words"), [(requests.ConnectionError, "cannot be reached"), (requests.exceptions.SSLError, "is refused")]
)
def test_a_carrier_out_of_reach_is_told(answering, monkeypatch, error, words) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise error("no")

    monkeypatch.setattr(doctor.requests, "head", fail)
    assert words in told("The carrier")[0]
