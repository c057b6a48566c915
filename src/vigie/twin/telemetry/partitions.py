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

log = logger(__name__)
DAY_US = 86_400_000_000
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
        await keep(runtime.database, runtime.settings.history_days)

    return {"history": history}


async def keep(database: Database, days: int) -> None:
    """For ever: open the days to come and drop those past retention, hourly."""
    while True:
        today = clock.now().astimezone(UTC).date()
        for ahead in range(-1, _AHEAD + 1):
            async with database.unit() as unit:
                await _open(unit, today + timedelta(days=ahead))
        dropped = await drop(database, today - timedelta(days=days))
        if dropped:
            log.info("history_dropped", partitions=dropped, older_than_days=days)
        await asyncio.sleep(_until_next_hour(clock.now()))


async def drop(database: Database, before: date) -> int:
    """Drop the partitions of earlier days; 0 when a reader holds one, until the next hour."""
    try:
        async with database.unit() as unit:
            await unit.execute(text("set local lock_timeout = '2s'"))
            done = await unit.execute(text("select twin.drop_history(:day)"), {"day": before})
            return int(done.scalar_one())
    except DBAPIError as error:
        if isinstance(error.orig, psycopg.errors.LockNotAvailable):
            return 0
        raise


async def _open(unit: Unit, day: date) -> None:
    await unit.execute(text("select twin.open_history(:day)"), {"day": day})


def _until_next_hour(now: datetime) -> float:
    return 3600 - (now.timestamp() % 3600) + 1
