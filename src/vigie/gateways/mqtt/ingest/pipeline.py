"""The way of a reading: stream → validate → one transaction → acknowledge → live screens.

One process leads a lane at a time. Its epoch is in the lane's row, and each transaction advances
that row: a leader that was frozen and wakes up commits nothing. Whatever fails (database, broker,
leadership), the lane begins again from the committed position; messages stay in the stream.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

import msgspec
import psycopg
import sqlalchemy.exc
from sqlalchemy import RowMapping, text
from sqlalchemy.exc import InterfaceError, OperationalError

from vigie.core.database import Unit
from vigie.core.errors import Conflict, Unavailable
from vigie.core.leader import Leadership, lead
from vigie.core.logs import logger
from vigie.core.runtime import Component, Runtime
from vigie.gateways.mqtt.allowance import allowance
from vigie.gateways.mqtt.ingest import gauges
from vigie.gateways.mqtt.ingest.counts import Unwritten
from vigie.gateways.mqtt.ingest.lane import Broken, Lane, Raw, StreamFacts
from vigie.gateways.mqtt.ingest.parking import (
    Sorter,
    next_parked,
    park,
    parked_rows,
    unpark,
)
from vigie.gateways.mqtt.ingest.registry import Registry
from vigie.gateways.mqtt.ingest.validate import (
    DeviceAck,
    Parsed,
    Validator,
    topic,
    unasked,
    unstorable,
)
from vigie.gateways.mqtt.presence import heard
from vigie.gateways.mqtt.quarantine import Quarantine
from vigie.gateways.mqtt.quota import OVER
from vigie.twin import live
from vigie.twin.telemetry import Arrival, Evidence, Store, Stored, pending

log = logger(__name__)

Acknowledge = Callable[[Unit, Sequence[DeviceAck]], Awaitable[Any]]
Observe = Callable[[Unit, Sequence[Evidence]], Awaitable[Any]]
Finish = Callable[[Unit], Awaitable[None]]

BATCH = 4_000
BATCH_BYTES = 1_200_000
CADENCE_S = 0.08
_REPORTED_EVERY_S = 0.2
# While something is parked, new messages are waited for no longer than this.
_PARKED_WAIT_S = 0.02
_AWAY = (
    Unavailable,
    OSError,
    TimeoutError,
    OperationalError,
    InterfaceError,
    psycopg.OperationalError,
    psycopg.InterfaceError,
)

_CLAIM = text(
    """
    insert into twin.ingest (lane, epoch) values (:lane, :epoch)
    on conflict (lane) do update set epoch = excluded.epoch
     where twin.ingest.epoch < excluded.epoch
    returning broker, stream, position, commits,
     greatest(0, extract(epoch from now() - committed)) as behind_s
    """
)
_ADVANCE = text(
    """
    update twin.ingest set position = :position, broker = :broker, stream = :stream,
     commits = commits + 1, committed = now()
    where lane = :lane and epoch = :epoch and commits = :commits
    """
)


class Pipeline:
    """One lane of one process."""

    def __init__(
        self,
        runtime: Runtime,
        lane: Lane,
        registry: Registry,
        acknowledge: Acknowledge | None = None,
        observe: Observe | None = None,
    ) -> None:
        self._runtime = runtime
        self._lane = lane
        self._registry = registry
        self._acknowledge = acknowledge
        self._observe = observe
        self._number = lane.shard
        self._label = str(lane.shard)
        self._store = Store(runtime.database)
        self._validator = Validator(registry, self._store.sets)
        self._quarantine = Quarantine()
        self._unwritten = Unwritten()
        self._epoch = 0
        self._commits = 0
        self._broker = ""
        self._stream = ""
        self._newest_us = 0
        self._registered = 0
        self._sorter = Sorter(allowance(runtime.settings))
        self._position = 0
        self._parked = 0
        self._reported_at = 0.0

    async def run(self) -> None:
        """Lead the lane, for ever."""
        component = self._runtime.component(f"ingest-{self._number}")
        pause = 0.25
        while True:
            started = time.monotonic()
            try:
                async with lead(
                    self._runtime.database,
                    f"ingest-{self._number}",
                    self._runtime.instance,
                    on_standby=lambda: component.set("ok", "standby"),
                ) as leadership:
                    await self._flow(leadership, component)
            except Conflict:
                log.warning("lane_taken_over", lane=self._number)
                component.set("ok", "standby")
            except Broken as error:
                log.warning("lane_broken", lane=self._number, cause=str(error))
                component.set("degraded", "broker_unavailable", cause=str(error))
            except _AWAY as error:
                log.warning("lane_interrupted", lane=self._number, cause=repr(error))
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
        position, behind_s = await self._claim(leadership)
        await self._lane.open(position)
        component.set("ok")
        # The screens need not wait for the first batch to know that the lane has a leader again.
        await self._tell(self._commits, behind_s)
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
            if self._parked and (not batch or self._caught_up(batch)):
                await self._unpark()
            now = time.monotonic()
            if now - checked >= 1:
                checked = now
                if not batch:
                    await leadership.check()
                    await self._flush_counts()
                    component.set("ok", lag_s=0.0)
                    gauges.LAG.labels(self._label).set(0)
                await self._tell(self._commits, 0.0 if not batch else _age(batch[-1]))

    def _follow_registry(self) -> None:
        """Forget the state of assets that speak through another lane now: it writes them."""
        if self._registered != self._registry.version:
            self._registered = self._registry.version
            self._store.keep_only(set(self._registry.assets(self._number)))

    async def _claim(self, leadership: Leadership) -> tuple[int, float]:
        """Take the lane over from whoever had it; the position to go on from, and the seconds
        since the last commit."""
        self._store.forget()
        await self._registry.ready.wait()
        facts = await self._lane.facts()
        self._epoch = leadership.epoch
        async with self._runtime.database.unit() as unit:
            claimed = await unit.execute(_CLAIM, {"lane": self._number, "epoch": leadership.epoch})
            row = claimed.mappings().one_or_none()
            if row is None:
                raise _lost(self._number)
            await self._store.load(unit, self._registry.assets(self._number))
            self._parked = await parked_rows(unit, self._number)
        self._commits = row["commits"]
        self._broker, self._stream = facts.broker, facts.created
        self._position = self._resume(int(row["position"]), row, facts)
        return self._position, float(row["behind_s"] or 0)

    def _resume(self, position: int, row: RowMapping, facts: StreamFacts) -> int:
        """Where to go on: after the committed position, or at the beginning of what is there."""
        if position == 0:
            return 0
        if row["stream"] != facts.created:
            log.error(
                "stream_replaced", lane=self._number, position=position, was=row["stream"],
                now=facts.created,
            )  # fmt: skip
            return 0
        if row["broker"] != facts.broker:
            # Another life of the broker: a power cut may have taken its last messages, and their
            # numbers given to new ones. What is still there is read again; what is stored already
            # is known by (device, boot, n).
            if facts.last < position:
                log.error(
                    "stream_lost_its_end", lane=self._number, position=position, last=facts.last
                )
            return 0
        return position

    async def _take(self, batch: Sequence[Raw]) -> None:
        """Store a batch, except what its clients sent above their share: that is parked first,
        so that the lane's position never passes a message that is nowhere."""
        passes, waits = self._sorter.sort(batch)
        if waits:
            await self._park(waits, batch[-1].sequence if not passes else self._position)
        if passes:
            await self.commit(passes)

    async def _park(self, waits: dict[str, list[Raw]], position: int) -> None:
        raws = [raw for waiting in waits.values() for raw in waiting]
        counts = self._unwritten.and_of(self._validator.senders(raws))
        async with self._runtime.database.unit() as unit:
            await self._advance(unit, position)
            rows = await park(unit, self._number, waits)
        self._commits += 1
        self._parked += rows
        self._unwritten.keep(counts, written=False)
        gauges.PARKED.labels(self._label).inc(len(raws))
        await self._tell(self._commits - 1, _age(raws[-1]))
        await self._report_loud(waits)

    async def _report_loud(self, waits: dict[str, list[Raw]]) -> None:
        """To the gateways, who is far ahead of its share just now: they cut it."""
        if time.monotonic() - self._reported_at < _REPORTED_EVERY_S:
            return
        self._reported_at = time.monotonic()
        loud = self._sorter.loud(waits, time.time())
        await self._runtime.bus.publish(OVER, msgspec.json.encode(loud))

    def _caught_up(self, batch: Sequence[Raw]) -> bool:
        return self._lane.waiting < BATCH // 4 and _age(batch[-1]) < 1

    async def _unpark(self) -> None:
        """Store some of what was parked, once the lane has nothing newer to do."""
        async with self._runtime.database.unit() as unit:
            waited = await next_parked(unit, self._number)
            if waited is None:
                self._parked = 0
                return
        await self.commit(waited.messages, partial(unpark, row=waited.id))
        self._parked -= 1

    async def commit(self, batch: Sequence[Raw], finish: Finish | None = None) -> None:
        """Store a batch; a message that the database refuses is found and quarantined. `finish`
        runs in its last transaction: of a batch that was parked, and counted then."""
        started = time.perf_counter()
        try:
            await self._transact(batch, finish)
        except (asyncio.CancelledError, Conflict, Broken, *_AWAY):
            raise
        except Exception as error:
            self._store.forget()
            if len(batch) == 1:
                if not _is_datas_fault(error):
                    raise Unavailable(
                        "not_stored", f"A reading cannot be stored now: {error!r}"
                    ) from error
                log.error(
                    "message_unstorable",
                    lane=self._number,
                    topic=topic(batch[0]),
                    cause=repr(error),
                )
                await self._put_aside(batch[0], error, finish)
                return
            log.warning("batch_refused", lane=self._number, size=len(batch), cause=repr(error))
            middle = len(batch) // 2
            await self.commit(batch[:middle], None if finish is None else _nothing)
            await self.commit(batch[middle:], finish)
            return
        gauges.COMMIT.labels(self._label).observe(time.perf_counter() - started)

    async def _transact(self, batch: Sequence[Raw], finish: Finish | None) -> None:
        parsed = await self._understand(batch)
        await self._store.prepare(parsed.arrivals)
        counts = self._unwritten.and_of(parsed.heard if finish is None else {})
        due = self._unwritten.due
        async with self._runtime.database.unit() as unit:
            await self._advance(unit, batch[-1].sequence)
            if finish is not None:
                await finish(unit)
            await self._quarantine.put(unit, parsed.refused)
            if due:
                await heard(unit, counts)
            stored = await self._store.store(unit, parsed.arrivals)
            if parsed.acks and self._acknowledge is not None:
                unknown = await self._acknowledge(unit, parsed.acks)
                await self._quarantine.put(unit, unasked(unknown or ()))
            if self._observe is not None and stored.parts:
                waiting = await pending(unit, stored.assets)
                if waiting:
                    await self._show(unit, _evidence(stored.fresh, waiting))
        self._commits += 1
        self._unwritten.keep(counts, written=due)
        self._count(batch, parsed, stored)
        await self._tell(self._commits - 1, _age(batch[-1]), stored)

    async def _show(self, unit: Unit, evidence: Sequence[Evidence]) -> None:
        """A fault of the observer costs no reading."""
        if self._observe is None:
            return
        try:
            async with unit.attempt():
                await self._observe(unit, evidence)
        except (asyncio.CancelledError, *_AWAY):
            raise
        except Exception as error:
            log.error("observer_failed", lane=self._number, cause=repr(error))

    async def _understand(self, batch: Sequence[Raw]) -> Parsed:
        """Parse; once more after looking up what was not in memory."""
        parsed = self._validator.parse(batch)
        again = False
        if parsed.strangers:
            again = await self._registry.missed()
            if again:
                parsed = self._validator.parse(batch)
        # More than once when the memory of sets was full and lost some that this batch has, too.
        while parsed.unknown_sets:
            kinds = parsed.unknown_kinds
            await self._store.prepare(
                (), [(kinds[name], names) for name, names in parsed.unknown_sets]
            )
            parsed = self._validator.parse(batch)
        return parsed

    async def _advance(self, unit: Unit, sequence: int) -> None:
        """Move the lane's position, never back; fail when another process leads the lane now."""
        position = max(self._position, sequence)
        done = await unit.execute(
            _ADVANCE,
            {
                "position": position,
                "broker": self._broker,
                "stream": self._stream,
                "lane": self._number,
                "epoch": self._epoch,
                "commits": self._commits,
            },
        )
        if done.rowcount != 1:
            raise _lost(self._number)

        def moved() -> None:
            self._position = position

        unit.after_commit(moved)

    async def _put_aside(
        self, raw: Raw, error: BaseException, finish: Finish | None = None
    ) -> None:
        async with self._runtime.database.unit() as unit:
            await self._advance(unit, raw.sequence)
            if finish is not None:
                await finish(unit)
            await self._quarantine.put(unit, [unstorable(raw, error)])
        self._commits += 1
        if finish is None:
            self._unwritten.keep(
                self._unwritten.and_of(self._validator.senders([raw])), written=False
            )
        gauges.QUARANTINED.labels(self._label).inc()

    async def _flush_counts(self) -> None:
        """Nothing comes: write down what is still counted here."""
        if self._unwritten.counts and self._unwritten.due:
            async with self._runtime.database.unit() as unit:
                await heard(unit, self._unwritten.counts)
            self._unwritten.keep({}, written=True)

    def _count(self, batch: Sequence[Raw], parsed: Parsed, stored: Stored) -> None:
        label = self._label
        gauges.MESSAGES.labels(label).inc(len(batch))
        gauges.READINGS.labels(label).inc(len(stored.fresh))
        gauges.VALUES.labels(label).inc(sum(len(arrival.values) for arrival in stored.fresh))
        gauges.BATCHES.labels(label).inc()
        gauges.QUARANTINED.labels(label).inc(len(parsed.refused))
        gauges.DUPLICATES.labels(label).inc(stored.duplicates)

    async def _report(self, component: Component, batch: Sequence[Raw]) -> None:
        lag = _age(batch[-1])
        gauges.LAG.labels(self._label).set(lag)
        if lag > 30:
            component.set("degraded", "ingest_lags", lag_s=round(lag, 1))
        else:
            component.set("ok", lag_s=round(lag, 1))

    async def _tell(self, previous: int, lag_s: float, stored: Stored | None = None) -> None:
        """To the live screens: what changed, or that we are alive."""
        parts = stored.parts if stored is not None else ()
        self._newest_us = max([self._newest_us, *(int(part.at.max()) for part in parts)])
        await self._runtime.bus.publish(
            live.subject(self._number),
            live.encode_delta(
                self._number,
                self._commits,
                previous=previous,
                sent_ms=time.time_ns() // 1_000_000,
                lag_s=round(lag_s, 3),
                newest_us=self._newest_us,
                parts=parts,
            ),
        )


def _evidence(fresh: Sequence[Arrival], waiting: set[int]) -> list[Evidence]:
    return [
        Evidence(
            arrival.asset,
            dict(zip(arrival.set.metrics, arrival.values, strict=True)),
            datetime.fromtimestamp(arrival.at / 1e6, UTC),
        )
        for arrival in fresh
        if arrival.asset in waiting
    ]


async def _nothing(_unit: Unit) -> None:
    """The first half of a parked batch ends nothing."""


def _is_datas_fault(error: Exception) -> bool:
    """True when the message itself cannot be stored; a fault of the server or of our SQL would hit
    every message, and setting them all aside would be losing them."""
    if isinstance(error, sqlalchemy.exc.DBAPIError):
        return isinstance(error, sqlalchemy.exc.DataError | sqlalchemy.exc.IntegrityError)
    if isinstance(error, psycopg.Error):
        return isinstance(error, psycopg.DataError | psycopg.IntegrityError)
    return True


def _lost(lane: int) -> Conflict:
    return Conflict("leadership_lost", f"Another process leads lane {lane} now.")


def _age(raw: Raw) -> float:
    """Seconds since the broker took the message."""
    return max(0.0, time.time() - raw.time_ns / 1e9)
