"""Routes of the MQTT room."""

from typing import Any

from vigie.core.web import PUBLIC, get
from vigie.gateways.mqtt.messages import schema


@get("/mqtt-schema.json", permission=PUBLIC)
async def mqtt_schema() -> dict[str, Any]:
    """JSON Schema of the messages devices and the platform exchange over MQTT."""
    return schema()


ROUTES = [mqtt_schema]
