"""A site gateway: one MQTT connection, a bounded store, and a window of unacknowledged messages.

A message leaves the store only with its PUBACK. When the connection is lost, what was in
flight goes back to the front and is sent again, unchanged: the platform knows a message by
(device, boot, n).
"""

import asyncio
import random
import ssl
import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple, cast

from simcity import wire
from simcity.provisioning import Broker, GatewaySpec
from simcity.stats import Stats

KEEPALIVE = 30
LAST_PACKET_ID = 65534  # the next one is the subscription's
CONNECT_TIMEOUT = 10.0
ACKNOWLEDGE_TIMEOUT = 30.0
FIRST_BACKOFF, LONGEST_BACKOFF, REFUSED_BACKOFF = 0.25, 3.0, 15.0


class Message(NamedTuple):
    payload: bytes
    readings: int  # how many readings it carries; 0: an answer to commands
    rows: list[tuple[int, int, int]] | None  # (device, n, at) for the ledger


class Link(asyncio.Protocol):
    """One TCP connection of a gateway."""

    def __init__(self, gateway: "Gateway"):
        self._gateway = gateway
        self._reader = wire.Reader()
        self.transport: asyncio.Transport | None = None
        self.paused = False
        self.accepted: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.heard = self.spoke = time.monotonic()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def send(self, data: bytes) -> None:
        if self.transport is not None and not self.transport.is_closing():
            self.spoke = time.monotonic()
            self.transport.write(data)

    def abort(self) -> None:
        if self.transport is not None:
            self.transport.abort()

    def data_received(self, data: bytes) -> None:
        self.heard = time.monotonic()
        ids = self._reader.acknowledged(data)
        if ids is not None:
            self._gateway.acknowledged(ids, self.heard)
            return
        try:
            for head, body in self._reader.packets(data):
                self._packet(head, body)
        except (wire.WireError, IndexError):
            self.abort()

    def _packet(self, head: int, body: bytes) -> None:
        match head & 0xF0:
            case wire.PUBACK:
                self._gateway.acknowledged([int.from_bytes(body[:2], "big")], self.heard)
            case wire.PUBLISH:
                topic, payload, packet_id = wire.read_publish(head, body)
                if packet_id:
                    self.send(wire.puback(packet_id))
                self._gateway.received(topic, payload)
            case wire.CONNACK:
                if not self.accepted.done():
                    self.accepted.set_result(body[1])
            case _:
                pass  # SUBACK, PINGRESP

    def pause_writing(self) -> None:
        self.paused = True

    def resume_writing(self) -> None:
        self.paused = False
        self._gateway.pump()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.accepted.done():
            self.accepted.set_exception(exc or ConnectionResetError("closed before CONNACK"))
            self.accepted.exception()  # seen: the connect loop may have timed out already
        if not self.lost.done():
            self.lost.set_result(None)


class Gateway:
    def __init__(
        self,
        spec: GatewaySpec,
        broker: Broker,
        stats: Stats,
        *,
        window: int = 512,
        store: int = 10_000,
        on_command: Callable[["Gateway", str, bytes], None],
        on_acknowledged: Callable[[list[tuple[int, int, int]]], None] | None = None,
    ):
        self.spec = spec
        self._broker, self._stats = broker, stats
        self._window, self._capacity = window, store
        self._on_command, self._on_acknowledged = on_command, on_acknowledged
        base = f"up/{spec.shard}/{spec.client}/"
        self._reading_topic = wire.text((base + "reading").encode())
        self._ack_topic = wire.text((base + "ack").encode())
        self._command_prefix = f"down/{spec.client}/"
        self.store: deque[Message] = deque()
        self.urgent: deque[Message] = deque()
        self.in_flight: dict[int, tuple[float, Message]] = {}
        self._packet_id = 0
        self._link: Link | None = None
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    # --- store and send

    @property
    def idle(self) -> bool:
        return not (self.store or self.urgent or self.in_flight)

    @property
    def connected(self) -> bool:
        return self._link is not None

    def offer(self, message: Message) -> None:
        """Store readings; a full store forgets its oldest message."""
        if len(self.store) >= self._capacity:
            self._stats.dropped += self.store.popleft().readings
        self.store.append(message)

    def answer(self, payload: bytes) -> None:
        """Store an answer to commands; answers go before readings."""
        if len(self.urgent) >= self._capacity:
            self.urgent.popleft()
        self.urgent.append(Message(payload, 0, None))

    def pump(self) -> None:
        """Send what the window allows."""
        link = self._link
        if link is None or link.paused:
            return
        in_flight, now = self.in_flight, time.monotonic()
        room = self._window - len(in_flight)
        packet_id, published = self._packet_id, 0
        out: list[bytes] = []
        while room > 0 and (self.urgent or self.store):
            if self.urgent:
                message, topic = self.urgent.popleft(), self._ack_topic
            else:
                message, topic = self.store.popleft(), self._reading_topic
                published += 1
            packet_id = packet_id % LAST_PACKET_ID + 1
            while packet_id in in_flight:
                packet_id = packet_id % LAST_PACKET_ID + 1
            in_flight[packet_id] = (now, message)
            payload = message[0]
            out += (
                wire.publish_head(len(topic) + 2 + len(payload)),
                topic,
                packet_id.to_bytes(2, "big"),
                payload,
            )
            room -= 1
        if out:
            self._packet_id = packet_id
            self._stats.published += published
            link.send(b"".join(out))

    def acknowledged(self, packet_ids: list[int], now: float) -> None:
        stats, in_flight = self._stats, self.in_flight
        rows: list[tuple[int, int, int]] = []
        for packet_id in packet_ids:
            entry = in_flight.pop(packet_id, None)
            if entry is None:
                continue
            sent, message = entry
            if message.readings:
                stats.acknowledged += 1
                stats.readings_acknowledged += message.readings
                stats.latency(now - sent)
                if message.rows:
                    rows += message.rows
            else:
                stats.answers_acknowledged += 1
                stats.last_answer_acknowledged = time.time()
        if rows and self._on_acknowledged is not None:
            self._on_acknowledged(rows)
        if self.store or self.urgent:
            self.pump()

    def received(self, topic: str, payload: bytes) -> None:
        device, _, verb = topic.removeprefix(self._command_prefix).partition("/")
        if topic.startswith(self._command_prefix) and verb == "command":
            self._on_command(self, device, payload)

    # --- connection

    def start(self, delay: float) -> None:
        self._task = asyncio.create_task(self._stay_connected(delay), name=self.spec.client)

    async def stop(self) -> None:
        self._stopping = True
        if self._link is not None:
            self._link.send(wire.DISCONNECT)
            if self._link.transport is not None:
                self._link.transport.close()
            await asyncio.wait([self._link.lost], timeout=1.0)
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def check(self, now: float) -> None:
        """Once a second: keep the connection alive, leave a dead one."""
        link = self._link
        if link is None:
            return
        oldest = next(iter(self.in_flight.values()), None)
        if now - link.heard > KEEPALIVE * 1.5 or (
            oldest is not None and now - oldest[0] > ACKNOWLEDGE_TIMEOUT
        ):
            link.abort()
        elif now - link.heard > KEEPALIVE / 2 or now - link.spoke > KEEPALIVE / 2:
            link.send(wire.PINGREQ)
        else:
            self.pump()

    async def _stay_connected(self, delay: float) -> None:
        jitter = random.Random(self.spec.client)  # noqa: S311 - spreads reconnects, guards nothing
        attempt = 0
        await asyncio.sleep(delay)
        while not self._stopping:
            began = time.monotonic()
            refused = False
            try:
                refused = not await self._session()
            except (OSError, TimeoutError, ssl.SSLError):
                pass
            finally:
                self._lose()
            attempt = 0 if time.monotonic() - began > CONNECT_TIMEOUT * 1.5 else attempt + 1
            longest = REFUSED_BACKOFF if refused else LONGEST_BACKOFF
            backoff = min(longest, FIRST_BACKOFF * 2 ** min(attempt, 8))
            await asyncio.sleep(backoff * jitter.uniform(0.5, 1.0))
            self._stats.reconnects += 1

    async def _session(self) -> bool:
        """One connection from its beginning to its end; False when the broker refused it."""
        loop, broker = asyncio.get_running_loop(), self._broker
        context = ssl.create_default_context(cafile=broker.ca) if broker.tls else None
        async with asyncio.timeout(CONNECT_TIMEOUT):
            _, link = await loop.create_connection(
                lambda: Link(self), broker.host, broker.port, ssl=context
            )
        try:
            spec = self.spec
            link.send(wire.connect(spec.client, spec.client, spec.secret, KEEPALIVE))
            async with asyncio.timeout(CONNECT_TIMEOUT):
                code = await link.accepted
            if code:
                self._stats.refused += 1
                return False
            link.send(wire.subscribe(LAST_PACKET_ID + 1, f"down/{spec.client}/#", 0))
            self._link = link
            self._stats.connected += 1
            self.pump()
            await link.lost
            return True
        finally:
            link.abort()

    def _lose(self) -> None:
        """Put what was in flight back in front of the store, oldest first."""
        if self._link is not None:
            self._stats.connected -= 1
            self._link = None
        returned = [message for _, message in self.in_flight.values()]
        self.in_flight.clear()
        self._stats.resent += len(returned)
        self.urgent.extendleft(m for m in reversed(returned) if not m.readings)
        self.store.extendleft(m for m in reversed(returned) if m.readings)
