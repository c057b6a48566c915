"""Closing roads in a real database: verbs, routes over HTTP, live rows, imports."""

import json
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import text

from tests.support.rooms import PERMISSIONS, ROLES, ROUTES
from tests.support.web import person
from vigie import places
from vigie.core import clock, journal, search, verbs
from vigie.core.database import Database
from vigie.core.errors import Forbidden, Invalid, NotFound, PreconditionFailed
from vigie.core.journal.read import Filter
from vigie.core.runtime import Runtime
from vigie.core.scope import SYSTEM, Grant, Principal, scope_of
from vigie.core.web import build_app
from vigie.places.roads import keeping, service, travel
from vigie.places.roads.model import CloseRoad, DrawnArea, DrawnLine, OpenRoad

PACKS = Path(__file__).parents[3] / "data" / "packs"
STREETS = (
    Path(__file__).parents[4].parent
    / "shared/data/montpellier/FilaireVoies/VilleMTP_MTP_FilaireVoies.zip"
)
X, Y, D = 5.0400, 47.3220, 0.0020
ANNE = Principal(None, "anne", "user", (Grant("operator"),))
BRUNO = Principal(None, "bruno", "user", (Grant("operator", "21231", "lighting"),))
CLARA = Principal(None, "clara", "user", (Grant("operator", "21231"),))


def at(x: float, y: float) -> list[float]:
    return [round(X + x * D, 6), round(Y + y * D, 6)]


# A block of streets with a long way round: "Nord" is one-way to the east.
LINES = [
    ("west", "Rue de l'Ouest", [at(0, 0), at(0, 1)], {}),
    ("north", "Rue du Nord", [at(0, 1), at(0.5, 1), at(1, 1)], {"oneway": "yes"}),
    ("east", "Rue de l'Est", [at(1, 0), at(1, 1)], {}),
    ("south", "Rue du Sud", [at(0, 0), at(1, 0)], {}),
    ("far", "Rue Lointaine", [at(8, 8), at(9, 8)], {}),
]


def streets_file(folder: Path, lines=LINES) -> Path:
    features = [
        {"type": "Feature", "properties": {"id": i, "name": n, "oneway": "", **more},
         "geometry": {"type": "LineString", "coordinates": c}}
        for i, n, c, more in lines
    ]  # fmt: skip
    file = folder / "streets.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return file


@pytest_asyncio.fixture(loop_scope="session")
async def town(new_runtime, tmp_path: Path) -> Runtime:
    runtime = await new_runtime()
    async with runtime.database.unit() as unit:
        await places.install(unit, places.load_pack("dijon"))
    report = await places.import_streets(runtime.database, streets_file(tmp_path))
    assert (report.created, report.refused) == (5, 0)
    return runtime


def unit_of(runtime: Runtime, principal: Principal = ANNE):
    return runtime.database.unit(principal, scope_of(principal.grants))


def line(*points: list[float]) -> DrawnLine:
    return DrawnLine(coordinates=[(x, y) for x, y in points])


NORTH = line(at(0.1, 1), at(0.9, 1))


async def ways(runtime: Runtime, principal: Principal = ANNE, **more):
    async with unit_of(runtime, principal) as unit:
        return await travel.route(unit, tuple(at(0.05, 0.99)), tuple(at(0.95, 1.01)), **more)


async def test_a_way_avoids_what_is_closed_at_once_and_says_so(town):
    before = await ways(town)
    assert [s.name for s in before.streets] == ["Rue du Nord"]
    assert before.reasons == []
    async with unit_of(town) as unit:
        made = await service.close_road(
            unit, CloseRoad(reason="Fuite de gaz", drawn=line(at(0.45, 1), at(0.55, 1)))
        )
    assert (made.streets, made.state, made.municipality) == (["Rue du Nord"], "active", "21231")
    after = await ways(town)
    assert [s.name for s in after.streets] == ["Rue de l'Ouest", "Rue du Sud", "Rue de l'Est"]
    codes = {reason.code for reason in after.reasons}
    assert codes == {"start_moved", "end_moved", "closure_avoided"}
    assert {reason.closure for reason in after.reasons} == {made.id}
    assert after.seconds > before.seconds
    async with unit_of(town) as unit:
        ended = await service.open_road(unit, OpenRoad(closure=made.id, version=made.version))
        assert (ended.state, ended.ended_by) == ("over", "anne")
        again = await service.open_road(unit, OpenRoad(closure=made.id))
        assert again.ended == ended.ended
    assert (await ways(town)).seconds == before.seconds


async def test_a_one_way_street_is_not_taken_the_wrong_way(town):
    async with unit_of(town) as unit:
        back = await travel.route(unit, tuple(at(0.95, 1)), tuple(at(0.05, 1)))
        walk = await travel.route(unit, tuple(at(0.95, 1)), tuple(at(0.05, 1)), "foot")
    assert [s.name for s in back.streets] == [
        "Rue du Nord", "Rue de l'Est", "Rue du Sud", "Rue de l'Ouest", "Rue du Nord",
    ]  # fmt: skip
    assert [s.name for s in walk.streets] == ["Rue du Nord"]


async def test_a_closure_has_its_time_its_direction_and_its_travellers(town):
    tomorrow = clock.now() + timedelta(days=1)
    async with unit_of(town) as unit:
        made = await service.close_road(
            unit,
            CloseRoad(
                reason="Marché", drawn=line(at(0.1, 0), at(0.9, 0)), direction="forward",
                closed_to=("car", "truck"), starts=tomorrow, ends=tomorrow + timedelta(hours=4),
            ),
        )  # fmt: skip
        assert made.state == "planned"

        async def go(a, b, profile="car", hours=1.0):
            found = await travel.route(unit, tuple(at(*a)), tuple(at(*b)), profile,
                                       tomorrow + timedelta(hours=hours))  # fmt: skip
            return [s.name for s in found.streets]

        west, east = (0, 0.2), (1, 0.2)
        assert await go(west, east) == ["Rue de l'Ouest", "Rue du Nord", "Rue de l'Est"]
        assert await go(west, east, "emergency") == ["Rue de l'Ouest", "Rue du Sud", "Rue de l'Est"]
        assert await go(east, west) == ["Rue de l'Est", "Rue du Sud", "Rue de l'Ouest"]
        assert await go(west, east, hours=-1) == ["Rue de l'Ouest", "Rue du Sud", "Rue de l'Est"]
        assert await go(west, east, hours=4) == ["Rue de l'Ouest", "Rue du Sud", "Rue de l'Est"]


async def test_there_is_no_way_and_why(town):
    async with unit_of(town) as unit:
        island = await travel.route(unit, tuple(at(0, 0)), tuple(at(8.5, 8)))
        assert (island.found, island.geometry) == (False, [])
        assert [r.code for r in island.reasons] == ["not_connected"]
        nowhere = await travel.route(unit, (6.5, 48.5), tuple(at(0, 0)))
        assert [r.code for r in nowhere.reasons] == ["start_without_street"]
        made = await service.close_road(
            unit,
            CloseRoad(reason="Inondation", drawn=line(at(0, -0.2), at(0, 0.95)), direction="both"),
        )
        more = await service.close_road(
            unit, CloseRoad(reason="Inondation", drawn=line(at(1, 0.05), at(1, 0.95)))
        )
        shut = await travel.route(unit, tuple(at(0.5, 0)), tuple(at(0.5, 1)))
        assert not shut.found
        assert [r.code for r in shut.reasons] == ["closure_blocks"]
        assert shut.reasons[0].closure in (made.id, more.id)


async def test_nearest_and_reachable(town):
    async with unit_of(town) as unit:
        asked = [tuple(at(8.5, 8)), tuple(at(1, 0.5)), tuple(at(0, 0.6)), (6.5, 48.5)]
        found = await travel.nearest(unit, tuple(at(0, 0.5)), asked)
        assert [item.candidate for item in found.items] == [2, 1, 0, 3]
        assert found.items[0].metres == pytest.approx(22, abs=2)
        assert [item.seconds for item in found.items[2:]] == [None, None]
        for item in found.items[:2]:
            route = await travel.route(unit, asked[item.candidate], tuple(at(0, 0.5)), "emergency")
            assert item.seconds == route.seconds
        area = await travel.reachable(unit, tuple(at(0, 0)), [1, 5])
        assert [f["properties"]["minutes"] for f in area["features"]] == [5, 1]
        with pytest.raises(Invalid):
            await travel.nearest(unit, (5, 47), [(5.0, 47.0)] * 501)
        with pytest.raises(Invalid):
            await travel.reachable(unit, (5, 47), [61])


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({}, "streets"),
        ({"streets": [987654]}, "streets"),
        ({"drawn": line(at(4, 4), at(5, 5))}, "drawn"),
        ({"drawn": line(at(0, 0), at(0, 0))}, "drawn"),
        ({"drawn": DrawnArea(coordinates=[[tuple(at(0, 0))] * 4])}, "drawn"),
        ({"drawn": NORTH, "ends": clock.now() - timedelta(minutes=1)}, "ends"),
        ({"drawn": NORTH, "reason": "   "}, "reason"),
        ({"drawn": DrawnArea(coordinates=[[tuple(at(0, 0)), tuple(at(1, 0)), tuple(at(1, 1)),
                                           tuple(at(0, 0))]]), "direction": "forward"},
         "direction"),
    ],
)  # fmt: skip
async def test_what_is_no_closure_is_refused_and_changes_nothing(town, wrong, field):
    async with unit_of(town) as unit:
        with pytest.raises(Invalid) as refused:
            async with unit.attempt():
                await service.close_road(unit, CloseRoad(**{"reason": "x", **wrong}))
        assert refused.value.errors[0]["field"] == field
        assert await service.live_rows(unit, None) == []


async def test_an_area_closes_what_lies_in_it(town):
    corners = [at(-0.2, 0.8), at(1.2, 0.8), at(1.2, 1.2), at(-0.2, 1.2), at(-0.2, 0.8)]
    async with unit_of(town) as unit:
        made = await service.close_road(
            unit,
            CloseRoad(reason="Feu", drawn=DrawnArea(coordinates=[[tuple(c) for c in corners]])),
        )
    assert made.streets == ["Rue de l'Ouest", "Rue du Nord", "Rue de l'Est"]
    assert made.metres == pytest.approx(600, rel=0.1)


async def test_closures_are_seen_and_made_in_ones_own_scope_and_avoided_by_everyone(town):
    async with unit_of(town) as unit:
        made = await service.close_road(unit, CloseRoad(reason="Fuite", drawn=NORTH))
    async with unit_of(town, BRUNO) as unit:
        with pytest.raises(NotFound):
            await service.read_closure(unit, made.id)
        with pytest.raises(Forbidden):
            async with unit.attempt():
                await service.close_road(unit, CloseRoad(reason="x", drawn=NORTH))
        assert await service.titles(unit, [str(made.id), "no id"]) == {}
    hidden = await ways(town, BRUNO)
    avoided = [r for r in hidden.reasons if r.code == "closure_avoided"]
    assert [(r.closure, r.streets) for r in avoided] == [(None, ["Rue du Nord"])]
    async with unit_of(town, CLARA) as unit:
        assert (await service.read_closure(unit, made.id)).reason == "Fuite"
        rows = await service.live_rows(unit, None)
        assert [(row.id, row.scope) for row in rows] == [(str(made.id), ("21231/traffic",))]
        with pytest.raises(PreconditionFailed):
            await service.open_road(unit, OpenRoad(closure=made.id, version=9))


async def test_other_rooms_close_roads_by_the_verb_and_find_them(town):
    async with unit_of(town) as unit:
        made = await verbs.call(
            unit, "places.close_road",
            {"reason": "Course", "drawn": {"type": "LineString", "coordinates": [at(0, 0.1),
                                                                                 at(0, 0.9)]}},
        )  # fmt: skip
        found = await search.find(unit, "rue ouest course")
        assert [f.id for f in found.items if f.group == "places.closure"] == [str(made.id)]
        acts = (await journal.list_entries(unit, Filter(acts=("places.road_closed",)))).items
        assert [(a.act, a.reason) for a in acts] == [("places.road_closed", "Course")]
        await verbs.call(unit, "places.open_road", {"closure": str(made.id)})


async def test_closures_stay_where_they_are_when_streets_are_imported_again(town, tmp_path):
    async with unit_of(town) as unit:
        made = await service.close_road(
            unit, CloseRoad(reason="Fuite", drawn=NORTH, direction="forward")
        )
    # A new street splits the closed one, and the digitised line moved by a metre.
    moved = [at(0, 1.005), at(0.5, 1.005), at(1, 1.005)]
    lines = [*LINES[:1], ("north", "Rue du Nord", moved, {"oneway": "yes"}), *LINES[2:],
             ("new", "Passage Neuf", [moved[1], at(0.5, 2)], {})]  # fmt: skip
    await places.import_streets(town.database, streets_file(tmp_path, lines))
    async with town.database.unit() as unit:
        assert await service.place_again(unit) == 1
        assert await service.place_again(unit) == 0
    async with unit_of(town) as unit:
        after = await service.read_closure(unit, made.id)
        assert (after.lost, len(made.parts), len(after.parts)) == (False, 1, 2)
        assert await travel.network(unit)
    assert [s.name for s in (await ways(town)).streets] != ["Rue du Nord"]
    # Streets of another source: the old ones are gone.
    async with town.database.unit(SYSTEM) as unit:
        raw = await unit.raw()
        await raw.execute("delete from places.street where source_id = 'north'")
        await places.service.touch(unit)
        assert await service.place_again(unit) == 1
    async with unit_of(town) as unit:
        assert (await service.read_closure(unit, made.id)).lost


async def test_the_routes_of_the_api(town, tmp_path):
    app = build_app(town, ROUTES, PERMISSIONS, ROLES)
    anne = await person(app, town, "anne", "operator")
    viewer = await person(app, town, "viola", "viewer")

    async def ask(path: str, expected: int = 200, **params) -> dict:
        answer: httpx.Response = await anne.get(f"/api/v1{path}", params=params)
        assert answer.status_code == expected, answer.text
        return answer.json()

    body = {"reason": "Fuite", "drawn": {"type": "LineString",
                                         "coordinates": [at(0.1, 1), at(0.9, 1)]}}  # fmt: skip
    assert (await viewer.post("/api/v1/roads/closures", json=body)).status_code == 403
    made = await anne.post("/api/v1/roads/closures", json=body)
    assert made.status_code == 201, made.text
    closure = made.json()
    a, b = ",".join(map(str, at(0, 0.9))), ",".join(map(str, at(1, 0.9)))
    found = await ask("/roads/route", **{"from": a, "to": b, "profile": "truck"})
    assert found["found"]
    assert [r["code"] for r in found["reasons"]] == ["closure_avoided"]
    assert found["geometry"][0] == at(0, 0.9)
    best = await ask("/roads/nearest", point=a, candidates=f"{b};{a}", count=1)
    assert [i["candidate"] for i in best["items"]] == [1]
    areas = await ask("/roads/reachable", point=a, minutes="1,2")
    assert [f["geometry"]["type"] for f in areas["features"]]
    listed = await ask("/roads/closures", filter="state:active fuite closed_to:car")
    assert [c["id"] for c in listed["items"]] == [closure["id"]]
    assert (await ask("/roads/closures", filter="state:planned"))["items"] == []
    assert (await ask("/roads/network"))["closures"] == 1
    for path, params in (
        ("/roads/route", {"from": "5", "to": b}),
        ("/roads/route", {"from": "500,47", "to": b}),
        ("/roads/route", {"from": "nan,47", "to": b}),
        ("/roads/nearest", {"point": a, "candidates": ";"}),
        ("/roads/nearest", {"point": a, "candidates": ";".join([a] * 101)}),
        ("/roads/reachable", {"point": a, "minutes": "x"}),
        ("/roads/reachable", {"point": a, "minutes": "1e9"}),
    ):
        assert (await ask(path, 422, **params))["errors"]
    csv = await anne.get("/api/v1/roads/closures.csv", params={"lang": "fr"})
    assert "Rue du Nord" in csv.text
    end = f"/api/v1/roads/closures/{closure['id']}/end"
    assert (await anne.post(end, headers={"If-Match": '"7"'})).status_code == 412
    assert (await anne.post(end, headers={"If-Match": '"1"'})).json()["state"] == "over"
    assert (await ask("/roads/closures", filter="state:over"))["items"]


@pytest.mark.skipif(not STREETS.exists(), reason="the real data sets are not on this machine")
async def test_a_real_city_is_one_network_and_closing_a_street_leads_round(new_runtime):
    """Montpellier's 8,011 segments as published: one-way flags, footways, two-sided streets."""
    runtime = await new_runtime()
    async with runtime.database.unit() as unit:
        await places.install(unit, places.load_pack(str(PACKS / "montpellier")))
    first = await places.import_streets(runtime.database, STREETS)
    again = await places.import_streets(runtime.database, STREETS)
    assert (again.created, again.changed) == (0, 0)
    assert again.unchanged == first.created > 8000
    async with unit_of(runtime) as unit:
        network = await travel.network(unit)
        assert network.connected_kilometres["car"] > 0.9 * network.usable_kilometres["car"]
        assert network.usable_kilometres["car"] < network.usable_kilometres["foot"]
        # From the railway station to the hospitals in the north.
        start, end = (3.8805, 43.6046), (3.8500, 43.6290)
        before = await travel.route(unit, start, end)
        assert before.found
        assert 3000 < before.metres < 9000
        middle = before.geometry[len(before.geometry) // 2]
        beside = before.geometry[len(before.geometry) // 2 + 1]
        made = await service.close_road(
            unit, CloseRoad(reason="Travaux", drawn=DrawnLine(coordinates=[middle, beside]))
        )
        after = await travel.route(unit, start, end)
        assert after.found
        assert after.seconds > before.seconds
        assert made.id in {reason.closure for reason in after.reasons}


async def test_without_streets_there_is_no_way_and_that_is_said(new_runtime):
    runtime = await new_runtime()
    async with unit_of(runtime) as unit:
        found = await travel.route(unit, (5.04, 47.32), (5.05, 47.33))
        assert [r.code for r in found.reasons] == ["start_without_street", "end_without_street"]
        near = await travel.nearest(unit, (5.04, 47.32), [(5.04, 47.32)])
        assert [(i.candidate, i.seconds) for i in near.items] == [(0, None)]
        assert (await travel.reachable(unit, (5.04, 47.32), [5]))["features"] == []
        assert (await travel.network(unit)).edges == 0


async def test_screens_look_again_when_a_closure_begins_and_ends(town):
    """What is live follows the clock: a job touches the row at both instants."""
    begins = clock.now() + timedelta(hours=1)
    async with unit_of(town) as unit:
        made = await service.close_road(
            unit,
            CloseRoad(
                reason="Course", drawn=NORTH, starts=begins, ends=begins + timedelta(hours=1)
            ),
        )
    async with town.database.unit() as unit:
        due = await unit.execute(
            text("select due from core.job where name = 'places.closure_due' order by due")
        )
        assert due.scalars().all() == [made.starts, made.ends]
        touched = text("select count(*) from core.live_touch where id = :id")
        before = (await unit.execute(touched, {"id": str(made.id)})).scalar_one()
        await service.due(unit, {"closure": str(made.id)})
        await service.due(unit, {"closure": "00000000-0000-0000-0000-000000000000"})
        after = (await unit.execute(touched, {"id": str(made.id)})).scalar_one()
        assert after == before + 1


async def test_the_graph_follows_an_import_in_every_process(town, tmp_path):
    """Another process reads the territory's revision: no reaction needs to reach it."""
    other = Database(town.database.url, pool=2)
    try:
        async with other.unit(ANNE, scope_of(ANNE.grants)) as unit:
            first = (await keeping.roads(unit)).graph
            assert (await keeping.roads(unit)).graph is first
        lines = [*LINES, ("new", "Rue Neuve", [at(1, 1), at(2, 1)], {})]
        await places.import_streets(town.database, streets_file(tmp_path, lines))
        async with other.unit(ANNE, scope_of(ANNE.grants)) as unit:
            assert (await keeping.roads(unit)).graph.edges == first.edges + 1
    finally:
        await other.close()
