"""The broker's own stream of MQTT messages, bounded, and the durable readers it needs.

The broker stores a QoS 1 publish in `$MQTT_msgs` before its PUBACK, and keeps a message only while
a reader wants it. So the stream and the durable readers of every shard are made before the first
device may log in, and a full stream refuses (the device is disconnected without a PUBACK and sends
again) instead of forgetting. See docs/decisions/0002-mqtt-durability.md.
"""

from vigie.core.bus import Bus
from vigie.core.settings import Settings
from vigie.gateways.clients import BROKER, StreamState
from vigie.gateways.ingest import Stream, config_of, ensure, make, state_of
from vigie.gateways.mqtt.messages import PREFIX, MqttFormat

STREAM = "$MQTT_msgs"
RETAINED = "$MQTT_rmsgs"
_RETAINED_MAX = 64 * 1024 * 1024

UPWARD = Stream(
    number=BROKER,
    name=STREAM,
    label="ingest",
    subjects=PREFIX + ">",
    filter=PREFIX + "up.{shard}.>",
    shards=lambda settings: settings.shards,
    format=MqttFormat(),
)


async def ensure_streams(bus: Bus, settings: Settings) -> None:
    """Make or adjust the stream, its limit and its readers; harmless to repeat. Raises
    SetupError."""
    await ensure(bus, settings, UPWARD)


async def stream_state(bus: Bus) -> StreamState:
    """How full the stream is now. Raises Unavailable when the broker is away."""
    return await state_of(bus, STREAM)


async def bound_retained(bus: Bus) -> None:
    """Retained messages are not part of Vigie's protocol: what a device leaves there is bounded."""
    config = await config_of(bus, RETAINED)
    if config is not None and config.get("max_bytes") != _RETAINED_MAX:
        await make(bus, "UPDATE", config | {"max_bytes": _RETAINED_MAX})
