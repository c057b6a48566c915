"""The storing transaction of a lane: validate, quarantine, history and state, answers, sinks.

All of a batch, or nothing of it and the position does not move. A message that the database refuses
is found by halving its batch, and set aside.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import psycopg
import sqlalchemy.exc
from sqlalchemy.exc import InterfaceError, OperationalError

from vigie.core.bus import Bus
from vigie.core.database import Database, Unit
from vigie.core.errors import Conflict, Unavailable
from vigie.core.logs import logger
from vigie.gateways.clients import Quarantine, received
from vigie.gateways.ingest import gauges
from vigie.gateways.ingest.counts import Unwritten
from vigie.gateways.ingest.lane import Broken, Lane
from vigie.gateways.ingest.messages import Raw
from vigie.gateways.ingest.position import Position
from vigie.gateways.ingest.registry import Registry
from vigie.gateways.ingest.sinks import DevicePosition, Sinks
from vigie.gateways.ingest.skew import Skews
from vigie.gateways.ingest.validate import DeviceAck, Parsed, Validator
from vigie.twin import live
from vigie.twin.telemetry import Arrival, Evidence, Place, Store, Stored, pending

log = logger(__name__)

Acknowledge = Callable[[Unit, Sequence[DeviceAck]], Awaitable[Any]]
Observe = Callable[[Unit, Sequence[Evidence]], Awaitable[Any]]
Finish = Callable[[Unit], Awaitable[None]]

AWAY = (
    Unavailable,
    OSError,
    TimeoutError,
    OperationalError,
    InterfaceError,
    psycopg.OperationalError,
    psycopg.InterfaceError,
)


class Ports(msgspec.Struct, frozen=True):
    """Who takes part in the storing transaction; the composition binds them.

    `acknowledge(unit, acks)` hears devices' answers and returns those nobody waits for;
    `observe(unit, evidence)` hears of assets that a command waits for, and no others.
    """

    acknowledge: Acknowledge | None = None
    observe: Observe | None = None
    sinks: Sinks = Sinks()


class Writer:
    """What one lane's leader writes."""

    def __init__(
        self, database: Database, bus: Bus, lane: Lane, registry: Registry, ports: Ports
    ) -> None:
        self._database = database
        self._bus = bus
        self._registry = registry
        self._ports = ports
        self._number = lane.number
        self._label = lane.name
        self._newest_us = 0
        self.store = Store(database)
        self.position = Position(lane.number)
        self.validator = Validator(registry, self.store.sets, lane.stream.format)
        self.unwritten = Unwritten()
        self._quarantine = Quarantine()
        self._skews = Skews()

    async def commit(self, batch: Sequence[Raw], finish: Finish | None = None) -> None:
        """Store a batch; a message that the database refuses is found and quarantined. `finish`
        runs in its last transaction: of a batch that was parked, and counted then."""
        started = time.perf_counter()
        try:
            await self._transact(batch, finish)
        except (asyncio.CancelledError, Conflict, Broken, *AWAY):
            raise
        except Exception as error:
            self.store.forget()
            if len(batch) == 1:
                if not _is_datas_fault(error):
                    raise Unavailable(
                        "not_stored", f"A reading cannot be stored now: {error!r}"
                    ) from error
                log.error(
                    "message_unstorable",
                    lane=self._label,
                    topic=self.validator.topic(batch[0]),
                    cause=repr(error),
                )
                await self._put_aside(batch[0], error, finish)
                return
            log.warning("batch_refused", lane=self._label, size=len(batch), cause=repr(error))
            middle = len(batch) // 2
            await self.commit(batch[:middle], None if finish is None else _nothing)
            await self.commit(batch[middle:], finish)
            return
        gauges.COMMIT.labels(self._label).observe(time.perf_counter() - started)

    async def _transact(self, batch: Sequence[Raw], finish: Finish | None) -> None:
        parsed = await self._understand(batch)
        await self.store.prepare(
            parsed.arrivals, placed={place.asset: place.kind for place in parsed.positions}
        )
        counts = self.unwritten.and_of(parsed.senders if finish is None else {})
        due = self.unwritten.due
        previous = self.position.commits
        async with self._database.unit() as unit:
            await self._advance(unit, batch[-1], finish)
            await self._quarantine.put(unit, parsed.refused)
            if due:
                await received(unit, counts, self._skews.medians())
            places = await self._track(unit, parsed.positions)
            stored = await self.store.store(unit, parsed.arrivals, places)
            await self._hand_over(unit, parsed)
            if self._ports.observe is not None and stored.parts:
                waiting = await pending(unit, stored.assets)
                if waiting:
                    await self._show(unit, _evidence(stored.fresh, waiting))
        self.unwritten.keep(counts, written=due)
        if finish is None:
            for client, (received_ns, skew_us) in parsed.skews.items():
                self._skews.add(client, received_ns, skew_us)
        self._count(batch, parsed, stored)
        await self.announce(previous, age_s(batch[-1]), stored)

    async def _advance(self, unit: Unit, last: Raw, finish: Finish | None) -> None:
        """What was parked has no place in the stream any more."""
        await self.position.advance(unit, 0 if finish is not None else last.sequence)
        if finish is not None:
            await finish(unit)

    async def _hand_over(self, unit: Unit, parsed: Parsed) -> None:
        """Answers and events, to whoever is bound."""
        if parsed.acks and self._ports.acknowledge is not None:
            unknown = await self._ports.acknowledge(unit, parsed.acks)
            await self._quarantine.put(unit, self.validator.unasked(unknown or ()))
        sinks = self._ports.sinks
        if parsed.events:
            if sinks.events is not None:
                await sinks.events(unit, parsed.events)
            else:
                await self._quarantine.put(unit, self.validator.unkept(parsed.events))

    async def _track(self, unit: Unit, positions: Sequence[DevicePosition]) -> Sequence[Place]:
        """Where equipment is after these positions."""
        if not positions:
            return ()
        if self._ports.sinks.tracks is None:
            await self._quarantine.put(unit, self.validator.unkept(positions))
            return ()
        return (await self._ports.sinks.tracks(unit, positions)).newest

    async def _show(self, unit: Unit, evidence: Sequence[Evidence]) -> None:
        """A fault of the observer costs no reading."""
        if self._ports.observe is None:
            return
        try:
            async with unit.attempt():
                await self._ports.observe(unit, evidence)
        except (asyncio.CancelledError, *AWAY):
            raise
        except Exception as error:
            log.error("observer_failed", lane=self._label, cause=repr(error))

    async def _understand(self, batch: Sequence[Raw]) -> Parsed:
        """Parse; once more after looking up what was not in memory."""
        parsed = self.validator.parse(batch)
        if parsed.strangers and await self._registry.missed():
            parsed = self.validator.parse(batch)
        # More than once when the memory of sets was full and lost some that this batch has, too.
        while parsed.unknown_sets:
            kinds = parsed.unknown_kinds
            await self.store.prepare(
                (), [(kinds[name], names) for name, names in parsed.unknown_sets]
            )
            parsed = self.validator.parse(batch)
        return parsed

    async def _put_aside(
        self, raw: Raw, error: BaseException, finish: Finish | None = None
    ) -> None:
        async with self._database.unit() as unit:
            await self._advance(unit, raw, finish)
            await self._quarantine.put(unit, [self.validator.unstorable(raw, error)])
        if finish is None:
            self.unwritten.keep(self.unwritten.and_of(self.validator.senders([raw])), written=False)
        gauges.QUARANTINED.labels(self._label).inc()

    async def flush_counts(self) -> None:
        """Nothing comes: write down what is still counted here."""
        if (self.unwritten.counts or self._skews.pending) and self.unwritten.due:
            async with self._database.unit() as unit:
                await received(unit, self.unwritten.counts, self._skews.medians())
            self.unwritten.keep({}, written=True)

    def _count(self, batch: Sequence[Raw], parsed: Parsed, stored: Stored) -> None:
        label = self._label
        gauges.MESSAGES.labels(label).inc(len(batch))
        gauges.READINGS.labels(label).inc(len(stored.fresh))
        gauges.VALUES.labels(label).inc(sum(len(arrival.values) for arrival in stored.fresh))
        gauges.BATCHES.labels(label).inc()
        gauges.QUARANTINED.labels(label).inc(len(parsed.refused))
        gauges.DUPLICATES.labels(label).inc(stored.duplicates)

    async def announce(self, previous: int, lag_s: float, stored: Stored | None = None) -> None:
        """To the live screens: what changed, or that we are alive."""
        parts = stored.parts if stored is not None else ()
        self._newest_us = max([self._newest_us, *(int(part.at.max()) for part in parts)])
        await self._bus.publish(
            live.subject(self._number),
            live.encode_delta(
                self._number,
                self.position.commits,
                previous=previous,
                sent_ms=time.time_ns() // 1_000_000,
                lag_s=round(lag_s, 3),
                newest_us=self._newest_us,
                parts=parts,
            ),
        )


def age_s(raw: Raw) -> float:
    """Seconds since a message was received."""
    return max(0.0, time.time() - raw.time_ns / 1e9)


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
