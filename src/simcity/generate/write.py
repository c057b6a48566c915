"""The city's files, in the forms a real city would hand over."""

import datetime as dt
import json
from pathlib import Path

import numpy as np

from simcity.generate.arrays import Floats, nearest
from simcity.generate.equipment import Batch
from simcity.generate.lights import LANTERNS, Cabinets, Equipment, bisect
from simcity.generate.streets import Plan
from simcity.generate.territory import Territory

ATTRIBUTION = "Synthetic streets and equipment"
MANUFACTURER = "Synthetic"

STREETLIGHT_MAPPING = """\
kind = "Streetlight"

[source]
crs = "EPSG:4326"
encoding = "UTF-8"

[columns]
source_id = "source_id"
name = "name"
municipality = "insee"
street = "street"
parent = "cabinet"
feeder = "feeder"
installed = "installed"
manufacturer = "manufacturer"
model = "lantern"

[attributes]
power = "power"
height = "height"
lantern = "lantern"
"""

CABINET_MAPPING = """\
kind = "StreetlightControlCabinet"

[source]
crs = "EPSG:4326"
encoding = "UTF-8"

[columns]
source_id = "source_id"
name = "name"
municipality = "insee"
street = "street"
installed = "installed"
manufacturer = "manufacturer"

[attributes]
feeders = "feeders"
"""

MAPPING = """\
kind = "{kind}"

[source]
crs = "EPSG:4326"
encoding = "UTF-8"

[columns]
source_id = "source_id"
name = "name"
municipality = "insee"
street = "street"
{parent}installed = "installed"
manufacturer = "manufacturer"
"""
CABINETS_A_SUBSTATION = 14

FILES = """
[[streets]]
file = "streets.geojson"

[[equipment]]
kind = "StreetlightControlCabinet"
file = "cabinets.geojson"
mapping = "cabinets.toml"

[[equipment]]
kind = "Streetlight"
file = "streetlights.geojson"
mapping = "streetlights.toml"
"""


def write_city(
    out: Path,
    territory: Territory,
    plan: Plan,
    lights: Equipment,
    cabinets: Cabinets,
    batches: list[Batch],
    seed: int,
) -> None:
    out.mkdir(parents=True, exist_ok=True)
    insee = [m.insee for m in territory.municipalities]
    cabinet_ids = _serials(insee, cabinets.owner.tolist(), "C", 4)
    streets = [street.name for street in plan.streets]
    _write_streets(out / "streets.geojson", territory, plan)
    _write_points(
        out / "cabinets.geojson",
        territory,
        cabinets.xy,
        [
            f'"source_id":"{id_}","name":"Armoire {id_}","insee":"{insee[owner]}",'
            f'"street":{json.dumps(streets[street], ensure_ascii=False)},"feeders":{feeders},'
            f'"installed":"{_day(day)}","manufacturer":"{MANUFACTURER}"'
            for id_, owner, street, feeders, day in zip(
                cabinet_ids,
                cabinets.owner.tolist(),
                cabinets.street.tolist(),
                cabinets.feeders.tolist(),
                cabinets.installed.tolist(),
                strict=True,
            )
        ],
    )
    quoted = [json.dumps(name, ensure_ascii=False) for name in streets]
    days = {day: _day(day) for day in np.unique(lights.installed).tolist()}
    ids = _serials(insee, lights.owner.tolist(), "L", 6)
    _write_points(
        out / "streetlights.geojson",
        territory,
        lights.xy,
        [
            f'"source_id":"{id_}","name":"{id_}","insee":"{insee[owner]}","street":{quoted[street]},'
            f'"cabinet":"{cabinet_ids[cabinet]}","feeder":"{feeder}","power":{power},'
            f'"height":{height},"lantern":"{LANTERNS[lantern]}","installed":"{days[day]}",'
            f'"manufacturer":"{MANUFACTURER}"'
            for id_, owner, street, cabinet, feeder, power, height, lantern, day in zip(
                ids,
                lights.owner.tolist(),
                lights.street.tolist(),
                lights.cabinet.tolist(),
                lights.feeder.tolist(),
                lights.power.tolist(),
                lights.height.tolist(),
                lights.lantern.tolist(),
                lights.installed.tolist(),
                strict=True,
            )
        ],
    )
    files = FILES
    for batch in batches:
        _write_batch(out, territory, streets, insee, batch)
        files += (
            f'\n[[equipment]]\nkind = "{batch.kind}"\nfile = "{batch.file}.geojson"\n'
            f'mapping = "{batch.file}.toml"\n'
        )
    _write_topology(out / "topology.json", cabinet_ids, cabinets, ids, lights, batches)
    (out / "streetlights.toml").write_text(STREETLIGHT_MAPPING, encoding="utf-8")
    (out / "cabinets.toml").write_text(CABINET_MAPPING, encoding="utf-8")
    (out / "city.toml").write_text(
        f"name = {json.dumps(territory.name, ensure_ascii=False)}\n"
        f"territory = {json.dumps(territory.code, ensure_ascii=False)}\n"
        f"seed = {seed}\n"
        "synthetic = true\n"
        f'attribution = "{ATTRIBUTION}"\n'
        f"lights = {len(lights.xy)}\n"
        f"cabinets = {len(cabinets.xy)}\n"
        f"named_streets = {len(plan.streets)}\n"
        f"street_km = {plan.net.lengths.sum() / 1000:.1f}\n"
        f"other_equipment = {sum(len(batch.ids) for batch in batches)}\n"
        f"fibre_km = {_fibre_km(batches):.1f}\n" + files,
        encoding="utf-8",
    )


def _write_batch(
    out: Path, territory: Territory, streets: list[str], insee: list[str], batch: Batch
) -> None:
    rows: list[str] = []
    for i, (id_, name) in enumerate(zip(batch.ids, batch.names, strict=True)):
        row: dict[str, object] = {
            "source_id": id_,
            "name": name,
            "insee": insee[int(batch.spots.owner[i])],
            "street": streets[int(batch.spots.street[i])],
            "installed": _day(14_600 + (i * 7919) % 5_000),
            "manufacturer": MANUFACTURER,
        }
        if batch.parent:
            row["parent"] = batch.parent[i]
        row |= {what: values[i] for what, values in batch.attributes.items()}
        rows.append(json.dumps(row, ensure_ascii=False, separators=(",", ":"))[1:-1])
    _write_points(out / f"{batch.file}.geojson", territory, batch.spots.xy, rows)
    mapping = MAPPING.format(kind=batch.kind, parent='parent = "parent"\n' if batch.parent else "")
    if batch.attributes:
        mapping += "\n[attributes]\n" + "".join(f'{a} = "{a}"\n' for a in batch.attributes)
    (out / f"{batch.file}.toml").write_text(mapping, encoding="utf-8")


def _write_topology(
    path: Path,
    cabinet_ids: list[str],
    cabinets: Cabinets,
    light_ids: list[str],
    lights: Equipment,
    batches: list[Batch],
) -> None:
    """What feeds and what connects what, by source id: faults spread along it. A feeder of a
    cabinet is `cabinet/2`, a substation of the grid `P-01`."""
    station = [""] * len(cabinet_ids)
    parts = max(1, len(cabinet_ids) // CABINETS_A_SUBSTATION)
    for number, members in enumerate(bisect(cabinets.xy, np.arange(len(cabinet_ids)), parts), 1):
        for cabinet in members.tolist():
            station[cabinet] = f"P-{number:02d}"
    power = dict(zip(cabinet_ids, station, strict=True))
    for id_, cabinet, feeder in zip(
        light_ids, lights.cabinet.tolist(), lights.feeder.tolist(), strict=True
    ):
        power[id_] = f"{cabinet_ids[cabinet]}/{feeder}"
        power[power[id_]] = cabinet_ids[cabinet]
    network: dict[str, str] = {}
    parents: dict[str, str] = {}
    attributes: dict[str, dict[str, object]] = {}
    for batch in batches:
        if batch.kind in ("TrafficLightController", "Building", "RetractableBollard"):
            near = nearest(batch.spots.xy, cabinets.xy).tolist()
            power |= dict(zip(batch.ids, [station[i] for i in near], strict=True))
        power |= {a: b for a, b in zip(batch.ids, batch.power, strict=False) if b}
        network |= {a: b for a, b in zip(batch.ids, batch.network, strict=False) if b}
        parents |= dict(zip(batch.ids, batch.parent, strict=False))
        for i, id_ in enumerate(batch.ids):
            if batch.attributes:
                attributes[id_] = {what: values[i] for what, values in batch.attributes.items()}
    found = {"parents": parents, "power": power, "network": network, "attributes": attributes}
    path.write_text(json.dumps(found, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")


def _fibre_km(batches: list[Batch]) -> float:
    lengths = [b.attributes["length_m"] for b in batches if b.kind == "FibreLink"]
    return sum(float(str(metres)) for column in lengths for metres in column) / 1000


def _serials(insee: list[str], owners: list[int], letter: str, width: int) -> list[str]:
    """Ids numbered within each municipality, like 21231-L-000042."""
    last = [0] * len(insee)
    found: list[str] = []
    for owner in owners:
        last[owner] += 1
        found.append(f"{insee[owner]}-{letter}-{last[owner]:0{width}d}")
    return found


def _day(days: int) -> str:
    return (dt.date(1970, 1, 1) + dt.timedelta(days=days)).isoformat()


def _write_points(path: Path, territory: Territory, xy: Floats, properties: list[str]) -> None:
    lonlat = territory.plane.to_lonlat(xy).tolist()
    _write_features(
        path,
        [
            f'{{"type":"Feature","properties":{{{text}}},"geometry":'
            f'{{"type":"Point","coordinates":[{lon:.7f},{lat:.7f}]}}}}'
            for text, (lon, lat) in zip(properties, lonlat, strict=True)
        ],
    )


def _write_streets(path: Path, territory: Territory, plan: Plan) -> None:
    points = [
        f"[{lon:.7f},{lat:.7f}]"
        for lon, lat in territory.plane.to_lonlat(plan.net.vertices).tolist()
    ]
    features: list[str] = []
    for street in plan.streets:
        line = ",".join([points[vertex] for vertex in street.path.tolist()])
        features.append(
            f'{{"type":"Feature","properties":{{"id":"{street.id}","name":'
            f'{json.dumps(street.name, ensure_ascii=False)},"insee":"{street.insee}"}},'
            f'"geometry":{{"type":"LineString","coordinates":[{line}]}}}}'
        )
    _write_features(path, features)


def _write_features(path: Path, features: list[str]) -> None:
    head = f'{{"type":"FeatureCollection","attribution":"{ATTRIBUTION}","features":[\n'
    path.write_text(head + ",\n".join(features) + "\n]}\n", encoding="utf-8")
