"""Reading, finding, exporting and changing, within the scope of who asks."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from vigie import twin
from vigie.core.database import Database, Unit
from vigie.core.errors import Forbidden, Invalid, NotFound, PreconditionFailed, TooLarge
from vigie.core.geofiles import Mapping
from vigie.core.geometry import BBox
from vigie.core.runtime import Runtime
from vigie.core.scope import Principal, Scope
from vigie.twin import export

USER = Principal(None, "someone", "user")
DIJON = Scope(pairs=frozenset({"21231/lighting"}))
TALANT = Scope(municipalities=frozenset({"21617"}))
TRAFFIC = Scope(trades=frozenset({"traffic"}))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def database(city: Runtime, tmp_path_factory: pytest.TempPathFactory) -> Database:
    """Two cabinets and 30 lights in Dijon and Talant."""
    folder = tmp_path_factory.mktemp("files")

    def write(name: str, rows: list[tuple[dict[str, Any], float, float]]) -> Path:
        features = [
            {"type": "Feature", "properties": p,
             "geometry": {"type": "Point", "coordinates": [x, y]}}
            for p, x, y in rows
        ]  # fmt: skip
        (folder / name).write_text(json.dumps({"type": "FeatureCollection", "features": features}))
        return folder / name

    cabinets = write(
        "c.geojson", [({"id": "C-1"}, 5.0375, 47.3229), ({"id": "C-2"}, 4.9975, 47.339)]
    )
    await twin.import_equipment(
        city,
        cabinets,
        kind="StreetlightControlCabinet",
        mapping=Mapping(columns={"source_id": "id"}),
    )
    lights = [
        ({"id": f"D-{i:03d}", "nom": f"Candélabre {i}", "cab": "C-1", "rue": "Rue de la Liberté"},
         5.0375 + i * 1e-4, 47.3229)
        for i in range(20)
    ] + [
        ({"id": f"T-{i:03d}", "nom": "=cmd()", "cab": "C-2", "rue": ""}, 4.9975 + i * 1e-4, 47.339)
        for i in range(10)
    ]  # fmt: skip
    await twin.import_equipment(
        city, write("l.geojson", lights), kind="Streetlight",
        mapping=Mapping(columns={"source_id": "id", "name": "nom", "parent": "cab",
                                 "street": "rue"}),
    )  # fmt: skip
    return city.database


async def ask(database: Database, scope: Scope | None, verb: Callable[[Unit], Any]) -> Any:
    async with database.unit(USER, scope) as unit:
        return await verb(unit)


@pytest.mark.parametrize(
    ("scope", "filter_", "total"),
    [
        (Scope(everything=True), "", 32),
        (Scope(everything=True), "kind:Streetlight", 30),
        (Scope(everything=True), "-kind:Streetlight", 2),
        (Scope(everything=True), "municipality:Talant", 11),
        (Scope(everything=True), "municipality:none", 0),
        (Scope(everything=True), 'street:"rue de la LIBERTE"', 0),
        (Scope(everything=True), 'street:"Rue de la Liberté"', 20),
        (Scope(everything=True), "candelabre 007", 1),
        (Scope(everything=True), "cand d", 20),
        (Scope(everything=True), "status:silent", 32),
        (Scope(everything=True), "status:fault", 0),
        (Scope(everything=True), "status:active -status:retired kind:Streetlight", 30),
        (DIJON, "", 21),
        (DIJON, "municipality:21617", 0),
        (DIJON, "source_id:T-001", 0),
        (TALANT, "", 11),
        (TALANT, "kind:Streetlight source_id:T-003,D-001", 1),
        (TRAFFIC, "", 0),
        (Scope(), "", 0),
        (None, "", 0),
    ],
)
async def test_a_list_holds_what_the_filter_and_the_scope_let_through(
    database: Database, scope: Scope | None, filter_: str, total: int
) -> None:
    page = await ask(database, scope, lambda unit: twin.list_assets(unit, filter_, limit=1000))
    assert (page.total, len(page.items)) == (total, total)


async def test_pages_follow_each_other(database: Database) -> None:
    seen: list[int] = []
    cursor = None
    while True:
        page = await ask(
            database, DIJON, lambda unit: twin.list_assets(unit, "", cursor=cursor, limit=8)
        )
        seen += [a.id for a in page.items]
        cursor = page.next
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 21
    counted = await ask(database, DIJON, lambda u: twin.list_assets(u, "c", limit=8))
    rest = await ask(
        database, DIJON, lambda u: twin.list_assets(u, "c", cursor=counted.next, limit=1000)
    )
    assert len(counted.items) + len(rest.items) == counted.total == rest.total
    with pytest.raises(Invalid):
        await ask(database, DIJON, lambda u: twin.list_assets(u, cursor="nonsense"))


async def test_topology_and_names(database: Database) -> None:
    page = await ask(database, DIJON, lambda unit: twin.list_assets(unit, "source_id:D-003"))
    light = page.items[0]
    assert light.topology.parent is not None
    assert [a.name for a in light.topology.ancestors] == ["C-1"]
    cabinet = await ask(database, DIJON, lambda u: twin.read(u, light.topology.parent.id))
    assert (cabinet.name, cabinet.topology.children_count) == ("C-1", 20)
    assert cabinet.state == {}
    assert light.gateway is None


async def test_another_municipalitys_asset_is_not_found(database: Database) -> None:
    page = await ask(database, TALANT, lambda unit: twin.list_assets(unit, "source_id:T-001"))
    asset = page.items[0]
    for scope in (DIJON, TRAFFIC, Scope(), None):
        with pytest.raises(NotFound):
            await ask(database, scope, lambda u: twin.read(u, asset.id))
        with pytest.raises(NotFound):
            await ask(database, scope, lambda u: twin.demand(u, asset.id))
        assert await ask(database, scope, lambda u: twin.find_ids(u, ids=[asset.id])) == []
        found = await ask(database, scope, lambda u: twin.search(u, asset.token))
        assert found == []
        assert await ask(database, scope, lambda u: twin.refs(u, [asset.id])) == {}


async def test_a_box_selects_within_the_scope(database: Database) -> None:
    everywhere = BBox(4.9, 47.2, 5.2, 47.5)
    few = BBox(5.0374, 47.3228, 5.03801, 47.323)
    both = Scope(everything=True)
    assert len(await ask(database, both, lambda u: twin.find_ids(u, bbox=everywhere))) == 32
    assert len(await ask(database, TALANT, lambda u: twin.find_ids(u, bbox=everywhere))) == 11
    assert len(await ask(database, DIJON, lambda u: twin.find_ids(u, bbox=few))) == 7
    chosen = await ask(
        database, DIJON, lambda u: twin.find_ids(u, bbox=few, filter_="kind:Streetlight")
    )
    assert {kind for _, kind in chosen} == {"Streetlight"}
    with pytest.raises(TooLarge):
        await ask(database, DIJON, lambda u: twin.find_ids(u, limit=5))


@pytest.mark.parametrize(
    ("query", "exact", "label"),
    [("D-007", True, "Candélabre 7"), ("candelabre 019", False, "Candélabre 19")],
)
async def test_search(database: Database, query: str, exact: bool, label: str) -> None:
    found = await ask(database, Scope(everything=True), lambda u: twin.search(u, query))
    assert (found[0].object, found[0].exact, found[0].label) == ("twin.asset", exact, label)


@pytest.mark.parametrize(
    "query", ["", " ", "\x00", "%", "'; drop", "\\", "é" * 200, "999999999999"]
)
async def test_search_of_odd_text(database: Database, query: str) -> None:
    assert await ask(database, Scope(everything=True), lambda u: twin.search(u, query)) == []


async def test_exports(database: Database) -> None:
    async with database.unit(USER, TALANT) as unit:
        text = b"".join([chunk async for chunk in export.geojson(unit, "kind:Streetlight")])
        table = b"".join([chunk async for chunk in export.table(unit, "kind:Streetlight")])
        empty = b"".join([c async for c in export.geojson(unit, "kind:TrafficLightController")])
    features = json.loads(text)["features"]
    assert len(features) == 10
    assert features[0]["geometry"]["coordinates"] == [4.9975, 47.339]
    rows = list(csv.DictReader(io.StringIO(table.decode())))
    assert [r["source_id"] for r in rows] == [f"T-{i:03d}" for i in range(10)]
    assert rows[0]["name"] == "'=cmd()"
    assert json.loads(empty)["features"] == []


async def test_a_change_needs_the_version_and_is_told(database: Database) -> None:
    page = await ask(database, DIJON, lambda unit: twin.list_assets(unit, "source_id:D-010"))
    light = page.items[0]
    change = twin.AssetChange(name="Neuf", attributes={"power": 80}, reason="Replaced")
    after = await ask(database, DIJON, lambda u: twin.update(u, light.id, change, light.version))
    assert (after.name, after.attributes, after.version) == ("Neuf", {"power": 80}, 2)
    with pytest.raises(PreconditionFailed):
        await ask(database, DIJON, lambda u: twin.update(u, light.id, change, light.version))
    same = await ask(database, DIJON, lambda u: twin.update(u, light.id, change, 2))
    assert same.version == 2
    assert (await ask(database, DIJON, lambda u: twin.list_assets(u, "neuf"))).total == 1
    from vigie.twin.service import list_journal

    told = await ask(database, DIJON, lambda u: list_journal(u, light.id))
    assert [e.act for e in told.items] == ["twin.asset_changed", "twin.equipment_imported"]
    assert told.items[0].changes[0].after == {"name": "Neuf", "attributes": {"power": 80}}
    with pytest.raises(NotFound):
        await ask(database, TALANT, lambda u: list_journal(u, light.id))


async def test_changes_that_cannot_be(database: Database) -> None:
    page = await ask(database, DIJON, lambda unit: twin.list_assets(unit, "source_id:D-011"))
    light = page.items[0]

    async def change(scope: Scope = DIJON, **fields: Any) -> Any:
        return await ask(
            database, scope, lambda u: twin.update(u, light.id, twin.AssetChange(**fields), 1)
        )

    with pytest.raises(Forbidden):
        await change(point=(4.9975, 47.339))
    with pytest.raises(Invalid):
        await change(point=(500.0, 47.0))
    with pytest.raises(Invalid):
        await change(parent=light.id)
    with pytest.raises(Invalid):
        await change(parent=999_999_999)
    with pytest.raises(NotFound):
        await change(TALANT, name="x")
    moved = await change(point=(5.0380, 47.3230), retired=None, parent=None)
    assert moved.point == (5.038, 47.323)
    assert moved.topology.parent is None
