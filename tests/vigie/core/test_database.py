"""The unit of work on a real PostgreSQL."""

import psycopg
import pytest
from sqlalchemy import text

from vigie.core.bus import Bus
from vigie.core.database import RUNTIME_ROLE, Database


async def test_runs_as_the_runtime_role(database: Database) -> None:
    async with database.unit() as unit:
        row = (await unit.execute(text("select current_user"))).scalar_one()
    assert row == RUNTIME_ROLE


async def test_after_commit_runs_only_when_it_commits(database: Database) -> None:
    told: list[str] = []
    with pytest.raises(ZeroDivisionError):
        async with database.unit() as unit:
            unit.after_commit(lambda: told.append("never"))
            raise ZeroDivisionError
    async with database.unit() as unit:
        unit.after_commit(lambda: told.append("once"))
    assert told == ["once"]


async def test_sessions_that_ended_in_the_pool_cost_no_unit(
    database: Database, owner: psycopg.AsyncConnection
) -> None:
    async with database.unit() as one, database.unit() as other:
        pids = [
            (await unit.execute(text("select pg_backend_pid()"))).scalar_one()
            for unit in (one, other)
        ]
    await owner.execute("select pg_terminate_backend(pid, 5000) from unnest(%s::int[]) pid", [pids])
    for _ in pids:
        async with database.unit() as unit:
            assert (await unit.execute(text("select pg_backend_pid()"))).scalar_one() not in pids


async def test_the_bus_answers(bus: Bus) -> None:
    assert bus.connected
