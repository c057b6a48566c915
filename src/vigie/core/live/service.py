"""The services of the live screens: the hub in the role `api`, tidying in `watch`."""

import asyncio
from collections.abc import Awaitable, Callable

from vigie.core.errors import Unavailable
from vigie.core.live.hub import Hub
from vigie.core.live.touch import Pruner
from vigie.core.runtime import Runtime

Services = dict[str, Callable[[], Awaitable[None]]]
_PRUNE_EVERY_S = 30.0


def services(runtime: Runtime) -> Services:
    """The open rows, and the frames."""
    hub = Hub.of(runtime)
    return {"live-rows": hub.reader.keep, "live-frames": hub.keep}


def tidy(runtime: Runtime) -> Services:
    """Touches that every reader has read are deleted; several processes may do it."""

    async def prune() -> None:
        pruner = Pruner()
        while True:
            try:
                async with runtime.database.unit() as unit:
                    await pruner.prune(unit)
            except Unavailable:
                pass
            await asyncio.sleep(_PRUNE_EVERY_S)

    return {"live-touches": prune}
