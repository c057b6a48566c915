"""One person's share of the connections: half a lane at most, so that others always find one."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from uuid import UUID
from weakref import WeakKeyDictionary

from vigie.core.database import Database, Lane
from vigie.core.errors import TooMany
from vigie.core.scope import Principal


class _Share:
    def __init__(self, size: int) -> None:
        self.free = asyncio.Semaphore(size)
        self.users = 0


class Shares:
    """Who holds how much of this process's connections."""

    def __init__(self, database: Database) -> None:
        self._wait_s = database.pool_wait_s
        self._size: dict[Lane, int] = {
            lane: max(1, database.room(lane) // 2) for lane in ("acts", "screens", "exports")
        }
        self._shares: dict[tuple[Lane, UUID], _Share] = {}

    @classmethod
    def of(cls, database: Database) -> "Shares":
        """The shares of this process."""
        if database not in _shares:
            _shares[database] = cls(database)
        return _shares[database]

    @contextlib.asynccontextmanager
    async def hold(self, lane: Lane, principal: Principal) -> AsyncGenerator[None, None]:
        """One connection of the person's share, waited for a little. Raises TooMany.

        A person's tokens draw on the same share. Who is not logged in has none: nothing public
        keeps a connection."""
        who = principal.owner or principal.id
        if who is None:
            yield
            return
        key = (lane, who)
        share = self._shares.setdefault(key, _Share(self._size[lane]))
        share.users += 1
        try:
            try:
                async with asyncio.timeout(self._wait_s):
                    await share.free.acquire()
            except TimeoutError as error:
                raise TooMany(
                    "too_many_at_once",
                    f"You have {self._size[lane]} requests running that are not answered yet: wait "
                    "for them.",
                    {"limit": self._size[lane]},
                    retry_after_s=self._wait_s,
                ) from error
            try:
                yield
            finally:
                share.free.release()
        finally:
            share.users -= 1
            if not share.users:
                del self._shares[key]


_shares: "WeakKeyDictionary[Database, Shares]" = WeakKeyDictionary()
