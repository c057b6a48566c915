"""One leader at a time; what its connection suffers is said in our own words."""

import asyncio
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from vigie.core.database import Database
from vigie.core.engines import free_port
from vigie.core.errors import Conflict, Unavailable
from vigie.core.leader import lead


async def test_a_database_that_is_away_is_unavailable() -> None:
    away = Database(f"postgresql://nobody:x@127.0.0.1:{free_port()}/none", pool=1)
    with pytest.raises(Unavailable, match="database"):
        async with lead(away, "test.away", "one"):
            pytest.fail("nobody can lead")
    await away.close()


async def test_a_standby_whose_connection_ends_is_told_so(
    database: Database, owner: psycopg.AsyncConnection[Any]
) -> None:
    waiting = asyncio.Event()

    async def stand_by() -> None:
        async with lead(database, "test.standby", "other", on_standby=waiting.set):
            pytest.fail("the first still leads")

    async with lead(database, "test.standby", "one") as leadership:
        task = asyncio.create_task(stand_by())
        await asyncio.wait_for(waiting.wait(), 30)
        await owner.execute(
            "select pg_terminate_backend(a.pid, 5000) from pg_stat_activity a"
            " where a.datname = current_database() and a.pid <> pg_backend_pid()"
            " and not exists (select from pg_locks l where l.pid = a.pid"
            "  and l.locktype = 'advisory' and l.granted)"
        )
        with pytest.raises(Unavailable):
            await asyncio.wait_for(task, 30)
        await leadership.check()


async def test_what_the_block_raises_comes_out_as_it_is(database: Database) -> None:
    for error in (psycopg.DataError("theirs"), TimeoutError("theirs"), ZeroDivisionError()):
        with pytest.raises(type(error)) as raised:
            async with lead(database, "test.block", "one"):
                raise error
        assert raised.value is error


async def test_a_leader_whose_row_is_gone_leads_no_more(database: Database) -> None:
    async with lead(database, "test.gone", "one") as leadership:
        async with database.unit() as unit:
            await leadership.fence(unit)
            await unit.execute(text("delete from core.leader where name = 'test.gone'"))
        with pytest.raises(Conflict, match="Another process leads"):
            async with database.unit() as unit:
                await leadership.fence(unit)
