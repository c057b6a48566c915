"""The way of a message: stream → sort out who sends too much → store → acknowledge → live screens.

One process leads a lane at a time (position.py). Whatever fails (database, broker, leadership), the
lane begins again from the committed position; messages stay in the stream. What one transaction
does is in writer.py.
"""

import asyncio
import time
from collections.abc import Sequence
from functools import partial

import msgspec

from vigie.core.errors import Conflict
from vigie.core.leader import Leadership, lead
from vigie.core.logs import logger
from vigie.core.runtime import Component, Runtime
from vigie.gateways.clients import OVER, allowance
from vigie.gateways.ingest import gauges
from vigie.gateways.ingest.lane import Broken, Lane
from vigie.gateways.ingest.messages import Raw
from vigie.gateways.ingest.parking import Sorter, next_parked, park, parked_rows, unpark
from vigie.gateways.ingest.registry import Registry
from vigie.gateways.ingest.writer import AWAY, Ports, Writer, age_s

log = logger(__name__)

BATCH = 4_000
BATCH_BYTES = 1_200_000
CADENCE_S = 0.08
_REPORTED_EVERY_S = 0.2
# While something is parked, new messages are waited for no longer than this.
_PARKED_WAIT_S = 0.02


class Pipeline:
    """One lane of one process."""

    def __init__(
        self, runtime: Runtime, lane: Lane, registry: Registry, ports: Ports | None = None
    ) -> None:
        self._runtime = runtime
        self._lane = lane
        self._registry = registry
        self._label = lane.name
        self._writer = Writer(runtime.database, runtime.bus, lane, registry, ports or Ports())
        self._position = self._writer.position
        self._sorter = Sorter(allowance(runtime.settings), self._writer.validator.source)
        self._registered = 0
        self._parked = 0
        self._reported_at = 0.0
        self._replays = 0
        self._counted_at = 0.0

    async def run(self) -> None:
        """Lead the lane, for ever."""
        component = self._runtime.component(self._label)
        pause = 0.25
        while True:
            started = time.monotonic()
            try:
                async with lead(
                    self._runtime.database,
                    self._label,
                    self._runtime.instance,
                    on_standby=lambda: component.set("ok", "standby"),
                ) as leadership:
                    await self._flow(leadership, component)
            except Conflict:
                log.warning("lane_taken_over", lane=self._label)
                component.set("ok", "standby")
            except Broken as error:
                log.warning("lane_broken", lane=self._label, cause=str(error))
                component.set("degraded", "broker_unavailable", cause=str(error))
            except AWAY as error:
                log.warning("lane_interrupted", lane=self._label, cause=repr(error))
                code = getattr(error, "code", "database_unavailable")
                component.set("degraded", code, cause=type(error).__name__)
            finally:
                await self._lane.close()
            if time.monotonic() - started > 10:
                pause = 0.25
            await asyncio.sleep(pause)
            pause = min(pause * 2, 1.0)

    async def _flow(self, leadership: Leadership, component: Component) -> None:
        """Store what comes, until something ends it by raising."""
        behind_s = await self._claim(leadership)
        await self._lane.open(self._position.committed)
        component.set("ok")
        # The screens need not wait for the first batch to know that the lane has a leader again.
        await self._writer.announce(self._position.commits, behind_s)
        checked = time.monotonic()
        while True:
            began = time.monotonic()
            wait_s = _PARKED_WAIT_S if self._parked else 1.0
            batch = await self._lane.take(BATCH, BATCH_BYTES, wait_s)
            self._follow_registry()
            if batch:
                await self._take(batch)
                await self._lane.acknowledge(batch[-1])
                await self._report(component, batch)
                if self._lane.waiting < BATCH // 2:
                    await asyncio.sleep(max(0.0, CADENCE_S - (time.monotonic() - began)))
            await self._look_for_replays()
            if self._parked and (not batch or self._caught_up(batch)):
                await self._unpark()
            now = time.monotonic()
            if now - checked >= 1:
                checked = now
                if not batch:
                    await leadership.check()
                    await self._writer.flush_counts()
                    component.set("ok", lag_s=0.0)
                    gauges.LAG.labels(self._label).set(0)
                lag_s = age_s(batch[-1]) if batch else 0.0
                await self._writer.announce(self._position.commits, lag_s)

    async def _look_for_replays(self) -> None:
        """A person had messages of quarantine read again; a word of it that was lost costs a
        minute."""
        if self._replays == self._registry.replays and time.monotonic() < self._counted_at + 60:
            return
        self._replays, self._counted_at = self._registry.replays, time.monotonic()
        async with self._runtime.database.unit() as unit:
            self._parked = await parked_rows(unit, self._lane.number)

    def _follow_registry(self) -> None:
        """Forget the state of assets that speak through another lane now: it writes them."""
        if self._registered != self._registry.version:
            self._registered = self._registry.version
            self._writer.store.keep_only(set(self._registry.assets(self._lane.number)))

    async def _claim(self, leadership: Leadership) -> float:
        """Take the lane over from whoever had it; the seconds since the last commit."""
        self._writer.store.forget()
        await self._registry.ready.wait()
        facts = await self._lane.facts()
        async with self._runtime.database.unit() as unit:
            behind_s = await self._position.claim(unit, leadership.epoch, facts)
            await self._writer.store.load(unit, self._registry.assets(self._lane.number))
            self._parked = await parked_rows(unit, self._lane.number)
        return behind_s

    async def _take(self, batch: Sequence[Raw]) -> None:
        """Store a batch, except what its clients sent above their share: that is parked first,
        so that the lane's position never passes a message that is nowhere."""
        passes, waits = self._sorter.sort(batch)
        if waits:
            await self._park(waits, self._position.committed if passes else batch[-1].sequence)
        if passes:
            await self._writer.commit(passes)

    async def _park(self, waits: dict[str, list[Raw]], position: int) -> None:
        raws = [raw for waiting in waits.values() for raw in waiting]
        writer = self._writer
        counts = writer.unwritten.and_of(writer.validator.senders(raws))
        previous = self._position.commits
        async with self._runtime.database.unit() as unit:
            await self._position.advance(unit, position)
            rows = await park(unit, self._lane.number, waits)
        self._parked += rows
        writer.unwritten.keep(counts, written=False)
        gauges.PARKED.labels(self._label).inc(len(raws))
        await writer.announce(previous, age_s(raws[-1]))
        await self._report_loud(waits)

    async def _report_loud(self, waits: dict[str, list[Raw]]) -> None:
        """To the gateways, who is far ahead of its share just now: they cut it."""
        if time.monotonic() - self._reported_at < _REPORTED_EVERY_S:
            return
        self._reported_at = time.monotonic()
        loud = self._sorter.loud(waits, time.time())
        await self._runtime.bus.publish(OVER, msgspec.json.encode(loud))

    def _caught_up(self, batch: Sequence[Raw]) -> bool:
        return self._lane.waiting < BATCH // 4 and age_s(batch[-1]) < 1

    async def _unpark(self) -> None:
        """Store some of what was parked, once the lane has nothing newer to do."""
        async with self._runtime.database.unit() as unit:
            waited = await next_parked(unit, self._lane.number, self._lane.stream.format.subject)
            if waited is None:
                self._parked = 0
                return
        await self._writer.commit(waited.messages, partial(unpark, row=waited.id))
        self._parked -= 1

    async def _report(self, component: Component, batch: Sequence[Raw]) -> None:
        lag = age_s(batch[-1])
        gauges.LAG.labels(self._label).set(lag)
        if lag > 30:
            component.set("degraded", "ingest_lags", lag_s=round(lag, 1))
        else:
            component.set("ok", lag_s=round(lag, 1))
