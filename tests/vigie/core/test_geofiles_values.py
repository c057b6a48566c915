"""Values come out as they were written, whatever stands beside them; and hostile GeoJSON."""

import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from pyogrio.raw import write

from vigie.core.errors import Invalid
from vigie.core.geofiles import (
    Batch,
    ReadOptions,
    attribute_of,
    is_inexact,
    open_geofile,
    text_of,
)
from vigie.core.geofiles import geojson as geojson_module
from vigie.core.geometry import BBox

NEAR = BBox(4.9, 47.2, 5.2, 47.4)
BIG = 2**53 + 1
LONG = 123456789012345678901


def feature(at: Any = (5.04, 47.3), **properties: Any) -> dict[str, Any]:
    geometry = None if at is None else {"type": "Point", "coordinates": list(at)}
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def geojson(path: Path, features: list[Any], **more: Any) -> Path:
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features} | more))
    return path


def read(path: Path, *columns: str, **options: Any) -> Batch:
    with open_geofile(path, ReadOptions(**options), near=NEAR, place="Dijon") as source:
        (batch,) = source.batches(columns)
        return batch


@pytest.mark.parametrize("beside", [None, 70.5, "inconnu", True, [1], {"a": 1}, LONG, -1])
def test_integers_of_geojson_stay_integers_whatever_is_beside(tmp_path: Path, beside: Any) -> None:
    rows = [{"ref": 2024031209301512}, {"ref": BIG}, {"ref": beside}, {"ref": LONG}, {}]
    file = geojson(tmp_path / "a.geojson", [feature(**row) for row in rows])
    found = read(file, "ref").columns["ref"]
    assert [found[0], found[1], found[3], found[4]] == [2024031209301512, BIG, LONG, None]
    assert all(type(v) is int for v in (found[0], found[1], found[3]))


@pytest.mark.parametrize("beside", [None, 12])
@pytest.mark.parametrize("kind", [np.int64, np.int32, np.bool_])
def test_integers_of_a_geopackage_with_a_null(tmp_path: Path, kind: Any, beside: Any) -> None:
    values = {np.int64: [BIG, -BIG, 70], np.int32: [70, 100, 7], np.bool_: [True, False, True]}[
        kind
    ]
    file = tmp_path / "a.gpkg"
    write(
        file,
        geometry=shapely.to_wkb(shapely.points([[5.04, 47.3]] * 3)),
        field_data=[np.array(values, dtype=kind), np.array([1, 2, 3])],
        fields=["ref", "n"],
        geometry_type="Point",
        crs="EPSG:4326",
        driver="GPKG",
    )
    if beside is None:
        with sqlite3.connect(file) as database:
            # The triggers of a GeoPackage need functions that are not here.
            for (name,) in database.execute(
                "select name from sqlite_master where type = 'trigger'"
            ).fetchall():
                database.execute(f"drop trigger {name}")
            database.execute("update a set ref = null where n = 2")
        values[1] = None
    found = read(file, "n", "ref").columns["ref"]
    assert found == values
    assert [type(v) for v in found] == [type(v) for v in values]


def test_wide_integers_of_a_shapefile(tmp_path: Path) -> None:
    write(
        tmp_path / "a.shp",
        geometry=shapely.to_wkb(shapely.points([[5.04, 47.3]] * 3)),
        field_data=[np.array([BIG, 70, 12345678901234567]), np.array([70, 100, 7])],
        fields=["ref", "watts"],
        geometry_type="Point",
        crs="EPSG:4326",
        driver="ESRI Shapefile",
    )
    table = tmp_path / "a.dbf"
    data = bytearray(table.read_bytes())
    assert data[32 + 16] == 18
    start, length = int.from_bytes(data[8:10], "little"), data[10]
    second = start + length + 1
    assert data[second : second + 18].strip() == b"70"
    data[second : second + 18] = b" " * 18
    table.write_bytes(data)
    assert read(tmp_path / "a.shp", "ref").columns["ref"] == [BIG, None, 12345678901234567]
    # Twenty digits wide: the reader takes those for floats, unless it looks at them all.
    wide = bytearray(data)
    rows = [bytes(data[start + i * length : start + (i + 1) * length]) for i in range(3)]
    wide[32 + 16] += 2
    wide[10] += 2
    table.write_bytes(bytes(wide[:start]) + b"".join(r[:1] + b"  " + r[1:] for r in rows) + b"\x1a")
    found = read(tmp_path / "a.shp", "ref", "watts")
    assert found.columns == {"ref": [BIG, None, 12345678901234567], "watts": [70, 100, 7]}


@pytest.mark.parametrize(
    ("value", "text", "inexact"),
    [
        (BIG, "9007199254740993", False), (LONG, str(LONG), False), (12.0, "12", False),
        (2024031209301512.0, "2024031209301512", False), (1.2345678901234568e20, None, True),
        (9007199254740992.0, None, True), ("2,02403E+15", "2,02403E+15", True),
        ("2.02403e+15", "2.02403e+15", True), ("2E+15", "2E+15", True),
        ("E+12", "E+12", False), ("12E5", "12E5", False),
        (12.5, "12.5", False), (None, "", False),
    ],
)  # fmt: skip
def test_ids_are_exact_or_known_not_to_be(value: Any, text: str | None, inexact: bool) -> None:
    assert is_inexact(value) is inexact
    assert text is None or text_of(value) == text


@pytest.mark.parametrize(
    ("value", "stored"),
    [(70.0, 70), (70, 70), (70.5, 70.5), (True, True), ("70.0", "70.0"), (BIG, str(BIG)),
     (LONG, str(LONG)), (None, None), (2**53, 2**53)],
)  # fmt: skip
def test_attributes_are_the_same_in_a_column_of_any_type(value: Any, stored: Any) -> None:
    assert attribute_of(value) == stored
    assert type(attribute_of(value)) is type(stored)


def test_upper_case_parts_of_a_shapefile(tmp_path: Path) -> None:
    write(
        tmp_path / "lights.shp",
        geometry=shapely.to_wkb(shapely.points([[5.04, 47.3]] * 2)),
        field_data=[np.array(["é", "b"], dtype=object)],
        fields=["nom"],
        geometry_type="Point",
        crs="EPSG:4326",
        driver="ESRI Shapefile",
    )
    for case, name in (("upper", "LIGHTS"), ("mixed", "Lights")):
        (tmp_path / case).mkdir()
        for part in tmp_path.glob("lights.*"):
            suffix = part.suffix.upper() if case == "upper" or part.suffix == ".dbf" else ".shp"
            suffix = suffix if case == "upper" or part.suffix in {".dbf", ".shp"} else part.suffix
            shutil.copy(part, tmp_path / case / (name + suffix))
        found = next(p for p in (tmp_path / case).iterdir() if p.suffix.lower() == ".shp")
        assert read(found, "nom").columns["nom"] == ["é", "b"]
    shutil.move(tmp_path / "mixed" / "Lights.DBF", tmp_path / "mixed" / "LIGHTS.DBF")
    assert read(tmp_path / "mixed" / "Lights.shp", "nom").columns["nom"] == ["é", "b"]
    assert len(list((tmp_path / "mixed").iterdir())) == len(list(tmp_path.glob("lights.*")))


def test_swapped_axes_of_geojson(tmp_path: Path) -> None:
    file = geojson(tmp_path / "a.geojson", [feature((47.322, 5.0415), ref=1), feature(ref=2)])
    batch = read(file, "ref")
    assert batch.problems == {0: "axes_swapped"}
    assert "Dijon" in batch.details[0]
    swapped = read(file, "ref", swap_axes=True)
    assert shapely.get_coordinates(swapped.geometry[0]).tolist() == [[5.0415, 47.322]]


def test_members_of_geojson_in_any_order(tmp_path: Path) -> None:
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::2154"}}
    content = {"features": [feature((854184.55, 6693290.46), ref=1)], "crs": crs,
               "note": {"features": [1]}, "type": "FeatureCollection"}  # fmt: skip
    file = tmp_path / "a.geojson"
    file.write_text(json.dumps(content, indent=2))
    batch = read(file, "ref")
    assert shapely.get_coordinates(batch.geometry[0]).round(1).tolist() == [[5.0, 47.3]]


def test_one_feature_and_a_bare_geometry(tmp_path: Path) -> None:
    file = tmp_path / "a.geojson"
    file.write_text(json.dumps(feature(ref=1)))
    assert read(file, "ref").columns["ref"] == [1]
    file.write_text(json.dumps({"type": "MultiPoint", "coordinates": [[5.04, 47.3]]}))
    assert len(read(file)) == 1


def test_the_id_of_a_feature_is_a_column_when_it_is_text(tmp_path: Path) -> None:
    rows = [feature(n=1) | {"id": "a"}, feature(n=2) | {"id": 7}, feature(n=3)]
    assert read(geojson(tmp_path / "a.geojson", rows), "id").columns["id"] == ["a", 7, None]
    numbered = geojson(tmp_path / "b.geojson", [feature(n=1) | {"id": 1}])
    with open_geofile(numbered) as source:
        assert source.fields == ["n"]


def test_features_across_the_pieces_that_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [feature(ref=i, nom="é" * (i % 7)) for i in range(200)]
    file = geojson(tmp_path / "a.geojson", rows, total=12345)
    for chunk in (1, 7, 64):
        monkeypatch.setattr(geojson_module, "_CHUNK", chunk)
        assert read(file, "ref").columns["ref"] == list(range(200))
    monkeypatch.setattr(geojson_module, "_BATCH_CHARACTERS", 1000)
    with open_geofile(file) as source:
        batches = list(source.batches(["ref"]))
    assert len(batches) > 10
    assert [line for batch in batches for line in batch.lines] == list(range(1, 201))


@pytest.mark.parametrize(
    ("at", "problem"),
    [
        (None, "no_geometry"), ([], "no_geometry"), (["a", "b"], "position_unusable"),
        ([None, 47], "position_unusable"), ([5], "position_unusable"),
        ([10**400, 47], "position_unusable"), ([5, 95], "position_unusable"),
        ([[5, 47], [5, 48]], "position_unusable"),
    ],
)  # fmt: skip
def test_positions_that_are_none(tmp_path: Path, at: Any, problem: str) -> None:
    file = geojson(tmp_path / "a.geojson", [feature(at, ref=1), feature(ref=2)])
    assert read(file, "ref").problems == {0: problem}


@pytest.mark.parametrize(
    "content",
    [
        '{"type": "FeatureCollection", "features": [',
        '{"type": "FeatureCollection", "features": [{}',
        '{"type": "FeatureCollection", "features": []} {"type": "FeatureCollection"}',
        '{"type": "FeatureCollection" "features": []}',
        '{"type": "Topology", "objects": {}}',
        '{"features": [{"attributes": {"a": 1}, "geometry": {"x": 1, "y": 2}}]}',
        '{"type": ["Point"]}',
        "{",
        '{"type": "Feature", "properties": ' + '{"a":' * 5000,
        '{"type": "Feature", "properties": {"a": ' + "1" * 5000 + "}}",
    ],
)
def test_what_is_no_geojson_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "a.geojson"
    file.write_text(content)
    with pytest.raises(Invalid, match="cannot be read"):
        read(file)


@pytest.mark.parametrize("odd", [None, 1, "x", [], {}, {"type": "Feature"}, {"properties": 3}])
def test_features_that_are_none_are_refused_by_number(tmp_path: Path, odd: Any) -> None:
    file = geojson(tmp_path / "a.geojson", [feature(ref=1), odd])
    batch = read(file, "ref")
    assert batch.problems == {1: "no_geometry"}
    assert batch.columns["ref"] == [1, None]


def test_a_feature_without_end_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(geojson_module, "_MAX_VALUE", 5_000_000)
    file = tmp_path / "a.geojson"
    file.write_text('{"type": "FeatureCollection", "features": [{"a": "' + "x" * 20_000_000)
    with pytest.raises(Invalid, match="5,000,000"):
        read(file)
