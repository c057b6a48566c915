"""The file that an installer of MQTT gateways receives."""

from pathlib import Path

import msgspec

from vigie.core.bus import Bus
from vigie.core.database import Unit
from vigie.core.settings import Settings
from vigie.gateways import clients
from vigie.gateways.clients import Provisioned

PROTOCOL = "mqtt"


class Broker(msgspec.Struct, frozen=True):
    """Where devices connect."""

    host: str
    port: int
    tls: bool


async def provision(
    unit: Unit,
    bus: Bus,
    settings: Settings,
    out: Path,
    *,
    per_gateway: int = 300,
    rotate: bool = False,
) -> Provisioned:
    """Give every active device without a client one, and write the file of all of them; see
    `clients.provision`."""
    return await clients.provision(
        unit,
        bus,
        out,
        protocol=PROTOCOL,
        address=Broker(settings.mqtt_host, settings.mqtt_port, bool(settings.tls_certificate)),
        shards=settings.shards,
        per_gateway=per_gateway,
        rotate=rotate,
    )
