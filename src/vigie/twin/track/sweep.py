"""Of the role `watch`: days of tracks opened ahead, and dropped whole when their time is over."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

from vigie.core import clock
from vigie.core.logs import logger
from vigie.core.runtime import Runtime
from vigie.twin import days

log = logger(__name__)
EVERY_S = 3600.0
RETRY_S = 60.0
PATIENCE = 30
"""Refusals in a row, a minute apart, until someone should look who reads for so long."""
_SETTLED = 2
"""Days after which hardly anything late comes for a day."""
_PACKED_AT_ONCE = 7


def services(runtime: Runtime) -> dict[str, Callable[[], Awaitable[None]]]:
    """The days of tracks."""

    async def tracks() -> None:
        component = runtime.component("tracks")
        refusals = 0
        while True:
            today = days.utc_day(clock.now())
            before = today - timedelta(days=runtime.settings.track_days)
            held = False
            for part in ("track", "track_refused"):
                await days.open_ahead(runtime.database, part, today)
                dropped = await days.drop_before(runtime.database, part, before)
                held = held or dropped is None
                if dropped:
                    log.info("tracks_dropped", part=part, days=dropped)
            for back in range(_SETTLED, _SETTLED + _PACKED_AT_ONCE):
                packed = await days.pack(runtime.database, today - timedelta(days=back))
                held = held or packed is None
            refusals = refusals + 1 if held else 0
            if refusals >= PATIENCE:
                component.set("degraded", "tracks_held", tries=refusals)
            else:
                component.set("ok")
            await asyncio.sleep(RETRY_S if held else EVERY_S)

    return {"tracks": tracks}
