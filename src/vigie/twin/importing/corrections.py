"""What people corrected stays through an import; where the source changed too, the report says so.

An asset remembers of each corrected field what the source said of it (`overridden`). A row that
changed is compared three ways: what the source said then, ours, what it says now. The staged row
becomes what is to be written.
"""

from typing import Any

import msgspec
from sqlalchemy import Row, text

from vigie.core.database import Unit
from vigie.core.geofiles import ImportReport
from vigie.core.geometry import mercator
from vigie.twin import rules

_PLAIN = ("name", "feeder", "installed", "commissioned", "retired", "manufacturer", "model")
_SHOWN = 60


def _fields(row: str, attributes: str) -> str:
    """The fields that people correct as one object, named as in `twin.changing`."""
    pairs = [
        *(f"'{name}', {row}.{name}" for name in (*_PLAIN, "parent")),
        f"'street', case when {row}.street_given then {row}.street else '' end",
        f"'point', jsonb_build_array({row}.lon, {row}.lat)",
        f"'attributes', {attributes}",
    ]
    return f"jsonb_build_object({', '.join(pairs)})"


_CORRECTED = text(
    f"""
    select s.line, s.asset, s.source_id, a.overridden,
        {_fields("a", "a.attributes")} as ours,
        {_fields("s", "cast(s.attributes as jsonb)")} as source,
        s.municipality, s.municipality_given, s.street, s.street_given,
        a.municipality as our_municipality, a.municipality_given as our_municipality_given,
        a.street as our_street, a.street_given as our_street_given
    from stage_asset s join twin.asset a on a.id = s.asset
    where s.differs and a.overridden <> '{{}}'
    order by s.line
    """  # noqa: S608 - constants
)
_WRITTEN = {name: "date" if name in ("installed", "commissioned", "retired") else "text"
            for name in _PLAIN} | {
    "folded": "text",
    "municipality": "text",
    "street": "text",
    "street_given": "bool",
    "lon": "float8",
    "lat": "float8",
    "x": "float8",
    "y": "float8",
    "parent": "int",
    "attributes": "text",
    "overridden": "jsonb",
}  # fmt: skip
_STAGE = text(
    f"""
    update stage_asset s set {", ".join(f"{name} = k.{name}" for name in _WRITTEN)}
    from jsonb_to_recordset(cast(:rows as jsonb))
        as k (asset int, {", ".join(f"{name} {kind}" for name, kind in _WRITTEN.items())})
    where s.asset = k.asset
    """  # noqa: S608 - constants
)


async def keep_corrections(unit: Unit, report: ImportReport) -> int:
    """Lay people's corrections over the staged rows; how many fields stay although the source
    changed them too, each with a warning."""
    rows = (await unit.execute(_CORRECTED)).all()
    staged: list[dict[str, Any]] = []
    count = 0
    for row in rows:
        fields, said, kept = rules.three_ways(row.overridden, row.ours, row.source)
        staged.append({"asset": row.asset, "overridden": said, **_columns(row, fields, said)})
        count += len(kept)
        for one in kept:
            report.warn(
                row.line,
                "corrected",
                f"its {one.field} stays {_shown(one.ours)} as corrected here; the file says"
                f" {_shown(one.now)}, before {_shown(one.then)}",
            )
    if staged:
        await unit.execute(_STAGE, {"rows": msgspec.json.encode(staged).decode()})
    return count


def _columns(row: Row[Any], fields: dict[str, Any], said: dict[str, Any]) -> dict[str, Any]:
    lon, lat = fields["point"]
    x, y = mercator(lon, lat)
    street, given = row.street, row.street_given
    municipality = row.municipality
    if "point" in said:
        # What the file does not say was found by the position: by ours, then.
        if not row.municipality_given and not row.our_municipality_given:
            municipality = row.our_municipality
        if not row.street_given and not row.our_street_given:
            street = row.our_street
    if "street" in said:
        street, given = fields["street"], True
    return {name: fields[name] for name in (*_PLAIN, "parent")} | {
        "folded": rules.folded(fields["name"], row.source_id),
        "municipality": municipality,
        "street": street,
        "street_given": given,
        "lon": lon,
        "lat": lat,
        "x": float(x),
        "y": float(y),
        "attributes": msgspec.json.encode(fields["attributes"], order="sorted").decode(),
    }


def _shown(value: Any) -> str:
    return repr(value)[:_SHOWN]
