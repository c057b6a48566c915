"""Orders on their way to the process that holds a client's connection.

Control runs in one process, the adapter's connections in others: an order goes over the bus, at
most once, to whoever listens for that client. Nobody there is no fault: control sends again.
"""

from collections.abc import Awaitable, Callable, Sequence

import msgspec
import nats.errors
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from vigie.core.errors import Unavailable
from vigie.core.runtime import Runtime
from vigie.gateways.clients.model import OutCommand


class BusOutlet:
    """The way down of an adapter that holds its own connections."""

    def __init__(self, runtime: Runtime) -> None:
        self._client = runtime.bus.client

    async def send(self, orders: Sequence[OutCommand]) -> None:
        """Publish each. Raises Unavailable: some may have left."""
        try:
            for order in orders:
                await self._client.publish(
                    _subject(order.protocol, order.client), msgspec.msgpack.encode(order)
                )
            await self._client.flush(timeout=10)
        except (TimeoutError, nats.errors.Error, OSError) as error:
            raise Unavailable("bus_unavailable", f"NATS is away: {error!r}") from error


async def listen(
    runtime: Runtime, protocol: str, client: str, take: Callable[[OutCommand], Awaitable[None]]
) -> Subscription:
    """Take a connected client's orders; unsubscribe when it leaves."""

    async def hear(message: Msg) -> None:
        await take(msgspec.msgpack.decode(message.data, type=OutCommand))

    return await runtime.bus.subscribe(_subject(protocol, client), hear)


def _subject(protocol: str, client: str) -> str:
    return f"orders.{protocol}.{client}"
