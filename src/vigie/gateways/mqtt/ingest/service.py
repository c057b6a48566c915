"""The services of the `ingest` role."""

import asyncio
from collections.abc import Awaitable, Callable

from vigie.core.bus import Bus
from vigie.core.runtime import Runtime, nats_url
from vigie.gateways.mqtt.ingest.lane import Lane
from vigie.gateways.mqtt.ingest.parser import LeanParser, install
from vigie.gateways.mqtt.ingest.pipeline import Acknowledge, Observe, Pipeline
from vigie.gateways.mqtt.ingest.registry import Registry


class _Connection:
    """The lanes' own way to the broker, opened by the first that needs it."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._lock = asyncio.Lock()
        self._open: tuple[Bus, LeanParser] | None = None

    async def get(self) -> tuple[Bus, LeanParser]:
        async with self._lock:
            if self._open is None:
                bus = await Bus.connect(nats_url(self._runtime.settings), "vigie-ingest-lanes")
                self._open = (bus, install(bus.client))
            return self._open


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
            bus, parser = await connection.get()
            lane = Lane(bus, parser, shard)
            await Pipeline(runtime, lane, registry, acknowledge, observe).run()

        return run

    kept: dict[str, Callable[[], Awaitable[None]]] = {"registry": registry.keep}
    for shard in range(runtime.settings.shards):
        kept[f"ingest-{shard}"] = lane_service(shard)
    return kept
