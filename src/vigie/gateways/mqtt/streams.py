"""The broker's own stream of MQTT messages, bounded, and the durable readers it needs.

The broker stores a QoS 1 publish in `$MQTT_msgs` before its PUBACK, and keeps a message only while
a reader wants it. So the stream and the durable readers of every shard are made before the first
device may log in, and a full stream refuses (the device is disconnected without a PUBACK and sends
again) instead of forgetting. See docs/decisions/0002-mqtt-durability.md.
"""

from typing import Any

import msgspec
import nats.errors

from vigie.core.bus import Bus
from vigie.core.errors import SetupError, Unavailable
from vigie.core.settings import Settings

STREAM = "$MQTT_msgs"
RETAINED = "$MQTT_rmsgs"
PREFIX = "$MQTT.msgs."
READER = "ingest-{shard}"
_RETAINED_MAX = 64 * 1024 * 1024


class StreamState(msgspec.Struct, frozen=True):
    """How full the stream is."""

    messages: int
    bytes: int
    limit: int

    @property
    def share(self) -> float:
        """0 when empty, 1 when it refuses."""
        return self.bytes / self.limit if self.limit > 0 else 0.0


def reader_name(shard: int) -> str:
    """Name of the durable reader of a shard."""
    return READER.format(shard=shard)


def reader_config(shard: int) -> dict[str, Any]:
    """The durable reader of a shard: pulled, acknowledged up to a message, never given up."""
    return {
        "durable_name": reader_name(shard),
        "filter_subject": f"{PREFIX}up.{shard}.>",
        "ack_policy": "all",
        "ack_wait": 60_000_000_000,
        "max_deliver": -1,
        "max_ack_pending": 200_000,
        "deliver_policy": "all",
        "replay_policy": "instant",
        "max_waiting": 64,
    }


async def ensure_streams(bus: Bus, settings: Settings) -> None:
    """Make or adjust the stream, its limit and its readers; harmless to repeat.

    Raises SetupError when the broker has no JetStream for this account or refuses the limit.
    """
    config = await _config(bus, STREAM)
    wanted: dict[str, Any] = {"max_bytes": settings.stream_max_bytes, "discard": "new"}
    if config is not None and (await stream_state(bus)).bytes > settings.stream_max_bytes:
        # A limit below what waits would forget some of it: lowered once it is drained.
        del wanted["max_bytes"]
    if config is None:
        await _make(
            bus,
            "CREATE",
            {
                "name": STREAM,
                "subjects": [PREFIX + ">"],
                "storage": "file",
                "retention": "interest",
                "num_replicas": 1,
                **wanted,
            },
        )
    elif any(config.get(name) != value for name, value in wanted.items()):
        await _make(bus, "UPDATE", config | wanted)
    for shard in range(settings.shards):
        if await reader_exists(bus, reader_name(shard)):
            # The ingest may have made it anew, from its own position on.
            continue
        answer = await ask(
            bus,
            f"$JS.API.CONSUMER.DURABLE.CREATE.{STREAM}.{reader_name(shard)}",
            {"stream_name": STREAM, "config": reader_config(shard)},
        )
        if "error" in answer:
            raise SetupError(
                f"The broker refuses the reader {reader_name(shard)}: {_reason(answer)}."
            )


async def reader_exists(bus: Bus, name: str) -> bool:
    """True when the stream has a durable reader of that name."""
    answer = await ask(bus, f"$JS.API.CONSUMER.INFO.{STREAM}.{name}", {})
    return "error" not in answer


async def bound_retained(bus: Bus) -> None:
    """Retained messages are not part of Vigie's protocol: what a device leaves there is bounded."""
    config = await _config(bus, RETAINED)
    if config is not None and config.get("max_bytes") != _RETAINED_MAX:
        await _make(bus, "UPDATE", config | {"max_bytes": _RETAINED_MAX})


async def stream_state(bus: Bus) -> StreamState:
    """How full the stream is now. Raises Unavailable when the broker is away."""
    answer = await ask(bus, f"$JS.API.STREAM.INFO.{STREAM}", {})
    if "error" in answer:
        raise Unavailable("stream_missing", f"The stream {STREAM} is away: {_reason(answer)}.")
    state, config = answer["state"], answer["config"]
    return StreamState(state["messages"], state["bytes"], config.get("max_bytes", -1))


async def waiting_by_subject(bus: Bus) -> dict[str, int]:
    """How many messages of each client wait in the stream, by subject; the first 100,000 subjects.
    Raises Unavailable when the broker is away."""
    answer = await ask(bus, f"$JS.API.STREAM.INFO.{STREAM}", {"subjects_filter": f"{PREFIX}up.>"})
    if "error" in answer:
        raise Unavailable("stream_missing", f"The stream {STREAM} is away: {_reason(answer)}.")
    return answer["state"].get("subjects") or {}


async def ask(
    bus: Bus, subject: str, body: dict[str, Any], *, timeout_s: float = 5.0
) -> dict[str, Any]:
    """One question to JetStream's API. Raises Unavailable when it does not answer."""
    try:
        answer = await bus.client.request(subject, msgspec.json.encode(body), timeout=timeout_s)
    except (TimeoutError, nats.errors.Error, OSError) as error:
        raise Unavailable("bus_unavailable", f"JetStream does not answer: {error!r}") from error
    return msgspec.json.decode(answer.data, type=dict[str, Any])


async def _config(bus: Bus, stream: str) -> dict[str, Any] | None:
    answer = await ask(bus, f"$JS.API.STREAM.INFO.{stream}", {})
    if "error" not in answer:
        return answer["config"]
    if answer["error"].get("err_code") == 10059:
        return None
    raise SetupError(f"The broker's JetStream cannot be used: {_reason(answer)}.")


async def _make(bus: Bus, verb: str, config: dict[str, Any]) -> None:
    answer = await ask(bus, f"$JS.API.STREAM.{verb}.{config['name']}", config)
    if "error" in answer:
        raise SetupError(f"The broker refuses the stream {config['name']}: {_reason(answer)}.")


def _reason(answer: dict[str, Any]) -> str:
    return str(answer["error"].get("description", "no reason given"))
