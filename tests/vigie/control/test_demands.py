"""What a command demands of who gives it: a fresh login, a second person."""

from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio

from tests.support.rooms import PERMISSIONS, ROLES, ROUTES
from tests.support.web import person
from tests.vigie.control.conftest import ANNE, DIJON, EVERYTHING, Lights
from vigie.access_points.kinds import RETRACTABLE_BOLLARD
from vigie.control import RequestCommand, list_targets, read_command, request_command
from vigie.control.approving import REACTIONS
from vigie.control.keeper import keep
from vigie.control.sender import send_due
from vigie.core.errors import Forbidden
from vigie.core.journal import Filter, list_entries
from vigie.core.runtime import Runtime
from vigie.core.scope import SYSTEM
from vigie.core.web import build_app
from vigie.traffic.kinds import TRAFFIC_LIGHT_CONTROLLER

pytestmark = pytest.mark.usefixtures("quiet")


class Two:
    """Two operators of one city, and a viewer."""

    def __init__(self, runtime: Runtime, lights: Lights) -> None:
        self.runtime, self.lights = runtime, lights
        self.app: Any = build_app(runtime, ROUTES, PERMISSIONS, ROLES)
        self.first: httpx.AsyncClient
        self.second: httpx.AsyncClient
        self.elsewhere: httpx.AsyncClient

    async def come(self) -> "Two":
        self.first = await person(self.app, self.runtime, "hugo", f"operator@{DIJON}")
        self.second = await person(self.app, self.runtime, "ines", f"operator@{DIJON}")
        self.elsewhere = await person(self.app, self.runtime, "jean", "operator@21166")
        return self

    async def junction(self, **more: float) -> int:
        """A controller that reports that all is well."""
        (asset,) = await self.lights.add(1, kind="TrafficLightController", trade="traffic")
        await self.report(asset, **more)
        return asset

    async def report(self, asset: int, **more: float) -> None:
        values = {"mode": 0, "doorOpen": 0, "supplyLoss": 0, "lampFault": 0} | more
        await self.lights.report(asset, TRAFFIC_LIGHT_CONTROLLER, **values)

    async def ask(self, asset: int, mode: str = "flashing", **more: Any) -> dict[str, Any]:
        body = {"verb": "set_signal_mode", "params": {"mode": mode}, "reason": "travaux",
                "assets": [asset]} | more  # fmt: skip
        answer = await self.first.post("/api/v1/commands", json=body)
        assert answer.status_code == 202, answer.text
        return answer.json()

    async def states(self, command: dict[str, Any]) -> dict[str, int]:
        answer = await self.first.get(f"/api/v1/commands/{command['id']}/targets")
        found: dict[str, int] = {}
        for item in answer.json()["items"]:
            found[item["state"]] = found.get(item["state"], 0) + 1
        return found


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def two(runtime: Runtime, lights: Lights) -> Two:
    return await Two(runtime, lights).come()


async def test_a_command_may_demand_a_fresh_login(runtime: Runtime, lights: Lights) -> None:
    database = runtime.database
    (bollard,) = await lights.add(1, kind="RetractableBollard", trade="access_points")
    await lights.report(bollard, RETRACTABLE_BOLLARD, barrier=1, presence=0)
    asked = RequestCommand("raise", {}, "closing time", assets=[bollard])
    with pytest.raises(Forbidden) as refused:
        async with database.unit(ANNE, EVERYTHING) as unit:
            await request_command(unit, asked)
    assert refused.value.code == "fresh_login_needed"
    rows = await lights.owner.execute(
        "select count(*) from control.target where asset = %s", [bollard]
    )
    assert await rows.fetchone() == (0,)
    async with database.unit(SYSTEM, EVERYTHING) as unit:
        assert (await request_command(unit, asked)).counts["requested"] == 1


async def test_a_second_person_lets_it_go(two: Two) -> None:
    asset = await two.junction()
    command = await two.ask(asset)
    assert command["counts"]["awaiting_approval"] == 1
    assert command["approval"] is not None
    assert await send_due(two.runtime) == 0
    path = f"/api/v1/commands/{command['id']}/approve"
    own = await two.first.post(path)
    assert (own.status_code, own.json()["code"]) == (403, "second_person_is_first")
    assert (await two.elsewhere.post(path)).status_code == 404
    waiting = (await two.second.get("/api/v1/approvals")).json()["items"]
    assert command["approval"] in {item["id"] for item in waiting}
    approved = await two.second.post(path)
    assert approved.status_code == 200, approved.text
    assert approved.json()["counts"]["requested"] == 1
    again = await two.second.post(path)
    assert (again.status_code, again.json()["code"]) == (409, "nothing_to_approve")
    assert approved.json()["urgent"]
    assert await send_due(two.runtime) == 1
    async with two.runtime.database.unit() as unit:
        acts = (await list_entries(unit, Filter(acts=("control",)), limit=2)).items
    assert [act.act for act in acts] == ["control.approved", "control.commanded"]


async def test_what_waits_leaves_older_orders_alone_until_it_goes(two: Two) -> None:
    asset = await two.junction()
    async with two.runtime.database.unit(SYSTEM, EVERYTHING) as unit:
        asked = RequestCommand("set_signal_mode", {"mode": "all_red"}, "x", assets=[asset])
        older = await request_command(unit, asked)
    assert older.counts["requested"] == 1, "the platform itself asks nobody"
    command = await two.ask(asset)
    other = await two.ask(asset, "normal")
    assert await two.states({"id": str(older.id)}) == {"requested": 1}
    assert (await two.second.post(f"/api/v1/commands/{other['id']}/refuse")).status_code == 200
    assert await two.states(other) == {"cancelled": 1}
    pending = await two.lights.owner.execute(
        "select pending from twin.intent where asset = %s", [asset]
    )
    assert await pending.fetchone() == (True,), "the older order still waits"
    await two.second.post(f"/api/v1/commands/{command['id']}/approve")
    assert await two.states({"id": str(older.id)}) == {"superseded": 1}
    assert await two.states(command) == {"requested": 1}


async def test_what_became_unsafe_meanwhile_is_refused_when_approved(two: Two) -> None:
    asset = await two.junction()
    command = await two.ask(asset)
    await two.report(asset, doorOpen=1)
    approved = await two.second.post(f"/api/v1/commands/{command['id']}/approve")
    assert approved.json()["counts"]["refused"] == 1
    await keep(two.runtime)
    assert (await two.first.get(f"/api/v1/commands/{command['id']}")).json()["ended_at"]


@pytest.mark.parametrize(("word", "after"), [("approve", "requested"), ("refuse", "cancelled")])
async def test_decided_among_all_approvals_is_the_same(two: Two, word: str, after: str) -> None:
    asset = await two.junction()
    command = await two.ask(asset)
    decided = await two.second.post(f"/api/v1/approvals/{command['approval']}/{word}")
    assert decided.status_code == 200, decided.text
    assert await two.states(command) == {"awaiting_approval": 1}
    (reaction,) = REACTIONS
    for _ in range(2):
        async with two.runtime.database.unit(reaction.principal, EVERYTHING) as unit:
            found = await list_entries(unit, Filter(acts=("access.approval_decided",)), limit=1)
            await reaction.handle(unit, found.items[0])
    assert await two.states(command) == {after: 1}


async def test_what_nobody_approves_runs_out_or_is_taken_back(two: Two) -> None:
    asset = await two.junction()
    forgotten, withdrawn = await two.ask(asset), await two.ask(asset, "all_red")
    taken_back = await two.first.post(
        f"/api/v1/commands/{withdrawn['id']}/cancel", json={"reason": "non"}
    )
    assert taken_back.json()["counts"]["cancelled"] == 1
    waiting = (await two.second.get("/api/v1/approvals")).json()["items"]
    assert next(i for i in waiting if i["id"] == forgotten["approval"])["decision"] is None
    assert withdrawn["approval"] not in {i["id"] for i in waiting if i["decision"] is None}
    await two.lights.owner.execute(
        "update control.command set expires_at = now() - interval '10 s' where id = %s",
        [forgotten["id"]],
    )
    await keep(two.runtime)
    assert await two.states(forgotten) == {"timed_out": 1}
    late = await two.second.post(f"/api/v1/commands/{forgotten['id']}/approve")
    assert (late.status_code, late.json()["code"]) == (409, "nothing_to_approve")
    async with two.runtime.database.unit() as unit:
        ended = await read_command(unit, UUID(forgotten["id"]))
        targets = (await list_targets(unit, ended.id)).items
    assert ended.ended_at is not None
    assert [target.retryable for target in targets] == [True]
