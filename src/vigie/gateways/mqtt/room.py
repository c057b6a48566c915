"""Devices that speak MQTT."""

from vigie.core.rooms import Room
from vigie.gateways.mqtt.permissions import PERMISSIONS

ROOM = Room(
    name="mqtt",
    package="vigie.gateways.mqtt",
    floor="gateways",
    schemas=("gateways",),
    permissions=PERMISSIONS,
    routes="vigie.gateways.mqtt.api:ROUTES",
    services={"gateways": "vigie.gateways.mqtt:services"},
    needs=("twin",),
)
