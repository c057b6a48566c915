"""One lane: pulls the messages of one shard of a stream, in order, none missing.

The reader is a durable consumer, `ingest-{shard}` in the broker's own stream. It is acknowledged up
to a message once that is committed, so the broker drops only what is stored. What was delivered and
not committed is not waited for: on any doubt (takeover, reconnect, gap) the reader is made again,
from our own position,
and a second one keeps the messages meanwhile, for the stream keeps only what some reader wants.
"""

import asyncio
import contextlib
from typing import Any

import msgspec
import nats.errors

from vigie.core.bus import Bus
from vigie.core.errors import Unavailable
from vigie.core.logs import logger
from vigie.gateways.ingest.messages import Raw
from vigie.gateways.ingest.parser import LeanParser
from vigie.gateways.ingest.streams import Stream, ask

log = logger(__name__)
HIGH = 12_000
HIGH_BYTES = 16_000_000
_EXPIRES_NS = 30_000_000_000
_HEARTBEAT_NS = 1_000_000_000
_SILENCE_S = 3.5


class Broken(Exception):
    """The flow has a gap or ended: open the lane again."""


class StreamFacts(msgspec.Struct, frozen=True):
    """Which stream this is: a position means something only within one life of it."""

    broker: str
    created: str
    last: int


class Lane:
    """The messages of one shard of a stream; `take` what came, `acknowledge` what is stored."""

    def __init__(self, bus: Bus, parser: LeanParser, stream: Stream, shard: int) -> None:
        self._bus = bus
        self._parser = parser
        self.stream = stream
        self.number = stream.lane(shard)
        self.name = stream.reader(shard)
        self._shard = shard
        self._ready = asyncio.Event()
        self._buffer: list[Raw] = []
        self._bytes = 0
        self._size = 4_000.0
        self._asked = 0
        self._expected = 1
        self._last = 0
        self._heard = 0.0
        self._fault = ""
        self._inbox = ""
        self._sid = b""
        self._subscription: Any = None
        self._reconnects = 0

    async def facts(self) -> StreamFacts:
        """What the broker says of its stream. Raises Unavailable when it does not."""
        # Not waited for long: a question that a lost connection took with it is never answered.
        answer = await ask(self._bus, f"$JS.API.STREAM.INFO.{self.stream.name}", {}, timeout_s=2)
        if "error" in answer:
            raise Unavailable("stream_missing", f"{self.stream.name} is away: {answer['error']}.")
        client: Any = self._bus.client
        clustered = bool((answer.get("cluster") or {}).get("replicas"))
        broker = "" if clustered else str(client._server_info.get("server_id", ""))
        return StreamFacts(broker, answer["created"], answer["state"]["last_seq"])

    async def open(self, position: int) -> None:
        """Flow from the message after `position`. Raises Unavailable."""
        await self._unsubscribe()
        delivered = await self._align(position)
        self._buffer, self._bytes, self._asked = [], 0, 0
        self._expected, self._last, self._fault = delivered + 1, position, ""
        self._reconnects = self._bus.client.stats["reconnects"]
        self._inbox = self._bus.client.new_inbox()
        self._subscription = await self._bus.client.subscribe(self._inbox)
        self._sid = str(self._subscription._id).encode()
        self._parser.sinks[self._sid] = self
        self._heard = asyncio.get_running_loop().time()
        await self._ask_more()

    async def close(self) -> None:
        """Stop the flow; what is in flight comes again to the next reader."""
        await self._unsubscribe()

    async def take(self, most: int, most_bytes: int, wait_s: float) -> list[Raw]:
        """Up to `most` messages, at once when there are, else after `wait_s` at most.

        Raises Broken when the lane must be opened again.
        """
        if not self._buffer and not self._fault:
            self._ready.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._ready.wait()
        self._check()
        if self._bytes <= most_bytes and len(self._buffer) <= most:
            taken, self._buffer, self._bytes = self._buffer, [], 0
        else:
            size = count = 0
            for raw in self._buffer[:most]:
                size += len(raw.data)
                if count and size > most_bytes:
                    break
                count += 1
            taken, self._buffer = self._buffer[:count], self._buffer[count:]
            self._bytes -= sum(len(raw.data) for raw in taken)
        await self._ask_more()
        return taken

    @property
    def waiting(self) -> int:
        """Messages here and not taken yet."""
        return len(self._buffer)

    async def acknowledge(self, raw: Raw) -> None:
        """Everything up to this message is stored: the broker may forget it."""
        await self._acknowledge(raw.sequence, raw.delivery)

    def message(self, subject: bytes, reply: bytes, data: bytes) -> None:
        """From the parser, in order."""
        fields = reply.split(b".")
        # $JS.ACK.stream.reader.deliveries.sequence.delivery.time.pending, or with a domain before.
        offset = 5 if len(fields) == 9 else 7
        sequence, delivery = int(fields[offset]), int(fields[offset + 1])
        self._asked -= 1
        if delivery != self._expected:
            self._break(f"delivery {delivery} came instead of {self._expected}")
            return
        self._expected = delivery + 1
        if sequence > self._last:
            self._last = sequence
            self._buffer.append(Raw(sequence, int(fields[offset + 2]), subject, data, delivery))
            self._bytes += len(data)
            self._size += (len(data) - self._size) * 0.01
        if not self._ready.is_set():
            self._ready.set()

    def status(self, header: bytes) -> None:
        """From the parser: heartbeats, expired requests, refusals."""
        self._heard = asyncio.get_running_loop().time()
        line, _, rest = header.partition(b"\r\n")
        code = line[9:12]
        if code == b"100":
            return
        if code == b"408":
            for field in rest.split(b"\r\n"):
                if field.lower().startswith(b"nats-pending-messages:"):
                    self._asked -= int(field.split(b":")[1])
            self._ready.set()
            return
        self._break(line.decode("ascii", "replace"))

    def _break(self, why: str) -> None:
        self._fault = self._fault or why
        self._ready.set()

    def _check(self) -> None:
        client = self._bus.client
        if client.stats["reconnects"] != self._reconnects:
            self._fault = self._fault or "the connection was made anew"
        elif self._buffer:
            self._heard = asyncio.get_running_loop().time()
        elif asyncio.get_running_loop().time() - self._heard > _SILENCE_S:
            self._fault = self._fault or "the broker is silent"
        if self._fault:
            raise Broken(self._fault)

    async def _ask_more(self) -> None:
        """Keep requests open for as much as may wait here, and no more; memory is bounded by what
        messages weighed lately."""
        most = max(100, min(HIGH, int(HIGH_BYTES / self._size)))
        room = most - len(self._buffer) - self._asked
        if room < most // 3:
            return
        self._asked += room
        request = {"batch": room, "expires": _EXPIRES_NS, "idle_heartbeat": _HEARTBEAT_NS}
        try:
            await self._bus.client.publish(
                f"$JS.API.CONSUMER.MSG.NEXT.{self.stream.name}.{self.name}",
                msgspec.json.encode(request),
                reply=self._inbox,
            )
        except (nats.errors.Error, OSError) as error:
            raise Broken(repr(error)) from error

    async def _acknowledge(self, sequence: int, delivery: int) -> None:
        await self._bus.publish(
            f"$JS.ACK.{self.stream.name}.{self.name}.1.{sequence}.{delivery}.0.0", b"+ACK"
        )

    async def _unsubscribe(self) -> None:
        self._parser.sinks.pop(self._sid, None)
        subscription, self._subscription = self._subscription, None
        if subscription is not None:
            with contextlib.suppress(Exception):
                await subscription.unsubscribe()

    async def _align(self, position: int) -> int:
        """Make the reader's next message the one after `position`; its deliveries so far."""
        spare = f"{self.name}-spare"
        info = await self._info(self.name)
        if info is not None and await self._info(spare) is None:
            delivered = info["delivered"]
            if info["num_ack_pending"] == 0 or delivered["stream_seq"] <= position:
                if info["num_ack_pending"]:
                    await self._acknowledge(delivered["stream_seq"], delivered["consumer_seq"])
                return int(delivered["consumer_seq"])
        # What a spare left by an interrupted swap keeps begins no later than ours would.
        await self._make(spare, position + 1)
        await ask(self._bus, f"$JS.API.CONSUMER.DELETE.{self.stream.name}.{self.name}", {})
        await self._make(self.name, position + 1)
        await ask(self._bus, f"$JS.API.CONSUMER.DELETE.{self.stream.name}.{spare}", {})
        made = await self._info(self.name)
        if made is None:
            raise Unavailable("reader_missing", f"The reader {self.name} could not be made.")
        log.info("lane_reader_renewed", lane=self.name, position=position)
        return int(made["delivered"]["consumer_seq"])

    async def _info(self, name: str) -> dict[str, Any] | None:
        answer = await ask(self._bus, f"$JS.API.CONSUMER.INFO.{self.stream.name}.{name}", {})
        return None if "error" in answer else answer

    async def _make(self, name: str, start: int) -> None:
        """Make a reader unless it exists."""
        config = self.stream.reader_config(self._shard) | {
            "durable_name": name,
            "deliver_policy": "by_start_sequence",
            "opt_start_seq": max(start, 1),
        }
        answer = await ask(
            self._bus,
            f"$JS.API.CONSUMER.DURABLE.CREATE.{self.stream.name}.{name}",
            {"stream_name": self.stream.name, "config": config},
        )
        if "error" in answer and await self._info(name) is None:
            raise Unavailable("reader_missing", f"The reader {name}: {answer['error']}.")
