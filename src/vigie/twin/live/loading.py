"""The live picture from the database: rows of one width by binary COPY, so that numpy reads a
city's columns at once and the event loop is not held up."""

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psycopg import sql
from sqlalchemy import text

from vigie.core.database import Unit
from vigie.twin import kinds
from vigie.twin.kinds import Kind
from vigie.twin.live import rules
from vigie.twin.live.model import NO_TIME, Columns

_HEADER = 19
_COPY = """
copy (
 select coalesce(array_position({names}::text[], a.municipality || '/' || a.trade), 0),
  a.id, {lon}, {lat},
  a.retired is not null and a.retired <= (vigie.now() at time zone 'utc')::date,
  coalesce((date_part('epoch', s.at) * 1000000)::int8, {never})
  {values}
 from twin.asset a
 left join twin.state s on s.asset = a.id
 {intents}
 where a.kind = {kind}
 order by 1, 2
) to stdout (format binary)
"""


async def load_lanes(unit: Unit) -> dict[int, int]:
    """How many commits each lane made. Read first: what is read after is at least as new."""
    rows = await unit.execute(text("select lane, commits from twin.ingest"))
    return {row["lane"]: row["commits"] for row in rows.mappings()}


async def load(unit: Unit) -> dict[str, tuple[Kind, list[str], Columns]]:
    """By kind, its channels' names and all its equipment with its state."""
    found = await unit.execute(
        text(
            "select kind, municipality || '/' || trade as name from twin.asset"
            " group by 1, 2 order by 1, 2"
        )
    )
    names: dict[str, list[str]] = {}
    for row in found.mappings():
        names.setdefault(row["kind"], []).append(row["name"])
    return {
        kind.name: (
            kind,
            [f"{name}/{kind.name}" for name in names[kind.name]],
            await _load_kind(unit, kind, names[kind.name]),
        )
        for kind in kinds.kinds().values()
        if kind.name in names
    }


async def _load_kind(unit: Unit, kind: Kind, names: list[str]) -> Columns:
    connection = await unit.raw()
    parts: list[Any] = []
    async with connection.cursor().copy(_statement(kind, names)) as copy:
        async for part in copy:
            parts.append(part)
    return _columns(kind, b"".join(parts))


def _statement(kind: Kind, names: list[str]) -> sql.Composed:
    functions = rules.face(kind).functions
    # As they are stored: the database refuses to round 1e-60 to single precision, numpy makes it 0.
    values = [
        sql.SQL(", coalesce(s.vals[{}], 'nan')").format(sql.Literal(slot + 1))
        for slot in range(kind.width)
    ]
    intents: list[sql.Composable] = []
    for number, function in enumerate(functions):
        i = sql.Identifier(f"i{number}")
        values.append(
            sql.SQL(
                ", case when {i}.shown then 'nan' else coalesce({i}.desired, 'nan') end,"
                " coalesce({i}.pending, false)"
            ).format(i=i)
        )
        intents.append(
            sql.SQL(" left join twin.intent {i} on {i}.asset = a.id and {i}.function = {f}").format(
                i=i, f=sql.Literal(function)
            )
        )
    lon: sql.Composable = sql.SQL("a.lon")
    lat: sql.Composable = sql.SQL("a.lat")
    if kind.moves:
        newest = sql.SQL("coalesce(nullif(s.vals[{}], 'nan'), {})")
        lon = newest.format(sql.Literal(kind.slots["longitude"] + 1), lon)
        lat = newest.format(sql.Literal(kind.slots["latitude"] + 1), lat)
    return sql.SQL(_COPY).format(
        names=sql.Literal(names),
        lon=lon,
        lat=lat,
        never=sql.Literal(int(NO_TIME)),
        values=sql.SQL("").join(values),
        intents=sql.SQL("").join(intents),
        kind=sql.Literal(kind.name),
    )


async def load_intents(
    unit: Unit, since: str
) -> tuple[str, dict[str, tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.bool_]]]]:
    """By function, what was wanted or settled by transactions that were not over at `since`; the
    next `since`.

    "" for a first one: nothing is read, only where to begin.
    """
    horizon = (
        await unit.execute(text("select pg_snapshot_xmin(pg_current_snapshot())::text"))
    ).scalar_one()
    rows: dict[str, list[Any]] = {}
    if since:
        found = await unit.execute(
            text(
                "select function, asset, pending,"
                " case when shown then 'nan' else coalesce(desired, 'nan') end as desired"
                " from twin.intent"
                " where changed >= cast(:since as xid8)"
            ),
            {"since": since},
        )
        for row in found.mappings():
            told = (row["asset"], row["desired"], row["pending"])
            rows.setdefault(row["function"], []).append(told)
    return (
        str(horizon),
        {
            function: (
                np.array([row[0] for row in some], np.int32),
                np.array([row[1] for row in some], np.float32),
                np.array([row[2] for row in some], np.bool_),
            )
            for function, some in rows.items()
        },
    )


@kinds.derived
def _row(kind: Kind) -> np.dtype[Any]:
    """A row of the COPY: each field after its size."""
    functions = range(len(rules.face(kind).functions))
    fields = [
        ("channel", ">i4"), ("id", ">i4"), ("lon", ">f8"), ("lat", ">f8"), ("retired", "u1"),
        ("at", ">i8"), *((f"v{slot}", ">f8") for slot in range(kind.width)),
        *(pair for n in functions for pair in ((f"d{n}", ">f8"), (f"p{n}", "u1"))),
    ]  # fmt: skip
    return np.dtype(
        [
            ("fields", ">i2"),
            *(part for name, form in fields for part in ((f"{name}_size", ">i4"), (name, form))),
        ]
    )


def _columns(kind: Kind, data: bytes) -> Columns:
    """PostgreSQL's binary COPY: a header, rows of one width, two bytes at the end."""
    (extension,) = struct.unpack_from(">i", data, 15)
    table = np.frombuffer(data[_HEADER + extension : -2], _row(kind))
    # Channel 0: a municipality that appeared between the two statements; the next load has it.
    table = table[table["channel"] > 0]
    functions = len(rules.face(kind).functions)
    return Columns(
        table["channel"].astype(np.int32) - 1,
        table["id"].astype(np.int32),
        table["lon"].astype(np.float64),
        table["lat"].astype(np.float64),
        table["retired"].astype(np.bool_),
        table["at"].astype(np.int64),
        _matrix(table, "v", kind.width, np.float32),
        _matrix(table, "d", functions, np.float32),
        _matrix(table, "p", functions, np.bool_),
    )


def _matrix(table: NDArray[Any], letter: str, width: int, form: Any) -> NDArray[Any]:
    made = np.empty((len(table), width), form)
    for column in range(width):
        made[:, column] = table[f"{letter}{column}"]
    return made
