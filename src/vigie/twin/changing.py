"""Changing equipment: by a person, one at a time; by the territory, all that moved under it."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from sqlalchemy import Row, text

from vigie import places
from vigie.core import journal
from vigie.core.database import Unit
from vigie.core.errors import Fault, Forbidden, Invalid, wrong_fields
from vigie.core.geometry import mercator
from vigie.core.journal import Change
from vigie.core.states import demand_version
from vigie.core.text import checked_name
from vigie.twin import kinds, rules, service
from vigie.twin.model import Asset, AssetChange

_PLAIN = (
    "name", "street", "feeder", "manufacturer", "model", "installed", "commissioned", "retired",
    "parent",
)  # fmt: skip


async def update(unit: Unit, asset: int, change: AssetChange, version: int) -> Asset:
    """Change what is said of one asset, if it is still at that version.

    Raises NotFound, PreconditionFailed when it changed meanwhile, Invalid for a value that cannot
    be, Forbidden for a place outside the person's scope.
    """
    row = (
        await unit.execute(
            text("select * from twin.asset where id = :id for update"), {"id": asset}
        )
    ).first()
    if row is None:
        raise service.not_found(asset)
    demand_version(row.version, version)
    before, after = rules.differences(*await _wanted(unit, row, change))
    if after:
        # A street that the source does not give was found by the position.
        given = before | ({} if row.street_given else {"street": ""})
        said = rules.corrected(
            row.overridden, given, {k: v for k, v in after.items() if k != "municipality"}
        )
        await _write(unit, row, after, said)
        await journal.record(
            unit,
            "twin.asset_changed",
            params={"asset": asset},
            reason=change.reason,
            changes=[
                Change(
                    "twin.asset",
                    str(asset),
                    before,
                    after,
                    rules.scope_key(
                        row.trade, row.municipality, after.get("municipality", row.municipality)
                    ),
                )
            ],
        )
    return await service.read(unit, asset)


async def _wanted(
    unit: Unit, row: Row[Any], change: AssetChange
) -> tuple[dict[str, Any], dict[str, Any]]:
    old: dict[str, Any] = {name: _plain(getattr(row, name)) for name in _PLAIN}
    old |= {"point": [row.lon, row.lat], "municipality": row.municipality}
    old["attributes"] = row.attributes
    new: dict[str, Any] = {}
    for name in _PLAIN:
        value = getattr(change, name)
        if value is not msgspec.UNSET:
            if isinstance(value, str):
                value = checked_name(name, value) if value.strip() else ""
            new[name] = _plain(value)
    if change.attributes is not msgspec.UNSET:
        merged = row.attributes | change.attributes
        new["attributes"] = {k: v for k, v in merged.items() if v is not None}
        if len(msgspec.json.encode(new["attributes"])) > 20_000:
            raise _invalid("attributes", "are over 20,000 characters together")
    if change.point is not msgspec.UNSET:
        lon, lat = change.point
        if not (-180 <= lon <= 180 and -85 <= lat <= 85):
            raise _invalid("point", "is [longitude, latitude] in degrees")
        new["point"] = [round(lon, 7), round(lat, 7)]
        if not row.municipality_given:
            new["municipality"] = str((await places.locator(unit)).locate(lon, lat)[0])
            if not unit.scope.allows(new["municipality"], row.trade):
                raise Forbidden(
                    "place_out_of_scope",
                    "That place is in a municipality where you may not change equipment.",
                    {"municipality": new["municipality"]},
                )
    if isinstance(new.get("parent"), int):
        await _check_parent(unit, row, new["parent"])
    return old, new


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value


async def _check_parent(unit: Unit, row: Row[Any], parent: int) -> None:
    found = (
        await unit.execute(text("select kind from twin.asset where id = :id"), {"id": parent})
    ).first()
    kind = kinds.kind(row.kind)
    allowed = kind.parents if kind else ()
    if found is None or found.kind not in allowed:
        raise _invalid("parent", f"is no {' or '.join(allowed) or 'possible parent'} you can see")


def _invalid(field: str, why: str) -> Invalid:
    return wrong_fields(
        Fault(field, "invalid", why),
        code="invalid",
        detail=f"{field} {why}.",
    )


async def _write(
    unit: Unit, row: Row[Any], after: dict[str, Any], overridden: dict[str, Any]
) -> None:
    values = {k: v for k, v in after.items() if k in _PLAIN or k == "municipality"}
    sets = [
        f"{k} = cast(:{k} as date)"
        if k in ("installed", "commissioned", "retired")
        else f"{k} = :{k}"
        for k in values
    ]
    if "street" in after:
        sets.append("street_given = true")
    if "attributes" in after:
        sets.append("attributes = cast(:attributes as jsonb)")
        values["attributes"] = msgspec.json.encode(after["attributes"]).decode()
    if "point" in after:
        lon, lat = after["point"]
        x, y = mercator(lon, lat)
        sets.append("lon = :lon, lat = :lat, mercator = point(:x, :y)")
        values |= {"lon": lon, "lat": lat, "x": float(x), "y": float(y)}
    values["folded"] = (
        f"{rules.folded(after.get('name', row.name), row.source_id)} {row.token.lower()}"
    )
    await unit.execute(
        text(
            f"update twin.asset set {', '.join(sets)}, folded = :folded, version = version + 1,"  # noqa: S608
            " updated = vigie.now(), overridden = cast(:overridden as jsonb) where id = :id"
        ),
        values | {"id": row.id, "overridden": msgspec.json.encode(overridden).decode()},
    )
    await write_words(unit, [row.id])


async def write_words(unit: Unit, assets: Sequence[int]) -> None:
    """Write anew the words that assets are found by."""
    await unit.execute(text("delete from twin.word where asset = any(:ids)"), {"ids": list(assets)})
    await unit.execute(
        text(
            "insert into twin.word (word, asset, municipality, trade)"
            " select distinct w.word, a.id, a.municipality, a.trade from twin.asset a,"
            " lateral unnest(string_to_array(a.folded, ' ')) w(word)"
            " where a.id = any(:ids) and w.word <> ''"
        ),
        {"ids": list(assets)},
    )


async def relocate(unit: Unit) -> int:
    """Look up again the municipality and street of equipment whose file did not say; how many
    changed. For when contours or streets became known after the equipment."""
    rows = (
        await unit.execute(
            text(
                "select id, lon, lat, trade, municipality, municipality_given, street, street_given"
                " from twin.asset where not (municipality_given and street_given) order by id"
            )
        )
    ).all()
    if not rows:
        return 0
    lon, lat = np.array([r.lon for r in rows]), np.array([r.lat for r in rows])
    towns = (await places.locator(unit)).locate(lon, lat)
    streets = (await places.streets(unit)).locate(lon, lat)
    changes: list[Change] = []
    moved: dict[str, list[Any]] = {"ids": [], "towns": [], "streets": []}
    for row, near_town, near_street in zip(rows, towns, streets, strict=True):
        town = row.municipality if row.municipality_given else str(near_town)
        street = row.street if row.street_given else str(near_street)
        before, after = rules.differences(
            {"municipality": row.municipality, "street": row.street},
            {"municipality": town, "street": street},
        )
        if after:
            scope = rules.scope_key(row.trade, row.municipality, town)
            changes.append(Change("twin.asset", str(row.id), before, after, scope))
            moved["ids"].append(row.id)
            moved["towns"].append(town)
            moved["streets"].append(street)
    if not changes:
        return 0
    await unit.execute(
        text(
            "update twin.asset a set municipality = n.town, street = n.street,"
            " version = version + 1, updated = vigie.now() from unnest(cast(:ids as int[]),"
            " cast(:towns as text[]), cast(:streets as text[])) n(id, town, street)"
            " where a.id = n.id"
        ),
        moved,
    )
    await write_words(unit, moved["ids"])
    await journal.record(unit, "twin.relocated", params={"assets": len(changes)}, changes=changes)
    return len(changes)
