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
        if row.scalar_one() != self.epoch:
            raise _lost(self.name)


@contextlib.asynccontextmanager
async def lead(
    database: Database,
    name: str,
    instance: str,
    *,
    on_standby: Callable[[], None] | None = None,
) -> AsyncGenerator[Leadership]:
    """Wait until this process leads `name`, and lead it for the block."""
    connection = await database.dedicated()
    try:
        key = zlib.crc32(name.encode()) | 0x56 << 32
        while True:
            row = await (
                await connection.execute("select pg_try_advisory_lock(%s)", [key])
            ).fetchone()
            if row and row[0]:
                break
            if on_standby:
                on_standby()
            await asyncio.sleep(0.5)
        row = await (
            await connection.execute(
                "insert into core.leader values (%s, 1, %s, now())"
                " on conflict (name) do update set epoch = core.leader.epoch + 1,"
                " instance = excluded.instance, since = excluded.since returning epoch",
                [name, instance],
            )
        ).fetchone()
        assert row is not None
        yield Leadership(name, int(row[0]), connection)
    finally:
        with contextlib.suppress(Exception):
            async with asyncio.timeout(2):
                await connection.close()


def _lost(name: str) -> Conflict:
    return Conflict("leadership_lost", f"Another process leads {name} now; this one stands by.")
