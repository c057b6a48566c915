"""The services of the `ingest` role."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable

from vigie.core.bus import Bus
from vigie.core.runtime import Runtime, nats_url
from vigie.gateways.mqtt.ingest.lane import Lane
from vigie.gateways.mqtt.ingest.parser import LeanParser, install
from vigie.gateways.mqtt.ingest.pipeline import Acknowledge, Observe, Pipeline
from vigie.gateways.mqtt.ingest.registry import Registry


class _Connection:
    """The lanes' own way to the broker: opened by the first that needs it, closed by the last."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._lock = asyncio.Lock()
        self._users = 0
        self._open: tuple[Bus, LeanParser] | None = None

    @contextlib.asynccontextmanager
    async def use(self) -> AsyncGenerator[tuple[Bus, LeanParser]]:
        """The connection, for the block."""
        async with self._lock:
            if self._open is None:
                bus = await Bus.connect(nats_url(self._runtime.settings), "vigie-ingest-lanes")
                self._open = (bus, install(bus.client))
            self._users += 1
        try:
            yield self._open
        finally:
            self._users -= 1
            if self._users == 0:
                (bus, _), self._open = self._open, None
                await bus.close()


def services(
    runtime: Runtime,
    *,
    acknowledge: Acknowledge | None = None,
    observe: Observe | None = None,
) -> dict[str, Callable[[], Awaitable[None]]]:
    """One service a lane, and the registry's.

    `acknowledge(unit, acks)` and `observe(unit, evidence)` run inside the storing transaction;
    `observe` only hears of assets that a command waits for.
    """
    registry = Registry(runtime)
    connection = _Connection(runtime)

    def lane_service(shard: int) -> Callable[[], Awaitable[None]]:
        async def run() -> None:
            async with connection.use() as (bus, parser):
                lane = Lane(bus, parser, shard)
                await Pipeline(runtime, lane, registry, acknowledge, observe).run()

        return run

    kept: dict[str, Callable[[], Awaitable[None]]] = {"registry": registry.keep}
    for shard in range(runtime.settings.shards):
        kept[f"ingest-{shard}"] = lane_service(shard)
    return kept
