"""History's partitions: one a UTC day, opened ahead, dropped whole when their time is over."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta

import psycopg.errors
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from vigie.core import clock
from vigie.core.database import Database, Unit
from vigie.core.logs import logger
from vigie.core.runtime import Runtime
from vigie.twin.telemetry import sets

log = logger(__name__)
DAY_US = 86_400_000_000
RETRY_S = 60.0
PATIENCE = 30
"""Refusals in a row, a minute apart, until someone should look who reads for so long."""
_AHEAD = 3
_EPOCH = date(1970, 1, 1)


def day_of(at_us: int) -> int:
    """The UTC day of an instant, counted from 1970-01-01."""
    return at_us // DAY_US


def partition(day: int) -> str:
    """Name of a day's partition."""
    return f"history_{_EPOCH + timedelta(days=day):%Y%m%d}"


async def open_day(database: Database, day: int) -> None:
    """Make sure that a day's partition exists, in a transaction of its own."""
    async with database.unit() as unit:
        await _open(unit, _EPOCH + timedelta(days=day))


def services(runtime: Runtime) -> dict[str, Callable[[], Awaitable[None]]]:
    """Of the `watch` role: history's days opened and dropped in time."""

    async def history() -> None:
        await keep(runtime)

    return {"history": history}


async def keep(runtime: Runtime) -> None:
    """For ever: open the days to come and drop those past retention, hourly."""
    database, days = runtime.database, runtime.settings.history_days
    component = runtime.component("history")
    refusals = 0
    while True:
        today = clock.now().astimezone(UTC).date()
        for ahead in range(-1, _AHEAD + 1):
            async with database.unit() as unit:
                await _open(unit, today + timedelta(days=ahead))
        dropped = await drop(database, today - timedelta(days=days))
        refusals = refusals + 1 if dropped is None else 0
        if dropped:
            log.info("history_dropped", partitions=dropped, older_than_days=days)
        async with database.unit() as unit:
            given = await sets.numbers_given(unit)
        if refusals >= PATIENCE:
            component.set("degraded", "history_held", tries=refusals)
        elif given >= sets.OWN_SETS:
            component.set("degraded", "metric_sets_many", sets=given, most=sets.OWN_SETS)
        else:
            component.set("ok")
        await asyncio.sleep(RETRY_S if dropped is None else _until_next_hour(clock.now()))


async def drop(database: Database, before: date) -> int | None:
    """Drop the partitions of earlier days; how many. None when a reader holds one.

    Whoever wants to read history waits behind this, so it waits for a moment only.
    """
    async with database.unit() as unit:
        await unit.execute(text("set local lock_timeout = '500ms'"))
        try:
            # Caught here: the unit would make an answer for people of it.
            async with unit.attempt():
                done = await unit.execute(text("select twin.drop_history(:day)"), {"day": before})
                return int(done.scalar_one())
        except DBAPIError as error:
            if isinstance(error.orig, psycopg.errors.LockNotAvailable):
                return None
            raise


async def _open(unit: Unit, day: date) -> None:
    await unit.execute(text("select twin.open_history(:day)"), {"day": day})


def _until_next_hour(now: datetime) -> float:
    return 3600 - (now.timestamp() % 3600) + 1
