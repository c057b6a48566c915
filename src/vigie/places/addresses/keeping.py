"""The names of the streets that have addresses, in memory: a few thousand, built when first asked
for and again when addresses change. The addresses themselves stay in the database."""

import asyncio
from weakref import WeakKeyDictionary, WeakSet

import msgspec
from sqlalchemy import text

from vigie.core.database import Database, Unit
from vigie.core.geometry import BBox
from vigie.places import service
from vigie.places.gazetteer import Gazetteer, Named


class _Names(msgspec.Struct):
    state: tuple[int, int]
    gazetteer: Gazetteer


_KEPT: WeakKeyDictionary[Database, _Names] = WeakKeyDictionary()
# Of units that changed addresses and may still roll back: their revision may come again.
_DRAFTS: WeakSet[Unit] = WeakSet()

_REVISION = text("select revision, addresses from places.meta")
_STREETS = text(
    """
    select insee, folded, min(street) as street, count(*) as houses, avg(lon) as lon,
        avg(lat) as lat, min(lon) as west, min(lat) as south, max(lon) as east, max(lat) as north
    from places.address group by insee, folded
    """
)


async def touch(unit: Unit) -> None:
    """Say that addressed streets changed: what processes keep of them is out of date."""
    await unit.execute(text("update places.meta set addresses = addresses + 1"))
    _DRAFTS.add(unit)


async def names(unit: Unit) -> Gazetteer:
    """Streets with addresses by name; a hit's id is `insee/folded name`."""
    row = (await unit.execute(_REVISION)).one()
    state = (int(row.revision), int(row.addresses))
    known = _KEPT.get(unit.database)
    if known is not None and known.state == state and unit not in _DRAFTS:
        return known.gazetteer
    where = await service.locator(unit)
    towns = {m.insee: m.name for m in where.municipalities}
    rows = (await unit.execute(_STREETS)).all()
    entries = [
        Named(
            "street", f"{r.insee}/{r.folded}", r.street, towns.get(r.insee, ""), r.folded,
            (r.lon, r.lat), BBox(r.west, r.south, r.east, r.north), min(r.houses / 1000, 1.0),
        )
        for r in rows
    ]  # fmt: skip
    gazetteer = await asyncio.to_thread(Gazetteer, entries)
    if unit not in _DRAFTS:
        _KEPT[unit.database] = _Names(state, gazetteer)
    return gazetteer
