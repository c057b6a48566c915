"""Which municipality a position is in."""

from pathlib import Path

import numpy as np
import pytest
import shapely

from vigie.core.errors import SetupError
from vigie.places.locate import Locator, Streets
from vigie.places.model import Municipality
from vigie.places.pack import load_pack

PACKS = Path(__file__).parents[2] / "data" / "packs"
CONTOURS = Path(__file__).parents[3].parent / "shared/data/dijon/dijon_metropole_communes.geojson"


def test_the_shipped_pack_has_the_23_municipalities() -> None:
    pack = load_pack("dijon")
    assert len(pack.municipalities) == 23
    assert pack.time_zone == "Europe/Paris"
    assert "12-25" in pack.holidays.fixed


def test_every_centroid_is_in_its_own_municipality() -> None:
    pack = load_pack("dijon")
    where = Locator(pack.municipalities)
    found = where.locate(
        [m.centroid[0] for m in pack.municipalities], [m.centroid[1] for m in pack.municipalities]
    )
    assert found.tolist() == [m.insee for m in pack.municipalities]


def test_far_away_and_nowhere_are_in_none() -> None:
    where = Locator(load_pack("dijon").municipalities)
    assert where.locate([2.35, np.nan, 5.04], [48.85, 47.3, np.inf]).tolist() == ["", "", ""]


def test_a_municipality_by_code_or_by_name() -> None:
    where = Locator(load_pack("dijon").municipalities)
    assert where.code("21231") == where.code(" DIJON ") == "21231"
    assert where.code("fontaine les dijon") == "21278"
    assert where.code("Paris") is None


def test_contours_decide_where_they_are_known() -> None:
    square = shapely.to_geojson(shapely.box(5.0, 47.0, 5.1, 47.1))
    a = Municipality("A", "A", 1, (5.05, 47.05), 80)
    b = Municipality("B", "B", 1, (5.15, 47.05), 80)
    where = Locator([a, b], {"A": square})
    assert where.locate([5.01, 5.099, 5.12], [47.05] * 3).tolist() == ["A", "A", "B"]
    # A sliver of 40 m beside the contour still belongs to it.
    alone = Locator([a], {"A": square})
    assert alone.locate([5.1005, 5.12], [47.05, 47.05]).tolist() == ["A", ""]


@pytest.mark.skipif(not CONTOURS.exists(), reason="the published contours of Dijon are not here")
def test_the_guess_is_mostly_right_inside_the_real_contours() -> None:
    import json

    features = json.loads(CONTOURS.read_text())["features"]
    contours = {f["properties"]["insee"]: json.dumps(f["geometry"]) for f in features}
    pack = load_pack("dijon")
    exact, guess = Locator(pack.municipalities, contours), Locator(pack.municipalities)
    rng = np.random.default_rng(7)
    box = exact.bbox()
    assert box is not None
    lon, lat = rng.uniform(box.west, box.east, 5000), rng.uniform(box.south, box.north, 5000)
    true = exact.locate(lon, lat)
    inside = true != ""
    assert np.mean(guess.locate(lon, lat)[inside] == true[inside]) > 0.85


def test_streets_by_nearness() -> None:
    line = '{"type":"LineString","coordinates":[[5.0,47.3],[5.01,47.3]]}'
    streets = Streets(["Rue A"], [line], (5.0, 47.3))
    assert streets.locate([5.005, 5.005], [47.3002, 47.31]).tolist() == ["Rue A", ""]
    assert Streets([], [], (0.0, 0.0)).locate([5.0], [47.0]).tolist() == [""]


def test_a_pack_for_another_city_is_a_small_folder() -> None:
    pack = load_pack(str(PACKS / "montpellier"))
    assert (pack.code, [m.insee for m in pack.municipalities]) == ("montpellier", ["34172"])


def test_a_faulty_pack_names_file_and_line(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="no territory pack"):
        load_pack(str(tmp_path))
    (tmp_path / "pack.toml").write_text(
        'code="x"\nname="X"\nlanguages=["fr"]\ntime_zone="Europe/Paris"\n'
    )
    (tmp_path / "municipalities.csv").write_text(
        "insee,name,population,lon,lat,area_km2\n1,A,5,5.0,x,3\n"
    )
    with pytest.raises(SetupError, match="line 2"):
        load_pack(str(tmp_path))
    (tmp_path / "pack.toml").write_text(
        'code="x"\nname="X"\nlanguages=["fr"]\ntime_zone="Mars/Olympus"\n'
    )
    with pytest.raises(SetupError, match="Mars/Olympus"):
        load_pack(str(tmp_path))
