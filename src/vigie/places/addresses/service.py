"""Addresses: found, found back from a place, corrected by people."""

import math
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import UNSET
from sqlalchemy import text

from vigie.core import journal
from vigie.core.database import Unit
from vigie.core.errors import Fault, Forbidden, NotFound, wrong_fields
from vigie.core.geometry import distance_m, mercator
from vigie.core.journal import Change
from vigie.core.scope import Scope
from vigie.core.states import demand_version
from vigie.core.text import fold
from vigie.places import service as places
from vigie.places.addresses import keeping, rules
from vigie.places.addresses.model import (
    Address,
    AddressChange,
    GeocodedPlace,
    PlaceAt,
)
from vigie.places.model import PlaceHit, Point

FIELDS = ("number", "suffix", "street", "postcode", "point")
MOST = 50
REACH_M = 200.0
_STREETS_EACH = 6
_MOST_READINGS = 6
_EXACT, _NEAR = 30.0, 8.0
_POSTCODE = 25.0

_COLUMNS = (
    "a.id, a.version, a.source, a.source_id, a.number, a.suffix, a.street, a.folded, a.postcode,"
    " a.insee, a.lon, a.lat, a.corrected"
)
# The very house of each street, else the nearest number, on the same side of the street first.
_HOUSES = text(
    f"""
    select given.at, {_COLUMNS}
    from unnest(cast(:ats as int[]), cast(:insee as text[]), cast(:folded as text[]),
        cast(:numbers as int[]), cast(:suffixes as text[])) as given (at, insee, folded, number,
        suffix)
    cross join lateral (
        select * from places.address a
        where a.insee = given.insee and a.folded = given.folded
        order by a.number <> given.number, a.suffix <> given.suffix,
            (a.number - given.number) % 2 <> 0, abs(a.number - given.number), a.suffix, a.id
        limit 1
    ) a
    """  # noqa: S608 - columns of ours
)
_ONE = text(f"select {_COLUMNS} from places.address a where a.id = :id")  # noqa: S608
_NEAREST = text(
    f"""
    select {_COLUMNS} from places.address a
    order by a.mercator <-> point(:x, :y), a.id limit 1
    """  # noqa: S608
)
_WRITE = text(
    """
    update places.address set number = :number, suffix = :suffix, street = :street,
        folded = :folded, postcode = :postcode, lon = :lon, lat = :lat, mercator = point(:x, :y),
        corrected = cast(:corrected as jsonb), digest = coalesce(:digest, digest),
        version = version + 1
    where id = :id
    """
)


async def geocode(unit: Unit, query: str, limit: int = 10) -> list[GeocodedPlace]:
    """What a text may mean: houses, streets, municipalities, the likeliest first."""
    towns = {m.insee: m.name for m in (await places.read_territory(unit)).municipalities}
    names = await keeping.names(unit)
    streets = await places.gazetteer(unit)
    houses: list[tuple[rules.Reading, PlaceHit]] = []
    found: dict[tuple[Any, ...], GeocodedPlace] = {}
    for reading in rules.readings(query)[:_MOST_READINGS]:
        for hit in names.search(reading.street, _STREETS_EACH):
            if reading.number:
                houses.append((reading, hit))
            else:
                _keep(found, _of_street(hit, reading.postcode))
        if not reading.number:
            for hit in streets.search(reading.street, _STREETS_EACH):
                _keep(found, _of_place(hit, towns))
    for place in await _houses(unit, houses, towns):
        _keep(found, place)
    ordered = sorted(found.values(), key=lambda p: (-p.score, p.label, p.municipality))
    return ordered[: min(limit, MOST)]


async def reverse(unit: Unit, point: Point, reach_m: float = REACH_M) -> PlaceAt:
    """The address nearest to a point within reach, its street and its municipality."""
    x, y = mercator(*point)
    row = (await unit.execute(_NEAREST, {"x": float(x), "y": float(y)})).one_or_none()
    address, distance = None, math.inf
    if row is not None:
        distance = float(distance_m(*point, row.lon, row.lat))
        address = _address(row) if distance <= reach_m else None
    where = await places.locator(unit)
    towns = {m.insee: m.name for m in where.municipalities}
    code = address.municipality if address else str(where.locate(*point)[0])
    street = str((await places.streets(unit)).locate(*point)[0])
    return PlaceAt(
        address,
        rules.label(address.number, address.suffix, address.street) if address else street,
        round(distance, 1) if address else None,
        street or (address.street if address else ""),
        code,
        towns.get(code, ""),
    )


async def read_address(unit: Unit, address: int) -> Address:
    """One address. Raises NotFound."""
    row = (await unit.execute(_ONE, {"id": address})).one_or_none()
    if row is None:
        raise _no_address(address)
    return _address(row)


async def correct_address(
    unit: Unit, address: int, change: AddressChange, version: int | None
) -> Address:
    """Correct an address, field by field: no import changes what a person corrected. Set back to
    what the file says, a field follows the file again.

    Raises NotFound, PreconditionFailed when it changed meanwhile, Forbidden outside the caller's
    municipalities.
    """
    found = await unit.execute(text(f"{_ONE.text} for update"), {"id": address})
    row = found.one_or_none()
    if row is None:
        raise _no_address(address)
    if not _acts_in(unit.scope, row.insee):
        raise Forbidden(
            "place_out_of_scope",
            "You correct addresses of your own municipalities only.",
            {"municipality": row.insee},
        )
    demand_version(row.version, version)
    before = _values(row)
    after = {**before, **_given(change)}
    if after == before:
        return _address(row)
    # What the file says of each field, as far as it was corrected before or is now.
    file = {**before, **row.corrected}
    corrected = {name: file[name] for name in FIELDS if after[name] != file[name]}
    await _write(unit, address, after, corrected, None)
    if after["street"] != before["street"]:
        await keeping.touch(unit)
    changed = [name for name in FIELDS if after[name] != before[name]]
    await journal.record(
        unit,
        "places.address_corrected",
        params={"address": rules.label(after["number"], after["suffix"], after["street"])},
        reason=change.reason.strip() or None,
        changes=[
            Change(
                "places.address",
                str(address),
                {name: before[name] for name in changed},
                {name: after[name] for name in changed},
                f"{row.insee}/",
            )
        ],
    )
    return await read_address(unit, address)


async def follow_file(unit: Unit, address: int, file: Mapping[str, Any], digest: bytes) -> None:
    """Take over what the file says of a corrected address, but for what was corrected. A
    correction that the file has come to agree with is none any more."""
    row = (await unit.execute(_ONE, {"id": address})).one()
    own = _values(row)
    after = {name: own[name] if name in row.corrected else file[name] for name in FIELDS}
    corrected = {
        name: file[name] for name in FIELDS if name in row.corrected and file[name] != own[name]
    }
    await _write(unit, address, after, corrected, digest)


async def _write(
    unit: Unit,
    address: int,
    values: Mapping[str, Any],
    corrected: Mapping[str, Any],
    digest: bytes | None,
) -> None:
    lon, lat = values["point"]
    x, y = mercator(lon, lat)
    await unit.execute(
        _WRITE,
        {
            **{name: values[name] for name in FIELDS if name != "point"},
            "id": address,
            "folded": fold(values["street"]),
            "lon": lon,
            "lat": lat,
            "x": float(x),
            "y": float(y),
            "corrected": msgspec.json.encode(corrected).decode(),
            "digest": digest,
        },
    )


def _given(change: AddressChange) -> dict[str, Any]:
    given = {name: v for name in FIELDS if (v := getattr(change, name)) is not UNSET}
    if "street" in given:
        given["street"] = given["street"].strip()
        if not fold(given["street"]):
            raise wrong_fields(Fault("street", "blank", "a street has a name"))
    if "suffix" in given:
        given["suffix"] = rules.read_suffix(given["suffix"])
    if "point" in given:
        given["point"] = [round(v, 6) for v in given["point"]]
    return given


def _values(row: Any) -> dict[str, Any]:
    return {
        "number": row.number,
        "suffix": row.suffix,
        "street": row.street,
        "postcode": row.postcode,
        "point": [row.lon, row.lat],
    }


async def _houses(
    unit: Unit, asked: list[tuple[rules.Reading, PlaceHit]], towns: Mapping[str, str]
) -> list[GeocodedPlace]:
    """The house of each reading in each street that it may mean: one statement."""
    if not asked:
        return []
    keys = [hit.id.split("/", 1) for _, hit in asked]
    rows = await unit.execute(
        _HOUSES,
        {
            "ats": list(range(len(asked))),
            "insee": [insee for insee, _ in keys],
            "folded": [folded for _, folded in keys],
            "numbers": [reading.number for reading, _ in asked],
            "suffixes": [reading.suffix for reading, _ in asked],
        },
    )
    made: list[GeocodedPlace] = []
    for row in rows:
        reading, hit = asked[row.at]
        exact = row.number == reading.number and row.suffix == reading.suffix
        score = hit.score + (_EXACT if exact else _NEAR)
        if reading.postcode:
            score += _POSTCODE if row.postcode == reading.postcode else -_POSTCODE
        made.append(
            GeocodedPlace(
                rules.label(row.number, row.suffix, row.street),
                "address" if exact else "near_number",
                row.number, row.suffix, row.street, row.postcode, row.insee,
                towns.get(row.insee, ""), (row.lon, row.lat), None, row.id, round(score, 2),
            )
        )  # fmt: skip
    return made


def _of_street(hit: PlaceHit, postcode: str) -> GeocodedPlace:
    insee, _, _ = hit.id.partition("/")
    return GeocodedPlace(
        hit.label, "street", 0, "", hit.label, postcode, insee, hit.detail, hit.point, hit.bbox,
        None, round(hit.score, 2),
    )  # fmt: skip


def _of_place(hit: PlaceHit, towns: Mapping[str, str]) -> GeocodedPlace:
    if hit.type == "municipality":
        return GeocodedPlace(
            hit.label, "municipality", 0, "", "", "", hit.id, hit.label, hit.point, hit.bbox, None,
            round(hit.score, 2),
        )  # fmt: skip
    code = next((c for c, name in towns.items() if name == hit.detail), "")
    return GeocodedPlace(
        hit.label, "street", 0, "", hit.label, "", code, hit.detail, hit.point, hit.bbox, None,
        round(hit.score, 2),
    )  # fmt: skip


def _keep(found: dict[tuple[Any, ...], GeocodedPlace], place: GeocodedPlace) -> None:
    """A house or street once, by its likeliest reading."""
    key = (
        place.address
        if place.address is not None
        else (place.accuracy, fold(place.label), place.municipality),
    )
    known = found.get(key)
    if known is None or place.score > known.score:
        found[key] = place


def _acts_in(scope: Scope, code: str) -> bool:
    return (
        scope.everything
        or code in scope.municipalities
        or any(pair.partition("/")[0] == code for pair in scope.pairs)
    )


def _address(row: Any) -> Address:
    return Address(
        row.id, row.version, row.source, row.source_id, row.number, row.suffix, row.street,
        row.postcode, row.insee, (row.lon, row.lat), sorted(row.corrected),
    )  # fmt: skip


def _no_address(address: int) -> NotFound:
    return NotFound("address_not_found", f"There is no address {address}.", {"address": address})
