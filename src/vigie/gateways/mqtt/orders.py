"""Commands on their way down: one publish a device, thousands at once."""

import asyncio
from collections.abc import Sequence

import nats.errors

from vigie.core.errors import Unavailable
from vigie.core.runtime import Runtime
from vigie.gateways.clients import OutCommand
from vigie.gateways.mqtt.messages import Command, encode_command

_BREATH = 500


def topic(client: str, device: str) -> str:
    """The subject a device hears its commands on; `down/client/device/command` in MQTT."""
    return f"down.{client}.{device}.command"


class MqttOutlet:
    """Publishes orders to the gateways that carry them."""

    def __init__(self, runtime: Runtime) -> None:
        self._bus = runtime.bus

    async def send(self, orders: Sequence[OutCommand]) -> None:
        """Publish each to its gateway, at most once; devices acknowledge, the caller sends again.

        Returns when the broker has them all. Raises Unavailable when it is away: some may have
        left.
        """
        client = self._bus.client
        try:
            for index, order in enumerate(orders):
                await client.publish(
                    topic(order.client, order.device),
                    encode_command(
                        Command(
                            order.id,
                            order.device,
                            order.verb,
                            order.params,
                            order.issued_at,
                            order.expires_at,
                        )
                    ),
                )
                if index % _BREATH == _BREATH - 1:
                    await asyncio.sleep(0)
            await client.flush(timeout=10)
        except (TimeoutError, nats.errors.Error, OSError) as error:
            raise Unavailable("bus_unavailable", f"NATS is away: {error!r}") from error
