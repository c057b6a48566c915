"""The first administrator's password survives a first start that was interrupted."""

import asyncio
import os
import signal
import time
from pathlib import Path

import msgspec
import pytest

from tests.support.centre import Centre
from vigie.commands import first_login
from vigie.commands.engines import Session
from vigie.core.access import admin
from vigie.core.database import Database
from vigie.core.runtime import Runtime


async def test_a_second_start_says_where_the_password_is(new_runtime) -> None:  # type: ignore[no-untyped-def]
    runtime: Runtime = await new_runtime()
    session, file = Session(runtime.settings), first_login.path(runtime.settings.root)
    said = await first_login.way_in(session)
    kept = msgspec.json.decode(file.read_bytes(), type=admin.FirstLogin)
    assert kept.password in said
    assert file.stat().st_mode & 0o777 == 0o600
    again = await first_login.way_in(session)
    assert str(file) in again
    assert kept.password not in again
    assert await admin.awaits_first_login(runtime.database, "admin", kept.password)

    watch = asyncio.create_task(first_login.forget_when_used(session, every_s=0.05))
    await asyncio.sleep(0.3)
    assert file.exists(), "nobody has logged in yet"
    async with runtime.database.unit() as unit:
        from sqlalchemy import text

        await unit.execute(text("update access.account set must_change_password = false"))
    await asyncio.wait_for(watch, 30)
    assert not file.exists()
    assert await first_login.way_in(session) == ""


async def test_an_account_whose_password_could_not_be_kept_is_not_made(new_runtime) -> None:  # type: ignore[no-untyped-def]
    database: Database = (await new_runtime()).database

    def full(_login: admin.FirstLogin) -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        await admin.create_first_administrator(database, full)
    assert await admin.list_users(database) == []


async def test_a_reset_password_makes_the_kept_one_void(new_runtime) -> None:  # type: ignore[no-untyped-def]
    runtime: Runtime = await new_runtime()
    session, file = Session(runtime.settings), first_login.path(runtime.settings.root)
    await first_login.way_in(session)
    await admin.reset_password(runtime.database, "admin")
    first_login.forget(runtime.settings.root, "somebody")
    assert file.exists()
    said = await first_login.way_in(session)
    assert not file.exists()
    assert "vigie user reset-password admin" in said


@pytest.mark.faults
def test_a_first_start_killed_before_it_prints(tmp_path: Path) -> None:
    """kill -9 as soon as the account exists; the next start says how to get in, and one can."""
    centre = Centre(tmp_path / "var")
    file = first_login.path(centre.var)
    try:
        with pytest.raises(AssertionError, match="vigie up ended"):
            _kill_when(centre, file)
        assert "First login" not in centre.said()
        centre.up("--no-city")
        assert str(file) in centre.said()
        kept = msgspec.json.decode(file.read_bytes(), type=admin.FirstLogin)
        centre.login(kept.username, kept.password, "a new password for good").close()
        deadline = time.monotonic() + 60
        while file.exists():
            assert time.monotonic() < deadline, "the first password is still there"
            time.sleep(0.2)
    finally:
        centre.stop()


def _kill_when(centre: Centre, file: Path) -> None:
    import threading

    def kill() -> None:
        deadline = time.monotonic() + 60
        while not file.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        if centre.process:
            os.kill(centre.process.pid, signal.SIGKILL)

    threading.Thread(target=kill).start()
    centre.up("--no-city")
