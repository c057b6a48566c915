"""Files of strangers: formats, encodings, systems, and what is refused with which reason."""

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyogrio.raw import write
from pyproj import Transformer

from vigie.core.errors import Invalid, VigieError
from vigie.core.geofiles import Batch, ReadOptions, number, open_geofile
from vigie.core.geofiles import archive as archives
from vigie.core.geometry import BBox

NEAR = BBox(4.9, 47.2, 5.2, 47.4)
LONLAT = np.array([[5.0415, 47.3216], [5.05, 47.33], [5.06, 47.34]])
NAMES = ["Rue de la Liberté", "Œuvre", "Place Émile-Zola"]


def to_2154(points: Any) -> Any:
    move = Transformer.from_crs(4326, 2154, always_xy=True)
    return np.column_stack(move.transform(points[:, 0], points[:, 1]))


def make(path: Path, driver: str, crs: str, points: Any, **options: Any) -> Path:
    write(
        path,
        geometry=shapely.to_wkb(shapely.points(points)),
        field_data=[np.array(NAMES, dtype=object), np.array([1, 2, 3])],
        fields=["nom", "code"],
        geometry_type="Point",
        crs=crs,
        driver=driver,
        **options,
    )
    return path


def read(path: Path, columns: list[str] | None = None, **options: Any) -> Batch:
    with open_geofile(path, ReadOptions(**options), near=NEAR, place="Dijon") as source:
        (batch,) = source.batches(columns if columns is not None else ["nom"])
        return batch


def refused(path: Path, **options: Any) -> VigieError:
    with (
        pytest.raises(VigieError) as caught,
        open_geofile(path, ReadOptions(**options), near=NEAR, place="Dijon") as source,
    ):
        list(source.batches(source.fields))
    return caught.value


def zipped(path: Path, *members: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member in members:
            archive.write(member, f"some/folder/{member.name}")
    return path


def geojson(path: Path, points: Any, encoding: str = "utf-8", **more: Any) -> Path:
    features = [
        {"type": "Feature", "properties": {"nom": n},
         "geometry": {"type": "Point", "coordinates": list(map(float, p))}}
        for n, p in zip(NAMES, points, strict=True)
    ]  # fmt: skip
    text = json.dumps({"type": "FeatureCollection", "features": features} | more,
                      ensure_ascii=False)  # fmt: skip
    path.write_bytes(text.replace("Œ", "OE").encode(encoding))
    return path


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:2154"])
@pytest.mark.parametrize("driver", ["ESRI Shapefile", "GPKG"])
def test_formats_come_out_in_wgs84(tmp_path: Path, driver: str, crs: str) -> None:
    points = LONLAT if crs == "EPSG:4326" else to_2154(LONLAT)
    suffix = ".shp" if driver == "ESRI Shapefile" else ".gpkg"
    file = make(tmp_path / f"lights{suffix}", driver, crs, points)
    if suffix == ".shp":
        file = zipped(tmp_path / "lights.zip", *sorted(tmp_path.glob("lights.*")))
    batch = read(file, ["nom", "code"])
    assert np.allclose(shapely.get_coordinates(batch.geometry), LONLAT, atol=1e-7)
    assert batch.columns == {"nom": NAMES, "code": [1, 2, 3]}
    assert list(batch.lines) == [1, 2, 3]


@pytest.mark.parametrize("declared", ["", "UTF-8"])
def test_a_shapefile_in_cp1252_whatever_it_declares(tmp_path: Path, declared: str) -> None:
    make(tmp_path / "a.shp", "ESRI Shapefile", "EPSG:4326", LONLAT, encoding="cp1252")
    assert "Œuvre".encode("cp1252") in (tmp_path / "a.dbf").read_bytes()
    (tmp_path / "a.cpg").unlink(missing_ok=True)
    if declared:
        (tmp_path / "a.cpg").write_text(declared)
    assert read(tmp_path / "a.shp").columns["nom"] == NAMES


def test_geojson_in_utf8_cp1252_and_utf16(tmp_path: Path) -> None:
    names = [n.replace("Œ", "OE") for n in NAMES]
    for encoding in ("utf-8", "utf-8-sig", "cp1252", "utf-16"):
        file = geojson(tmp_path / f"{encoding}.geojson", LONLAT, encoding)
        assert read(file).columns["nom"] == names


def test_geojson_that_says_degrees_and_holds_metres(tmp_path: Path) -> None:
    file = geojson(tmp_path / "a.geojson", to_2154(LONLAT))
    error = refused(file)
    assert error.code == "file_not_degrees"
    assert "--crs EPSG:2154" in error.detail
    assert "Lambert-93" in error.detail
    assert "Dijon" in error.detail
    batch = read(file, crs="EPSG:2154")
    assert np.allclose(shapely.get_coordinates(batch.geometry), LONLAT, atol=1e-7)


@pytest.mark.parametrize("epsg", [3857, 3947, 27572, 32631])
def test_the_likeliest_system_is_named(tmp_path: Path, epsg: int) -> None:
    move = Transformer.from_crs(4326, epsg, always_xy=True)
    points = np.column_stack(move.transform(LONLAT[:, 0], LONLAT[:, 1]))
    assert f"EPSG:{epsg}" in refused(geojson(tmp_path / "a.geojson", points)).detail


def test_no_guess_is_made_up(tmp_path: Path) -> None:
    error = refused(geojson(tmp_path / "a.geojson", [[1e9, 1e9]] * 3))
    assert error.params["guess"] == ""
    assert "--crs" in error.detail


def test_csv_with_semicolons_decimal_commas_and_cp1252(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    rows = [f"{n};{x}".replace(".", ",") for n, x in zip(NAMES, ["5.1;47.1"] * 3, strict=True)]
    file.write_bytes("\r\n".join(["nom;Longitude;Latitude", *rows]).encode("cp1252"))
    batch = read(file)
    assert batch.columns["nom"] == NAMES
    assert list(batch.lines) == [2, 3, 4]
    assert np.allclose(shapely.get_coordinates(batch.geometry), [[5.1, 47.1]] * 3)


def test_csv_rows_that_cannot_be_placed(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text(
        "nom,x,y\nfine,5.0,47.3\nempty,,\ntext,a,b\nnan,nan,inf\nfar,999,47\nwide,5,47,8,9\n"
        '"two\nlines",5.1,47.2\nshort\n'
    )
    batch = read(file)
    assert [batch.problems.get(i) for i in range(8)] == [
        None, "no_geometry", "position_unusable", "position_unusable", "position_unusable",
        "too_many_columns", None, "no_geometry",
    ]  # fmt: skip
    assert batch.columns["nom"][6] == "two lines"
    assert batch.lines[6] == 9


def test_csv_faults_have_remedies(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("a,b\n1,2\n")
    assert "Its columns are a, b" in refused(file).detail
    file.write_text("")
    assert "empty" in refused(file).detail
    file.write_text("x,y,x\n1,2,3\n")
    assert "two columns" in refused(file).detail
    file.write_text("x,y\n" + '"' + "a" * 200_000 + '",2\n')
    assert "line 2" in refused(file).detail


def test_geometries_of_every_shape(tmp_path: Path) -> None:
    shapes = [
        {"type": "Point", "coordinates": [5.0, 47.3, 240.0]},
        None,
        {"type": "MultiPoint", "coordinates": [[5.0, 47.3], [5.1, 47.3]]},
        {"type": "Polygon", "coordinates": [[[5, 47], [5.1, 47], [5.1, 47.1], [5, 47]]]},
        {"type": "Point", "coordinates": []},
        {"type": "Point", "coordinates": [500, 47.3]},
    ]
    features = [{"type": "Feature", "properties": {"n": i}, "geometry": g}
                for i, g in enumerate(shapes)]  # fmt: skip
    file = tmp_path / "a.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    batch = read(file, ["n"])
    assert batch.problems == {1: "no_geometry", 4: "no_geometry", 5: "position_unusable"}
    assert not shapely.has_z([g for g in batch.geometry if g is not None]).any()


def test_archives_that_lie(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.csv", "x,y\n" + "0" * 40_000_000)
    assert refused(bomb).code == "file_archive_size"
    many = tmp_path / "many.zip"
    with zipfile.ZipFile(many, "w") as archive:
        for i in range(archives.MAX_MEMBERS + 1):
            archive.writestr(f"{i}.prj", "")
    assert refused(many).code == "file_archive_members"
    broken = tmp_path / "broken.zip"
    broken.write_bytes(b"PK\x03\x04 not really")
    assert refused(broken).code == "file_archive_broken"
    two = tmp_path / "two.zip"
    with zipfile.ZipFile(two, "w") as archive:
        archive.writestr("a.geojson", "{}")
        archive.writestr("b.geojson", "{}")
    assert "a.geojson, b.geojson" in refused(two).detail


def test_an_archive_cannot_write_elsewhere(tmp_path: Path) -> None:
    sly = tmp_path / "sly.zip"
    with zipfile.ZipFile(sly, "w") as archive:
        archive.writestr("../../../../tmp/escaped.csv", "nom,x,y\na,5,47\n")
    assert read(sly).columns["nom"] == ["a"]
    assert not Path("/tmp/escaped.csv").exists()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.geojson", b"<OGRVRTDataSource><OGRVRTLayer/></OGRVRTDataSource>"),
        ("a.geojson", b'{"type": "FeatureCollection", "features": ['),
        ("a.geojson", b"\x00\x01\x02\xff"),
        ("a.gpkg", b"SQLite format 3\x00 and then nothing"),
        ("a.gpkg", b"not a database"),
        ("a.shp", b"\x00\x00\x27\x0a" + b"\x00" * 96),
        ("a.shp", b"nonsense"),
        ("a.exe", b"MZ"),
        ("a.csv", b"x,y\n\x81\x8d,1\n"),
    ],
)
def test_what_is_not_what_it_says(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    assert isinstance(refused(tmp_path / name), Invalid)


def test_unknown_options_are_named(tmp_path: Path) -> None:
    file = geojson(tmp_path / "a.geojson", LONLAT)
    assert "EPSG:2154" in refused(file, crs="EPSG:999999").detail
    assert "cp1252" in refused(file, encoding="klingon").detail
    assert refused(tmp_path / "none.csv").code == "file_missing"


@pytest.mark.parametrize(
    ("text", "value"),
    [("5,04", 5.04), ("1 234,5", 1234.5), ("-3.2e2", -320.0), (".5", 0.5), (7, 7.0),
     ("1_000", None), ("nan", None), ("inf", None), ("0x1F", None),
     ("", None), (None, None), ("1e999", None)],
)  # fmt: skip
def test_numbers_as_people_write_them(text: object, value: float | None) -> None:
    assert number(text) == value


@given(st.text(max_size=80))
def test_no_text_breaks_number(text: str) -> None:
    value = number(text)
    assert value is None or np.isfinite(value)
