"""What a public route may cost: how often an address may ask, and how much runs at once.

Nobody is logged in there, so an address (its /64 for IPv6) is what a rate is counted by, and a
route's `at_once` holds whatever the number of addresses.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator

import msgspec

from vigie.core.errors import Unavailable
from vigie.core.web.door import neighbourhood_of


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """The cost that a public route declares.

    `per_minute` requests of one address on average, `burst` of them at once; `at_once` requests of
    all addresses run at a time, and others wait up to `seconds`, which is also how long one may
    run. `keep_s` is how long browsers and proxies may show an answer again without asking.
    """

    per_minute: float
    burst: int
    at_once: int = 4
    seconds: float = 2.0
    keep_s: int = 60


class Budgets:
    """How far addresses have used their rates, and what runs, in this process."""

    def __init__(self, most: int = 50_000) -> None:
        self._most = most
        # (route, neighbourhood) → when it will have its whole burst again.
        self._caught_up: dict[tuple[str, str], float] = {}
        self._running: dict[str, asyncio.Semaphore] = {}

    def __len__(self) -> int:
        return len(self._caught_up)

    def wait_s(self, route: str, budget: Budget, address: str, now_s: float) -> float:
        """Count one request; the seconds until it may come again, 0 when it may come in now."""
        every_s = 60.0 / budget.per_minute
        key = (route, neighbourhood_of(address))
        caught_up = max(self._caught_up.pop(key, 0.0), now_s)
        ahead_s = caught_up + every_s - now_s - budget.burst * every_s
        allowed = ahead_s <= 1e-9
        # Whoever asked longest ago is first in the dict, and is forgotten first.
        self._caught_up[key] = caught_up + (every_s if allowed else 0.0)
        while len(self._caught_up) > self._most:
            del self._caught_up[next(iter(self._caught_up))]
        return 0.0 if allowed else ahead_s

    @contextlib.asynccontextmanager
    async def run(self, route: str, budget: Budget) -> AsyncGenerator[None]:
        """A place among the route's running requests. Raises Unavailable when none gets free."""
        running = self._running.setdefault(route, asyncio.Semaphore(budget.at_once))
        try:
            async with asyncio.timeout(budget.seconds):
                await running.acquire()
        except TimeoutError as error:
            raise Unavailable(
                "busy",
                "Many people ask for this at the moment: try again shortly.",
                retry_after_s=5,
            ) from error
        try:
            yield
        finally:
            running.release()
