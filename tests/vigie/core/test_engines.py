"""The embedded engines: durable, private, bound to their starter's life, clear when they cannot."""

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import psycopg
import pytest

from vigie.app import every_room
from vigie.core.engines import Child, NatsEngine, PostgresEngine, free_port
from vigie.core.engines.postgres import LOGIN, OWNER
from vigie.core.errors import SetupError
from vigie.core.migrate import migrate


async def test_postgresql_keeps_what_it_acknowledges_and_trusts_nobody(tmp_path: Path) -> None:
    """Full durability, checksums, scram for everyone, loopback only; the same data after a stop."""
    postgres = PostgresEngine(tmp_path, free_port())
    await postgres.start()
    try:
        async with await psycopg.AsyncConnection.connect(postgres.url(OWNER)) as connection:

            async def shown(name: str) -> str:
                row = await (await connection.execute(f"show {name}")).fetchone()
                assert row
                return str(row[0])

            for name in ("fsync", "full_page_writes", "synchronous_commit", "data_checksums"):
                assert await shown(name) == "on", name
            assert await postgres.answers()
            assert await shown("listen_addresses") == "127.0.0.1"
            assert await shown("unix_socket_directories") == ""
            assert await shown("password_encryption") == "scram-sha-256"
            rules = await connection.execute(
                "select distinct auth_method from pg_hba_file_rules where error is null"
            )
            assert await rules.fetchall() == [("scram-sha-256",)]
            await connection.execute("create table kept (n int)")
            await connection.execute("insert into kept values (7)")
        assert oct(postgres.data.stat().st_mode & 0o777) == "0o700"
        assert oct((tmp_path / "secrets").stat().st_mode & 0o777) == "0o700"
    finally:
        await postgres.stop()
    again = PostgresEngine(tmp_path, free_port())
    await again.start()
    try:
        async with await psycopg.AsyncConnection.connect(again.url(OWNER)) as connection:
            assert await (await connection.execute("select n from kept")).fetchone() == (7,)
    finally:
        await again.stop()


async def test_a_port_in_use_is_one_line_that_names_the_setting(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SetupError, match="VIGIE_POSTGRES_PORT"):
            await PostgresEngine(tmp_path, port).start()
        nats = NatsEngine(tmp_path, port=free_port(), mqtt_host="127.0.0.1", mqtt_port=port)
        with pytest.raises(SetupError, match="VIGIE_MQTT_PORT"):
            await nats.start()
    elsewhere = NatsEngine(tmp_path, port=free_port(), mqtt_host="192.0.2.1", mqtt_port=port)
    with pytest.raises(SetupError, match=r"192\.0\.2\.1 cannot be opened .*VIGIE_MQTT_HOST"):
        await elsewhere.start()


async def test_data_of_another_postgresql_is_refused(tmp_path: Path) -> None:
    data = tmp_path / "postgres"
    data.mkdir()
    (data / "PG_VERSION").write_text("14\n")
    with pytest.raises(SetupError, match="made by PostgreSQL 14"):
        await PostgresEngine(tmp_path, free_port()).start()


async def test_children_die_with_their_starter(tmp_path: Path) -> None:
    """A starter killed with -9 leaves no child behind."""
    script = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from vigie.core.engines import Child\n"
        "child = Child('sleeper', ['/bin/sleep', '600'], Path(sys.argv[1]), as_user=True)\n"
        "child.start()\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    starter = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "log")], stdout=subprocess.PIPE, text=True
    )
    assert starter.stdout
    pid = int(starter.stdout.readline())
    deadline = time.monotonic() + 30
    while psutil.Process(pid).name() != "sleep":
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
    starter.kill()
    starter.wait()
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, "the child outlived its starter"
        await asyncio.sleep(0.02)


async def test_a_child_that_ignores_the_request_is_made_to_end(tmp_path: Path) -> None:
    child = Child(
        "stubborn",
        [sys.executable, "-c", "import signal,time; signal.signal(15, signal.SIG_IGN); "
         "print('up', flush=True); time.sleep(600)"],
        tmp_path / "log",
    )  # fmt: skip
    child.start()
    while "up" not in child.tail():
        await asyncio.sleep(0.02)
    pid = child.pid
    assert pid
    await child.stop(within_s=0.3)
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, 0)
        pytest.fail("it still runs")


async def test_a_database_of_a_newer_vigie_is_refused(
    settings, owner: psycopg.AsyncConnection
) -> None:  # type: ignore[no-untyped-def]
    found = await owner.execute("select version_num from core.revision")
    head = (await found.fetchone() or ("",))[0]
    await owner.execute("update core.revision set version_num = '9999'")
    try:
        with pytest.raises(SetupError, match="newer Vigie"):
            await asyncio.to_thread(migrate, settings.database_owner_url, LOGIN, every_room())
    finally:
        await owner.execute("update core.revision set version_num = %s", [head])
