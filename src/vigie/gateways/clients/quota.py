"""The quota of each client: who sends more than its allowance is disconnected and kept out a while.

It is cut, not throttled: MQTT 3.1.1 has no way to say "slower", and what the broker acknowledged
must be kept. So its acknowledgements are stopped, long before the stream is so full that admission
must close for everyone. The device sends again what was not acknowledged, when it may come back.

Measured by what the broker counts for each connection, on every topic and quality of service, and
by what the ingest finds; judged in memory, since the database may be away at just that moment.
"""

import asyncio
import time
from datetime import timedelta

import msgspec
from nats.aio.msg import Msg
from sqlalchemy import text

from vigie.core import clock
from vigie.core.errors import Unavailable
from vigie.core.logs import logger
from vigie.core.runtime import Runtime
from vigie.gateways.clients.allowance import (
    FORGIVEN_S,
    WATCHED_SHARE,
    Meter,
    allowance,
    pause_s,
    share_allowed,
)
from vigie.gateways.clients.door import Backlog, Connection, Connections, Traffic
from vigie.gateways.clients.refusals import Refusals

log = logger(__name__)
OVER = "gateways.over_quota"
CODE = "quota_exceeded"
_EVERY_S = 0.5
# Reading the counters of thousands of connections takes the broker a while: not twice a second.
_AT_ONCE = 1_000
_PARKED_EVERY_S = 5.0
_PARKED_S = 60.0
_NAMED = 10


class Quota:
    """Which clients are kept out now, and until when."""

    def __init__(
        self, runtime: Runtime, connections: Connections, backlog: Backlog, refusals: Refusals
    ) -> None:
        self._runtime = runtime
        self._connections = connections
        self._backlog = backlog
        self._refusals = refusals
        self._allowance = allowance(runtime.settings)
        self._meter = Meter(self._allowance)
        self._counted: dict[Connection, Traffic] = {}
        self._until: dict[str, float] = {}
        self._cuts: dict[str, tuple[int, float]] = {}
        self._weight: dict[str, tuple[int, int]] = {}
        self._parked_at = 0.0
        connections.on_gone = self._gone

    def holds(self, token: str) -> bool:
        """True while a client is kept out."""
        until = self._until.get(token)
        return until is not None and until > time.monotonic()

    async def keep(self) -> None:
        """Service: measure, cut, let in again."""
        component = self._runtime.component("quota")
        while True:
            began = time.monotonic()
            connections = await self._measure()
            await self._watch_stream()
            await self._watch_parked()
            held = sorted(token for token in list(self._until) if self.holds(token))
            self._until = {token: self._until[token] for token in held}
            if not self._connections.known:
                component.set("degraded", "no_system_account")
            elif held:
                component.set("degraded", CODE, clients=held[:_NAMED], held=len(held))
            else:
                component.set("ok")
            every = _EVERY_S * (1 + connections // _AT_ONCE)
            await asyncio.sleep(max(_EVERY_S / 5, every - (time.monotonic() - began)))

    async def reported(self, message: Msg) -> None:
        """The ingest found messages of clients far ahead of their rate: {client: seconds}."""
        try:
            found = msgspec.json.decode(message.data, type=dict[str, float])
        except msgspec.MsgspecError:
            return
        for token, ahead_s in found.items():
            if ahead_s > self._allowance.burst_s and not self.holds(token):
                await self._cut(token, ahead_s, f"{ahead_s:.0f} s of its allowance ahead")

    async def _measure(self) -> int:
        """Charge each client what its connections received since the last look; how many."""
        traffic = await self._connections.traffic()
        if traffic is None:
            return 0
        for connection, now in traffic.items():
            await self._charge(connection, now)
        self._counted = {c: t for c, t in self._counted.items() if c in traffic}
        return len(traffic)

    async def _charge(self, connection: Connection, now: Traffic) -> None:
        ahead_s = self._count(connection, now)
        if ahead_s > self._allowance.burst_s:
            await self._cut(now.token, ahead_s, f"{ahead_s:.0f} s of its allowance ahead")

    def _count(self, connection: Connection, now: Traffic) -> float:
        before = self._counted.get(connection)
        messages = now.messages - (before.messages if before else 0)
        size = now.bytes - (before.bytes if before else 0)
        if messages <= 0 and size <= 0:
            return 0.0
        self._counted[connection] = now
        if now.messages:
            self._weight[now.token] = (now.messages, now.bytes)
        return self._meter.charge(now.token, time.monotonic(), messages, size)

    def _gone(self, connection: Connection, last: Traffic) -> None:
        """A connection that comes and goes between two looks counts as well."""
        ahead_s = self._count(connection, last)
        self._counted.pop(connection, None)
        if ahead_s > self._allowance.burst_s and not self.holds(last.token):
            self._hold(last.token, ahead_s, f"{ahead_s:.0f} s of its allowance ahead")

    async def _cut(self, token: str, ahead_s: float, detail: str) -> None:
        if not self.holds(token):
            self._hold(token, ahead_s, detail)
        await self._connections.kick([token])
        await self._write(token)

    def _hold(self, token: str, ahead_s: float, detail: str) -> None:
        now = time.monotonic()
        times, last = self._cuts.get(token, (0, now))
        times = 1 if now - last > FORGIVEN_S else times + 1
        self._cuts[token] = (times, now)
        pause = pause_s(ahead_s, self._allowance.burst_s, times)
        self._until[token] = now + pause
        self._refusals.add(token, CODE, detail)
        log.warning("client_over_quota", client=token, detail=detail, kept_out_s=round(pause, 1))

    async def _watch_stream(self) -> None:
        """Once the stream fills: whose messages are they?"""
        state = self._backlog.stream
        if state.share < WATCHED_SHARE:
            return
        try:
            waiting = await self._backlog.waiting()
        except Unavailable:
            return
        taken: dict[str, float] = {}
        for client, count in waiting.items():
            messages, size = self._weight.get(client, (1, 0))
            weight = size / messages if size else state.bytes / max(1, state.messages)
            taken[client] = count * weight
        allowed = share_allowed(max(len(self._connections.of), len(taken))) * state.limit
        now = time.monotonic()
        for token, size in taken.items():
            # Where few clients share the stream, a long pause of the ingest gives an honest one a
            # large part of it: only who is well ahead of its rate is kept out for it.
            ahead_s = self._meter.ahead_s(token, now)
            if not self.holds(token) and ahead_s <= self._allowance.burst_s / 2:
                continue
            if size > allowed or (self.holds(token) and size > allowed / 2):
                await self._extend(token, f"{size / state.limit:.0%} of what may wait to be stored")

    async def _watch_parked(self) -> None:
        """What waits beside the stream is bounded too: its sender is kept out until it is less."""
        now = time.monotonic()
        if now - self._parked_at < _PARKED_EVERY_S:
            return
        self._parked_at = now
        try:
            async with self._runtime.database.unit(statement_timeout_s=2) as unit:
                rows = await unit.execute(
                    text(
                        "select client from gateways.parked group by client"
                        " having sum(size) > :most"
                    ),
                    {"most": _PARKED_S * self._allowance.bytes_per_s},
                )
                tokens = list(rows.scalars())
        except Exception as error:
            log.info("parked_not_read", cause=type(error).__name__)
            return
        for token in tokens:
            await self._extend(token, "too much of it waits to be stored")

    async def _extend(self, token: str, detail: str) -> None:
        """Keep a client out for as long as this goes on; said once."""
        if self.holds(token):
            soon = time.monotonic() + 2 * _PARKED_EVERY_S
            self._until[token] = max(self._until[token], soon)
        else:
            await self._cut(token, 0.0, detail)

    async def _write(self, token: str) -> None:
        """For the gateway's page; best effort, since the quota must not need the database."""
        until = clock.now() + timedelta(seconds=self._until[token] - time.monotonic())
        try:
            async with self._runtime.database.unit(statement_timeout_s=2) as unit:
                await unit.execute(
                    text(
                        "insert into gateways.presence (client, held_until)"
                        " select id, :until from gateways.client where token = :token"
                        " on conflict (client) do update set held_until = excluded.held_until"
                    ),
                    {"token": token, "until": until},
                )
        except Exception as error:
            log.info("hold_not_written", client=token, cause=type(error).__name__)
