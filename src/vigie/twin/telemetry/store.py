"""Storing messages: COPY into history and the newest values into state, in the caller's
transaction. One writer a lane keeps the latest state of its assets in memory, so a message in order
costs no read; only late and repeated ones are looked up.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from psycopg import AsyncConnection

from vigie.core.database import Database, Unit
from vigie.core.errors import Unavailable
from vigie.twin.kinds import Kind
from vigie.twin.telemetry import partitions, rules, wire
from vigie.twin.telemetry.history import SECOND
from vigie.twin.telemetry.model import NEVER, Arrival, Known, MetricSet, Place
from vigie.twin.telemetry.sets import MetricSets, Names

_LOAD = b"""
select asset, boot, n, (date_part('epoch', at) * 1e6)::int8,
 (date_part('epoch', recorded) * 1e6)::int8, vals,
 case when ats is not null then array(select date_part('epoch', told) from unnest(ats) told) end
from twin.state where asset = any(%b::int4[])
"""
_COLUMNS = b"""
select i.asset, i.n, i.at, i.recorded, i.boot,
 (%b::float8[])[i.stop - i.width + 1 : i.stop] as vals,
 case when i.mixed > 0 then array_replace(
  (%b::timestamptz[])[i.mixed - i.width + 1 : i.mixed], '-infinity', null) end as ats,
 i.fault <> 0 as fault
from unnest(%b::int4[], %b::int4[], %b::timestamptz[], %b::timestamptz[], %b::int2[], %b::int4[],
 %b::int2[], %b::int2[], %b::int4[]) i(asset, n, at, recorded, boot, mixed, fault, width, stop)
"""
_UPDATE = (
    b"update twin.state s set n = i.n, at = i.at, recorded = i.recorded, boot = i.boot,"
    b" vals = i.vals, ats = i.ats, fault = i.fault from ("
    + _COLUMNS
    + b") i where s.asset = i.asset"
)
_INSERT = (
    b"insert into twin.state (asset, n, at, recorded, boot, vals, ats, fault) select i.* from ("
    + _COLUMNS
    + b") i where exists (select from twin.asset a where a.id = i.asset)"
    b" on conflict (asset) do update set n = excluded.n, at = excluded.at,"
    b" recorded = excluded.recorded, boot = excluded.boot, vals = excluded.vals,"
    b" ats = excluded.ats, fault = excluded.fault"
)
_SIBLINGS = (
    f"""
select h.device, (date_part('epoch', h.at) * 1e6)::int8, h.boot, h.n, s.id, s.metrics,
 case when 'NaN' = any(h.vals) then h.vals end
from unnest(%b::int4[], %b::timestamptz[]) k(device, at)
join twin.history h on h.device = k.device and h.at = k.at
 and {SECOND.format(at="h.at")} = {SECOND.format(at="k.at")}
 and h.at between %s and %s
join twin.metric_set s on s.id = h.set
"""  # noqa: S608 - constants
).encode()
_NUMBERED = f"""
select k.device, k.boot, k.n
from unnest(%b::int4[], %b::int2[], %b::int4[], %b::timestamptz[]) k(device, boot, n, at)
where exists (
 select from twin.history h
 where h.device = k.device and h.boot = k.boot and h.n = k.n
  and h.at between k.at - interval '1 hour' and k.at
  and {SECOND.format(at="h.at")}
   between {SECOND.format(at="k.at")} - 3600 and {SECOND.format(at="k.at")}
)
""".encode()  # noqa: S608 - constants
_SETS = b"select count(*) from twin.metric_set where id = any(%b::int4[])"
_PENDING = b"select asset from twin.intent where pending and asset = any(%b::int4[])"


class StatePart(msgspec.Struct):
    """The state after a batch of the assets of one kind that it changed: a row an asset, values by
    slot; `fault`: something it shows asks for a person."""

    kind: Kind
    asset: NDArray[np.int32]
    at: NDArray[np.int64]
    vals: NDArray[np.float64]
    fault: NDArray[np.bool_]


class Stored(msgspec.Struct):
    """What a batch changed: the messages that were new, and the state after it by kind."""

    fresh: list[Arrival]
    duplicates: int
    parts: list[StatePart]

    @property
    def assets(self) -> NDArray[np.int32]:
        """All that it changed."""
        if not self.parts:
            return np.empty(0, np.int32)
        return np.concatenate([part.asset for part in self.parts])


class Store:
    """The memory of one lane's writer. After a transaction that did not commit: `forget`, then
    `load` again."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[int, Known] = {}
        self._written: set[int] = set()
        self._days: set[int] = set()
        self.sets = MetricSets()

    def forget(self) -> None:
        """Trust nothing but the database."""
        self.sets.forget()
        self._known.clear()
        self._written.clear()
        self._days.clear()

    def keep_only(self, assets: set[int]) -> None:
        """Forget all other assets: someone else may write them."""
        for asset in [known for known in self._known if known not in assets]:
            del self._known[asset]
            self._written.discard(asset)

    async def load(self, unit: Unit, assets: Mapping[int, Kind]) -> None:
        """Read the state of assets that are not in memory yet."""
        missing = [asset for asset in assets if asset not in self._known]
        if not missing:
            return
        connection = await _connection(unit)
        cursor = await connection.execute(_LOAD, [wire.Int4Array(missing)], binary=True)
        for asset, boot, n, at, recorded, vals, times in await cursor.fetchall():
            kind = assets[asset]
            known = Known(asset, kind, boot, n, at, recorded, rules.fitted(vals, kind.width))
            known.ats = [NEVER if v != v else at for v in known.vals]
            if times is not None:
                for slot, told in enumerate(times[: kind.width]):
                    known.ats[slot] = NEVER if told is None else round(told * 1e6)
            self._known[asset] = known
            self._written.add(asset)
        for asset in missing:
            if asset not in self._known:
                self._known[asset] = rules.blank(asset, assets[asset])

    async def prepare(
        self,
        arrivals: Sequence[Arrival],
        sets: Iterable[tuple[Kind, Names]] = (),
        placed: Mapping[int, Kind] | None = None,
    ) -> None:
        """Before the transaction: open the days, number the sets, read assets met for the first
        time, those that will be `placed` included."""
        wanted = list(sets)
        strangers = {a.asset: a.set.kind for a in arrivals if a.asset not in self._known}
        strangers |= {a: kind for a, kind in (placed or {}).items() if a not in self._known}
        if wanted or strangers:
            async with self._database.unit() as unit:
                await self.sets.learn(unit, wanted)
                await self.load(unit, strangers)
        for day in {partitions.day_of(a.at) for a in arrivals} - self._days:
            await partitions.open_day(self._database, day)
            self._days.add(day)

    async def store(
        self, unit: Unit, arrivals: Sequence[Arrival], places: Sequence[Place] = ()
    ) -> Stored:
        """Write a prepared batch; `places` change state and not history. What it returns is true
        once the unit commits."""
        connection = await _connection(unit)
        fresh: list[Arrival] = []
        late: list[Arrival] = []
        changed: dict[int, Known] = {}
        known_of = self._known
        for arrival in arrivals:
            known = known_of[arrival.asset]
            # rules.surely_new, inlined: once a message
            if arrival.at > known.at and (
                arrival.boot > known.boot or (arrival.boot == known.boot and arrival.n > known.n)
            ):
                rules.advance(known, arrival)
                changed[arrival.asset] = known
                fresh.append(arrival)
            elif not rules.restamped(known, arrival):
                late.append(arrival)
        if late:
            await self._take_late(connection, late, fresh, changed)
        for place in places:
            known = known_of[place.asset]
            if rules.place(known, place):
                changed[place.asset] = known
        await _check_sets(connection, fresh)
        duplicates = len(arrivals) - len(fresh)
        await _copy(connection, fresh)
        return await self._write(connection, fresh, duplicates, changed)

    async def _take_late(
        self,
        connection: AsyncConnection[Any],
        late: list[Arrival],
        fresh: list[Arrival],
        changed: dict[int, Known],
    ) -> None:
        late = await self._without_restamped(connection, late, fresh)
        if not late:
            return
        siblings = await _siblings(connection, late)
        moments = {(a.asset, a.at) for a in late}
        for arrival in fresh:
            if (arrival.asset, arrival.at) in moments:
                siblings.setdefault((arrival.asset, arrival.at), []).append(arrival)
        stored = {rules.key(a) for same in siblings.values() for a in same}
        for arrival in rules.unseen(late, stored):
            same = siblings.setdefault((arrival.asset, arrival.at), [])
            known = self._known[arrival.asset]
            if rules.merge(known, arrival, same):
                changed[arrival.asset] = known
            same.append(arrival)
            fresh.append(arrival)

    async def _without_restamped(
        self, connection: AsyncConnection[Any], late: list[Arrival], fresh: list[Arrival]
    ) -> list[Arrival]:
        """Without copies of earlier messages that carry a newer time. Numbers grow with time, so
        only what breaks that is looked up."""
        odd = [a for a in late if rules.out_of_order(self._known[a.asset], a)]
        if not odd:
            return late
        names = {(a.asset, a.boot, a.n) for a in fresh}
        cursor = await connection.execute(
            _NUMBERED,
            [
                wire.Int4Array([a.asset for a in odd]),
                wire.Int2Array([a.boot for a in odd]),
                wire.Int4Array([a.n for a in odd]),
                wire.TimeArray([a.at for a in odd]),
            ],
        )
        names |= {(asset, boot, n) for asset, boot, n in await cursor.fetchall()}
        copies = {rules.key(a) for a in odd if (a.asset, a.boot, a.n) in names}
        return [a for a in late if rules.key(a) not in copies]

    async def _write(
        self,
        connection: AsyncConnection[Any],
        fresh: list[Arrival],
        duplicates: int,
        changed: dict[int, Known],
    ) -> Stored:
        rows = sorted(changed.values(), key=lambda known: (known.kind.name, known.asset))
        parts = [_part(list(same)) for _, same in groupby(rows, lambda known: known.kind.name)]
        result = Stored(fresh, duplicates, parts)
        if not rows:
            return result
        parameters = _parameters(rows, parts)
        if all(known.asset in self._written for known in rows):
            await connection.execute(_UPDATE, parameters)
            return result
        await connection.execute(_INSERT, parameters)
        self._written.update(changed)
        return result


async def pending(unit: Unit, assets: NDArray[np.int32]) -> set[int]:
    """Those of the assets for which a command waits for evidence."""
    connection = await _connection(unit)
    cursor = await connection.execute(_PENDING, [wire.Int4Array(assets)])
    return {row[0] for row in await cursor.fetchall()}


async def _connection(unit: Unit) -> AsyncConnection[Any]:
    connection = await unit.raw()
    wire.adapt(connection)
    return connection


async def _check_sets(connection: AsyncConnection[Any], fresh: Sequence[Arrival]) -> None:
    """History has no foreign key, which would look at every row: one look a batch does the same,
    since sets never go (migration 0012). Raises Unavailable: the lane begins again from its
    position and looks its sets up again."""
    numbers = {arrival.set.id for arrival in fresh}
    cursor = await connection.execute(_SETS, [wire.Int4Array(sorted(numbers))])
    row = await cursor.fetchone()
    if row is None or row[0] != len(numbers):
        raise Unavailable(
            "metric_set_missing",
            "Readings name a set of metrics that the database does not hold; they are read again.",
        )


async def _copy(connection: AsyncConnection[Any], fresh: list[Arrival]) -> None:
    days: dict[int, list[Arrival]] = {}
    for arrival in fresh:
        days.setdefault(arrival.at // partitions.DAY_US, []).append(arrival)
    for day, arrivals in days.items():
        statement = (
            f"copy twin.{partitions.partition(day)} (device, n, at, boot, set, lag, vals)"
            " from stdin (format binary)"
        )
        async with connection.cursor().copy(statement.encode()) as copy:
            await copy.write(wire.history_rows(arrivals))


async def _siblings(
    connection: AsyncConnection[Any], late: list[Arrival]
) -> dict[tuple[int, int], list[Arrival]]:
    """What history holds of these devices at these very moments."""
    kinds = {a.asset: a.set.kind for a in late}
    low, high = min(late, key=lambda a: a.at).at, max(late, key=lambda a: a.at).at
    cursor = await connection.execute(
        _SIBLINGS,
        [
            wire.Int4Array([a.asset for a in late]),
            wire.TimeArray([a.at for a in late]),
            wire.instant(low),
            wire.instant(high),
        ],
    )
    found: dict[tuple[int, int], list[Arrival]] = {}
    seen: set[tuple[int, int, int, int]] = set()
    for asset, at, boot, n, number, metrics, vals in await cursor.fetchall():
        if (asset, at, boot, n) in seen:
            continue
        seen.add((asset, at, boot, n))
        kind = kinds[asset]
        # Stored under the whole set of its kind: what is NaN was not in the message.
        names = [name for k, name in enumerate(metrics) if vals is None or vals[k] == vals[k]]
        slots = tuple(slot for name in names if (slot := kind.slot(name)) is not None)
        known = MetricSet(number, kind, tuple(names), slots, None)
        found.setdefault((asset, at), []).append(Arrival(asset, boot, n, at, 0, known, ()))
    return found


def _part(rows: list[Known]) -> StatePart:
    """The state of assets of one kind, by column."""
    kind = rows[0].kind
    vals = np.array([known.vals for known in rows], np.float64).reshape(-1, kind.width)
    fault = np.zeros(len(rows), np.bool_)
    for slot, point in enumerate(kind.points):
        for value in point.abnormal_values:
            fault |= vals[:, slot] == value
    return StatePart(
        kind,
        np.array([known.asset for known in rows], np.int32),
        np.array([known.at for known in rows], np.int64),
        vals,
        fault,
    )


def _parameters(rows: list[Known], parts: Sequence[StatePart]) -> list[Any]:
    """The columns of _COLUMNS. Values lie end to end, each row's up to its `stop`; `mixed` is the
    same for the times of rows whose values have times of their own, else 0."""
    mixed: list[int] = []
    times: list[int] = []
    for known in rows:
        uniform = rules.uniform(known)
        if not uniform:
            times.extend(known.ats)
        mixed.append(0 if uniform else len(times))
    widths = np.array([known.kind.width for known in rows], np.int32)
    return [
        wire.Float8Array(np.concatenate([part.vals.ravel() for part in parts])),
        wire.TimeArray(times),
        wire.Int4Array([known.asset for known in rows]),
        wire.Int4Array([known.n for known in rows]),
        wire.TimeArray([known.at for known in rows]),
        wire.TimeArray([known.recorded for known in rows]),
        wire.Int2Array([known.boot for known in rows]),
        wire.Int4Array(mixed),
        wire.Int2Array(np.concatenate([part.fault for part in parts])),
        wire.Int2Array(widths),
        wire.Int4Array(np.cumsum(widths)),
    ]
