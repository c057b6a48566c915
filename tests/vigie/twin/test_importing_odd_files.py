"""Imports of files with the oddities of published ones: no object twice, none altered, all told."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vigie import places, twin
from vigie.core.errors import Invalid
from vigie.core.geofiles import Mapping, SourceSpec
from vigie.core.runtime import Runtime

Points = Callable[[list[tuple[dict[str, Any], list[float] | None]]], Path]
A, B, C = [5.0415, 47.322], [5.0428, 47.3231], [5.0441, 47.3242]


def counts(report: Any) -> tuple[int, int, int, int]:
    return report.created, report.changed, report.unchanged, report.refused


def mapping(source: str, attributes: dict[str, str] | None = None, **columns: str) -> Mapping:
    return Mapping(
        kind="Streetlight",
        source=SourceSpec(name=source),
        columns={"source_id": "ref", **columns},
        attributes=attributes or {},
    )


async def ids(city: Runtime, source: str) -> list[str]:
    async with city.database.unit() as unit:
        return [a.source_id for a in (await twin.list_assets(unit, f"source:{source}")).items]


@pytest.mark.parametrize("beside", [None, 12.5, "x", 123456789012345678901])
async def test_lights_keep_their_ids_whatever_comes_beside_them(
    city: Runtime, points_file: Points, beside: Any
) -> None:
    first, second = 2024031209301512, 2**53 + 1
    how = mapping(f"ids-{beside}", {"watts": "w"})
    rows: Any = [({"ref": first, "w": 70}, A), ({"ref": second, "w": 100}, B)]
    assert counts(await twin.import_equipment(city, points_file(rows), mapping=how)) == (2, 0, 0, 0)
    more = [*rows, ({"ref": beside, "w": beside}, C)]
    report = await twin.import_equipment(city, points_file(more), mapping=how)
    assert counts(report) == (1, 0, 2, 0)
    assert report.missing == 0
    assert {str(first), str(second)} < set(await ids(city, f"ids-{beside}"))
    # The same values as floats, as a column of decimals has them.
    rows = [({"ref": first, "w": 70.0}, A), ({"ref": second, "w": 100.0}, B), more[2]]
    assert counts(await twin.import_equipment(city, points_file(rows), mapping=how)) == (0, 0, 3, 0)


async def test_an_id_that_lost_digits_is_refused(city: Runtime, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("ref;lon;lat\n2,02403E+15;5.04;47.32\nL-1;5.05;47.32\n")
    report = await twin.import_equipment(city, file, mapping=mapping("cut"))
    assert [(r.line, r.code) for r in report.refusals] == [(2, "inexact_id")]
    assert await ids(city, "cut") == ["L-1"]


async def test_the_report_says_what_is_wrong_with_a_line(city: Runtime, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(
        "ref;nom;lon;lat;pose\na;Égalité, côté été;5.0415;47.322;1er mars 2014\n"
        'b;"Mât 3;5.0428;47.3231;2014\nc;Mât 4;47.3242;5.0441;2014\n'.encode()
        + b"d;b\xe9ton;5.0441;47.3242;2014\ne;M;5.0441;47.32;30/02/2014\nf;M;est;47.32;2014\n"
    )
    how = mapping("lines", name="nom", installed="pose")
    report = await twin.import_equipment(city, file, mapping=how)
    assert {(r.line, r.code) for r in report.refusals} == {
        (3, "stray_quote"), (4, "axes_swapped"), (5, "bad_bytes"), (7, "position_unusable"),
    }  # fmt: skip
    words = "\n".join(report.lines())
    assert "Dijon" in words
    assert r"b\xe9ton" in words
    assert "'est', '47.32'" in words
    assert "'30/02/2014'" in words
    assert counts(report) == (2, 0, 0, 4)
    file.write_text("ref;nom;lon;lat\ng;b\ufffdton;5.0441;47.3242\n")
    damaged = await twin.import_equipment(city, file, mapping=mapping("lines", name="nom"))
    assert [(w.line, w.code) for w in damaged.warnings] == [(2, "damaged")]
    async with city.database.unit() as unit:
        items = (await twin.list_assets(unit, "source:lines")).items
    assert items[0].name == "Égalité, côté été"
    assert str(items[0].lifecycle.installed) == "2014-03-01"


async def test_municipalities_by_any_spelling(city: Runtime, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    names = {"s1": "ST APOLLINAIRE", "s2": "St-Apollinaire", "s3": "Chevigny St Sauveur"}
    rows = "".join(f"{ref};5.03;47.321;{name}\n" for ref, name in names.items())
    file.write_text("ref;lon;lat;commune\n" + rows)
    report = await twin.import_equipment(
        city, file, mapping=mapping("towns", municipality="commune")
    )
    assert report.warnings == []
    async with city.database.unit() as unit:
        items = (await twin.list_assets(unit, "source:towns")).items
        assert [a.municipality for a in items] == ["21540", "21540", "21171"]
        assert (await twin.list_assets(unit, 'municipality:"st apollinaire"')).total == 2


async def test_streets_and_lights_are_found_by_any_spelling(
    city: Runtime, points_file: Points, tmp_path: Path
) -> None:
    names = ["Avenue Saint-Exupéry", "Rue Ste-Anne", "Rue de l’Égalité"]
    features = [
        {"type": "Feature", "properties": {"id": f"s{i}", "name": name},
         "geometry": {"type": "LineString",
                      "coordinates": [[5.06 + i / 500, 47.33], [5.06 + i / 500, 47.332]]}}
        for i, name in enumerate(names)
    ]  # fmt: skip
    streets = tmp_path / "streets.geojson"
    streets.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    assert (await places.import_streets(city.database, streets)).created == 3
    lights = [({"ref": "ST-12", "nom": "Mât Sainte-Chapelle", "rue": "Rue Ste-Anne"}, A)]
    how = mapping("spelt", name="nom", street="rue")
    await twin.import_equipment(city, points_file(lights), mapping=how)
    async with city.database.unit() as unit:
        for typed, label in (
            ("av. st-exupéry", names[0]), ("sainte anne", names[1]), ("ste anne", names[1]),
            ("rue de l\u02bcégalité", names[2]), ("st apollinaire", "Saint-Apollinaire"),
            ("Chevigny St Sauveur", "Chevigny-Saint-Sauveur"),
            ("ste chapelle", "Mât Sainte-Chapelle"), ("mat saint 12", "Mât Sainte-Chapelle"),
            ("st 12", "Mât Sainte-Chapelle"),
        ):  # fmt: skip
            found = [*await places.search(unit, typed, 10), *await twin.search(unit, typed)]
            assert label in [f.label for f in found], typed
        assert (await twin.list_assets(unit, 'street:"rue sainte anne"')).total == 1
        assert (await twin.list_assets(unit, "ste chap source:spelt")).total == 1


async def test_streets_of_a_csv_with_wkt(city: Runtime, tmp_path: Path) -> None:
    file = tmp_path / "s.csv"
    file.write_text(
        "id;nom;geom\nw1;Rue A;LINESTRING (5.06 47.34, 5.06 47.342)\nw2;Rue B;LINESTRING (5.06\n"
    )
    how = Mapping(columns={"source_id": "id", "name": "nom", "position": "geom"})
    report = await places.import_streets(city.database, file, mapping=how, source="wkt")
    assert (report.created, report.refused) == (1, 1)
    again = await places.import_streets(city.database, file, mapping=how, source="wkt")
    assert (again.created, again.changed, again.unchanged) == (0, 0, 1)


async def test_a_file_of_metres_the_wrong_way_round_is_told(city: Runtime, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("ref;x;y\na;6693290.46;854184.55\nb;6693415.15;854279.55\n")
    with pytest.raises(Invalid, match=r"swapped.*Dijon.*--crs EPSG:2154"):
        await twin.import_equipment(city, file, mapping=mapping("turned"))
