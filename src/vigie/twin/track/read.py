"""Reading tracks: of one asset, of all that moved lately, as CSV and GPX. Each reading is an act in
the journal, with the reason that was given: a track tells where somebody was."""

import asyncio
import csv
import io
import itertools
from collections.abc import AsyncGenerator, Sequence
from datetime import datetime, timedelta
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
from sqlalchemy import Row, text

from vigie.core import clock, journal
from vigie.core.clock import epoch_ms
from vigie.core.database import Unit
from vigie.core.errors import Fault, Invalid, NotFound, wrong_fields
from vigie.core.geometry import length_m
from vigie.twin.telemetry.wire import instant
from vigie.twin.track import rules
from vigie.twin.track.model import (
    PositionNow,
    Track,
    TrackFeature,
    TrackLine,
    TrackPoint,
    TrackSegment,
)
from vigie.twin.track.store import EPOCH_2000_MS

LONGEST = timedelta(days=31)
MOST_POSITIONS = 100_000
MOST_TRAIL_MINUTES = 240
MOST_TRAILS = 2_000
_TRAIL_TOLERANCE_M = 10.0
_PAGE = 10_000

_ASSET = text("select name, municipality, trade from twin.asset where id = :asset")
_COLUMNS = "t.asset, t.second, t.ms, t.lon, t.lat, t.speed, t.heading, t.accuracy"
_ROWS = text(
    f"""
select {_COLUMNS}
from twin.track t
where t.asset = :asset and t.second / 900 between :first / 900 and :last / 900
 and t.second between :first and :last
order by t.second, t.ms & 1023
limit :limit
"""  # noqa: S608 - constants
)
_PAGE_ROWS = text(
    f"""
select {_COLUMNS}
from twin.track t
where t.asset = :asset and t.second / 900 between :first / 900 and :last / 900
 and t.second between :first and :last
 and (t.second, t.ms & 1023) > (:second, :ms)
order by t.second, t.ms & 1023
limit :limit
"""  # noqa: S608 - constants
)
_TRAILS = text(
    f"""
with moved as (
 select p.asset
 from twin.position p
 join twin.asset a on a.id = p.asset
 where p.at >= :start
 order by p.at desc
 limit :assets
)
select {_COLUMNS}
from moved
cross join lateral (
 select {_COLUMNS}
 from twin.track t
 where t.asset = moved.asset and t.second / 900 between :first / 900 and :last / 900
  and t.second between :first and :last
) t
order by t.asset, t.second, t.ms & 1023
limit :limit
"""  # noqa: S608 - constants
)
_SCOPES = text(
    "select distinct municipality || '/' || trade from twin.asset where id = any(:assets)"
)
_NOW = text(
    """
    select asset, at, lon, lat, speed, heading, accuracy, municipality, street
    from twin.position
    where asset = any(:assets) and at is not null
    """
)


async def read_track(
    unit: Unit,
    asset: int,
    start: datetime,
    end: datetime,
    *,
    reason: str,
    tolerance_m: float = 0,
    gap_s: float = rules.GAP_S,
) -> Track:
    """Where an asset was. Raises NotFound, Invalid for a bad span or too many positions."""
    scope = await _allowed(unit, asset, start, end)
    found = await unit.execute(
        _ROWS, _span(start, end) | {"asset": asset, "limit": MOST_POSITIONS + 1}
    )
    rows = found.fetchall()
    if len(rows) > MOST_POSITIONS:
        raise _too_long()
    await _write_down(unit, "twin.track_read", asset, start, end, reason, scope)
    return await asyncio.to_thread(_track, rows, tolerance_m, gap_s)


async def read_trails(unit: Unit, minutes: int, *, reason: str) -> Track:
    """The last minutes of everything that moved, simplified, for the map."""
    end = clock.now()
    start = end - timedelta(minutes=minutes)
    found = await unit.execute(
        _TRAILS,
        _span(start, end) | {"start": start, "assets": MOST_TRAILS, "limit": MOST_POSITIONS + 1},
    )
    rows = found.fetchall()
    if len(rows) > MOST_POSITIONS:
        raise _too_long()
    assets = sorted({row.asset for row in rows})
    scopes = await unit.execute(_SCOPES, {"assets": assets})
    await journal.record(
        unit,
        "twin.trails_read",
        params={"minutes": minutes, "assets": len(assets)},
        reason=reason,
        scopes=scopes.scalars(),
    )
    return await asyncio.to_thread(_track, rows, _TRAIL_TOLERANCE_M, rules.GAP_S)


async def positions_now(unit: Unit, assets: Sequence[int]) -> dict[int, PositionNow]:
    """Where these assets are, of those that the principal may see and that ever had a fix."""
    rows = await unit.execute(_NOW, {"assets": list(assets)})
    return {
        row.asset: PositionNow(
            row.asset,
            row.at,
            (row.lon / rules.E7, row.lat / rules.E7),
            _scaled(row.speed, 100),
            _scaled(row.heading, 10),
            _scaled(row.accuracy, 10),
            row.municipality,
            row.street,
        )
        for row in rows
    }


async def position_now(unit: Unit, asset: int) -> PositionNow:
    """Where one asset is. Raises NotFound when it is none of ours or never had a fix."""
    found = (await positions_now(unit, [asset])).get(asset)
    if found is None:
        raise NotFound("no_position", f"Equipment {asset} has no position of its own yet.")
    return found


async def csv_track(
    unit: Unit, asset: int, start: datetime, end: datetime, reason: str
) -> AsyncGenerator[bytes]:
    """Every stored position, flags included."""
    scope = await _allowed(unit, asset, start, end)
    await _write_down(unit, "twin.track_exported", asset, start, end, reason, scope)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["at", "lon", "lat", "speed_m_s", "heading_deg", "accuracy_m", "late", "jump"])
    async for rows in _pages(unit, asset, start, end):
        for row in rows:
            flags = row.ms >> 10
            writer.writerow(
                [
                    clock.rfc3339(_at(row)), f"{row.lon / rules.E7:.7f}",
                    f"{row.lat / rules.E7:.7f}", _scaled(row.speed, 100),
                    _scaled(row.heading, 10), _scaled(row.accuracy, 10),
                    int(bool(flags & rules.LATE)), int(bool(flags & rules.JUMP)),
                ]
            )  # fmt: skip
        yield out.getvalue().encode()
        out.seek(0)
        out.truncate()
    yield out.getvalue().encode()


async def gpx_track(
    unit: Unit, asset: int, start: datetime, end: datetime, reason: str
) -> AsyncGenerator[bytes]:
    """GPX 1.1: a track segment for each stretch without a gap; jumps are left out."""
    scope = await _allowed(unit, asset, start, end)
    await _write_down(unit, "twin.track_exported", asset, start, end, reason, scope)
    name = (await unit.execute(_ASSET, {"asset": asset})).one().name or str(asset)
    yield (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<gpx version="1.1" creator="Vigie" xmlns="http://www.topografix.com/GPX/1/1">'
        f"<trk><name>{escape(name)}</name><trkseg>\n"
    ).encode()
    last: int | None = None
    async for rows in _pages(unit, asset, start, end):
        lines: list[str] = []
        for row in rows:
            if row.ms >> 10 & rules.JUMP:
                continue
            ms = _ms(row)
            if last is not None and ms - last > rules.GAP_S * 1000:
                lines.append("</trkseg><trkseg>")
            last = ms
            lines.append(
                f'<trkpt lat="{row.lat / rules.E7:.7f}" lon="{row.lon / rules.E7:.7f}">'
                f"<time>{clock.rfc3339(_at(row))}</time></trkpt>"
            )
        yield ("\n".join(lines) + "\n").encode()
    yield b"</trkseg></trk></gpx>\n"


async def _pages(
    unit: Unit, asset: int, start: datetime, end: datetime
) -> AsyncGenerator[list[Row[Any]]]:
    values = _span(start, end) | {"asset": asset, "limit": _PAGE, "ms": -1}
    values["second"] = values["first"]
    while True:
        rows = list((await unit.execute(_PAGE_ROWS, values)).fetchall())
        if rows:
            yield rows
        if len(rows) < _PAGE:
            return
        values |= {"second": rows[-1].second, "ms": rows[-1].ms & 1023}


async def _allowed(unit: Unit, asset: int, start: datetime, end: datetime) -> str:
    """The asset's scope key. Raises NotFound outside the caller's scope, Invalid for the span."""
    row = (await unit.execute(_ASSET, {"asset": asset})).one_or_none()
    if row is None:
        raise NotFound("not_found", f"There is no equipment {asset}.")
    if not timedelta(0) < end - start <= LONGEST:
        raise wrong_fields(
            Fault("from", "bad_span", "not before to"),
            code="track_bad_span",
            detail=f"`from` must be before `to`, by {LONGEST.days} days at most.",
            params={"days": LONGEST.days},
        )
    return f"{row.municipality}/{row.trade}"


async def _write_down(
    unit: Unit,
    act: str,
    asset: int,
    start: datetime,
    end: datetime,
    reason: str,
    scope: str,
) -> None:
    params = {"asset": asset, "from": clock.rfc3339(start), "to": clock.rfc3339(end)}
    await journal.record(unit, act, params=params, reason=reason, scopes=[scope])


def _span(start: datetime, end: datetime) -> dict[str, Any]:
    return {
        "first": (epoch_ms(start) - EPOCH_2000_MS) // 1000,
        "last": (epoch_ms(end) - EPOCH_2000_MS) // 1000,
    }


def _too_long() -> Invalid:
    return Invalid(
        "track_too_long",
        f"There are more than {MOST_POSITIONS} positions in this time: ask for less of it.",
        {"most": MOST_POSITIONS},
    )


def _track(rows: Sequence[Row[Any]], tolerance_m: float, gap_s: float) -> Track:
    """Rows in order of asset and time as segments."""
    features: list[TrackFeature] = []
    shown = 0
    by_asset = np.array([row.asset for row in rows], np.int64)
    for part in _runs(by_asset):
        rows_of = rows[part]
        ms = np.array([_ms(row) for row in rows_of], np.int64)
        lon = np.array([row.lon for row in rows_of], np.int64)
        lat = np.array([row.lat for row in rows_of], np.int64)
        jump = rules.jumps(ms, lon, lat)
        on_way = np.flatnonzero(~jump)
        for stretch in rules.segments(ms[on_way], gap_s):
            inside = on_way[stretch]
            kept = inside[rules.simplified(lon[inside], lat[inside], tolerance_m)]
            length = length_m(np.column_stack([lon[inside], lat[inside]]) / rules.E7)
            features.append(_feature([rows_of[int(n)] for n in kept], length, jump=False))
            shown += len(kept)
        for n in np.flatnonzero(jump):
            features.append(_feature([rows_of[int(n)]], 0.0, jump=True))
            shown += 1
    return Track(features, len(rows), shown)


def _runs(values: np.ndarray[Any, np.dtype[np.int64]]) -> list[slice]:
    """Stretches of equal values."""
    if not len(values):
        return []
    edges = [0, *(np.flatnonzero(np.diff(values)) + 1).tolist(), len(values)]
    return [slice(a, b) for a, b in itertools.pairwise(edges)]


def _feature(rows: Sequence[Row[Any]], length: float, *, jump: bool) -> TrackFeature:
    points = [(row.lon / rules.E7, row.lat / rules.E7) for row in rows]
    geometry = TrackLine(points) if len(points) > 1 else TrackPoint(points[0])
    return TrackFeature(
        geometry,
        TrackSegment(
            rows[0].asset,
            _at(rows[0]),
            _at(rows[-1]),
            round(length, 1),
            jump,
            [_ms(row) for row in rows],
            [_scaled(row.speed, 100) for row in rows],
            [_scaled(row.heading, 10) for row in rows],
        ),
    )


def _ms(row: Row[Any]) -> int:
    return int(row.second) * 1000 + (row.ms & 1023) + EPOCH_2000_MS


def _at(row: Row[Any]) -> datetime:
    return instant(_ms(row) * 1000)


def _scaled(value: int | None, factor: int) -> float | None:
    return None if value is None else value / factor
