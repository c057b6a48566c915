"""Equipment as GeoJSON, CSV and a workbook, a thousand at a time: any number, little memory."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Row

from vigie.core.database import Unit
from vigie.core.lists import Column, Sheet
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


async def table(unit: Unit, filter_: str) -> AsyncGenerator[bytes]:
    """CSV with a header; attributes as JSON in the last column. Raises Invalid for a faulty
    filter."""
    chosen = await selection(unit, filter_)
    async for chunk in _SHEET.csv(service.stream(unit, chosen)):
        yield chunk


async def workbook(unit: Unit, filter_: str, folder: Path) -> AsyncGenerator[bytes]:
    """The same as a workbook, written in `folder` first."""
    chosen = await selection(unit, filter_)
    async for chunk in _SHEET.xlsx(service.stream(unit, chosen), folder):
        yield chunk


_SHEET = Sheet([Column(name) for name in (*COLUMNS, "attributes")])
