"""One leader at a time: an advisory lock on a connection of its own, and an epoch that fences.

The lock says who leads; the epoch makes a leader that was frozen and woke up too late harmless: it
writes `fence(epoch)` in its transactions, which fails once a newer leader took over.
"""

import asyncio
import contextlib
import zlib
from collections.abc import AsyncGenerator, Callable
from typing import Any

import psycopg
from sqlalchemy import text

from vigie.core.database import Database, Unit
from vigie.core.database_errors import unavailable
from vigie.core.errors import Conflict


class Leadership:
    """Held while its connection lives; `lost` tells when it does not."""

    def __init__(self, name: str, epoch: int, connection: psycopg.AsyncConnection[Any]) -> None:
        self.name = name
        self.epoch = epoch
        self._connection = connection

    async def check(self) -> None:
        """Raises Conflict when the connection that holds the lock is gone."""
        try:
            async with asyncio.timeout(5):
                await self._connection.execute("select 1")
        except (psycopg.Error, TimeoutError) as error:
            raise _lost(self.name) from error

    async def fence(self, unit: Unit) -> None:
        """Lock this epoch in the unit's transaction; raises Conflict when another leads."""
        row = await unit.execute(
            text("select epoch from core.leader where name = :name for share"),
            {"name": self.name},
        )
        if row.scalar() != self.epoch:
            raise _lost(self.name)


@contextlib.asynccontextmanager
async def lead(
    database: Database,
    name: str,
    instance: str,
    *,
    on_standby: Callable[[], None] | None = None,
) -> AsyncGenerator[Leadership]:
    """Wait until this process leads `name`, and lead it for the block. Raises Unavailable when the
    database is away; what the block raises comes out as it is."""
    connection: psycopg.AsyncConnection[Any] | None = None
    try:
        try:
            connection = await database.dedicated()
            await _lock(connection, name, on_standby)
            epoch = await _take_over(connection, name, instance)
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            raise unavailable({"cause": type(error).__name__}) from error
        yield Leadership(name, epoch, connection)
    finally:
        if connection is not None:
            with contextlib.suppress(Exception):
                async with asyncio.timeout(2):
                    await connection.close()


async def _lock(
    connection: psycopg.AsyncConnection[Any], name: str, on_standby: Callable[[], None] | None
) -> None:
    key = zlib.crc32(name.encode()) | 0x56 << 32
    while True:
        cursor = await connection.execute("select pg_try_advisory_lock(%s)", [key])
        row = await cursor.fetchone()
        if row and row[0]:
            return
        if on_standby:
            on_standby()
        await asyncio.sleep(0.5)


async def _take_over(connection: psycopg.AsyncConnection[Any], name: str, instance: str) -> int:
    """The next epoch: from here on an older leader's fence fails."""
    cursor = await connection.execute(
        "insert into core.leader values (%s, 1, %s, now())"
        " on conflict (name) do update set epoch = core.leader.epoch + 1,"
        " instance = excluded.instance, since = excluded.since returning epoch",
        [name, instance],
    )
    row = await cursor.fetchone()
    assert row is not None
    return int(row[0])


def _lost(name: str) -> Conflict:
    return Conflict("leadership_lost", f"Another process leads {name} now; this one stands by.")
