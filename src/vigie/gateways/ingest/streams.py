"""Streams of messages that wait to be stored, and their durable readers, one a lane.

Every stream is bounded, kept on disk, and forgets a message only once each of its readers has
acknowledged it: so the readers are made before the first message may come, and a full stream
refuses instead of forgetting.
"""

from collections.abc import Callable
from typing import Any

import msgspec
import nats.errors

from vigie.core.bus import Bus
from vigie.core.errors import SetupError, Unavailable
from vigie.core.settings import LANES_A_STREAM, Settings
from vigie.gateways.clients import StreamState
from vigie.gateways.ingest.messages import Format


class Stream(msgspec.Struct, frozen=True):
    """One stream: its name with the broker, its subjects, how it is cut into lanes and written.

    `number` is what `gateways.client.stream` says; `filter` has the place of the shard; `label`
    begins the names of its readers and lanes.
    """

    number: int
    name: str
    label: str
    subjects: str
    filter: str
    shards: Callable[[Settings], int]
    format: Format
    # Filled by the platform itself, which sets it up wherever it is used; a message whose id came
    # within so many seconds is no second one.
    duplicates_s: float = 0.0

    @property
    def ours(self) -> bool:
        """True when the platform fills it, not a broker's protocol."""
        return self.duplicates_s > 0

    def lane(self, shard: int) -> int:
        """The number of a lane, unique among all streams'."""
        return self.number * LANES_A_STREAM + shard

    def reader(self, shard: int) -> str:
        """Name of the durable reader of a shard; of its lane, too."""
        return f"{self.label}-{shard}"

    def reader_config(self, shard: int) -> dict[str, Any]:
        """The durable reader of a shard: pulled, acknowledged up to a message, never given up."""
        return {
            "durable_name": self.reader(shard),
            "filter_subject": self.filter.format(shard=shard),
            "ack_policy": "all",
            "ack_wait": 60_000_000_000,
            "max_deliver": -1,
            "max_ack_pending": 200_000,
            "deliver_policy": "all",
            "replay_policy": "instant",
            "max_waiting": 64,
        }


async def ensure(bus: Bus, settings: Settings, stream: Stream) -> None:
    """Make or adjust a stream, its limit and its readers; harmless to repeat.

    Raises SetupError when the broker has no JetStream for this account or refuses the limit.
    """
    config = await config_of(bus, stream.name)
    wanted: dict[str, Any] = {"max_bytes": settings.stream_max_bytes, "discard": "new"}
    if config is not None and (await state_of(bus, stream.name)).bytes > settings.stream_max_bytes:
        # A limit below what waits would forget some of it: lowered once it is drained.
        del wanted["max_bytes"]
    if config is None:
        made = {
            "name": stream.name,
            "subjects": [stream.subjects],
            "storage": "file",
            "retention": "interest",
            "num_replicas": 1,
            **wanted,
        }
        if stream.duplicates_s:
            made["duplicate_window"] = int(stream.duplicates_s * 1e9)
        await make(bus, "CREATE", made)
    elif any(config.get(name) != value for name, value in wanted.items()):
        await make(bus, "UPDATE", config | wanted)
    for shard in range(stream.shards(settings)):
        name = stream.reader(shard)
        if await reader_exists(bus, stream.name, name):
            # The ingest may have made it again, from its own position on.
            continue
        answer = await ask(
            bus,
            f"$JS.API.CONSUMER.DURABLE.CREATE.{stream.name}.{name}",
            {"stream_name": stream.name, "config": stream.reader_config(shard)},
        )
        if "error" in answer:
            raise SetupError(f"The broker refuses the reader {name}: {reason(answer)}.")


async def reader_exists(bus: Bus, stream: str, name: str) -> bool:
    """True when the stream has a durable reader of that name."""
    answer = await ask(bus, f"$JS.API.CONSUMER.INFO.{stream}.{name}", {})
    return "error" not in answer


async def state_of(bus: Bus, stream: str) -> StreamState:
    """How full the stream is now. Raises Unavailable when the broker is away."""
    answer = await ask(bus, f"$JS.API.STREAM.INFO.{stream}", {})
    if "error" in answer:
        raise Unavailable("stream_missing", f"The stream {stream} is away: {reason(answer)}.")
    state, config = answer["state"], answer["config"]
    return StreamState(state["messages"], state["bytes"], config.get("max_bytes", -1))


async def waiting_by_subject(bus: Bus, stream: Stream) -> dict[str, int]:
    """How many messages wait in the stream, by subject; the first 100,000 subjects. Raises
    Unavailable when the broker is away."""
    every = stream.filter.replace("{shard}.>", ">")
    answer = await ask(bus, f"$JS.API.STREAM.INFO.{stream.name}", {"subjects_filter": every})
    if "error" in answer:
        raise Unavailable("stream_missing", f"The stream {stream.name} is away: {reason(answer)}.")
    return answer["state"].get("subjects") or {}


async def waiting_by_client(bus: Bus, stream: Stream) -> dict[str, int]:
    """The same, by client."""
    clients: dict[str, int] = {}
    for subject, count in (await waiting_by_subject(bus, stream)).items():
        source = stream.format.source(subject.encode())
        if source is not None:
            clients[source.client] = clients.get(source.client, 0) + count
    return clients


async def ask(
    bus: Bus, subject: str, body: dict[str, Any], *, timeout_s: float = 5.0
) -> dict[str, Any]:
    """One question to JetStream's API. Raises Unavailable when it does not answer."""
    try:
        answer = await bus.client.request(subject, msgspec.json.encode(body), timeout=timeout_s)
    except (TimeoutError, nats.errors.Error, OSError) as error:
        raise Unavailable("bus_unavailable", f"JetStream does not answer: {error!r}") from error
    return msgspec.json.decode(answer.data, type=dict[str, Any])


async def config_of(bus: Bus, stream: str) -> dict[str, Any] | None:
    """How a stream is set up; None when there is none."""
    answer = await ask(bus, f"$JS.API.STREAM.INFO.{stream}", {})
    if "error" not in answer:
        return answer["config"]
    if answer["error"].get("err_code") == 10059:
        return None
    raise SetupError(f"The broker's JetStream cannot be used: {reason(answer)}.")


async def make(bus: Bus, verb: str, config: dict[str, Any]) -> None:
    """CREATE or UPDATE a stream. Raises SetupError."""
    answer = await ask(bus, f"$JS.API.STREAM.{verb}.{config['name']}", config)
    if "error" in answer:
        raise SetupError(f"The broker refuses the stream {config['name']}: {reason(answer)}.")


def reason(answer: dict[str, Any]) -> str:
    """Why JetStream's API refused."""
    return str(answer["error"].get("description", "no reason given"))
