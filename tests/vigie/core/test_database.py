"""The unit of work on a real PostgreSQL."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from vigie.core.bus import Bus
from vigie.core.database import RUNTIME_ROLE, Database
from vigie.core.errors import Unavailable
from vigie.core.runtime import database_url
from vigie.core.settings import Settings


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


async def refused(code: str, work: Callable[[], Awaitable[object]]) -> Unavailable:
    with pytest.raises(Unavailable) as error:
        await work()
    assert error.value.code == code
    return error.value


async def test_a_pool_without_room_says_busy_and_nothing_else(settings: Settings) -> None:
    small = Database(database_url(settings), pool=1, pool_wait_s=0.05)
    try:
        async with small.unit():
            error = await refused("database_busy", lambda: run(small, "select 1"))
        assert error.retry_after_s
    finally:
        await small.close()


async def test_lanes_do_not_starve_each_other(settings: Settings) -> None:
    lanes = Database(database_url(settings), pool=1, screens=1, exports=1, pool_wait_s=0.05)
    try:
        async with lanes.unit(lane="screens"), lanes.unit(lane="exports"):
            await refused("database_busy", lambda: run(lanes, "select 1", lane="screens"))
            await run(lanes, "select 1")
        assert lanes.pool() == (0, 3)
    finally:
        await lanes.close()


async def test_a_statement_that_takes_too_long_is_stopped_and_called_so(
    database: Database,
) -> None:
    error = await refused(
        "database_timed_out", lambda: run(database, "select pg_sleep(30)", statement_timeout_s=0.1)
    )
    assert "rolled back" in error.detail
    async with database.unit() as unit:
        left = await unit.execute(text("show statement_timeout"))
        assert left.scalar_one() == "0", "the limit is of the unit, not of the connection"


async def test_a_database_may_limit_every_unit(settings: Settings) -> None:
    limited = Database(database_url(settings), pool=1, statement_timeout_s=0.1)
    try:
        await refused("database_timed_out", lambda: run(limited, "select pg_sleep(30)"))
        await run(limited, "select pg_sleep(0.2)", statement_timeout_s=30)
    finally:
        await limited.close()


async def test_a_deadlock_or_a_lock_is_a_conflict_to_try_again(
    database: Database, owner: psycopg.AsyncConnection
) -> None:
    await owner.execute("create table if not exists public.held (id int primary key)")
    await owner.execute("grant all on public.held to public")
    await owner.execute("insert into held values (1), (2) on conflict do nothing")

    async def locked() -> None:
        async with database.unit() as unit:
            await unit.execute(text("set local lock_timeout = '50ms'"))
            await unit.execute(text("select 1 from held where id = 1 for update"))

    async with database.unit() as holder:
        await holder.execute(text("select 1 from held where id = 1 for update"))
        error = await refused("database_conflict", locked)
    assert error.retry_after_s

    both = asyncio.Barrier(2)

    async def cross(first: int, second: int) -> None:
        async with database.unit() as unit:
            take = text("select 1 from held where id = :id for update")
            await unit.execute(take, {"id": first})
            await both.wait()
            await unit.execute(take, {"id": second})

    ends = await asyncio.gather(cross(1, 2), cross(2, 1), return_exceptions=True)
    (loser,) = [end for end in ends if end is not None]
    assert isinstance(loser, Unavailable)
    assert loser.code == "database_conflict"


async def test_a_connection_lost_before_commit_promises_no_more_than_that(
    database: Database, owner: psycopg.AsyncConnection
) -> None:
    async def lost() -> None:
        async with database.unit() as unit:
            pid = (await unit.execute(text("select pg_backend_pid()"))).scalar_one()
            await owner.execute("select pg_terminate_backend(%s, 5000)", [pid])
            await unit.execute(text("select 1"))

    await refused("database_unavailable", lost)


async def test_a_connection_lost_in_commit_leaves_the_outcome_unknown(
    database: Database, owner: psycopg.AsyncConnection
) -> None:
    await owner.execute(
        "create table public.slow (id int);"
        "grant all on public.slow to public;"
        "create function public.dawdle() returns trigger language plpgsql as"
        " $$ begin perform pg_sleep(30); return null; end $$;"
        "create constraint trigger dawdle after insert on public.slow deferrable initially deferred"
        " for each row execute function public.dawdle()"
    )
    pids: list[int] = []

    async def commit() -> None:
        async with database.unit() as unit:
            pids.append((await unit.execute(text("select pg_backend_pid()"))).scalar_one())
            await unit.execute(text("insert into slow values (1)"))

    task = asyncio.create_task(commit())
    while True:
        found = await owner.execute(
            "select 1 from pg_stat_activity where pid = any(%s) and query ilike 'commit%%'", [pids]
        )
        if await found.fetchone():
            break
        await asyncio.sleep(0.02)
    await owner.execute("select pg_terminate_backend(%s, 5000)", [pids[0]])
    with pytest.raises(Unavailable) as error:
        await task
    assert error.value.code == "outcome_unknown"
    assert "nothing was changed" not in error.value.detail


async def test_errors_that_come_past_sqlalchemy_are_called_the_same(database: Database) -> None:
    async def copied() -> None:
        async with database.unit(statement_timeout_s=0.1) as unit:
            await (await unit.raw()).execute("select pg_sleep(30)")

    await refused("database_timed_out", copied)


async def test_a_timeout_of_someone_else_is_not_the_databases(database: Database) -> None:
    with pytest.raises(TimeoutError):
        async with database.unit():
            raise TimeoutError("the broker did not answer")


async def test_a_cancelled_unit_stops_its_statement(
    database: Database, owner: psycopg.AsyncConnection
) -> None:
    task = asyncio.create_task(run(database, "select pg_sleep(30) as cancelled_unit"))
    while not await running(owner, "cancelled_unit"):
        await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not await running(owner, "cancelled_unit")


async def run(database: Database, statement: str, **options: Any) -> None:
    async with database.unit(**options) as unit:
        await unit.execute(text(statement))


async def running(owner: psycopg.AsyncConnection, marker: str) -> bool:
    found = await owner.execute(
        "select 1 from pg_stat_activity where state = 'active' and pid <> pg_backend_pid()"
        " and query like %s",
        [f"%{marker}%"],
    )
    return await found.fetchone() is not None
