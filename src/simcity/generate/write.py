"""The city's files, in the forms a real city would hand over."""

import datetime as dt
import json
from pathlib import Path

import numpy as np

from simcity.generate.arrays import Floats
from simcity.generate.lights import LANTERNS, Cabinets, Equipment
from simcity.generate.streets import Plan
from simcity.generate.territory import Territory

ATTRIBUTION = "Synthetic streets and lights"
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
    out: Path, territory: Territory, plan: Plan, lights: Equipment, cabinets: Cabinets, seed: int
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
        f"street_km = {plan.net.lengths.sum() / 1000:.1f}\n" + FILES,
        encoding="utf-8",
    )


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
