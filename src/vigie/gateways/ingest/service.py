"""The services of the `ingest` role: the lanes of every stream, and the registry they share."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable

from vigie.core.bus import Bus
from vigie.core.runtime import Runtime, nats_url
from vigie.gateways.ingest.lane import Lane
from vigie.gateways.ingest.parser import LeanParser, install
from vigie.gateways.ingest.pipeline import Pipeline
from vigie.gateways.ingest.registry import Registry
from vigie.gateways.ingest.streams import Stream, ensure
from vigie.gateways.ingest.writer import Ports


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
    runtime: Runtime, streams: Iterable[Stream], ports: Ports | None = None
) -> dict[str, Callable[[], Awaitable[None]]]:
    """One service a lane, and the registry's. `ports` take part in the storing transactions."""
    registry = Registry(runtime)
    connection = _Connection(runtime)

    def lane_service(stream: Stream, shard: int) -> Callable[[], Awaitable[None]]:
        async def run() -> None:
            if stream.ours:
                await ensure(runtime.bus, runtime.settings, stream)
            async with connection.use() as (bus, parser):
                lane = Lane(bus, parser, stream, shard)
                await Pipeline(runtime, lane, registry, ports).run()

        return run

    kept: dict[str, Callable[[], Awaitable[None]]] = {"registry": registry.keep}
    for stream in streams:
        for shard in range(stream.shards(runtime.settings)):
            kept[stream.reader(shard)] = lane_service(stream, shard)
    return kept
