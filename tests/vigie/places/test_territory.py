"""Territory, streets and contours, in a real database."""

import gzip
import json
from pathlib import Path

import pytest
import shapely

from tests.support.cities import synthetic
from vigie import places
from vigie.core.database import Database
from vigie.core.errors import Invalid
from vigie.core.text import fold
from vigie.places import service

PACKS = Path(__file__).parents[2] / "data" / "packs"
STREETS = (
    Path(__file__).parents[3].parent
    / "shared/data/montpellier/FilaireVoies/VilleMTP_MTP_FilaireVoies.zip"
)


def streets_file(folder: Path, lines: list[tuple[str, str, list[list[float]]]]) -> Path:
    features = [
        {"type": "Feature", "properties": {"id": i, "name": n},
         "geometry": {"type": "LineString", "coordinates": c}}
        for i, n, c in lines
    ]  # fmt: skip
    file = folder / "streets.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return file


LINES = [
    ("s1", "Rue de la Liberté", [[5.0374, 47.3228], [5.0384, 47.3228]]),
    ("s2", "Rue de la Liberté", [[5.0384, 47.3228], [5.0400, 47.3230]]),
    ("s3", "Allée de l'Œuvre", [[5.0245, 47.3473], [5.0250, 47.3480]]),
]


async def test_install_twice_changes_nothing(database: Database) -> None:
    pack = places.load_pack("dijon")
    async with database.unit() as unit:
        assert await places.install(unit, pack, synthetic=True, attribution="Synthetic streets")
    async with database.unit() as unit:
        assert not await places.install(unit, pack)
        assert not await places.install(unit, pack, synthetic=True, attribution="Synthetic streets")
        territory = await places.read_territory(unit)
    assert territory.code == "dijon"
    assert territory.synthetic
    assert territory.attribution == "INSEE, IGN 2018 – Licence Ouverte · Synthetic streets"
    assert len(territory.municipalities) == 23
    assert territory.bbox is not None
    assert territory.bbox.contains(5.0375, 47.3229)


async def test_streets_are_imported_once(database: Database, tmp_path: Path) -> None:
    file = streets_file(tmp_path, LINES)
    dry = await places.import_streets(database, file, dry_run=True)
    assert (dry.created, dry.refused) == (3, 0)
    first = await places.import_streets(database, file)
    assert (first.created, first.changed, first.unchanged) == (3, 0, 0)
    again = await places.import_streets(database, file)
    assert (again.created, again.changed, again.unchanged) == (0, 0, 3)
    renamed = [("s1", "Rue Neuve", LINES[0][2]), *LINES[1:2]]
    changed = await places.import_streets(database, streets_file(tmp_path, renamed))
    assert (changed.created, changed.changed, changed.unchanged, changed.missing) == (0, 1, 1, 1)
    back = await places.import_streets(database, streets_file(tmp_path, LINES))
    assert back.changed == 1


async def test_search_and_base_map_follow_the_import(database: Database) -> None:
    async with database.unit() as unit:
        hits = await places.search(unit, "rue de la liberte")
        blob = await service.streets_geojson(unit)
    assert [(h.label, h.detail) for h in hits] == [("Rue de la Liberté", "Dijon")]
    assert hits[0].bbox is not None
    assert hits[0].bbox.east == 5.04
    features = json.loads(blob.plain)["features"]
    assert [f["properties"]["insee"] for f in features] == ["21231", "21231", "21278"]
    assert gzip.decompress(blob.packed) == blob.plain


async def test_rows_that_are_no_street(database: Database, tmp_path: Path) -> None:
    file = tmp_path / "odd.geojson"
    point = {"type": "Point", "coordinates": [5.0, 47.3]}
    line = {"type": "MultiLineString", "coordinates": [[[5, 47.3], [5.1, 47.3]],
                                                       [[5.1, 47.3], [5.2, 47.3]]]}  # fmt: skip
    features = [
        {"type": "Feature", "properties": {"id": "a", "name": "A"}, "geometry": point},
        {"type": "Feature", "properties": {"id": "b", "name": "B"}, "geometry": None},
        {"type": "Feature", "properties": {"id": "c", "name": "C"}, "geometry": line},
        {"type": "Feature", "properties": {"id": "c", "name": "Twice"}, "geometry": line},
        {"type": "Feature", "properties": {"id": None, "name": None}, "geometry": line},
    ]
    file.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    report = await places.import_streets(database, file, source="odd", dry_run=True)
    assert report.created == 2
    assert [(r.line, r.code) for r in report.refusals] == [
        (1, "not_a_line"), (2, "no_geometry"), (4, "twice"),
    ]  # fmt: skip


async def test_a_file_without_names_says_what_it_has(database: Database, tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text("a,x,y\n1,5,47\n")
    with pytest.raises(Invalid, match="Its columns are a, x, y"):
        await places.import_streets(database, file)


async def test_contours_change_who_is_where(database: Database, tmp_path: Path) -> None:
    file = tmp_path / "contours.geojson"
    square = json.loads(shapely.to_geojson(shapely.box(5.0, 47.3, 5.1, 47.4)))
    features = [
        {"type": "Feature", "properties": {"insee": "21231"}, "geometry": square},
        {"type": "Feature", "properties": {"insee": "75056"}, "geometry": square},
    ]
    file.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    report = await places.import_contours(database, file)
    assert (report.changed, report.refused) == (1, 1)
    assert (await places.import_contours(database, file)).changed == 0
    async with database.unit() as unit:
        where = await places.locator(unit)
        assert where.locate([5.0901, 5.0245], [47.3901, 47.3473]).tolist() == ["21231", "21231"]
        blob = await service.municipalities_geojson(unit)
    assert [f["properties"]["insee"] for f in json.loads(blob.plain)["features"]] == ["21231"]


async def test_a_synthetic_citys_streets(database: Database, tmp_path: Path) -> None:
    drawn = synthetic(tmp_path, 3_000)
    async with database.unit() as unit:
        await places.install(unit, places.load_pack("dijon"))
    file = tmp_path / "streets.geojson"
    first = await places.import_streets(database, file, source="drawn")
    assert (first.read, first.created, first.refused) == (drawn.streets, drawn.streets, 0)
    again = await places.import_streets(database, file, source="drawn")
    assert (again.created, again.changed, again.unchanged) == (0, 0, drawn.streets)
    names = [street["properties"]["name"] for street in json.loads(file.read_text())["features"]]
    accented = next(name for name in names if fold(name) != name.lower())
    async with database.unit() as unit:
        hits = await places.search(unit, fold(accented))
    assert hits[0].label == accented


@pytest.mark.skipif(not STREETS.exists(), reason="Montpellier's published streets are not here")
async def test_montpelliers_real_streets(database: Database) -> None:
    async with database.unit() as unit:
        await places.install(unit, places.load_pack(str(PACKS / "montpellier")))
    first = await places.import_streets(database, STREETS, source="mtp")
    assert (first.read, first.created, first.refused) == (8011, 8011, 0)
    again = await places.import_streets(database, STREETS, source="mtp")
    assert (again.created, again.changed, again.unchanged) == (0, 0, 8011)
    async with database.unit() as unit:
        hits = await places.search(unit, "place de la celette")
    assert hits[0].label == "Place de la Célette"
    assert hits[0].detail == "Montpellier"


async def test_a_territory_that_was_rolled_back_is_not_remembered(database: Database) -> None:
    """The next one to be installed gets the same revision."""
    dijon, other = places.load_pack("dijon"), places.load_pack(str(PACKS / "montpellier"))
    async with database.unit() as unit:
        before = await places.read_territory(unit)
    first, second = (dijon, other) if before.code != "dijon" else (other, dijon)
    with pytest.raises(ZeroDivisionError):
        async with database.unit() as unit:
            await places.install(unit, first)
            assert (await places.read_territory(unit)).code == first.code
            raise ZeroDivisionError
    async with database.unit() as unit:
        await places.install(unit, second, attribution="After")
    async with database.unit() as unit:
        assert (await places.read_territory(unit)).attribution.endswith("After")
