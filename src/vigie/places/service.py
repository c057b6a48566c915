"""The verbs of places: install a territory, keep its contours, find and locate."""

import asyncio
import gzip
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar
from weakref import WeakKeyDictionary
from zoneinfo import ZoneInfo

import msgspec
import shapely
from sqlalchemy import text

from vigie.core import journal
from vigie.core.database import Database, Unit
from vigie.core.geometry import BBox
from vigie.core.journal import Change
from vigie.core.text import fold
from vigie.places.gazetteer import Gazetteer, Named
from vigie.places.locate import Locator, Streets, contour_text
from vigie.places.model import Holidays, Municipality, Pack, PlaceHit, Territory

T = TypeVar("T")


class Blob(msgspec.Struct, frozen=True):
    """A document ready to be sent: as it is, and packed."""

    etag: str
    plain: bytes
    packed: bytes


class Atlas:
    """What is kept in memory of one state of the territory."""

    def __init__(self, revision: int) -> None:
        self.revision = revision
        self.lock = asyncio.Lock()
        # By who keeps it: the road graph, the names of addressed streets.
        self.kept: dict[str, Any] = {}
        self.locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self.locator: Locator | None = None
        self.territory: Territory | None = None
        self.gazetteer: Gazetteer | None = None
        self.streets: Streets | None = None
        self.blobs: dict[str, Blob] = {}


_ATLASES: WeakKeyDictionary[Database, Atlas] = WeakKeyDictionary()
# Of units that changed the territory and may still roll back: their revision may come again.
_DRAFTS: WeakKeyDictionary[Unit, Atlas] = WeakKeyDictionary()


async def atlas_of(unit: Unit) -> Atlas:
    """What this process keeps of the territory as the unit sees it."""
    if unit in _DRAFTS:
        return _DRAFTS[unit]
    revision = int((await unit.execute(text("select revision from places.meta"))).scalar_one())
    known = _ATLASES.get(unit.database)
    if known is None or known.revision != revision:
        known = _ATLASES[unit.database] = Atlas(revision)
    return known


async def kept(unit: Unit, name: str, build: Callable[[], Awaitable[T]]) -> T:
    """Something that is built once for a state of the territory and kept in memory."""
    atlas = await atlas_of(unit)
    async with atlas.locks[name]:
        if name not in atlas.kept:
            atlas.kept[name] = await build()
        return atlas.kept[name]


async def touch(unit: Unit) -> None:
    """Say that the territory changed: what processes keep in memory of it is out of date."""
    changed = await unit.execute(
        text("update places.meta set revision = revision + 1 returning revision")
    )
    _DRAFTS[unit] = Atlas(int(changed.scalar_one()))


async def install(
    unit: Unit, pack: Pack, *, synthetic: bool | None = None, attribution: str | None = None
) -> bool:
    """Make a pack the territory; True when that changed anything. Contours and streets stay.

    `synthetic` and `attribution` speak of the streets and equipment laid over it; None leaves them.
    """
    before = (
        await unit.execute(text("select code, name, synthetic, attribution from places.meta"))
    ).one()
    made_up = before.synthetic if synthetic is None else synthetic
    credit = pack.attribution
    if attribution and attribution not in credit:
        credit = f"{credit} · {attribution}" if credit else attribution
    elif attribution is None and before.code == pack.code:
        credit = before.attribution or credit
    changed = await unit.execute(
        text(
            "update places.meta set code = :code, name = :name, languages = :languages,"
            " time_zone = :zone, attribution = :credit, synthetic = :synthetic,"
            " holidays = cast(:holidays as jsonb)"
            " where (code, name, languages, time_zone, attribution, synthetic, holidays)"
            " is distinct from (:code, :name, cast(:languages as text[]), :zone, :credit,"
            " :synthetic, cast(:holidays as jsonb))"
        ),
        {
            "code": pack.code,
            "name": pack.name,
            "languages": list(pack.languages),
            "zone": pack.time_zone,
            "credit": credit,
            "synthetic": made_up,
            "holidays": msgspec.json.encode(pack.holidays).decode(),
        },
    )
    count = changed.rowcount + await _install_municipalities(unit, pack)
    if not count:
        return False
    await touch(unit)
    await journal.record(
        unit,
        "places.installed",
        params={"territory": pack.code, "municipalities": len(pack.municipalities)},
        changes=[
            Change(
                "places.territory",
                pack.code,
                {"code": before.code, "synthetic": before.synthetic} if before.code else None,
                {"code": pack.code, "synthetic": made_up},
            )
        ],
    )
    return True


async def _install_municipalities(unit: Unit, pack: Pack) -> int:
    gone = await unit.execute(
        text("delete from places.municipality where insee <> all(:known)"),
        {"known": [m.insee for m in pack.municipalities]},
    )
    written = await unit.execute(
        text(
            "insert into places.municipality as m (insee, name, population, lon, lat, area_km2)"
            " select * from unnest(cast(:insee as text[]), cast(:name as text[]),"
            " cast(:population as int[]), cast(:lon as float8[]), cast(:lat as float8[]),"
            " cast(:area as float8[]))"
            " on conflict (insee) do update set name = excluded.name,"
            " population = excluded.population, lon = excluded.lon, lat = excluded.lat,"
            " area_km2 = excluded.area_km2"
            " where (m.name, m.population, m.lon, m.lat, m.area_km2) is distinct from"
            " (excluded.name, excluded.population, excluded.lon, excluded.lat, excluded.area_km2)"
        ),
        {
            "insee": [m.insee for m in pack.municipalities],
            "name": [m.name for m in pack.municipalities],
            "population": [m.population for m in pack.municipalities],
            "lon": [m.centroid[0] for m in pack.municipalities],
            "lat": [m.centroid[1] for m in pack.municipalities],
            "area": [m.area_km2 for m in pack.municipalities],
        },
    )
    return gone.rowcount + written.rowcount


async def store_contours(unit: Unit, contours: Mapping[str, shapely.Geometry]) -> int:
    """Keep the contours of municipalities of the territory; how many differ from before."""
    codes = list(contours)
    shapes = [contours[c] for c in codes]
    changed = await unit.execute(
        text(
            "update places.municipality m set contour = n.contour,"
            " bbox = cast(n.bbox as float8[])"
            " from unnest(cast(:insee as text[]), cast(:contour as text[]), cast(:bbox as text[]))"
            " as n(insee, contour, bbox)"
            " where m.insee = n.insee and m.contour is distinct from n.contour"
        ),
        {
            "insee": codes,
            "contour": [contour_text(s) for s in shapes],
            "bbox": ["{" + ",".join(map(repr, shapely.bounds(s).tolist())) + "}" for s in shapes],
        },
    )
    if changed.rowcount:
        await touch(unit)
    return changed.rowcount


async def locator(unit: Unit) -> Locator:
    """Which municipality positions are in."""
    atlas = await atlas_of(unit)
    async with atlas.lock:
        if atlas.locator is None:
            rows = (
                await unit.execute(text("select * from places.municipality order by insee"))
            ).all()
            atlas.locator = await asyncio.to_thread(
                Locator,
                [Municipality(r.insee, r.name, r.population, (r.lon, r.lat), r.area_km2)
                 for r in rows],
                {r.insee: r.contour for r in rows if r.contour},
            )  # fmt: skip
        return atlas.locator


async def read_territory(unit: Unit) -> Territory:
    """The installed territory; its code is empty when none is."""
    where = await locator(unit)
    atlas = await atlas_of(unit)
    if atlas.territory is None:
        row = (await unit.execute(text("select * from places.meta"))).one()
        bbox = where.bbox()
        atlas.territory = Territory(
            code=row.code,
            name=row.name,
            languages=row.languages,
            time_zone=row.time_zone,
            center=bbox.centre if bbox else (0.0, 0.0),
            bbox=bbox,
            synthetic=row.synthetic,
            attribution=row.attribution,
            municipalities=where.municipalities,
            revision=row.revision,
        )
    return atlas.territory


async def time_zone(unit: Unit) -> ZoneInfo:
    """The city's time zone: what a day is here."""
    return ZoneInfo((await read_territory(unit)).time_zone)


async def read_holidays(unit: Unit) -> Holidays:
    """The territory's days off."""
    row = (await unit.execute(text("select holidays from places.meta"))).scalar_one()
    return msgspec.convert(row, Holidays)


async def gazetteer(unit: Unit) -> Gazetteer:
    """Streets and municipalities by name."""
    where = await locator(unit)
    atlas = await atlas_of(unit)
    async with atlas.lock:
        if atlas.gazetteer is None:
            rows = (await unit.execute(_STREETS_BY_NAME)).all()
            names = {m.insee: m.name for m in where.municipalities}
            entries = [
                Named(
                    "street", str(r.id), r.name, names.get(r.insee, ""), r.folded,
                    (r.lon, r.lat), BBox(r.west, r.south, r.east, r.north),
                    min(r.length_m / 10_000, 1.0),
                )
                for r in rows
            ]  # fmt: skip
            entries += [
                Named("municipality", m.insee, m.name, m.insee, fold(m.name), m.centroid, None)
                for m in where.municipalities
            ]
            atlas.gazetteer = await asyncio.to_thread(Gazetteer, entries)
        return atlas.gazetteer


_STREETS_BY_NAME = text(
    "select min(id) as id, min(name) as name, folded, insee, sum(length_m) as length_m,"
    " (array_agg(lon order by length_m desc, id))[1] as lon,"
    " (array_agg(lat order by length_m desc, id))[1] as lat,"
    " min(bbox[1]) as west, min(bbox[2]) as south, max(bbox[3]) as east, max(bbox[4]) as north"
    " from places.street where folded <> '' group by folded, insee"
)


async def search(unit: Unit, query: str, limit: int = 10) -> list[PlaceHit]:
    """Streets and municipalities that a person may mean, best first."""
    return (await gazetteer(unit)).search(query, limit)


async def streets(unit: Unit) -> Streets:
    """Which street positions are in."""
    where = await locator(unit)
    atlas = await atlas_of(unit)
    async with atlas.lock:
        if atlas.streets is None:
            rows = (
                await unit.execute(
                    text("select name, geometry from places.street where name <> '' order by id")
                )
            ).all()
            atlas.streets = await asyncio.to_thread(
                Streets, [r.name for r in rows], [r.geometry for r in rows], where.origin
            )
        return atlas.streets


async def municipalities_geojson(unit: Unit) -> Blob:
    """The contours that are known."""
    atlas = await atlas_of(unit)
    async with atlas.lock:
        if "municipalities" not in atlas.blobs:
            rows = (
                await unit.execute(
                    text(
                        "select insee, name, population, contour from places.municipality"
                        " where contour is not null order by insee"
                    )
                )
            ).all()
            features = [
                _feature({"insee": r.insee, "name": r.name, "population": r.population}, r.contour)
                for r in rows
            ]
            atlas.blobs["municipalities"] = await _blob(f"m{atlas.revision}", features)
        return atlas.blobs["municipalities"]


async def streets_geojson(unit: Unit) -> Blob:
    """Every street segment: the base map."""
    atlas = await atlas_of(unit)
    async with atlas.lock:
        if "streets" not in atlas.blobs:
            rows = (
                await unit.execute(
                    text("select id, name, insee, geometry from places.street order by id")
                )
            ).all()
            features = [
                _feature({"id": r.id, "name": r.name, "insee": r.insee}, r.geometry) for r in rows
            ]
            atlas.blobs["streets"] = await _blob(f"s{atlas.revision}", features)
        return atlas.blobs["streets"]


def _feature(properties: Mapping[str, object], geometry: str) -> bytes:
    shown = msgspec.json.encode(properties)
    return b'{"type":"Feature","properties":%b,"geometry":%b}' % (shown, geometry.encode())


async def _blob(etag: str, features: list[bytes]) -> Blob:
    plain = b'{"type":"FeatureCollection","features":[' + b",".join(features) + b"]}"
    return Blob(etag, plain, await asyncio.to_thread(gzip.compress, plain, 6, mtime=0))
