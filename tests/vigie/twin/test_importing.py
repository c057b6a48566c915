"""Imports into a real database: identity, idempotence, parents, refusals, journal."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.support.cities import synthetic
from vigie import places, twin
from vigie.core.errors import Invalid
from vigie.core.geofiles import Mapping, SourceSpec, load_mapping
from vigie.core.runtime import Runtime
from vigie.twin.importing import TARGETS

Points = Callable[[list[tuple[dict[str, Any], list[float] | None]]], Path]
MONTPELLIER = Path(__file__).parents[3].parent / "shared/data/montpellier"
PACKS = Path(__file__).parents[2] / "data" / "packs"
needs_data = pytest.mark.skipif(
    not MONTPELLIER.exists(), reason="Montpellier's published files are not here"
)
AT = [5.0375, 47.3229]


def counts(report: Any) -> tuple[int, int, int, int]:
    return report.created, report.changed, report.unchanged, report.refused


async def test_cabinets_then_lights_then_the_same_again(
    city: Runtime, points_file: Points, owner: psycopg.AsyncConnection
) -> None:
    cabinets = Mapping(kind="StreetlightControlCabinet", columns={"source_id": "id"})
    file = points_file([({"id": "12"}, AT), ({"id": "13"}, [5.0245, 47.3473])])
    assert counts(await twin.import_equipment(city, file, mapping=cabinets)) == (2, 0, 0, 0)
    lights = Mapping(
        kind="Streetlight",
        columns={"source_id": "id", "parent": "cab", "municipality": "town", "street": "rue",
                 "installed": "year", "feeder": "feeder"},
        attributes={"power": "w"},
        defaults={"manufacturer": "Acme"},
    )  # fmt: skip
    rows = [
        ({"id": 12, "cab": "12", "town": "Dijon", "rue": "Rue A", "year": 2011, "w": 60,
          "feeder": "D1"}, AT),
        ({"id": 14, "cab": "99", "town": "21278", "rue": None, "year": None, "w": None,
          "feeder": None}, [5.0245, 47.3473]),
    ]  # fmt: skip
    report = await twin.import_equipment(city, points_file(rows), mapping=lights)
    assert counts(report) == (2, 0, 0, 0)
    assert [(w.line, w.code) for w in report.warnings] == [(2, "parent")]
    again = await twin.import_equipment(city, points_file(rows), mapping=lights)
    assert counts(again) == (0, 0, 2, 0)
    async with city.database.unit() as unit:
        page = await twin.list_assets(unit, "kind:Streetlight")
        first = page.items[0]
    assert page.total == 2
    assert first.topology.parent is not None
    assert first.topology.parent.kind == "StreetlightControlCabinet"
    assert first.topology.feeder == "D1"
    assert (first.municipality, first.street) == ("21231", "Rue A")
    assert str(first.lifecycle.installed) == "2011-01-01"
    assert first.lifecycle.manufacturer == "Acme"
    assert first.attributes == {"power": 60}
    # A later file brings the missing parent: the light is changed by that alone.
    late = points_file([({"id": "99"}, AT)])
    await twin.import_equipment(city, late, mapping=cabinets)
    assert counts(await twin.import_equipment(city, points_file(rows), mapping=lights)) == (
        0, 1, 1, 0,
    )  # fmt: skip
    acts = await owner.execute(
        "select params->>'kind', changes from journal.entry"
        " where act = 'twin.equipment_imported' order by recorded"
    )
    assert await acts.fetchall() == [
        ("StreetlightControlCabinet", 2), ("Streetlight", 2),
        ("StreetlightControlCabinet", 1), ("Streetlight", 1),
    ]  # fmt: skip


async def test_a_changed_row_is_told_before_and_after(
    city: Runtime, points_file: Points, owner: psycopg.AsyncConnection
) -> None:
    mapping = Mapping(kind="Streetlight", source=SourceSpec(name="told"),
                      columns={"source_id": "id", "name": "nom"})  # fmt: skip
    await twin.import_equipment(
        city, points_file([({"id": "1", "nom": "Old"}, AT)]), mapping=mapping
    )
    dry = await twin.import_equipment(
        city, points_file([({"id": "1", "nom": "New"}, AT)]), mapping=mapping, dry_run=True
    )
    assert counts(dry) == (0, 1, 0, 0)
    report = await twin.import_equipment(
        city, points_file([({"id": "1", "nom": "New"}, AT)]), mapping=mapping
    )
    assert counts(report) == (0, 1, 0, 0)
    last = await owner.execute(
        "select before, after from journal.change where before is not null"
        " order by recorded desc limit 1"
    )
    assert await last.fetchone() == ({"name": "Old"}, {"name": "New"})
    async with city.database.unit() as unit:
        assert (await twin.list_assets(unit, "new source:told")).total == 1
        assert (await twin.list_assets(unit, "old source:told")).total == 0


async def test_without_ids_places_are_ids_and_twins_are_told_apart(
    city: Runtime, points_file: Points
) -> None:
    mapping = Mapping(kind="Streetlight", source=SourceSpec(name="mute"), attributes={"type": "t"})
    rows = [({"t": "A"}, AT), ({"t": "B"}, AT), ({"t": "A"}, AT), ({"t": "A"}, [5.04, 47.32])]
    first = await twin.import_equipment(city, points_file(rows), mapping=mapping)
    assert counts(first) == (4, 0, 0, 0)
    again = await twin.import_equipment(city, points_file(rows[::-1]), mapping=mapping)
    assert counts(again) == (0, 0, 4, 0)
    fewer = await twin.import_equipment(city, points_file(rows[:2]), mapping=mapping)
    assert (fewer.created, fewer.missing) == (0, 2)
    async with city.database.unit() as unit:
        ids = [a.source_id for a in (await twin.list_assets(unit, "source:mute")).items]
    base = min(ids, key=len)
    assert {f"{base}~2", f"{base}~3"} < set(ids)


async def test_rows_that_are_refused_have_line_and_reason(
    city: Runtime, points_file: Points
) -> None:
    mapping = Mapping(kind="Streetlight", source=SourceSpec(name="odd"),
                      columns={"source_id": "id", "name": "nom", "installed": "d"})  # fmt: skip
    rows = [
        ({"id": "1", "nom": "a", "d": "soon"}, AT),
        ({"id": "2", "nom": "b", "d": None}, None),
        ({"id": "1", "nom": "c", "d": None}, AT),
        ({"id": "4", "nom": "x" * 301, "d": None}, AT),
        ({"id": "5", "nom": "far", "d": None}, [2.35, 48.85]),
        ({"id": "6", "nom": "'; drop table twin.asset; --<b>\x01", "d": None}, AT),
    ]
    report = await twin.import_equipment(city, points_file(rows), mapping=mapping)
    assert [(r.line, r.code) for r in report.refusals] == [
        (2, "no_geometry"), (4, "too_long"), (3, "twice"),
    ]  # fmt: skip
    assert {(w.line, w.code) for w in report.warnings} == {(1, "date"), (5, "outside")}
    assert counts(report) == (3, 0, 0, 3)
    async with city.database.unit() as unit:
        items = (await twin.list_assets(unit, "source:odd")).items
    assert items[2].name == "'; drop table twin.asset; --<b>"
    assert items[1].municipality == ""
    assert any("line 2" in line for line in report.lines())


async def test_an_id_of_another_kind_is_not_taken_over(city: Runtime, points_file: Points) -> None:
    file = points_file([({"id": "1"}, AT)])
    shared = {"source": SourceSpec(name="shared"), "columns": {"source_id": "id"}}
    await twin.import_equipment(city, file, mapping=Mapping(kind="Streetlight", **shared))
    report = await twin.import_equipment(
        city, file, mapping=Mapping(kind="TrafficLightController", **shared)
    )
    assert [(r.code, r.detail) for r in report.refusals] == [
        ("other_kind", "1 is a Streetlight already")
    ]


async def test_mappings_that_cannot_be_used(
    city: Runtime, points_file: Points, tmp_path: Path
) -> None:
    file = points_file([({"id": "1", "nom": "a"}, AT)])
    with pytest.raises(Invalid, match="Its columns are: id, nom"):
        await twin.import_equipment(
            city, file, kind="Streetlight", mapping=Mapping(columns={"name": "label"})
        )
    with pytest.raises(Invalid, match=r"use one of .*Streetlight"):
        await twin.import_equipment(city, file, kind="Lamp")
    toml = tmp_path / "m.toml"
    for text, words in (
        ("kind = ", "wrong"),
        ("[columns]\npower = 'w'\n", "none of source_id"),
        ("colums = 1\n", "colums"),
        ("kind = 'Streetlight'\n[source]\ncrs = 2154\n", "crs"),
    ):
        toml.write_text(text)
        with pytest.raises(Invalid, match=words):
            load_mapping(toml, TARGETS)
    with pytest.raises(Invalid, match="cannot be read"):
        load_mapping(tmp_path / "none.toml", TARGETS)


async def test_places_known_later_are_laid_under_the_equipment(
    city: Runtime, points_file: Points, tmp_path: Path
) -> None:
    mapping = Mapping(kind="Streetlight", source=SourceSpec(name="late"),
                      columns={"source_id": "id"})  # fmt: skip
    file = points_file([({"id": "1"}, [5.0100, 47.3100])])
    await twin.import_equipment(city, file, mapping=mapping)
    streets = tmp_path / "s.geojson"
    line = {"type": "LineString", "coordinates": [[5.009, 47.31], [5.011, 47.31]]}
    feature = {"type": "Feature", "properties": {"id": "x", "name": "Rue Tardive"},
               "geometry": line}  # fmt: skip
    streets.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    await places.import_streets(city.database, streets)
    async with city.database.unit() as unit:
        assert await twin.relocate(unit) == 1
    async with city.database.unit() as unit:
        assert await twin.relocate(unit) == 0
        assert (await twin.list_assets(unit, 'street:"rue tardive"')).total == 1
    report = await twin.import_equipment(city, points_file([({"id": "1"}, [5.01, 47.31])]),
                                         mapping=mapping)  # fmt: skip
    assert counts(report) == (0, 0, 1, 0)


async def test_a_synthetic_citys_cabinets_lights_and_junctions(
    city: Runtime, points_file: Points, tmp_path: Path
) -> None:
    drawn = synthetic(tmp_path / "drawn", 3_000)
    files = {"cabinets": drawn.cabinets, "streetlights": drawn.lights}
    for expected in ("created", "unchanged"):
        for name, count in files.items():
            mapping = load_mapping(tmp_path / "drawn" / f"{name}.toml", TARGETS)
            file = tmp_path / "drawn" / f"{name}.geojson"
            report = await twin.import_equipment(city, file, mapping=mapping)
            assert (getattr(report, expected), report.read, report.refused) == (count, count, 0)
            assert report.warned_by == {}
    # A file in Lambert 93 that does not say so, as cities publish them.
    rows = [({"where": f"J{i}", "year": 2014}, [853_800.0 + 40 * i, 6_692_600.0]) for i in range(9)]
    named = Mapping(
        kind="TrafficLightController",
        source=SourceSpec(name="drawn-junctions"),
        columns={"name": "where", "installed": "year"},
    )
    with pytest.raises(Invalid, match="--crs EPSG:2154"):
        await twin.import_equipment(city, points_file(rows), mapping=named)
    report = await twin.import_equipment(city, points_file(rows), mapping=named, crs="EPSG:2154")
    assert counts(report) == (9, 0, 0, 0)
    async with city.database.unit() as unit:
        junctions = await twin.list_assets(unit, "municipality:Dijon source:drawn-junctions")
        page = await twin.list_assets(unit, "municipality:Dijon kind:Streetlight", limit=5)
    assert junctions.total == 9
    assert len(page.items) == 5
    assert page.next is not None


@needs_data
async def test_montpelliers_real_lights_and_junctions(city: Runtime) -> None:
    async with city.database.unit() as unit:
        await places.install(unit, places.load_pack(str(PACKS / "montpellier")))
    lights = MONTPELLIER / "EclairagePublic/VilleMTP_MTP_EclairagePublic.zip"
    mapping = Mapping(source=SourceSpec(name="mtp"), attributes={"lantern": "type_lante"})
    first = await twin.import_equipment(city, lights, kind="Streetlight", mapping=mapping)
    assert counts(first) == (29969, 0, 0, 0)
    assert first.warned_by == {}
    again = await twin.import_equipment(city, lights, kind="Streetlight", mapping=mapping)
    assert counts(again) == (0, 0, 29969, 0)
    junctions = MONTPELLIER / "Signalisation/VilleMTP_MTP_Signalisation.geojson"
    named = Mapping(
        kind="TrafficLightController", columns={"name": "CAR_LIEU", "installed": "CAR_ANNEE"}
    )
    with pytest.raises(Invalid, match="--crs EPSG:2154"):
        await twin.import_equipment(city, junctions, mapping=named)
    report = await twin.import_equipment(city, junctions, mapping=named, crs="EPSG:2154")
    assert counts(report) == (373, 0, 0, 0)
    async with city.database.unit() as unit:
        page = await twin.list_assets(unit, "municipality:Montpellier source:mtp", limit=5)
    assert len(page.items) == 5
    assert page.next is not None
