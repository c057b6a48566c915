"""Who is connected to an adapter of this process, written down once a second.

Each process writes its own peers and says twice a minute that they are still there: those of a
process that was killed are offline a while later, whoever looks first.
"""

import asyncio
import time

from sqlalchemy import text

from vigie.core import clock
from vigie.core.errors import Unavailable
from vigie.core.runtime import Runtime
from vigie.gateways.clients.door import Change
from vigie.gateways.clients.model import ACCEPTED
from vigie.gateways.clients.presence import write

_SEEN_EVERY_S = 30.0
_GONE_AFTER_S = 90
_SWEEP = text(
    """
    update gateways.presence p set online = false, since = now()
    from gateways.client c
    where c.id = p.client and c.stream = :stream and p.online
     and p.last_seen < now() - make_interval(secs => :after)
    """
)
_SEEN = text(
    """
    update gateways.presence p set last_seen = now()
    from gateways.client c
    where c.id = p.client and c.token = any(:tokens) and p.online
    """
)


class Peers:
    """The connections of this process's adapters."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._here: dict[str, int] = {}
        self._pending: dict[str, Change] = {}

    def came(self, token: str, address: str = "") -> None:
        """A client connected."""
        self._here[token] = self._here.get(token, 0) + 1
        self._pending[token] = Change(token, True, clock.now(), address, "")

    def gone(self, token: str, reason: str = "") -> None:
        """One of its connections ended."""
        left = self._here.get(token, 0) - 1
        if left > 0:
            self._here[token] = left
            return
        self._here.pop(token, None)
        self._pending[token] = Change(token, False, clock.now(), "", reason)

    async def keep(self) -> None:
        """Service."""
        seen_at = 0.0
        while True:
            try:
                await self.flush()
                if time.monotonic() - seen_at > _SEEN_EVERY_S:
                    seen_at = time.monotonic()
                    await self._seen()
            except Unavailable:
                await asyncio.sleep(2)
            await asyncio.sleep(1)

    async def flush(self) -> None:
        """Write what changed; kept when the database is away. Raises Unavailable."""
        pending, self._pending = self._pending, {}
        if not pending:
            return
        try:
            async with self._runtime.database.unit() as unit:
                await write(unit, list(pending.values()))
        except Unavailable:
            self._pending = pending | self._pending
            raise

    async def _seen(self) -> None:
        async with self._runtime.database.unit() as unit:
            await unit.execute(_SEEN, {"tokens": list(self._here)})
            await unit.execute(_SWEEP, {"stream": ACCEPTED, "after": _GONE_AFTER_S})
