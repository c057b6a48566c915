"""History's days are opened and dropped in time, whoever reads meanwhile."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from tests.conftest import NewRuntime
from vigie.core.database import Database
from vigie.core.runtime import Runtime
from vigie.core.tasks import end
from vigie.twin.telemetry import partitions
from vigie.twin.telemetry import sets as numbering

OLD = date(2020, 1, 5)


async def days(runtime: Runtime) -> set[str]:
    async with runtime.database.unit() as unit:
        rows = await unit.execute(
            text("select inhrelid::regclass::text from pg_inherits"
                 " where inhparent = 'twin.history'::regclass")
        )  # fmt: skip
        return set(rows.scalars())


async def until(runtime: Runtime, holds: Any) -> None:
    for _ in range(400):
        if await holds():
            return
        await asyncio.sleep(0.05)
    pytest.fail(f"not within 20 s; {runtime.component('history')}")


async def test_a_reader_who_holds_a_day_is_waited_for(database: Database) -> None:
    async with database.unit() as unit:
        await unit.execute(text("select twin.open_history(:day)"), {"day": OLD})
    async with database.unit() as reader:
        await reader.execute(text("select count(*) from twin.history"))
        assert await partitions.drop(database, OLD + timedelta(days=1)) is None
    assert await partitions.drop(database, OLD + timedelta(days=1)) == 1


async def test_the_service_goes_on_while_a_reader_holds_a_day(
    new_runtime: NewRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partitions, "RETRY_S", 0.05)
    monkeypatch.setattr(partitions, "PATIENCE", 2)
    runtime = await new_runtime()
    component = runtime.component("history")
    name = f"twin.{partitions.partition((OLD - date(1970, 1, 1)).days)}"
    async with runtime.database.unit() as unit:
        await unit.execute(text("select twin.open_history(:day)"), {"day": OLD})
    service = partitions.services(runtime)["history"]
    async with runtime.database.unit() as reader:
        await reader.execute(text("select count(*) from twin.history"))
        task = asyncio.create_task(service())
        try:

            async def degraded() -> bool:
                return component.code == "history_held"

            await until(runtime, degraded)
            assert not task.done()
            tomorrow = datetime.now(UTC).date() + timedelta(days=1)
            assert f"twin.history_{tomorrow:%Y%m%d}" in await days(runtime)
            await reader.connection.rollback()

            async def dropped() -> bool:
                return name not in await days(runtime) and component.status == "ok"

            await until(runtime, dropped)
        finally:
            await end([task])


async def test_numbers_that_run_out_are_said_in_time(
    new_runtime: NewRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = await new_runtime()
    component = runtime.component("history")
    async with runtime.database.unit() as unit:
        await unit.execute(text("insert into twin.metric_set (id, metrics) values (7, '{x}')"))
    monkeypatch.setattr(numbering, "OWN_SETS", 7)
    task = asyncio.create_task(partitions.services(runtime)["history"]())

    async def degraded() -> bool:
        return component.code == "metric_sets_many"

    try:
        await until(runtime, degraded)
    finally:
        await end([task])
    assert component.params == {"sets": 7, "most": 7}


async def test_other_refusals_are_not_swallowed(
    database: Database, owner: psycopg.AsyncConnection[Any]
) -> None:
    await owner.execute("revoke execute on function twin.drop_history(date) from vigie_runtime")
    try:
        with pytest.raises(Exception, match="permission denied"):
            await partitions.drop(database, OLD)
    finally:
        await owner.execute("grant execute on function twin.drop_history(date) to vigie_runtime")
