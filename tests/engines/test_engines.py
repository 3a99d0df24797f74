"""The embedded PostgreSQL and Valkey, for real."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
import redis

from contactcenter import binaries, engines, minder, supervisor
from tests.engines.conftest import is_alive, wait_until

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def var_dir(tmp_path):
    yield tmp_path / "var"
    shutil.rmtree(engines._socket_dir(tmp_path / "var"), ignore_errors=True)


def execute(url, sql):
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(sql)
        return cursor.fetchone() if cursor.description else None


def postmaster(var_dir):
    return int((var_dir / "postgres" / "postmaster.pid").read_text().split()[0])


def test_data_written_in_one_run_is_there_in_the_next(var_dir):
    with engines.running(var_dir) as urls:
        execute(urls.database, "CREATE TABLE kept AS SELECT 'here' AS it")
    with engines.running(var_dir) as urls:
        assert execute(urls.database, "TABLE kept") == ("here",)


def test_both_urls_are_known_before_anything_runs_and_work_afterwards(var_dir):
    known = engines.urls(var_dir)
    with pytest.raises(psycopg.OperationalError):
        execute(known.database, "SELECT 1")
    with engines.running(var_dir) as urls:
        assert urls == known == engines.urls(var_dir)
        assert execute(urls.database, "SELECT current_user || '@' || current_database()") == ("app@contactcenter",)
        assert redis.from_url(urls.redis).ping()


def test_neither_engine_listens_on_a_network_port(var_dir):
    with engines.running(var_dir) as urls:
        assert execute(urls.database, "SHOW listen_addresses") == ("",)
        client = redis.from_url(urls.redis)
        assert client.config_get("port") == {"port": "0"}


def test_only_throwaway_engines_give_up_durability(var_dir):
    with engines.running(var_dir) as urls:
        assert execute(urls.database, "SHOW fsync") == ("on",)
        assert execute(urls.database, "SHOW synchronous_commit") == ("on",)
    with engines.throwaway() as urls:
        assert execute(urls.database, "SHOW fsync") == ("off",)


def test_letters_outside_ascii_are_folded_and_sorted_alike_everywhere(var_dir):
    with engines.running(var_dir, durable=False) as urls:
        assert execute(urls.database, "SELECT lower('ÉÑ'), 'Z' < 'a'") == ("éñ", True)


def test_nothing_is_left_of_throwaway_engines():
    with engines.throwaway() as urls:
        directory = Path(execute(urls.database, "SHOW data_directory")[0])
        pid = postmaster(directory.parent)
    assert not is_alive(pid)
    assert not directory.parent.parent.exists()


def test_postgresql_is_given_the_time_to_stop_in_order(var_dir):
    with engines.running(var_dir):
        pass
    log = (var_dir / "postgres.log").read_text()
    assert "fast shutdown request" in log
    assert "immediate" not in log


def test_committed_data_survives_a_killed_postmaster(var_dir):
    with engines.running(var_dir) as urls:
        execute(urls.database, "CREATE TABLE kept AS SELECT 'here' AS it")
        pid = postmaster(var_dir)
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not is_alive(pid))
    with engines.running(var_dir) as urls:
        assert execute(urls.database, "TABLE kept") == ("here",)


def test_a_lock_file_whose_number_now_belongs_to_another_process_does_not_block_the_start(var_dir):
    with engines.running(var_dir):
        lock = (var_dir / "postgres" / "postmaster.pid").read_text()
    _, rest = lock.split("\n", 1)
    with subprocess.Popen(["sleep", "60"]) as stranger:
        (var_dir / "postgres" / "postmaster.pid").write_text(f"{stranger.pid}\n{rest}")
        with engines.running(var_dir) as urls:
            assert execute(urls.database, "SELECT 1") == (1,)
        stranger.kill()


def test_a_zombie_postmaster_does_not_block_the_start(var_dir):
    with engines.running(var_dir):
        lock = (var_dir / "postgres" / "postmaster.pid").read_text()
    _, rest = lock.split("\n", 1)
    zombie = subprocess.Popen(["true"])
    wait_until(lambda: not is_alive(zombie.pid))
    (var_dir / "postgres" / "postmaster.pid").write_text(f"{zombie.pid}\n{rest}")
    with engines.running(var_dir) as urls:
        assert execute(urls.database, "SELECT 1") == (1,)
    zombie.wait()


def test_a_path_too_long_for_a_socket_gets_a_short_private_one(tmp_path):
    deep = tmp_path.joinpath(*["a long folder name with spaces"] * 5, "var")
    try:
        with engines.running(deep, durable=False) as urls:
            assert execute(urls.database, "SELECT 1") == (1,)
            assert redis.from_url(urls.redis).ping()
            sockets = engines._socket_dir(deep)
            assert sockets.stat().st_mode & 0o777 == 0o700
    finally:
        shutil.rmtree(engines._socket_dir(deep), ignore_errors=True)


def test_a_socket_directory_that_others_can_enter_is_refused(var_dir):
    engines._socket_dir(var_dir).mkdir(parents=True, mode=0o755)
    engines._socket_dir(var_dir).chmod(0o755)
    with pytest.raises(engines.EngineError, match="mode 0700"):
        engines.valkey(var_dir)


def test_a_socket_directory_that_is_a_link_is_refused(var_dir, tmp_path):
    engines._socket_dir(var_dir).parent.mkdir(parents=True, exist_ok=True)
    engines._socket_dir(var_dir).symlink_to(tmp_path)
    try:
        with pytest.raises(engines.EngineError, match="mode 0700"):
            engines.valkey(var_dir)
    finally:
        engines._socket_dir(var_dir).unlink()


def test_data_of_another_major_version_is_left_alone_and_the_error_says_what_to_do(var_dir):
    with engines.running(var_dir, durable=False):
        pass
    (var_dir / "postgres" / "PG_VERSION").write_text("14\n")
    with (
        pytest.raises(engines.EngineError, match=r"made by PostgreSQL 14.*POSTGRES_BINDIR.*pg_dump"),
        engines.running(var_dir),
    ):
        pass


def test_an_interrupted_creation_is_started_over(var_dir):
    half = var_dir / "postgres.unfinished"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    with engines.running(var_dir, durable=False) as urls:
        assert execute(urls.database, "SELECT 1") == (1,)
    assert not half.exists()


def test_a_second_run_on_the_same_directory_is_told_who_holds_it(var_dir):
    with (
        engines.running(var_dir, durable=False),
        pytest.raises(supervisor.AlreadyRunningError, match=rf"pid {os.getpid()}\b"),
        engines.running(var_dir, durable=False),
    ):
        pass


def test_a_binary_folder_without_postgresql_is_refused_by_name(monkeypatch, tmp_path):
    monkeypatch.setenv("POSTGRES_BINDIR", str(tmp_path))
    (tmp_path / "initdb").touch()
    with pytest.raises(engines.EngineError, match=r"POSTGRES_BINDIR is .*, but there is no postgres in it"):
        binaries.program(tmp_path / "var")


def test_a_command_runs_with_throwaway_engines_and_its_status_comes_back(tmp_path):
    script = "import os, psycopg; psycopg.connect(os.environ['DATABASE_URL']).close(); raise SystemExit(7)"
    done = subprocess.run(
        [sys.executable, "-m", "contactcenter.engines", "run", "--", sys.executable, "-c", script], cwd=ROOT
    )
    assert done.returncode == 7


def test_an_ordinary_user_can_run_them(nobody_can_enter):
    script = (
        "import psycopg; from pathlib import Path; from contactcenter import engines\n"
        f"with engines.running(Path({str(nobody_can_enter / 'var')!r})) as urls:\n"
        "    print(psycopg.connect(urls.database).execute('SELECT 40 + 2').fetchone())"
    )
    try:
        done = subprocess.run(
            [sys.executable, "-c", script],
            user=65534,
            group=65534,
            extra_groups=[],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "HOME": str(nobody_can_enter)},
            capture_output=True,
            text=True,
        )
    except PermissionError:
        pytest.skip("an ordinary user cannot reach this Python")
    assert done.stdout == "(42,)\n", done.stderr


@pytest.mark.skipif(bool(os.geteuid()), reason="only root has to become somebody else")
@pytest.mark.parametrize("within_reach", [True, False], ids=["open directory", "closed directory"])
def test_root_without_user_namespaces_runs_postgresql_as_nobody(within_reach, monkeypatch, nobody_can_enter, tmp_path):
    def refused():
        raise OSError("user namespaces are not available")

    monkeypatch.setattr(minder, "_enter_user_namespace", refused)
    nobody_can_enter.chmod(0o711 if within_reach else 0o700)
    os.chown(nobody_can_enter, 0, 0)
    var_dir = nobody_can_enter / "var"
    try:
        for expected in (None, ("here",)):
            with engines.running(var_dir, durable=False) as urls:
                if expected is None:
                    execute(urls.database, "CREATE TABLE kept AS SELECT 'here' AS it")
                assert execute(urls.database, "TABLE kept") == ("here",)
                assert redis.from_url(urls.redis).ping()
        assert (var_dir / "postgres").is_symlink() is not within_reach
    finally:
        shutil.rmtree(engines._socket_dir(var_dir), ignore_errors=True)
        shutil.rmtree(binaries.public_home(var_dir), ignore_errors=True)
