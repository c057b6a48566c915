"""Turns at work that is slow on purpose: few at once, few waiting, whoever is recognised first.

One login holds a turn from its first query to its last, so that a burst of logins occupies as many
threads and database connections as there are turns, and the rest is refused at once with the time
to come back.
"""

import asyncio
import contextlib
from collections import Counter, deque
from collections.abc import AsyncGenerator

from vigie.core.errors import Unavailable

LONGEST_WAIT_S = 10.0


class Turns:
    """A bounded queue with two lanes: recognised sources go before strangers."""

    def __init__(
        self,
        *,
        at_once: int,
        waiting: int,
        of_one_stranger: int,
        of_one_recognised: int,
    ) -> None:
        self._at_once = at_once
        self._waiting = waiting
        self._of_one = {False: of_one_stranger, True: of_one_recognised}
        self._busy = 0
        self._lanes: dict[bool, deque[asyncio.Future[None]]] = {True: deque(), False: deque()}
        self._sources: Counter[tuple[bool, str]] = Counter()

    @contextlib.asynccontextmanager
    async def turn(self, source: str, *, recognised: bool = False) -> AsyncGenerator[None, None]:
        """Hold a turn. Raises Unavailable when too many wait, in all or from this source."""
        if self._busy < self._at_once and not any(self._lanes.values()):
            self._busy += 1
        else:
            await self._wait(source, recognised)
        try:
            yield
        finally:
            self._pass_on()

    async def _wait(self, source: str, recognised: bool) -> None:
        lane, key = self._lanes[recognised], (recognised, source)
        if len(lane) >= self._waiting or self._sources[key] >= self._of_one[recognised]:
            raise _busy()
        place = asyncio.get_running_loop().create_future()
        lane.append(place)
        self._sources[key] += 1
        try:
            async with asyncio.timeout(LONGEST_WAIT_S):
                await place
        except BaseException as error:
            if place in lane:
                lane.remove(place)
            else:
                # The turn came in the same moment: the next one takes it.
                self._pass_on()
            if isinstance(error, TimeoutError):
                raise _busy() from error
            raise
        finally:
            self._sources[key] -= 1
            if not self._sources[key]:
                del self._sources[key]

    def _pass_on(self) -> None:
        for lane in self._lanes.values():
            while lane:
                place = lane.popleft()
                if not place.done():
                    place.set_result(None)
                    return
        self._busy -= 1


def _busy() -> Unavailable:
    return Unavailable(
        "login_busy", "Too many people log in at this moment: try again.", retry_after_s=5
    )
