"""Streets from OpenStreetMap extracts, small ones written here, and hostile ones."""

from pathlib import Path

import osmium
import pytest
import pytest_asyncio
from osmium.osm.mutable import Node, Way
from sqlalchemy import text

from vigie import places
from vigie.core.errors import Invalid, TooLarge
from vigie.core.runtime import Runtime
from vigie.core.scope import SYSTEM
from vigie.places import osm
from vigie.places.roads import keeping, travel

X, Y, D = 5.04, 47.32, 0.002
NODES = {
    1: (0, 0), 2: (1, 0), 3: (2, 0), 4: (1, 1), 5: (1, -1), 6: (1, -2), 7: (2000, 0),
    8: (2001, 0), 9: (0, 2), 13_000_000_001: (1, 2),
}  # fmt: skip
WAYS = [
    # Crosses 20 at node 2, which both have; passes over 40, with which it shares none.
    (10, [1, 2, 3], {"highway": "primary", "name": "Rue Droite", "maxspeed": "50"}),
    (20, [4, 2], {"highway": "residential", "name": "Rue Haute", "oneway": "yes"}),
    (30, [13_000_000_001, 4], {"highway": "residential", "name": "Rue Haute", "oneway": "-1"}),
    (40, [5, 6], {"highway": "motorway", "ref": "A 39"}),
    (50, [7, 8], {"highway": "residential", "name": "Ailleurs"}),
    (60, [1, 9], {"highway": "construction", "name": "Future"}),
    (70, [1, 9], {"building": "yes"}),
    (80, [1, 99], {"highway": "service", "name": "Coupée"}),
    (90, [1, 9, 1], {"highway": "pedestrian", "area": "yes", "name": "Place"}),
]


def extract(folder: Path, nodes=None, ways=WAYS, name: str = "city.osm.pbf") -> Path:
    file = folder / name
    file.unlink(missing_ok=True)
    with osmium.SimpleWriter(str(file)) as writer:
        for id_, (x, y) in sorted((nodes or NODES).items()):
            writer.add_node(Node(id=id_, location=(X + x * D, Y + y * D)))
        for id_, refs, tags in ways:
            writer.add_way(Way(id=id_, nodes=refs, tags=tags))
    return file


@pytest_asyncio.fixture(loop_scope="session")
async def town(new_runtime) -> Runtime:
    runtime = await new_runtime()
    async with runtime.database.unit() as unit:
        await places.install(unit, places.load_pack("dijon"))
    return runtime


async def streets(runtime: Runtime) -> dict[str, tuple]:
    async with runtime.database.unit() as unit:
        rows = await unit.execute(
            text("select source_id, name, kind, oneway, speed_limit from places.street")
        )
        return {r.source_id: tuple(r)[1:] for r in rows}


async def test_streets_are_cut_where_they_meet_and_keep_their_tags(town, tmp_path):
    file = extract(tmp_path)
    first = await places.import_streets(town.database, file)
    assert (first.source, first.created, first.refused) == ("osm", 5, 0)
    assert await streets(town) == {
        "10.1": ("Rue Droite", "primary", 0, 50),
        "10.2": ("Rue Droite", "primary", 0, 50),
        "20.4": ("Rue Haute", "residential", 1, None),
        "30.13000000001": ("Rue Haute", "residential", -1, None),
        "40.5": ("A 39", "motorway", 1, None),
    }
    assert any("1 nodes" in note for note in first.notes)
    assert any("OpenStreetMap" in note for note in first.notes)
    again = await places.import_streets(town.database, file)
    assert (again.created, again.changed, again.unchanged) == (0, 0, 5)
    async with town.database.unit(SYSTEM) as unit:
        graph = (await keeping.roads(unit)).graph
        assert (graph.nodes, graph.edges) == (7, 5)
        down = await travel.route(unit, (X + D, Y + 2 * D), (X + 2 * D, Y))
        assert not down.found
        up = await travel.route(unit, (X + D, Y + D), (X + 2 * D, Y))
        assert [s.name for s in up.streets] == ["Rue Haute", "Rue Droite"]


async def test_a_mapping_chooses_other_tags(town, tmp_path):
    mapping = tmp_path / "osm.toml"
    mapping.write_text('[source]\nname = "base"\n[columns]\nsource_id = "id"\nname = "name"\n')
    report = await places.import_streets(town.database, extract(tmp_path), mapping=mapping)
    assert report.source == "base"
    async with town.database.unit() as unit:
        kinds = await unit.execute(text("select distinct kind from places.street"))
        assert kinds.scalars().all() == [""]


@pytest.mark.parametrize(
    "content", [b"", b"not a pbf at all", b"\x00\x00\x00\x0d\x0a\x09OSMHeader\x18\xff", None]
)
async def test_what_is_no_extract_is_refused(town, tmp_path, content):
    file = tmp_path / "x.osm.pbf"
    if content is None:
        whole = extract(tmp_path, name="whole.osm.pbf").read_bytes()
        content = whole[: len(whole) * 2 // 3]
    file.write_bytes(content)
    with pytest.raises(Invalid, match=r"x\.osm\.pbf cannot be read|street names"):
        await places.import_streets(town.database, file)
    assert await streets(town) == {}


async def test_hostile_sizes_are_refused(town, tmp_path, monkeypatch):
    file = extract(tmp_path)
    monkeypatch.setattr(osm, "MOST_REFERENCES", 5)
    with pytest.raises(TooLarge):
        await places.import_streets(town.database, file)
    monkeypatch.undo()
    monkeypatch.setattr(osm, "MAX_FILE_BYTES", 10)
    with pytest.raises(TooLarge):
        await places.import_streets(town.database, file)
    monkeypatch.undo()
    with pytest.raises(Invalid):
        await places.import_streets(town.database, tmp_path / "none.osm.pbf")


async def test_ids_far_beyond_what_openstreetmap_gives_cost_nothing(town, tmp_path):
    ways = [*WAYS[:1], (11, [2, 1 << 60], {"highway": "residential", "name": "Loin"}),
            (12, [3, -5], {"highway": "residential", "name": "Moins"})]  # fmt: skip
    report = await places.import_streets(town.database, extract(tmp_path, ways=ways))
    assert {name for name, *_ in (await streets(town)).values()} == {"Rue Droite"}
    assert report.created == 2
