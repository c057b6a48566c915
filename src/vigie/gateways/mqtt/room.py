"""Devices that speak MQTT."""

from vigie.core.rooms import Room

ROOM = Room(
    name="mqtt",
    package="vigie.gateways.mqtt",
    floor="protocol",
    adapters="vigie.gateways.mqtt.adapter:ADAPTERS",
    routes="vigie.gateways.mqtt.api:ROUTES",
    services={"gateways": "vigie.gateways.mqtt:services"},
    needs=("ingest",),
)
