"""A room of someone else's package, found by its entry point: the product knows nothing of it.

tests/data/plugin is what such a package looks like when it is installed.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from tests.conftest import NewRuntime
from tests.support.jobs import drain
from tests.support.web import person
from vigie import app as composition
from vigie import places
from vigie.core.engines.postgres import LOGIN
from vigie.core.live import RowTopic
from vigie.core.migrate import migrate
from vigie.core.rooms import Rooms
from vigie.core.runtime import Runtime, database_owner_url
from vigie.core.settings import Settings
from vigie.core.web import build_app

PLUGIN = Path(__file__).parents[1] / "data" / "plugin"


@pytest.fixture
def rooms() -> Iterator[Rooms]:
    """Every room there is once the package is installed."""
    sys.path.insert(0, str(PLUGIN))
    composition.every_room.cache_clear()
    try:
        yield composition.every_room()
    finally:
        sys.path.remove(str(PLUGIN))
        composition.every_room.cache_clear()


async def test_a_room_comes_in_by_an_entry_point(rooms: Rooms, new_runtime: NewRuntime) -> None:
    assert rooms[-1].name == "trial"
    assert "trial" not in [r.name for r in composition.rooms_of(Settings(rooms_off="trial"))]
    bare = await new_runtime()
    owner_url = database_owner_url(bare.settings)
    migrate(owner_url, LOGIN, rooms)
    migrate(owner_url, LOGIN, rooms)
    runtime = Runtime(bare.settings, "test", bare.database, bare.bus, rooms)
    composition.bind(runtime)
    async with runtime.database.unit() as unit:
        await places.install(unit, places.load_pack("dijon"))

    app = build_app(runtime, rooms.collect("routes"), rooms.permissions, rooms.roles)
    async with (
        await person(app, runtime, "carla", "operator") as carla,
        await person(app, runtime, "tom", "operator@21166") as tom,
    ):
        body = {"colour": "red", "municipality": "21231"}
        made = await carla.post("/api/v1/trial/bikes", json=body)
        assert made.status_code == 201, made.text
        bike = made.json()["id"]
        # Listed, searched, linked, in the log of its sibling; and none of it elsewhere.
        listed = (await carla.get("/api/v1/trial/bikes?filter=state:found&sort=-colour")).json()
        assert [b["id"] for b in listed["items"]] == [bike]
        assert (await tom.get("/api/v1/trial/bikes")).json()["items"] == []
        found = (await carla.get("/api/v1/search?q=velo+red")).json()["items"]
        assert [(f["type"], f["address"]) for f in found] == [("trial.bike", f"/trial/{bike}")]
        assert (await tom.get("/api/v1/search?q=velo")).json()["items"] == []
        told = (await carla.get("/api/v1/logbook/entries")).json()["items"]
        assert [e["text"] for e in told] == ["A red bicycle was found"]
        link = {
            "from": {"type": "trial.bike", "id": bike},
            "to": {"type": "logbook.entry", "id": told[0]["id"]},
            "kind": "documents",
        }
        assert (await carla.post("/api/v1/links", json=link)).status_code == 201
        assert "trial.enter" in [v["name"] for v in (await carla.get("/api/v1/verbs")).json()]
        assert (await carla.get("/api/v1/trial/bikes.csv")).text.count("red") == 1
        # Live, until it is given back; a second time is no fault.
        topic: RowTopic = runtime.house.part("topics")["trial.bikes"]
        async with runtime.database.unit() as unit:
            assert [row.id for row in await topic.load(unit, None)] == [bike]
        for _ in range(2):
            answer = await carla.post(f"/api/v1/trial/bikes/{bike}/give-back")
            assert answer.status_code == 204, answer.text
        async with runtime.database.unit() as unit:
            assert await topic.load(unit, None) == []
    # Its job, in its own transaction.
    await drain(runtime)
    async with runtime.database.unit() as unit:
        colour = await unit.execute(text("select colour from trial.bike"))
        assert colour.scalar_one() == "red!"

    # Taken away again, its tables stay and nothing else minds.
    without = rooms.without(["trial"])
    migrate(owner_url, LOGIN, Rooms(r for r in without))
    async with await psycopg.AsyncConnection.connect(owner_url) as owner:
        rows = await owner.execute("select count(*) from trial.bike")
        assert await rows.fetchone() == (1,)
