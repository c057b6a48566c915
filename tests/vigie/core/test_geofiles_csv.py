"""CSV files as cities and spreadsheets really write them: read right, or refused by line."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from pyproj import Transformer

from vigie.core.errors import Invalid, VigieError
from vigie.core.geofiles import Batch, ReadOptions, number, open_geofile
from vigie.core.geofiles import records as records_module
from vigie.core.geometry import BBox

NEAR = BBox(4.9, 47.2, 5.2, 47.4)
PLACES = [[5.0415, 47.322], [5.0428, 47.3231], [5.0441, 47.3242]]


def read(
    path: Path, text: str, columns: list[str] | None = None, **options: Any
) -> tuple[Batch, list[str]]:
    """The one batch of a file with this text, and the notes."""
    path = path / "a.csv"
    path.write_bytes(text.encode())
    with open_geofile(path, ReadOptions(**options), near=NEAR, place="Dijon") as source:
        (batch,) = source.batches(["ref"] if columns is None else columns)
        return batch, source.notes


def refused(path: Path, text: str, columns: list[str] | None = None, **options: Any) -> VigieError:
    with pytest.raises(VigieError) as caught:
        read(path, text, columns, **options)
    return caught.value


def placed(batch: Batch) -> dict[str, list[float]]:
    """Position by ref, of the rows that can be imported."""
    return {
        batch.columns["ref"][i]: shapely.get_coordinates(g)[0].round(6).tolist()
        for i, g in enumerate(batch.geometry)
        if g is not None
    }


def problems(batch: Batch) -> dict[int, str]:
    """Problem by line."""
    return {batch.lines[i]: code for i, code in batch.problems.items()}


# Quotes


def test_a_quote_closed_later_moves_no_light(tmp_path: Path) -> None:
    batch, _ = read(
        tmp_path,
        'ref;nom;lon;lat\nq1;"Mât 3;5.0415;47.322\nq2;Mât 4;5.0428;47.3231\n'
        'q3;"Mât 5";5.0441;47.3242\n',
    )
    assert placed(batch) == {"q2": PLACES[1], "q3": PLACES[2]}
    assert problems(batch) == {2: "stray_quote"}


def test_a_quote_never_closed_costs_its_line_only(tmp_path: Path) -> None:
    batch, _ = read(
        tmp_path,
        'ref;nom;lon;lat\nq1;"Mât 3;5.0415;47.322\nq2;Mât 4;5.0428;47.3231\n'
        "q3;Mât 5;5.0441;47.3242\n",
    )
    assert placed(batch) == {"q2": PLACES[1], "q3": PLACES[2]}
    assert problems(batch) == {2: "stray_quote"}


@pytest.mark.parametrize(
    "rows",
    [
        # Well formed, and yet two lights in one: closed by the next stray quote.
        ['q1;"Mât 3;5.0415;47.322', 'q2;Mât 4";5.0428;47.3231', "q3;Mât 5;5.0441;47.3242"],
        ['q1;"Mât 3;5.0415;47.322', "q2;Mât 4;5.0428;47.3231", 'q3;Mât 5";5.0441;47.3242'],
        ['"q1;1";"Mât 3;5.0415;47.322', 'q2;Mât 4";"5,0428";47.3231', "q3;M;5.0441;47.3242"],
        # Within one line.
        ['q1;"Mât 3;5.0415";47.322', "q2;Mât 4;5.0428;47.3231", "q3;Mât 5;5.0441;47.3242"],
        # A quote too many.
        ['q1;"Le "Clos" 3";5.0415;47.322', "q2;Mât 4;5.0428;47.3231", "q3;M;5.0441;47.3242"],
    ],
)
def test_no_light_ever_stands_where_another_does(tmp_path: Path, rows: list[str]) -> None:
    batch, _ = read(tmp_path, "\n".join(["ref;nom;lon;lat", *rows]))
    where = placed(batch)
    assert not {"q1", "q1;1"} & where.keys()
    truth = dict(zip(("q1", "q2", "q3"), PLACES, strict=True))
    assert where.items() <= truth.items()
    assert problems(batch)[2] == "stray_quote"


def test_a_quote_does_not_shift_the_columns_after_it(tmp_path: Path) -> None:
    text = "ref;nom;lon;lat;power;alt\n"
    batch, _ = read(tmp_path, text + 'q1;"Mât 3;5.0415";47.322;70;240\n')
    assert problems(batch) == {2: "stray_quote"}


@pytest.mark.parametrize("seed", range(4))
def test_stray_quotes_anywhere_move_no_light(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    imported = 0
    for _ in range(60):
        text, truth = _with_stray_quotes(dice)
        try:
            batch, _ = read(tmp_path, text)
        except VigieError:
            continue
        where = placed(batch)
        imported += len(where)
        for ref, at in where.items():
            assert truth.get(ref.strip('"'), at) == at, text
    assert imported > 100


def _with_stray_quotes(dice: random.Random) -> tuple[str, dict[str, list[float]]]:
    """A file of some lights, a quote too many in one or two cells, and where the lights are."""
    delimiter = dice.choice(";,\t|")
    columns = dice.sample(["ref", "nom", "lon", "lat", "note"], 5)
    truth: dict[str, list[float]] = {}
    rows: list[list[str]] = []
    for i in range(dice.randint(2, 8)):
        truth[f"q{i}"] = [round(5 + dice.random() / 10, 4), round(47.3 + dice.random() / 20, 4)]
        name = dice.choice(["Mât 3", f"Rue {delimiter} x", "Rue A", '12"'])
        cells = dict(zip(("lon", "lat"), map(str, truth[f"q{i}"]), strict=True))
        cells |= {"ref": f"q{i}", "nom": name, "note": dice.choice(["", "a", "b c"])}
        rows.append(
            [
                '"' + cells[c].replace('"', '""') + '"'
                if delimiter in cells[c] or dice.random() < 0.2
                else cells[c]
                for c in columns
            ]
        )
    for _ in range(dice.randint(1, 2)):
        row, column = dice.choice(rows), dice.randrange(5)
        at = dice.choice([0, 0, len(row[column])])
        row[column] = row[column][:at] + '"' + row[column][at:]
    return "\n".join(delimiter.join(row) for row in [columns, *rows]) + "\n", truth


def test_quotes_that_are_right_are_read(tmp_path: Path) -> None:
    text = (
        'ref,nom,lon,lat,note\r\n"a","Rue ""A"", bis","5.0415","47.322","two\r\nlines"\r\n'
        'b,Mât 12" haut,5.0428,47.3231,\r\nc,"one\n\n, three",5.0441,47.3242,"x"\r\n'
    )
    batch, _ = read(tmp_path, text, ["ref", "nom", "note"])
    assert batch.problems == {}
    assert batch.columns["nom"] == ['Rue "A", bis', 'Mât 12" haut', "one  , three"]
    assert batch.columns["note"] == ["two  lines", None, "x"]
    assert list(batch.lines) == [3, 4, 7]


def test_a_file_of_nothing_but_stray_quotes_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records_module, "_MAX_STRAY", 20)
    error = refused(tmp_path, "ref;lon;lat\n" + 'x;";"1;5\n' * 50)
    assert "line 22" in error.detail
    assert "opened and not closed" in error.detail


@pytest.mark.parametrize("gap", [" ", "  ", "\u00a0"])
def test_spaces_around_quotes(tmp_path: Path, gap: str) -> None:
    before = gap if gap.strip(" ") == "" else ""
    batch, _ = read(
        tmp_path,
        "ref, X, Y\n" + "".join(f'Q{i},{before}"{x}"{gap},{before}"{y}"{gap}\n'.replace(".", ",")
                                for i, (x, y) in enumerate(PLACES)),
    )  # fmt: skip
    assert list(placed(batch).values()) == PLACES


# Rows and headers


def test_a_delimiter_at_the_end_of_each_row(tmp_path: Path) -> None:
    rows = "T0;5.0415;47.322;\nT1;5.0428;47.3231;;\nT2;5.0441;47.3242;x\n"
    batch, _ = read(tmp_path, "ref;lon;lat\n" + rows)
    assert placed(batch) == {"T0": PLACES[0], "T1": PLACES[1]}
    assert problems(batch) == {4: "too_many_columns"}


@pytest.mark.parametrize("sep", [";", "\t", "|", ","])
def test_the_separator_line_of_excel(tmp_path: Path, sep: str) -> None:
    rows = [f"S{i};{x};{y}".replace(";", sep) for i, (x, y) in enumerate(PLACES)]
    header = "ref;lon;lat".replace(";", sep)
    batch, _ = read(tmp_path, "\n".join([f"\ufeffsep={sep}", header, *rows]))
    assert list(placed(batch).values()) == PLACES
    assert list(batch.lines) == [3, 4, 5]


@pytest.mark.parametrize(
    "title",
    ["Éclairage public de la ville\n", "Éclairage, mâts et candélabres;;\n\n", "# 2024\nVille\n"],
)
def test_title_lines_are_skipped_and_told(tmp_path: Path, title: str) -> None:
    rows = "".join(f"S{i};{x};{y}\n" for i, (x, y) in enumerate(PLACES))
    batch, notes = read(tmp_path, title + "ref;lon;lat\n" + rows)
    assert list(placed(batch).values()) == PLACES
    assert any("title" in note for note in notes)


def test_lines_above_the_names_that_are_no_title(tmp_path: Path) -> None:
    text = "Exporté;le;12 mars\nref;lon;lat\nS0;5.0415;47.322\n"
    detail = refused(tmp_path, text).detail
    assert "line 1" in detail
    assert "does not look like column names" in detail


def test_columns_twice_matter_when_used(tmp_path: Path) -> None:
    text = "ref;lon;lat;type;type\nU0;5.0415;47.322;LED;SHP\n"
    assert placed(read(tmp_path, text)[0]) == {"U0": PLACES[0]}
    assert "two columns are named 'type'" in refused(tmp_path, text, ["ref", "type"]).detail
    assert "two columns are named 'lon'" in refused(tmp_path, text.replace("type", "lon")).detail


# Positions


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("Geo Point", ["47.322, 5.0415", "47.3231, 5.0428", "47.3242,5.0441"]),
        ("geo_point_2d", ["47.322,5.0415", "47.3231,5.0428", "47.3242,5.0441"]),
        ("Coordonnées", ["[5.0415, 47.322]", "[5.0428, 47.3231]", "[5.0441, 47.3242]"]),
        ("position", ["47,322 5,0415", "47,3231 5,0428", "47,3242 5,0441"]),
        ("lon_lat", ["5,0415 ; 47,322", "5,0428 ; 47,3231", "5,0441 ; 47,3242"]),
        ("geom", [f"POINT ({x} {y})" for x, y in PLACES]),
        ("the_geom", [f"SRID=4326;Point Z({x} {y} 240)" for x, y in PLACES]),
        ("geom", [shapely.to_wkb(shapely.Point(p), hex=True) for p in PLACES]),
        ("Geo Shape", [f'{{"type": "Point", "coordinates": [{x}, {y}]}}' for x, y in PLACES]),
        ("geo_point_2d", [f"{{'lon': {x}, 'lat': {y}}}" for x, y in PLACES]),
        ("ou", [f"lat={y} lon={x}" for x, y in PLACES]),
        (
            "geo_shape",
            [
                f"{{'type': 'Feature', 'geometry': {{'coordinates': {p}, 'type': 'Point'}}}}"
                for p in PLACES
            ],
        ),
    ],
)
def test_both_coordinates_in_one_column(tmp_path: Path, name: str, cells: list[str]) -> None:
    rows = [f"G{i}\t{c}\t12, 30" for i, c in enumerate(cells)]
    batch, notes = read(tmp_path, "\n".join([f"ref\t{name}\tformat", *rows]))
    assert list(placed(batch).values()) == PLACES
    assert any(repr(name) in note for note in notes)


def test_hexadecimal_ids_are_no_positions(tmp_path: Path) -> None:
    ids = ["01" + f"{i:x}" * 46 for i in range(10, 13)]
    rows = [f"{key};POINT({x} {y})" for key, (x, y) in zip(ids, PLACES, strict=True)]
    assert placed(read(tmp_path, "\n".join(["ref;ou", *rows]))[0]) == dict(
        zip(ids, PLACES, strict=True)
    )
    pairs = [f"{key};{y}, {x}" for key, (x, y) in zip(ids, PLACES, strict=True)]
    assert len(placed(read(tmp_path, "\n".join(["ref;ou", *pairs]))[0])) == 3


def test_one_column_is_read_in_the_system_it_names(tmp_path: Path) -> None:
    move = Transformer.from_crs(4326, 2154, always_xy=True)
    rows = [f"G{i};SRID=2154;POINT({x} {y})".replace(";SRID", '|SRID')
            for i, (x, y) in enumerate(move.transform(*p) for p in PLACES)]  # fmt: skip
    batch, _ = read(tmp_path, "\n".join(["ref|geom", *rows]))
    assert np.allclose(list(placed(batch).values()), PLACES, atol=1e-5)


def test_the_mapping_may_name_the_column_of_both(tmp_path: Path) -> None:
    text = "ref;ou\nG0;47.322, 5.0415\nG1;nulle part\nG2;\n"
    for options in ({"position": "ou"}, {"x": "ou", "y": "ou"}):
        batch, _ = read(tmp_path, text, **options)
        assert placed(batch) == {"G0": PLACES[0]}
        assert problems(batch) == {3: "position_unusable", 4: "no_geometry"}
        assert "'nulle part'" in batch.details[1]
    assert "holds no positions" in refused(tmp_path, text, position="ref").detail
    assert "no column wo" in refused(tmp_path, text, position="wo").detail


def test_two_numbers_are_no_position_by_themselves(tmp_path: Path) -> None:
    error = refused(tmp_path, "ref;dimensions\na;12, 30\nb;14, 32\n")
    assert error.code == "file_coordinates"


def test_swapped_columns_are_refused_by_line_and_told(tmp_path: Path) -> None:
    text = "ref,longitude,latitude\nS0,47.322,5.0415\nS1,5.0428,47.3231\nS2,2.35,48.85\n"
    batch, _ = read(tmp_path, text)
    assert placed(batch) == {"S1": PLACES[1], "S2": [2.35, 48.85]}
    assert problems(batch) == {2: "axes_swapped"}
    assert "Dijon" in batch.details[0]
    exchanged, _ = read(tmp_path, text, x="latitude", y="longitude")
    assert placed(exchanged)["S0"] == PLACES[0]
    swapped, _ = read(tmp_path, text, swap_axes=True)
    assert placed(swapped)["S0"] == PLACES[0]


def test_swapped_metres_are_recognised(tmp_path: Path) -> None:
    move = Transformer.from_crs(4326, 2154, always_xy=True)
    rows = [f"S{i};{y:.2f};{x:.2f}" for i, (x, y) in enumerate(move.transform(*p) for p in PLACES)]
    text = "\n".join(["ref;x;y", *rows])
    error = refused(tmp_path, text)
    assert "swapped" in error.detail
    assert "--crs EPSG:2154" in error.detail
    batch, _ = read(tmp_path, text, crs="EPSG:2154")
    assert set(batch.problems.values()) == {"axes_swapped"}
    right, _ = read(tmp_path, text, crs="EPSG:2154", swap_axes=True)
    assert np.allclose(list(placed(right).values()), PLACES, atol=1e-6)


# Numbers


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("854.184,55", 854184.55), ("854,184.55", 854184.55), ("6.693.290,46", 6693290.46),
        ("6,693,290.46", 6693290.46), ("6.693.290", 6693290.0), ("1,234,567", 1234567.0),
        ("6'693'290.46", 6693290.46), ("2\u2019600\u2019000,5", 2600000.5),
        ("6\u2009693\u2009290,46", 6693290.46), ("-1.234,5", -1234.5), ("854.184", 854.184),
        ("1.23.456,7", None), ("12,34,567", None), ("1.234,567,8", None), ("1,2.3,4", None),
        ("1.234.56", None),
    ],
)  # fmt: skip
def test_separated_thousands(text: str, value: float | None) -> None:
    assert number(text) == value


def test_the_decimal_sign_of_a_column_decides_about_a_single_one(tmp_path: Path) -> None:
    rows = "D0;854.184,55;6.693.290,46\nD1;854.184;6.693.290\nD2;854.374,5;6693539,84\n"
    batch, _ = read(tmp_path, "ref;X;Y\n" + rows, crs="EPSG:2154")
    assert batch.problems == {}
    where = placed(batch)
    assert abs(where["D1"][0] - where["D0"][0]) < 1e-4
    plain, _ = read(tmp_path, "ref;lon;lat\na;5.041;47.322\nb;5.0428;47.3231\n")
    assert placed(plain)["a"] == [5.041, 47.322]


def test_a_position_that_is_none_is_quoted(tmp_path: Path) -> None:
    batch, _ = read(tmp_path, "ref;lon;lat\na;5.041;47.322\nb;est;12 bis\n")
    assert "'est', '12 bis'" in batch.details[1]


def test_a_line_of_any_length_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records_module, "_MAX_LINE", 1000)
    error = refused(tmp_path, "ref;lon;lat\na;5;47\n" + "x" * 2000)
    assert isinstance(error, Invalid)
    assert "line 3" in error.detail
