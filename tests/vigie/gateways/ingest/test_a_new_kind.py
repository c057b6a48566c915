"""A kind that a package of someone else's declares: imported, heard, shown, filtered, commanded,
exported and followed, and nothing of the product knows it."""

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
import pytest_asyncio
from sqlalchemy import text

from vigie import app as composition
from vigie import places, twin
from vigie.control import RequestCommand, read_command, request_command, sender
from vigie.core.geofiles import Mapping
from vigie.core.scope import EVERYTHING, Grant, Principal
from vigie.twin import events, export, kinds, track
from vigie.twin.live import frames, loading
from vigie.twin.live.model import LiveModel
from vigie.twin.telemetry import read_history

City = Any
PLUGIN = Path(__file__).parents[3] / "data" / "plugin"
OPERATOR = Principal(None, "test", "system", (Grant("operator"),))


@pytest.fixture(scope="module")
def bikes() -> Iterator[None]:
    """The package is installed: its kinds are in the catalogue."""
    sys.path.insert(0, str(PLUGIN))
    composition.every_room.cache_clear()
    try:
        with kinds.instead(composition.every_room().collect("kinds")):
            yield
    finally:
        sys.path.remove(str(PLUGIN))
        composition.every_room.cache_clear()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def bike(bikes: None, city: City, tmp_path_factory: pytest.TempPathFactory) -> int:
    """One of them, imported from a file, that speaks through a client."""
    database = city.runtime.database
    composition.bind(city.runtime)
    async with database.unit() as unit:
        await places.install(unit, places.load_pack("dijon"))
    file = tmp_path_factory.mktemp("bikes") / "bikes.geojson"
    feature = {
        "type": "Feature", "properties": {"id": "B-1", "nom": "Vélo cargo 1"},
        "geometry": {"type": "Point", "coordinates": [5.04, 47.32]},
    }  # fmt: skip
    file.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    mapping = Mapping(kind="CargoBike", columns={"source_id": "id", "name": "nom"})
    report = await twin.import_equipment(city.runtime, file, mapping=mapping)
    assert report.created == 1
    async with database.unit() as unit:
        found = await unit.execute(
            text(
                "insert into gateways.device (asset, client) select a.id, c.id from twin.asset a,"
                " gateways.client c where a.kind = 'CargoBike' and c.token = 'c1' returning asset"
            )
        )
        asset = found.scalar_one()
        named = await unit.execute(
            text("select token from twin.asset where id = :id"), {"id": asset}
        )
        city.assets[named.scalar_one()] = asset
        city.bike = next(name for name, id_ in city.assets.items() if id_ == asset)
    await city.runtime.bus.publish("gateways.changed")
    return asset


async def test_it_lives_through_every_floor(city: City, bike: int, run: Any) -> None:
    database = city.runtime.database
    start = datetime.now(UTC) - timedelta(seconds=60)
    async with run(composition.ingest(city.runtime)):
        for n in range(3):
            values = {
                "longitude": 5.04 + n * 1e-4, "latitude": 47.32, "charge": 80 - n, "lock": 0,
                "lamp": 0, "fallen": 0,
            }  # fmt: skip
            at = start + timedelta(seconds=10 * n)
            await city.send(city.reading(city.bike, n, at=at, values=values))
        await city.send(city.reading(city.bike, 9, values={"lock": 3}))
        await city.drained()

        # Shown, with what it says, its age and where it is.
        async with database.unit(OPERATOR, EVERYTHING) as unit:
            asset = await twin.read(unit, bike)
            assert {name: value.value for name, value in asset.state.items()} == {
                "longitude": 5.0402, "latitude": 47.32, "charge": 78, "lock": 0, "lamp": 0,
                "fallen": 0,
            }  # fmt: skip
            series = await read_history(
                unit, bike, "charge", start - timedelta(minutes=1), datetime.now(UTC), 100
            )
            assert series.v == [80, 79, 78]
            model = LiveModel()
            model.replace(await loading.load(unit))
        channel = model.channels["21231/parks/CargoBike"]
        shown = orjson.loads(frames.snapshot(model.block_of(channel), channel))
        assert (shown["lon"], shown["values"]) == ([5.0402], {"charge": [78], "lock": [0]})

        # Commanded: two functions at once, each confirmed by what it shows.
        async with database.unit(OPERATOR, EVERYTHING) as unit:
            orders = [
                await request_command(
                    unit, RequestCommand(verb=verb, params=params, reason="test", assets=[bike])
                )
                for verb, params in (
                    ("lock_bike", {"lock": "unlocked"}), ("light_bike", {"lamp": "on"}),
                )
            ]  # fmt: skip
        for lane in range(3):
            async with database.unit() as unit:
                await sender.claim(unit, lane)
        for order in orders:
            answer = {"device": city.bike, "id": str(order.id), "status": "received",
                      "at": datetime.now(UTC).isoformat()}  # fmt: skip
            await city.send(answer, channel="ack")
        await city.send(city.reading(city.bike, 20, values={"lock": 1, "lamp": 1}))
        await city.drained()
    async with database.unit(OPERATOR, EVERYTHING) as unit:
        states = await unit.execute(
            text("select distinct state from control.target where asset = :a"), {"a": bike}
        )
        assert [row.state for row in states] == ["confirmed"]
        assert (await read_command(unit, orders[0].id)).params == {"lock": "unlocked"}

        # Filtered, exported, its past read again.
        page = await twin.list_assets(unit, "kind:CargoBike trade:parks status:active")
        assert [a.id for a in page.items] == [bike]
        csv = b"".join([part async for part in export.table(unit, "kind:CargoBike")])
        assert "Vélo cargo 1" in csv.decode()
        seen = await track.read_track(
            unit, bike, start - timedelta(minutes=5), datetime.now(UTC), reason="test"
        )
        assert seen.positions == 3
        happened = await events.store(
            unit, [events.Event(bike, datetime.now(UTC), datetime.now(UTC), "lent", {"days": 2.0})]
        )
        assert len(happened.fresh) == 1
    refused = await city.rows("select code from gateways.quarantine where asset = :a", a=bike)
    assert [row.code for row in refused] == ["metric_out_of_range"]
