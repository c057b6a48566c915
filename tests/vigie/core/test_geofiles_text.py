"""Text in the wrong bytes: accents are never turned into others in silence."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from pyogrio.raw import write

from vigie.core.errors import VigieError
from vigie.core.geofiles import Batch, ReadOptions, open_geofile

ROWS = [f"M{i};Rue de l’Égalité côté été {i};5.04;47.3{i}" for i in range(3)]
CSV = "ref;nom;lon;lat\n" + "\n".join(ROWS) + "\n"


def read(path: Path, content: bytes, **options: Any) -> tuple[Batch, str, list[str]]:
    path.write_bytes(content)
    with open_geofile(path, ReadOptions(**options)) as source:
        (batch,) = source.batches(["ref", "nom"])
        return batch, source.encoding, source.notes


def refused(path: Path, content: bytes) -> VigieError:
    with pytest.raises(VigieError) as caught:
        read(path, content)
    return caught.value


def test_one_bad_byte_in_utf8_costs_its_row_only(tmp_path: Path) -> None:
    content = CSV.encode() + b"M9;b\xe9ton;5.04;47.3\nM10;fin;5.04;47.3\n"
    batch, encoding, notes = read(tmp_path / "a.csv", content)
    assert encoding == "utf-8"
    assert batch.columns["nom"][:3] == [f"Rue de l’Égalité côté été {i}" for i in range(3)]
    assert batch.problems == {3: "bad_bytes"}
    assert "0xE9 in 'b\\xe9ton'" in batch.details[3]
    assert any("line 5" in note for note in notes)
    assert batch.columns["nom"][4] == "fin"


def test_a_bad_byte_in_a_column_that_is_not_used(tmp_path: Path) -> None:
    content = CSV.encode().replace(b"ref;nom", b"ref;nom;x").replace(b";5.04", b";;5.04")
    content = content.replace(b";;", b";b\xe9;", 1)
    batch, _, _ = read(tmp_path / "a.csv", content)
    assert batch.problems == {}


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_one_bad_byte_in_geojson(tmp_path: Path, mark: bytes) -> None:
    features = [
        b'{"type":"Feature","properties":{"ref":%d,"nom":"%s"},'
        b'"geometry":{"type":"Point","coordinates":[5.04,47.3]}}' % (i, name)
        for i, name in enumerate(["Libert\u00e9 c\u00f4t\u00e9".encode(), b"b\xe9ton"])
    ]
    content = mark + b'{"type":"FeatureCollection","features":[' + b",".join(features) + b"]}"
    batch, _, _ = read(tmp_path / "a.geojson", content)
    assert batch.columns["nom"][0] == "Liberté côté"
    assert batch.problems == {1: "bad_bytes"}


def test_cp1252_is_told_to_be_a_guess(tmp_path: Path) -> None:
    batch, encoding, notes = read(tmp_path / "a.csv", CSV.encode("cp1252"))
    assert encoding == "cp1252"
    assert batch.columns["nom"][0] == "Rue de l’Égalité côté été 0"
    assert any("read as cp1252" in note for note in notes)


@pytest.mark.parametrize("encoding", ["cp850", "mac-roman", "iso-8859-15"])
def test_older_encodings_are_hinted(tmp_path: Path, encoding: str) -> None:
    text = "ref;nom;lon;lat\na;Cité du Cœur côté été, forêt;5;47\nb;Œuvre cœur;5;47\n"
    content = text.encode(encoding, "replace")
    if encoding == "cp850":
        content = text.replace("œ", "oe").replace("Œ", "OE").encode(encoding)
    error = refused(tmp_path / "a.csv", content)
    assert error.code == "file_encoding_unclear"
    assert f"--encoding {encoding}" in error.detail
    batch, _, _ = read(tmp_path / "a.csv", content, encoding=encoding)
    assert "côté été" in batch.columns["nom"][0]


def test_two_encodings_in_one_file_are_refused_with_the_line(tmp_path: Path) -> None:
    content = CSV.encode() + "\n".join(ROWS * 3).encode("cp1252")
    error = refused(tmp_path / "a.csv", content)
    assert error.code == "file_encoding_unclear"
    assert "line 5" in error.detail


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_without_a_mark(tmp_path: Path, encoding: str) -> None:
    batch, found, _ = read(tmp_path / "a.csv", CSV.encode(encoding))
    assert found == encoding
    assert batch.columns["ref"] == ["M0", "M1", "M2"]


def test_utf8_that_is_named_otherwise_is_told(tmp_path: Path) -> None:
    _, encoding, notes = read(tmp_path / "a.csv", CSV.encode(), encoding="cp1252")
    assert encoding == "cp1252"
    assert any("valid UTF-8" in note for note in notes)
    assert read(tmp_path / "b.csv", CSV.encode("cp1252"), encoding="cp1252")[2] == []


def test_bytes_that_a_named_encoding_does_not_have(tmp_path: Path) -> None:
    content = CSV.encode("cp1252") + b"M9;x\x81y;5.04;47.3\n"
    batch, _, _ = read(tmp_path / "a.csv", content, encoding="cp1252")
    assert batch.problems == {3: "bad_bytes"}


def shapefile(path: Path, names: list[str], encoding: str) -> Path:
    write(
        path,
        geometry=shapely.to_wkb(shapely.points([[5.04, 47.3]] * len(names))),
        field_data=[np.arange(len(names)), np.array(names, dtype=object)],
        fields=["ref", "nom"],
        geometry_type="Point",
        crs="EPSG:4326",
        driver="ESRI Shapefile",
        encoding=encoding,
    )
    return path


def test_a_bad_byte_in_a_dbf_costs_its_row_only(tmp_path: Path) -> None:
    file = shapefile(tmp_path / "a.shp", [*["Égalité, côté été, forêt"] * 5, "b?ton"], "UTF-8")
    table = tmp_path / "a.dbf"
    table.write_bytes(table.read_bytes().replace(b"b?ton", b"b\xe9ton"))
    with open_geofile(file) as source:
        (batch,) = source.batches(["ref", "nom"])
    assert batch.problems == {5: "bad_bytes"}
    assert batch.columns["nom"][0] == "Égalité, côté été, forêt"


def test_a_character_that_the_width_of_a_dbf_cut(tmp_path: Path) -> None:
    names = [*["Égalité, côté été, forêt"] * 5, "Libertxy"]
    file = shapefile(tmp_path / "a.shp", names, "UTF-8")
    table = tmp_path / "a.dbf"
    data = table.read_bytes()
    at = data.index(b"Libertxy")
    # The last byte of the field is the first half of an "é".
    width = data[32 + 32 + 16]
    cut = b"Libert".ljust(width - 1, b"x") + b"\xc3"
    table.write_bytes(data[:at] + cut + data[at + width :])
    with open_geofile(file) as source:
        (batch,) = source.batches(["nom"])
    assert batch.problems == {}
    assert batch.columns["nom"][5] == cut[:-1].decode()


def test_a_dbf_of_which_the_declaration_is_wrong_is_told(tmp_path: Path) -> None:
    file = shapefile(tmp_path / "a.shp", ["Égalité, côté été"] * 3, "CP1252")
    (tmp_path / "a.cpg").write_text("UTF-8")
    with open_geofile(file) as source:
        assert source.encoding == "cp1252"
        assert any("declares UTF-8" in note for note in source.notes)
