"""The way in for every protocol that has no broker: `accept`, durable when it returns.

    intake = Intake.of(runtime)
    client = intake.login("trackers", token, secret)
    await intake.accept([Positions(client.token, imei, at, lon, lat)])     # then answer the peer

What was accepted is in the stream VIGIE_IN, on disk like the broker's own, until a lane has stored
it or put it in quarantine. When `accept` raises, the peer gets no answer and sends again: the same
content within two minutes is known by its digest and kept once. It refuses what is too much for one
client, and from 80% of the stream on everything, long before the stream would.
"""

import asyncio
import hashlib
import math
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from typing import ClassVar
from weakref import WeakKeyDictionary

import msgspec
import nats.errors
from nats.aio.msg import Msg

from vigie.core.errors import Forbidden, Invalid, SetupError, TooLarge, TooMany, Unavailable
from vigie.core.logs import logger
from vigie.core.runtime import Runtime
from vigie.gateways.clients import (
    ACCEPTED,
    CHANGED,
    Book,
    Known,
    Meter,
    Peers,
    Refusals,
    StreamState,
    allowance,
    changed_tokens,
    matches,
)
from vigie.gateways.ingest.accepted import ACCEPTED_STREAM, MAX_UNNUMBERED, NAME, subject
from vigie.gateways.ingest.gate import why_shut
from vigie.gateways.ingest.messages import (
    MAX_BATCH,
    MAX_PAYLOAD,
    MAX_VALUES,
    Message,
    Readings,
    Stamp,
    microseconds,
)
from vigie.gateways.ingest.streams import ensure, state_of

log = logger(__name__)
Service = Callable[[], Awaitable[None]]
_EVERY_S = 0.5
_ENSURE_EVERY_S = 10.0
_WAIT_S = 5.0
_TRIES = 2
_NAME_MOST = 64
_FULL = (10077, 10023, 10047)  # maximum bytes, insufficient resources, no space


class _Ack(msgspec.Struct, frozen=True):
    stream: str = ""
    error: dict[str, object] | None = None


class Intake:
    """One process's way in."""

    _of: ClassVar[WeakKeyDictionary[Runtime, "Intake"]] = WeakKeyDictionary()

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._allowance = allowance(runtime.settings)
        self._meter = Meter(self._allowance)
        self.book = Book(runtime, self._void)
        self.peers = Peers(runtime)
        self.refusals = Refusals(runtime)
        self.ready = asyncio.Event()
        self.open = True
        self.stream = StreamState(0, 0, runtime.settings.stream_max_bytes)
        # Called with clients whose credential is void now: their connections are to be cut.
        self.on_void: list[Callable[[list[str]], Awaitable[None]]] = []

    @classmethod
    def of(cls, runtime: Runtime) -> "Intake":
        """The process's own; its services run in the role `gateways`."""
        if runtime not in cls._of:
            cls._of[runtime] = cls(runtime)
        return cls._of[runtime]

    def services(self) -> dict[str, Service]:
        """What the process runs."""
        return {
            "intake": self.keep,
            "intake-clients": self.book.keep,
            "peers": self.peers.keep,
            "intake-refusals": self.refusals.keep,
        }

    def login(self, protocol: str, token: str, secret: str, address: str = "") -> Known:
        """The client, when it may come in by this protocol; else Forbidden with the reason, which
        is counted for the client. Raises Unavailable before the clients were read."""
        if not self.book.ready:
            raise Unavailable("not_ready", "The clients were not read yet: try again.")
        known = self.book.get(token)
        code = ""
        if known is None:
            code = "unknown_client"
        elif not matches(known, secret):
            code = "wrong_secret"
        elif known.revoked:
            code = "revoked"
        elif known.protocol != protocol or known.stream != ACCEPTED:
            code = "other_protocol"
        if known is None or code:
            self.refusals.add(token if known else "", code, address)
            raise Forbidden("client_refused", f"The client may not come in: {code}.")
        return known

    async def accept(self, messages: Sequence[Message]) -> None:
        """Keep messages of clients; durable when it returns.

        Raises Invalid for what no lane could read, Forbidden for a client that may not send,
        TooLarge, TooMany for one over its quota, Unavailable when they cannot be kept now. Whatever
        it raises, the peer gets no answer and sends again; nothing is kept twice for it.
        """
        if not self.ready.is_set():
            raise Unavailable("not_ready", "The way in is not open yet: try again.")
        groups: dict[str, list[Message]] = {}
        for message in messages:
            groups.setdefault(message.client, []).append(_checked(message))
        packed = [
            (self._client(client), payload)
            for client, group in groups.items()
            for payload in pack(group)
        ]
        if not self.open:
            raise Unavailable(
                "admission_closed",
                "Too much waits to be stored: send again later; nothing is lost meanwhile.",
            )
        for client, group in groups.items():
            self._charge(client, len(group), sum(len(p) for k, p in packed if k.token == client))
        await asyncio.gather(*(self._publish(client, payload) for client, payload in packed))

    def _client(self, token: str) -> Known:
        known = self.book.get(token)
        if known is None or known.revoked or known.stream != ACCEPTED:
            raise Forbidden("client_refused", "The client is unknown, revoked or of the broker's.")
        return known

    def _charge(self, client: str, messages: int, size: int) -> None:
        now = time.monotonic()
        cost_s = self._allowance.cost_s(messages, size)
        ahead_s = self._meter.ahead_s(client, now) + cost_s
        if ahead_s > self._allowance.burst_s and ahead_s > cost_s:
            self.refusals.add(client, "quota_exceeded", f"{ahead_s:.0f} s of its allowance ahead")
            raise TooMany(
                "quota_exceeded",
                "The client sends more than its share: send again, slower.",
                {"ahead_s": round(ahead_s, 1)},
            )
        self._meter.charge(client, now, messages, size)

    async def _publish(self, client: Known, payload: bytes) -> None:
        """Into the stream, once; known by its content when it has to be tried again."""
        digest = hashlib.blake2b(payload, key=client.token.encode()[:64], digest_size=18)
        headers = {"Nats-Msg-Id": digest.hexdigest(), "Nats-Expected-Stream": NAME}
        fault = ""
        for _ in range(_TRIES):
            try:
                answer = await self._runtime.bus.client.request(
                    subject(client.shard, client.token), payload, timeout=_WAIT_S, headers=headers
                )
                ack = msgspec.json.decode(answer.data, type=_Ack)
            except (TimeoutError, nats.errors.Error, OSError, msgspec.MsgspecError) as error:
                fault = repr(error)
                continue
            if ack.error is None and ack.stream == NAME:
                return
            fault = str((ack.error or {}).get("description", "another stream answered"))
            if (ack.error or {}).get("err_code") in _FULL:
                raise Unavailable("stream_full", "No more can wait to be stored: send again later.")
        raise Unavailable("not_accepted", f"The message could not be kept: {fault}.")

    async def keep(self) -> None:
        """Service: the stream and its readers first, then the clients; then watch how full it
        is."""
        component = self._runtime.component("intake")
        subscription = await self._runtime.bus.subscribe(CHANGED, self._changed)
        ensured = -_ENSURE_EVERY_S
        try:
            while True:
                try:
                    if time.monotonic() - ensured >= _ENSURE_EVERY_S:
                        await ensure(self._runtime.bus, self._runtime.settings, ACCEPTED_STREAM)
                        ensured = time.monotonic()
                    self.stream = await state_of(self._runtime.bus, NAME)
                    if not self.book.ready:
                        await self.book.load()
                except (Unavailable, SetupError) as error:
                    ensured = -_ENSURE_EVERY_S
                    component.set("degraded", error.code, detail=error.detail)
                    await asyncio.sleep(1)
                    continue
                self._judge()
                self.ready.set()
                await asyncio.sleep(_EVERY_S)
        finally:
            await subscription.unsubscribe()

    def _judge(self) -> None:
        reason = why_shut(self._runtime.settings, self.open, self.stream.share)
        if self.open != (not reason):
            log.warning("intake_closed" if reason else "intake_opened", reason=reason)
        self.open = not reason
        component = self._runtime.component("intake")
        facts = {"bytes": self.stream.bytes, "limit": self.stream.limit}
        if reason:
            component.set("degraded", "admission_closed", reason=reason, **facts)
        else:
            component.set("ok", "", **facts)

    async def _changed(self, message: Msg) -> None:
        tokens = changed_tokens(message)
        try:
            await (self.book.refresh(tokens) if tokens else self.book.load())
        except Unavailable:
            log.warning("clients_not_read", clients=len(tokens))

    async def _void(self, tokens: list[str]) -> None:
        for cut in self.on_void:
            await cut(tokens)


def services(runtime: Runtime) -> dict[str, Service]:
    """Services of the role `gateways`."""
    return Intake.of(runtime).services()


def pack(messages: Iterable[Message]) -> list[bytes]:
    """One client's messages in as few payloads as the stream's limits allow."""
    payloads: list[bytes] = []
    pieces: list[Message] = []
    unnumbered: dict[str, int] = {}
    size = 0

    def close() -> None:
        nonlocal pieces, size
        if pieces:
            payloads.append(msgspec.msgpack.encode(pieces))
        pieces, size = [], 0
        unnumbered.clear()

    for message in messages:
        own = len(msgspec.msgpack.encode(message))
        if own > MAX_PAYLOAD - 8:
            raise TooLarge("message_too_large", f"A message is over {MAX_PAYLOAD} bytes.")
        mute = isinstance(message, Readings) and (message.boot is None or message.n is None)
        many = mute and unnumbered.get(message.device, 0) >= MAX_UNNUMBERED
        if many or len(pieces) >= MAX_BATCH or size + own > MAX_PAYLOAD - 8:
            close()
        pieces.append(message)
        size += own
        if mute:
            unnumbered[message.device] = unnumbered.get(message.device, 0) + 1
    close()
    return payloads


def _checked(message: Message) -> Message:
    """As the stream holds it: times in milliseconds. Raises Invalid for an adapter's own fault;
    what the device got wrong is for quarantine to explain."""
    if not 0 < len(message.device) <= _NAME_MOST:
        raise _wrong("device", "a name of 1 to 64 characters")
    at = _milliseconds(message.at)
    if isinstance(message, Readings):
        if not 0 < len(message.values) <= MAX_VALUES:
            raise _wrong("values", f"1 to {MAX_VALUES} values")
        numbers = (message.boot, message.n)
        if numbers != (None, None) and not _numbered(*numbers):
            raise _wrong("boot", "boot (0 to 32767) and n (0 to 2147483647), or neither")
    return msgspec.structs.replace(message, at=at)


def _numbered(boot: int | None, n: int | None) -> bool:
    return boot is not None and n is not None and 0 <= boot <= 32_767 and 0 <= n < 2**31


def _milliseconds(at: Stamp) -> int:
    if isinstance(at, datetime):
        if at.tzinfo is None:
            raise _wrong("at", "a time with its offset")
        return math.floor(microseconds(at) / 1000)
    if abs(at) >= 2**53:
        raise _wrong("at", "milliseconds since 1970")
    return at


def _wrong(field: str, wanted: str) -> Invalid:
    return Invalid("message_invalid", f"{field}: {wanted}.", {"field": field})
