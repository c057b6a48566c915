"""Equipment as GeoJSON and CSV, a thousand at a time: any number, little memory."""

import csv
import io
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import msgspec
from sqlalchemy import Row

from vigie.core.database import Unit
from vigie.twin import service
from vigie.twin.query import selection

COLUMNS = (
    "id", "token", "kind", "source", "source_id", "name", "municipality", "street", "lon", "lat",
    "parent", "feeder", "installed", "commissioned", "retired", "manufacturer", "model",
)  # fmt: skip
_PROPERTIES = tuple(c for c in COLUMNS if c not in ("lon", "lat"))


async def geojson(unit: Unit, filter_: str) -> AsyncGenerator[bytes, None]:
    """A FeatureCollection; a feature's id is the asset's. Raises Invalid for a faulty filter."""
    chosen = await selection(unit, filter_)
    encoder = msgspec.json.Encoder()
    yield b'{"type":"FeatureCollection","features":['
    first = True
    async for rows in service.stream(unit, chosen):
        text = b",\n".join([encoder.encode(_feature(row)) for row in rows])
        yield text if first else b",\n" + text
        first = False
    yield b"]}\n"


def _feature(row: Row[Any]) -> dict[str, Any]:
    return {
        "type": "Feature",
        "id": row.id,
        "geometry": {"type": "Point", "coordinates": [row.lon, row.lat]},
        "properties": {c: getattr(row, c) for c in _PROPERTIES} | {"attributes": row.attributes},
    }


async def table(unit: Unit, filter_: str) -> AsyncGenerator[bytes, None]:
    """CSV with a header; attributes as JSON in the last column. Raises Invalid for a faulty
    filter."""
    chosen = await selection(unit, filter_)
    yield _lines([[*COLUMNS, "attributes"]])
    async for rows in service.stream(unit, chosen):
        yield _lines(
            [
                [*(_cell(getattr(row, c)) for c in COLUMNS),
                 msgspec.json.encode(row.attributes).decode()]
                for row in rows
            ]
        )  # fmt: skip


def _cell(value: Any) -> Any:
    # A spreadsheet runs a text that starts so as a formula.
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return "'" + value
    return "" if value is None else value


def _lines(rows: Sequence[Sequence[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()
