import ast
import json
import tomllib
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from simcity.cli import app
from simcity.generate.city import generate
from simcity.generate.territory import read_territory, share

PACK = """insee,name,population,lon,lat,area_km2
21231,Dijon,60000,5.03748,47.32286,18
21617,Talant,11986,4.99752,47.33912,4.89
21270,Flavignerot,231,4.91893,47.27738,6.28
21105,Bressey-sur-Tille,1110,5.18389,47.30865,7.32
"""
BOX = {"type": "Polygon"}


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pack")
    (folder / "pack.toml").write_text('code = "test"\nname = "Test métropole"\n', "utf-8")
    (folder / "municipalities.csv").write_text(PACK, "utf-8")
    return folder


@pytest.fixture(scope="module")
def city(pack: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("city")
    generate(pack, out, 3000, 1)
    return out


def features(file: Path) -> list[dict[str, Any]]:
    return json.loads(file.read_text("utf-8"))["features"]


def metres(a: Any, b: Any) -> np.ndarray:
    scale = np.array([111_195 * np.cos(np.radians(47.32)), 111_195])
    return np.hypot(*((np.asarray(a) - np.asarray(b)) * scale).T)


def test_as_many_lights_as_asked_for_each_with_an_id_of_its_own(city: Path) -> None:
    lights = features(city / "streetlights.geojson")
    assert len(lights) == 3000
    assert len({light["properties"]["source_id"] for light in lights}) == 3000
    by_town = Counter(light["properties"]["insee"] for light in lights)
    assert by_town["21231"] > by_town["21617"] > by_town["21105"] > by_town["21270"] > 5


def test_lights_stand_beside_the_street_they_name(city: Path) -> None:
    streets = {
        (s["properties"]["insee"], s["properties"]["name"]): np.array(s["geometry"]["coordinates"])
        for s in features(city / "streets.geojson")
    }
    for light in features(city / "streetlights.geojson")[::37]:
        line = streets[light["properties"]["insee"], light["properties"]["street"]]
        fine = np.concatenate([np.linspace(a, b, 100) for a, b in pairwise(line)])
        away = metres(fine, light["geometry"]["coordinates"]).min()
        assert 2 < away < 12


def test_street_names_are_distinct_within_a_municipality(city: Path) -> None:
    names = [
        (s["properties"]["insee"], s["properties"]["name"])
        for s in features(city / "streets.geojson")
    ]
    assert len(set(names)) == len(names)
    assert len({s["properties"]["id"] for s in features(city / "streets.geojson")}) == len(names)


def test_cabinets_feed_their_neighbourhood_on_few_feeders(city: Path) -> None:
    cabinets = {c["properties"]["source_id"]: c for c in features(city / "cabinets.geojson")}
    lights = features(city / "streetlights.geojson")
    assert {light["properties"]["cabinet"] for light in lights} == set(cabinets)
    sizes = Counter(light["properties"]["cabinet"] for light in lights)
    assert sorted(sizes.values())[len(sizes) // 20] >= 35
    assert max(sizes.values()) <= 95
    for light in lights:
        own = cabinets[light["properties"]["cabinet"]]["properties"]
        assert own["insee"] == light["properties"]["insee"]
        assert 1 <= int(light["properties"]["feeder"]) <= own["feeders"] <= 4


def test_the_town_lies_where_it_is(city: Path, pack: Path) -> None:
    territory = read_territory(pack)
    lights = features(city / "streetlights.geojson")
    for town in territory.municipalities:
        own = [
            light["geometry"]["coordinates"]
            for light in lights
            if light["properties"]["insee"] == town.insee
        ]
        assert metres(np.mean(own, axis=0), [town.lon, town.lat]) < 1500


def test_the_same_seed_draws_the_same_city(city: Path, pack: Path, tmp_path: Path) -> None:
    generate(pack, tmp_path / "again", 3000, 1)
    generate(pack, tmp_path / "other", 3000, 2)
    for name in ("streets.geojson", "streetlights.geojson", "cabinets.geojson", "city.toml"):
        assert (tmp_path / "again" / name).read_bytes() == (city / name).read_bytes()
        assert (tmp_path / "other" / name).read_bytes() != (city / name).read_bytes()


@pytest.mark.parametrize("kind", ["streetlights", "cabinets"])
def test_mappings_name_columns_that_exist(city: Path, kind: str) -> None:
    mapping = tomllib.loads((city / f"{kind}.toml").read_text("utf-8"))
    columns = features(city / f"{kind}.geojson")[0]["properties"]
    wanted = [*mapping["columns"].values(), *mapping.get("attributes", {}).values()]
    assert set(wanted) <= set(columns)
    assert mapping["kind"] in ("Streetlight", "StreetlightControlCabinet")


def test_the_city_says_that_it_is_synthetic(city: Path) -> None:
    facts = tomllib.loads((city / "city.toml").read_text("utf-8"))
    assert facts["synthetic"] is True
    assert facts["lights"] == 3000
    assert facts["name"] == "Test métropole"


def test_with_contours_every_light_lies_in_its_municipality(pack: Path, tmp_path: Path) -> None:
    folder = tmp_path / "pack"
    folder.mkdir()
    for name in ("pack.toml", "municipalities.csv"):
        (folder / name).write_text((pack / name).read_text("utf-8"), "utf-8")
    boxes = {"21231": (5.0, 47.29, 5.08, 47.35), "21617": (4.97, 47.32, 5.0, 47.36)}
    boxes |= {"21270": (4.89, 47.26, 4.94, 47.29), "21105": (5.16, 47.29, 5.21, 47.33)}
    shapes = [
        {
            "type": "Feature",
            "properties": {"insee": insee},
            "geometry": {
                "type": "Polygon",
                "coordinates": [[[w, s], [e, s], [e, n], [w, n], [w, s]]],
            },
        }
        for insee, (w, s, e, n) in boxes.items()
    ]
    (folder / "contours.geojson").write_text(
        json.dumps({"type": "FeatureCollection", "features": shapes})
    )
    generate(folder, tmp_path / "out", 2000, 1)
    inside = 0
    for light in features(tmp_path / "out" / "streetlights.geojson"):
        lon, lat = light["geometry"]["coordinates"]
        w, s, e, n = boxes[light["properties"]["insee"]]
        inside += w <= lon <= e and s <= lat <= n
    assert inside == 2000


@given(st.integers(0, 10_000), st.lists(st.floats(0.01, 1000), min_size=1, max_size=30))
def test_shares_add_up_and_are_fair(total: int, weights: list[float]) -> None:
    array = np.array(weights)
    parts = share(total, array)
    assert parts.sum() == total
    assert (np.abs(parts - total * array / array.sum()) < 1).all()


def test_a_folder_that_is_no_pack_is_named(tmp_path: Path) -> None:
    result = CliRunner().invoke(
        app, ["generate", "--territory", str(tmp_path), "--out", str(tmp_path / "out")]
    )
    assert result.exit_code == 2
    assert "pack.toml is missing" in result.output


def test_simcity_knows_the_platform_by_its_protocols_only() -> None:
    import simcity

    for file in Path(simcity.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            assert not [name for name in names if name.split(".")[0] == "vigie"], file
