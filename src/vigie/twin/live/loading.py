"""The live picture from the database: rows of one width by binary COPY, so that numpy reads a
city's columns at once and the event loop is not held up."""

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psycopg import sql
from sqlalchemy import text

from vigie.core.database import Unit
from vigie.twin.kinds import STREETLIGHT
from vigie.twin.live.model import NO_TIME, Columns
from vigie.twin.telemetry import WIDTH

_FIELDS = (
    ("channel", ">i4"), ("id", ">i4"), ("lon", ">f8"), ("lat", ">f8"), ("retired", "u1"),
    ("at", ">i8"), *((f"v{slot}", ">f8") for slot in range(WIDTH)), ("desired", ">f8"),
    ("pending", "u1"),
)  # fmt: skip
_ROW = np.dtype(
    [
        ("fields", ">i2"),
        *(part for name, form in _FIELDS for part in ((f"{name}_size", ">i4"), (name, form))),
    ]
)
_HEADER = 19
_COPY = """
copy (
 select coalesce(array_position({names}::text[], a.municipality || '/' || a.trade), 0),
  a.id, a.lon, a.lat, a.retired is not null and a.retired <= (vigie.now() at time zone 'utc')::date,
  coalesce((date_part('epoch', s.at) * 1000000)::int8, {never}),
  {values}, case when i.shown then 'nan' else coalesce(i.desired, 'nan') end,
  coalesce(i.pending, false)
 from twin.asset a
 left join twin.state s on s.asset = a.id
 left join twin.intent i on i.asset = a.id
 where a.kind = {kind}
 order by 1, 2
) to stdout (format binary)
"""
# As they are stored: the database refuses to round 1e-60 to single precision, numpy makes it 0.
_VALUES = sql.SQL(", ").join(
    sql.SQL("coalesce(s.vals[{}], 'nan')").format(sql.Literal(slot + 1)) for slot in range(WIDTH)
)


async def load_lanes(unit: Unit) -> dict[int, int]:
    """How many commits each lane made. Read first: what is read after is at least as new."""
    rows = await unit.execute(text("select lane, commits from twin.ingest"))
    return {row["lane"]: row["commits"] for row in rows.mappings()}


async def load(unit: Unit) -> tuple[list[str], Columns]:
    """The channels' names, and every light with its state."""
    found = await unit.execute(
        text(
            "select distinct municipality || '/' || trade as name from twin.asset"
            " where kind = :kind order by name"
        ),
        {"kind": STREETLIGHT.name},
    )
    names = [row["name"] for row in found.mappings()]
    statement = sql.SQL(_COPY).format(
        names=sql.Literal(names),
        never=sql.Literal(int(NO_TIME)),
        values=_VALUES,
        kind=sql.Literal(STREETLIGHT.name),
    )
    connection = await unit.raw()
    parts: list[Any] = []
    async with connection.cursor().copy(statement) as copy:
        async for part in copy:
            parts.append(part)
    return names, _columns(b"".join(parts))


async def load_intents(
    unit: Unit, since: str
) -> tuple[str, NDArray[np.int32], NDArray[np.float32], NDArray[np.bool_]]:
    """What was wanted or settled by transactions that were not over at `since`; the next `since`.

    "" for a first one: nothing is read, only where to begin.
    """
    horizon = (
        await unit.execute(text("select pg_snapshot_xmin(pg_current_snapshot())::text"))
    ).scalar_one()
    rows: list[Any] = []
    if since:
        found = await unit.execute(
            text(
                "select asset, pending,"
                " case when shown then 'nan' else coalesce(desired, 'nan') end as desired"
                " from twin.intent"
                " where changed >= cast(:since as xid8)"
            ),
            {"since": since},
        )
        rows = [(row["asset"], row["desired"], row["pending"]) for row in found.mappings()]
    return (
        str(horizon),
        np.array([row[0] for row in rows], np.int32),
        np.array([row[1] for row in rows], np.float32),
        np.array([row[2] for row in rows], np.bool_),
    )


def _columns(data: bytes) -> Columns:
    """PostgreSQL's binary COPY: a header, rows of one width, two bytes at the end."""
    (extension,) = struct.unpack_from(">i", data, 15)
    table = np.frombuffer(data[_HEADER + extension : -2], _ROW)
    # Channel 0: a municipality that appeared between the two statements; the next load has it.
    table = table[table["channel"] > 0]
    vals = np.empty((len(table), WIDTH), np.float32)
    for slot in range(WIDTH):
        vals[:, slot] = table[f"v{slot}"]
    return Columns(
        table["channel"].astype(np.int32) - 1,
        table["id"].astype(np.int32),
        table["lon"].astype(np.float64),
        table["lat"].astype(np.float64),
        table["retired"].astype(np.bool_),
        table["at"].astype(np.int64),
        vals,
        table["desired"].astype(np.float32),
        table["pending"].astype(np.bool_),
    )
