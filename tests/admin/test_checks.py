import os
import subprocess
import sys
import zoneinfo
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from consent import rulebook, zones
from contactcenter import checks
from tests.production import environment as production_environment

ROOT = Path(__file__).resolve().parents[2]
KEY = rsa.generate_private_key(65537, 2048)


def pem(key=KEY, form=PrivateFormat.PKCS8):
    return key.private_bytes(Encoding.PEM, form, NoEncryption()).decode()


def found(check):
    return [message.id.removeprefix("contactcenter.") for message in check(None)]


@pytest.fixture
def production(settings):
    settings.PUBLIC_URL = "https://texts.example.com"
    settings.ALLOWED_HOSTS = ["texts.example.com"]
    settings.SECRET_KEY, settings.PHONE_HASH_KEY = "s" * 60, "p" * 60
    settings.SANDBOX_URL = ""
    settings.VONAGE_APPLICATION_ID = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
    settings.VONAGE_PRIVATE_KEY = pem()
    settings.VONAGE_API_KEY = "abcd1234"
    settings.VONAGE_SIGNATURE_SECRETS = ["x" * 32]
    settings.VONAGE_API_HOST = "api.nexmo.com"
    return settings


CHECKS = [
    checks.check_address,
    checks.check_database,
    checks.check_carrier,
    checks.check_carrier_in_production,
    checks.check_tasks,
]


def test_a_full_configuration_has_no_complaint(production):
    assert [found(check) for check in CHECKS] == [[]] * len(CHECKS)


@pytest.mark.parametrize(
    ("name", "value", "check", "complaint"),
    [
        ("PUBLIC_URL", "texts.example.com", checks.check_address, "E001"),
        ("PUBLIC_URL", "http://[texts", checks.check_address, "E001"),
        ("PUBLIC_URL", "https://texts.example.com/inbox", checks.check_address, "E001"),
        ("PUBLIC_URL", "https://other.example.com", checks.check_address, "E002"),
        ("PHONE_HASH_KEY", "s" * 60, checks.check_address, "E003"),
        ("SANDBOX_URL", "http://127.0.0.1:9000", checks.check_address, "E004"),
        ("VONAGE_API_KEY", "", checks.check_carrier, "E010"),
        ("VONAGE_SIGNATURE_SECRETS", [], checks.check_carrier, "E010"),
        ("VONAGE_PRIVATE_KEY", "/run/secrets/key", checks.check_carrier, "E011"),
        ("VONAGE_PRIVATE_KEY", pem(ec.generate_private_key(ec.SECP256R1())), checks.check_carrier, "E011"),
        ("VONAGE_PRIVATE_KEY", pem(form=PrivateFormat.TraditionalOpenSSL), checks.check_carrier, "E011"),
        ("VONAGE_API_HOST", "https://api.nexmo.com", checks.check_carrier, "E012"),
        ("VONAGE_SIGNATURE_SECRETS", [letter * 32 for letter in "abc"], checks.check_carrier, "W013"),
        ("VONAGE_SIGNATURE_SECRETS", ["x" * 32, "y" * 31], checks.check_carrier, "W014"),
    ],
)
def test_each_mistake_has_its_complaint(production, name, value, check, complaint):
    setattr(production, name, value)
    assert found(check) == [complaint]


def test_a_pool_of_connections_is_refused(production, monkeypatch):
    monkeypatch.setitem(production.DATABASES["default"], "OPTIONS", {"pool": True})
    assert found(checks.check_database) == ["E006"]


def test_no_carrier_at_all_is_a_demo_and_a_warning_in_production_only(production):
    for name in ("VONAGE_APPLICATION_ID", "VONAGE_PRIVATE_KEY", "VONAGE_API_KEY"):
        setattr(production, name, "")
    production.VONAGE_SIGNATURE_SECRETS = []
    assert found(checks.check_carrier) == []
    assert found(checks.check_carrier_in_production) == ["W015"]


@pytest.mark.parametrize(
    ("changes", "complaints"),
    [
        ({"worker": 2}, {"E020"}),
        ({"orm": ""}, {"E021"}),
        ({"retry": 120}, {"E022"}),
        ({"scheduler": True}, {"E023"}),
        ({"ALT_CLUSTERS": {"agents": {"queue_limit": 50}}}, {"E022"}),
        ({"ALT_CLUSTERS": {"agents": {"wrokers": 1}}}, {"E020"}),
    ],
)
def test_each_trap_of_the_task_queue_has_its_complaint(production, changes, complaints):
    production.Q_CLUSTER = production.Q_CLUSTER | changes
    assert set(found(checks.check_tasks)) == complaints


def of_hours(id_, value, since="2031-01-01"):
    return f'[[rule]]\nid = "{id_}"\nvalue = "{value}"\neffective_from = {since}\njurisdiction = "US"\ncitation = "x"\n'


@pytest.mark.parametrize(
    ("rule", "complaint"),
    [
        (of_hours("hours.promotional", "09:00-20:00"), None),
        (of_hours("hours.promotional", "9-20"), "hours.promotional from 2031-01-01: hours “9-20”"),
        (of_hours("hours.promotinal.us-fl", "09:00-20:00"), "hours.promotinal.us-fl is about no category"),
        (of_hours("hours.unknown_zone", "America/Boston"), "no time zone America/Boston"),
        (of_hours("other.promotional", "09:00-20:00"), "must begin with “hours.”"),
    ],
)
def test_rules_that_nobody_could_decide_by_are_found_before_their_day(rule, complaint, tmp_path, monkeypatch):
    (tmp_path / "hours.toml").write_text(rule)
    (tmp_path / "keywords.toml").write_text((rulebook.RULES / "keywords.toml").read_text())
    monkeypatch.setattr(rulebook, "current", lambda: rulebook.load(tmp_path))
    messages = list(checks.check_rules(None))
    assert [message.id for message in messages] == (["contactcenter.E030"] if complaint else [])
    assert all(complaint in message.msg for message in messages)


def test_the_rules_and_tables_that_ship_can_be_followed_here():
    assert found(checks.check_rules) == []


def test_a_zone_that_this_machine_does_not_know_is_told(monkeypatch):
    monkeypatch.setattr(zones, "known_zones", lambda: zoneinfo.available_timezones() - {"America/Denver"})
    rules, tables = checks.check_rules(None)
    assert (rules.id, tables.id) == ("contactcenter.E030", "contactcenter.E031")
    assert all("America/Denver" in message.msg for message in (rules, tables))


def test_every_complaint_says_what_to_do(production):
    production.PUBLIC_URL = "https://other.example.com"
    production.VONAGE_API_KEY, production.VONAGE_API_HOST = "", "https://x"
    messages = [message for check in CHECKS for message in check(None)]
    assert len(messages) >= 3
    assert all(message.hint for message in messages)


def checked(var_dir, **changes):
    """``manage.py check --deploy`` as an operator runs it, in a full production environment."""
    environment = {"PATH": os.environ["PATH"], **production_environment(var_dir)}
    check = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    return subprocess.run(check, cwd=ROOT, env=environment | changes, capture_output=True, text=True, check=False)


def test_check_deploy_is_clean_with_a_full_production_environment(tmp_path):
    done = checked(tmp_path)
    assert done.returncode == 0, done.stderr


def test_check_finds_a_mistake_in_the_environment(tmp_path):
    done = checked(tmp_path, VONAGE_API_HOST="https://api.nexmo.com", PHONE_HASH_KEY="")
    assert done.returncode == 1
    assert "contactcenter.E003" in done.stderr
    assert "contactcenter.E012" in done.stderr
