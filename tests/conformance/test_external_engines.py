"""The same centre on engines it did not bring: PostgreSQL 15, and a NATS that is too old."""

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.support.centre import Centre, json
from vigie.app import every_room
from vigie.core.engines import Child, free_port, nats
from vigie.core.engines import process as processes
from vigie.core.errors import SetupError
from vigie.core.migrate import migrate

DEBIAN_POSTGRES = Path("/usr/lib/postgresql/15/bin")
DEBIAN_NATS = Path("/usr/sbin/nats-server")
LAUNCH = Path(processes.__file__).with_name("launch.py")


def launched(arguments: list[str], *, as_root_user: bool) -> list[str]:
    """A command through the launcher, which makes it an ordinary user where we are root."""
    import os

    prefix = [sys.executable, "-I", "-S", str(LAUNCH)]
    if as_root_user and os.geteuid() == 0:
        prefix.append("--as-user")
    return [*prefix, str(int(signal.SIGKILL)), str(os.getpid()), *arguments]


@pytest.fixture
def postgres_15(tmp_path: Path) -> Iterator[str]:
    """A cluster of Debian's PostgreSQL 15; the address of a login that may create roles."""
    if not (DEBIAN_POSTGRES / "postgres").exists():
        pytest.skip("Debian's postgresql-15 is not installed")
    data = tmp_path / "pg15"
    made = subprocess.run(
        launched(
            [str(DEBIAN_POSTGRES / "initdb"), "-D", str(data), "-U", "super", "--auth=trust"],
            as_root_user=True,
        ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    port = free_port()
    server = Child(
        "postgres-15",
        [
            str(DEBIAN_POSTGRES / "postgres"), "-D", str(data), "-p", str(port),
            "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=",
        ],
        tmp_path / "pg15.log",
        as_user=True,
        stop_signal=signal.SIGINT,
    )  # fmt: skip
    server.start()
    url = f"postgresql://super@127.0.0.1:{port}/postgres"
    try:
        for attempt in range(100):
            try:
                connection = psycopg.connect(url, autocommit=True, connect_timeout=2)
                break
            except psycopg.OperationalError:
                assert attempt < 99, server.tail(5)
                import time

                time.sleep(0.1)
        with connection:
            connection.execute("create role city login createrole password 'city'")
            connection.execute("create database city owner city")
        yield f"postgresql://city:city@127.0.0.1:{port}/city"
    finally:
        assert server.pid
        import os

        os.kill(server.pid, signal.SIGINT)


def test_the_centre_runs_on_debians_postgresql_15(postgres_15: str, tmp_path: Path) -> None:
    """Migrations, login, a unit of work with row level security, the journal."""
    centre = Centre(tmp_path / "var", database_url=postgres_15)
    try:
        centre.up("--no-city")
        client = centre.login()
        assert json(client.get("/api/v1/assets"))["items"] == []
        acts = [entry["act"] for entry in json(client.get("/api/v1/journal"))["items"]]
        assert acts
        assert "PostgreSQL 15" in centre.command("doctor", check=False).stdout
    finally:
        centre.stop()


def test_an_owner_who_may_not_create_roles_is_told_what_to_run(postgres_15: str) -> None:
    """The remedy is real: run by a superuser, it is enough."""
    admin = postgres_15.replace("city:city@", "super@").rsplit("/", 1)[0]
    url = postgres_15.replace("city:city@", "plain:plain@").rsplit("/", 1)[0] + "/plain"
    with psycopg.connect(admin + "/postgres", autocommit=True) as connection:
        connection.execute("create role plain login password 'plain'")
        connection.execute("create database plain owner plain")
        with pytest.raises(SetupError, match="once as a superuser") as refused:
            migrate(url, "plain", every_room())
        connection.execute(refused.value.detail.split("`")[1].encode())
    assert migrate(url, "plain", every_room()) == migrate(url, "plain", every_room())


def test_a_nats_of_ones_own_runs_from_the_printed_configuration(tmp_path: Path) -> None:
    """`nats-config` is all that a server needs; the canary logs in and speaks as a device does."""
    centre = Centre(tmp_path / "var")
    configuration = tmp_path / "nats.conf"
    configuration.write_text(centre.command("nats-config").stdout)
    port = centre.environment["VIGIE_NATS_PORT"]
    for user, name in (("vigie", "URL"), ("vigie-system", "SYSTEM_URL")):
        secret = (centre.var / "secrets" / f"nats-{user}").read_text()
        centre.environment[f"VIGIE_NATS_{name}"] = f"nats://{user}:{secret}@127.0.0.1:{port}"
    server = subprocess.Popen(
        [str(nats.binary()), "-c", str(configuration)], stderr=subprocess.DEVNULL
    )
    try:
        centre.up("--no-city")
        assert "nats" not in centre.pids()
        said = centre.command("doctor").stdout
        assert "connections are seen" in said
        assert "what a device sends at QoS 1 is kept" in said
    finally:
        centre.stop()
        server.terminate()
        server.wait()


def test_a_nats_too_old_is_refused_with_the_reason(tmp_path: Path) -> None:
    """Debian's NATS 2.9 has no auth callout: refused by version, with what is needed."""
    if not DEBIAN_NATS.exists():
        pytest.skip("Debian's nats-server is not installed")
    port = free_port()
    server = subprocess.Popen(
        [str(DEBIAN_NATS), "-a", "127.0.0.1", "-p", str(port)], stderr=subprocess.DEVNULL
    )
    try:
        centre = Centre(tmp_path / "var", nats_url=f"nats://127.0.0.1:{port}")
        with pytest.raises(AssertionError, match=r"too old.*2\.11"):
            centre.up("--no-city")
        centre.stop()
    finally:
        server.kill()
        server.wait()


def test_programs_on_the_path_are_never_used() -> None:
    """Both engines are run from their wheels, by absolute path."""
    from vigie.core.engines import postgres

    for path in (nats.binary(), postgres.binaries() / "postgres"):
        assert path.is_absolute()
        assert path.is_relative_to(Path(sys.prefix))
    assert shutil.which("nats-server") != str(nats.binary()) or sys.prefix in str(nats.binary())
