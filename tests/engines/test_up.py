"""What `manage.py up` decides before anything starts; tests marked `processes` run it whole."""

import socket

import pytest
from django.core.management import CommandError, call_command

from contactcenter import supervisor
from contactcenter.management.commands import up


@pytest.fixture
def var_dir(tmp_path, monkeypatch):
    monkeypatch.setenv("VAR_DIR", str(tmp_path))
    return tmp_path


def test_a_taken_port_is_refused_before_anything_starts_and_the_error_names_the_setting(var_dir):
    with (
        socket.create_server(("127.0.0.1", 0)) as other,
        pytest.raises(CommandError, match=r"is taken by another program.*PORT="),
    ):
        call_command("up", port=other.getsockname()[1])
    assert not (var_dir / "postgres").exists()


def test_a_host_that_is_none_is_refused_by_its_name(var_dir, settings):
    settings.HOST = "no.such.host.invalid"
    with pytest.raises(CommandError, match=r"HOST is 'no.such.host.invalid'") as refused:
        call_command("up", port=8000)
    assert "PORT" not in str(refused.value)
    assert not (var_dir / "postgres").exists()


def test_a_second_up_on_the_same_directory_is_refused(var_dir):
    with (
        supervisor.claim(var_dir, "http://127.0.0.1:8000"),
        pytest.raises(CommandError, match=r"already running \(pid \d+\) at http://127.0.0.1:8000"),
    ):
        call_command("up")


def test_the_demo_password_stays_the_same_and_only_its_owner_can_read_it(tmp_path):
    password = up._demo_password(tmp_path)
    assert up._demo_password(tmp_path) == password
    assert len(password) >= 12
    assert (tmp_path / "demo-password").stat().st_mode & 0o777 == 0o600


def test_engines_that_the_environment_names_are_not_started(tmp_path):
    named = {"DATABASE_URL": "postgresql://elsewhere/x", "REDIS_URL": "redis://elsewhere"}
    env = dict(named)
    assert list(up._engines(tmp_path, env)) == []
    assert env == named


def test_the_sandbox_keeps_its_usual_port_unless_it_is_taken():
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        assert up._free_port(taken) != taken
    assert up._free_port(taken) == taken


def test_the_engines_are_the_last_to_stop():
    names = ["web-1", "valkey", "clock", "agents", "sandbox", "postgres", "campaigns", "migrate", "web-2"]
    started = [service.name for service in up._in_order([up.Service(name=name, argv=[]) for name in names])]
    assert started == ["postgres", "valkey", "migrate", "sandbox", "campaigns", "agents", "clock", "web-1", "web-2"]
