"""Storing positions: COPY into the day's track and the newest position of each asset, in the
caller's transaction.

Idempotent: (asset, instant) names a position. The row of twin.position is locked first, so that
two writers of one asset take turns; what is newer than its `last` cannot have been stored, and only
the rest (late, repeated) is looked up.
"""

import struct
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from psycopg import AsyncConnection

from vigie import places
from vigie.core import clock
from vigie.core.database import Unit
from vigie.twin.days import day_of, ensure
from vigie.twin.telemetry import wire
from vigie.twin.telemetry.model import NEVER
from vigie.twin.track import rules
from vigie.twin.track.model import Fix, Held, Newest, Position, Refusal, Reported, Stored

EPOCH_2000_MS = 946_684_800_000
OLDEST_US = 30 * 86_400 * 1_000_000
"""A position that comes later than this is none: its day may be gone."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_ROW = struct.Struct(">h ii ii ii ii ih")
_VALUE = struct.Struct(">ih")
_NULL = struct.pack(">i", -1)
_COPY = (
    b"copy twin.track (second, asset, lon, lat, ms, speed, heading, accuracy)"
    b" from stdin (format binary)"
)
_LOCK = b"""
select asset, (date_part('epoch', at) * 1000)::int8, (date_part('epoch', last) * 1000)::int8,
 (date_part('epoch', recorded) * 1e6)::int8, lon, lat, speed, heading, accuracy,
 (date_part('epoch', doubt_at) * 1000)::int8, doubt_lon, doubt_lat, located_lon, located_lat,
 municipality, street
from twin.position
where asset = any(%b::int4[])
order by asset
for update
"""
_ADD = b"""
insert into twin.position (asset)
select id from twin.asset where id = any(%b::int4[]) order by id
on conflict (asset) do nothing
"""
# In the index's own words: a quarter of an hour holds the few rows that are looked at.
_STORED = b"""
select t.asset, t.second, t.ms & 1023
from unnest(%b::int4[], %b::int4[], %b::int2[]) k(asset, second, ms)
join twin.track t on t.asset = k.asset and t.second / 900 = k.second / 900
 and t.second = k.second and t.ms & 1023 = k.ms and t.second between %s and %s
"""
_UPDATE = b"""
update twin.position p set at = nullif(i.at, '-infinity'), last = i.last, recorded = i.recorded,
 lon = i.lon, lat = i.lat, speed = nullif(i.speed, -1), heading = nullif(i.heading, -1),
 accuracy = nullif(i.accuracy, -1), doubt_at = nullif(i.doubt_at, '-infinity'),
 doubt_lon = i.doubt_lon, doubt_lat = i.doubt_lat, located_lon = i.located_lon,
 located_lat = i.located_lat, municipality = i.municipality, street = i.street
from unnest(%b::int4[], %b::timestamptz[], %b::timestamptz[], %b::timestamptz[], %b::int4[],
 %b::int4[], %b::int4[], %b::int4[], %b::int4[], %b::timestamptz[], %b::int4[], %b::int4[],
 %b::int4[], %b::int4[], %s::text[], %s::text[])
 i(asset, at, last, recorded, lon, lat, speed, heading, accuracy, doubt_at, doubt_lon, doubt_lat,
  located_lon, located_lat, municipality, street)
where p.asset = i.asset
"""
_REFUSE = """
insert into twin.track_refused (asset, recorded, at, code, lon, lat)
values (%s, %s, %s, %s, %s, %s)
"""


async def store(unit: Unit, positions: Sequence[Position]) -> Stored:
    """Write a batch; what was stored before changes nothing. True once the unit commits.

    What is no fix is kept apart and named in `refused`.
    """
    result = Stored()
    now = int(clock.now().timestamp() * 1e6)
    fixes: dict[int, list[tuple[Fix, Position]]] = {}
    for position in positions:
        code = rules.fault_of(position, now, now - OLDEST_US)
        if code is not None:
            result.refused.append(Refusal(position, code))
        else:
            fixes.setdefault(position.asset, []).append((rules.fix_of(position), position))
    connection = await unit.raw()
    wire.adapt(connection)
    held = await _lock(connection, sorted(fixes))
    for asset in [asset for asset in fixes if asset not in held]:
        result.refused += [Refusal(p, "unknown_asset") for _, p in fixes.pop(asset)]
    fresh = await _sort_out(connection, fixes, held, result)
    await ensure(unit, "track", {day_of(fix.ms * 1000) for fix in fresh})
    await _copy(connection, fresh)
    await _keep_refused(unit, connection, result.refused)
    changed = [held[asset] for asset in {fix.asset for fix in fresh}]
    await _locate(unit, changed)
    await _update(connection, changed)
    return result


async def receive(unit: Unit, positions: Sequence[Reported], /) -> Stored:
    """The same for positions as a gateway hands them over: what the way in is bound to."""
    return await store(
        unit,
        [
            Position(
                p.asset,
                _micros(p.at),
                _micros(p.recorded),
                p.lon,
                p.lat,
                p.speed_m_s,
                p.heading_deg,
                p.accuracy_m,
                p.valid,
            )
            for p in positions
        ],
    )


async def _lock(connection: AsyncConnection[Any], assets: list[int]) -> dict[int, Held]:
    """What is known of these assets, locked until the end of the transaction. An asset that is
    not in the registry is not in the answer."""
    found = await _rows(connection, assets)
    missing = [asset for asset in assets if asset not in found]
    if missing:
        await connection.execute(_ADD, [wire.Int4Array(missing)])
        found |= await _rows(connection, missing)
    return found


async def _rows(connection: AsyncConnection[Any], assets: list[int]) -> dict[int, Held]:
    cursor = await connection.execute(_LOCK, [wire.Int4Array(assets)], binary=True)
    found: dict[int, Held] = {}
    for row in await cursor.fetchall():
        asset, at, last, recorded, lon, lat, speed, heading, accuracy = row[:9]
        doubt_at, doubt_lon, doubt_lat, located_lon, located_lat, municipality, street = row[9:]
        known = [rules.UNKNOWN if v is None else v for v in (speed, heading, accuracy)]
        nothing = (rules.UNKNOWN,) * 3
        found[asset] = Held(
            asset,
            None if at is None else Fix(asset, at, lon, lat, *known),
            -1 if last is None else last,
            recorded or 0,
            None if doubt_at is None else Fix(asset, doubt_at, doubt_lon, doubt_lat, *nothing),
            (located_lon, located_lat),
            municipality,
            street,
        )
    return found


async def _sort_out(
    connection: AsyncConnection[Any],
    fixes: dict[int, list[tuple[Fix, Position]]],
    held: dict[int, Held],
    result: Stored,
) -> list[Fix]:
    """The fixes that were not stored yet, flagged; `held` has moved on."""
    fresh: list[Fix] = []
    late: list[Fix] = []
    newest: dict[int, Newest] = {}
    for asset, arrived in fixes.items():
        known = held[asset]
        arrived.sort(key=lambda pair: pair[0].ms)
        for fix, position in arrived:
            if fix.ms <= known.last:
                late.append(fix)
                continue
            known.recorded = position.recorded
            if rules.accept(known, fix):
                fresh.append(fix)
                newest[asset] = _newest(fix)
            else:
                fresh.append(_flagged(fix, rules.JUMP))
                result.jumps += 1
    result.fresh = len(fresh)
    if late:
        # A repeat within the batch is late too, and its first copy is not stored yet.
        seen = {(fix.asset, fix.ms) for fix in fresh} | await _stored(connection, late)
        for fix in late:
            if (fix.asset, fix.ms) in seen:
                result.repeated += 1
            else:
                seen.add((fix.asset, fix.ms))
                fresh.append(_flagged(fix, rules.LATE))
                result.late += 1
    result.fresh += result.late
    result.newest = list(newest.values())
    return fresh


async def _stored(connection: AsyncConnection[Any], late: list[Fix]) -> set[tuple[int, int]]:
    seconds = [_second(fix) for fix in late]
    cursor = await connection.execute(
        _STORED,
        [
            wire.Int4Array([fix.asset for fix in late]),
            wire.Int4Array(seconds),
            wire.Int2Array([fix.ms % 1000 for fix in late]),
            min(seconds),
            max(seconds),
        ],
    )
    return {
        (asset, second * 1000 + ms + EPOCH_2000_MS) for asset, second, ms in await cursor.fetchall()
    }


async def _copy(connection: AsyncConnection[Any], fixes: Iterable[Fix]) -> None:
    rows = [_row(fix) for fix in fixes]
    if rows:
        async with connection.cursor().copy(_COPY) as copy:
            await copy.write(_HEADER + b"".join(rows) + b"\xff\xff")


def _row(fix: Fix) -> bytes:
    """A position as binary COPY takes it: eight fields, each after its length."""
    ms = fix.ms % 1000 | fix.flags << 10
    return _ROW.pack(
        8, 4, _second(fix), 4, fix.asset, 4, fix.lon, 4, fix.lat, 2, ms
    ) + b"".join(
        _NULL if value == rules.UNKNOWN else _VALUE.pack(2, value)
        for value in (fix.speed, fix.heading, fix.accuracy)
    )  # fmt: skip


def _second(fix: Fix) -> int:
    return (fix.ms - EPOCH_2000_MS) // 1000


def _flagged(fix: Fix, flag: int) -> Fix:
    return Fix(
        fix.asset, fix.ms, fix.lon, fix.lat, fix.speed, fix.heading, fix.accuracy,
        fix.flags | flag,
    )  # fmt: skip


def _newest(fix: Fix) -> Newest:
    return Newest(
        fix.asset,
        fix.ms * 1000,
        fix.lon / rules.E7,
        fix.lat / rules.E7,
        None if fix.speed == rules.UNKNOWN else fix.speed / 100,
        None if fix.heading == rules.UNKNOWN else fix.heading / 10,
    )


async def _locate(unit: Unit, changed: Iterable[Held]) -> None:
    """Street and municipality of those that moved away from where they were looked up."""
    moved = [(held, held.fix) for held in changed if rules.must_locate(held)]
    if not moved:
        return
    lon = np.array([fix.lon / rules.E7 for _, fix in moved if fix])
    lat = np.array([fix.lat / rules.E7 for _, fix in moved if fix])
    municipalities = (await places.locator(unit)).locate(lon, lat)
    streets = (await places.streets(unit)).locate(lon, lat)
    for (held, fix), municipality, street in zip(moved, municipalities, streets, strict=True):
        if fix is not None:
            held.located = (fix.lon, fix.lat)
            held.municipality, held.street = str(municipality), str(street)


async def _update(connection: AsyncConnection[Any], changed: Sequence[Held]) -> None:
    if not changed:
        return
    rows = sorted(changed, key=lambda held: held.asset)
    nowhere = Fix(0, 0, 0, 0, rules.UNKNOWN, rules.UNKNOWN, rules.UNKNOWN)
    fixes = [held.fix or nowhere for held in rows]
    doubts = [held.doubt or nowhere for held in rows]
    await connection.execute(
        _UPDATE,
        [
            wire.Int4Array([held.asset for held in rows]),
            wire.TimeArray([NEVER if held.fix is None else held.fix.ms * 1000 for held in rows]),
            wire.TimeArray([held.last * 1000 for held in rows]),
            wire.TimeArray([held.recorded for held in rows]),
            wire.Int4Array([fix.lon for fix in fixes]),
            wire.Int4Array([fix.lat for fix in fixes]),
            wire.Int4Array([fix.speed for fix in fixes]),
            wire.Int4Array([fix.heading for fix in fixes]),
            wire.Int4Array([fix.accuracy for fix in fixes]),
            wire.TimeArray(
                [NEVER if held.doubt is None else held.doubt.ms * 1000 for held in rows]
            ),
            wire.Int4Array([fix.lon for fix in doubts]),
            wire.Int4Array([fix.lat for fix in doubts]),
            wire.Int4Array([held.located[0] for held in rows]),
            wire.Int4Array([held.located[1] for held in rows]),
            [held.municipality for held in rows],
            [held.street for held in rows],
        ],
    )


async def _keep_refused(
    unit: Unit, connection: AsyncConnection[Any], refused: Sequence[Refusal]
) -> None:
    if not refused:
        return
    days = {day_of(refusal.position.recorded) for refusal in refused}
    await ensure(unit, "track_refused", days)
    async with connection.cursor() as cursor:
        await cursor.executemany(
            _REFUSE,
            [
                (
                    r.position.asset,
                    wire.instant(r.position.recorded),
                    _instant(r.position.at),
                    r.code,
                    r.position.lon,
                    r.position.lat,
                )
                for r in refused
            ],
        )


def _micros(at: datetime) -> int:
    passed = at - _EPOCH
    return (passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds


def _instant(at_us: int) -> datetime | None:
    """A time as the database takes it; None when it is beyond every calendar."""
    try:
        return wire.instant(at_us)
    except (OverflowError, ValueError):
        return None
