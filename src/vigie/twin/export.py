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

_PROPERTIES = (
    "id", "token", "kind", "source", "source_id", "name", "municipality", "street", "parent",
    "feeder", "installed", "commissioned", "retired", "manufacturer", "model",
)  # fmt: skip


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


async def table(
    unit: Unit, filter_: str, lang: str = "", columns: str = ""
) -> AsyncGenerator[bytes]:
    """CSV with a header: the columns' names, or what they are called in a language. Raises Invalid
    for a faulty filter or a column there is not."""
    chosen = await selection(unit, filter_)
    sheet = Sheet(_SHOWN, lang, columns)
    async for chunk in sheet.csv(service.stream(unit, chosen)):
        yield chunk


async def workbook(
    unit: Unit, filter_: str, folder: Path, lang: str = "", columns: str = ""
) -> AsyncGenerator[bytes]:
    """The same as a workbook, written in `folder` first."""
    chosen = await selection(unit, filter_)
    sheet = Sheet(_SHOWN, lang, columns)
    async for chunk in sheet.xlsx(service.stream(unit, chosen), folder):
        yield chunk


_SHOWN = (
    Column("id", en="Number", fr="Numéro"),
    Column("token", en="Token", fr="Jeton"),
    Column("kind", en="Kind", fr="Genre"),
    Column("source", en="Source", fr="Source"),
    Column("source_id", en="Id at its source", fr="Identifiant d’origine"),
    Column("name", en="Name", fr="Nom"),
    Column("municipality", en="Municipality", fr="Commune"),
    Column("street", en="Street", fr="Rue"),
    Column("lon", en="Longitude", fr="Longitude"),
    Column("lat", en="Latitude", fr="Latitude"),
    Column("parent", en="Belongs to", fr="Dépend de"),
    Column("feeder", en="Feeder", fr="Départ"),
    Column("installed", en="Installed", fr="Installé"),
    Column("commissioned", en="Commissioned", fr="Mis en service"),
    Column("retired", en="Retired", fr="Retiré"),
    Column("manufacturer", en="Manufacturer", fr="Fabricant"),
    Column("model", en="Model", fr="Modèle"),
    # As JSON.
    Column("attributes", en="Attributes", fr="Attributs"),
)
