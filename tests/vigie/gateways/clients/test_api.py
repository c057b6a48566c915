"""The MQTT room over HTTP: who sees which gateways and refusals, and who may lock one out."""

from typing import Any

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import text

from tests.support.web import client, person
from vigie.core import clock
from vigie.core.access import PERMISSIONS as ACCESS
from vigie.core.access import api as access_api
from vigie.core.errors import Invalid
from vigie.core.runtime import Runtime
from vigie.core.web import build_app
from vigie.gateways.clients import PERMISSIONS, Quarantine, Refused, issue_client
from vigie.gateways.clients.api import ROUTES
from vigie.gateways.clients.model import Issued
from vigie.gateways.mqtt.api import ROUTES as MQTT_ROUTES


@pytest.fixture(scope="module")
def app(runtime: Runtime) -> Any:
    return build_app(runtime, [*access_api.ROUTES, *ROUTES, *MQTT_ROUTES], [*ACCESS, *PERMISSIONS])


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def sites(runtime: Runtime) -> dict[str, Issued]:
    async with runtime.database.unit() as unit:
        return {
            insee: await issue_client(
                unit, runtime.bus, name=f"site {insee}", kind="site", shards=2, municipality=insee
            )
            for insee in ("21231", "21166", "")
        }


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def admin(app: Any, runtime: Runtime) -> httpx.AsyncClient:
    return await person(app, runtime, "admin", "administrator")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def operator(app: Any, runtime: Runtime) -> httpx.AsyncClient:
    return await person(app, runtime, "operator", "operator@21231")


def refused(source: str, code: str = "not_json", payload: bytes = b"{") -> Refused:
    return Refused(source, f"up/0/{source}/reading", code, {}, payload, len(payload), clock.now())


async def test_gateways_are_seen_in_scope(
    admin: httpx.AsyncClient, operator: httpx.AsyncClient, sites: dict[str, Issued]
) -> None:
    everything = (await admin.get("/api/v1/gateways")).json()
    assert [item["name"] for item in everything["items"]] == ["site", "site 21166", "site 21231"]
    assert everything["total"] == 3
    mine = (await operator.get("/api/v1/gateways")).json()
    assert [item["token"] for item in mine["items"]] == [sites["21231"].token]
    assert mine["items"][0]["online"] is False
    first = (await admin.get("/api/v1/gateways?limit=2")).json()
    rest = (await admin.get(f"/api/v1/gateways?limit=2&cursor={first['next']}")).json()
    assert first["items"] + rest["items"] == everything["items"]
    other = await operator.get(f"/api/v1/gateways/{sites['21166'].token}")
    assert (other.status_code, other.json()["code"]) == (404, "client_unknown")


@pytest.mark.parametrize("name", ["", "  ", "\u200b", "site\u202e", "site\n"])
async def test_a_gateway_has_a_name_that_can_be_read(runtime: Runtime, name: str) -> None:
    with pytest.raises(Invalid, match="name"):
        async with runtime.database.unit() as unit:
            await issue_client(unit, runtime.bus, name=name, kind="site", shards=2)


async def test_the_total_counts_what_the_filter_lists(
    admin: httpx.AsyncClient, sites: dict[str, Issued]
) -> None:
    away = (await admin.get("/api/v1/gateways?online=false")).json()
    assert (len(away["items"]), away["total"]) == (3, 3)
    here = (await admin.get("/api/v1/gateways?online=true")).json()
    assert (here["items"], here["total"]) == ([], 0)


async def test_quarantine_is_seen_in_scope_and_bounded(
    runtime: Runtime,
    admin: httpx.AsyncClient,
    operator: httpx.AsyncClient,
    sites: dict[str, Issued],
) -> None:
    quarantine = Quarantine(kept_an_hour=5)
    async with runtime.database.unit() as unit:
        await quarantine.put(unit, [refused(sites["21231"].token) for _ in range(20)])
        await quarantine.put(unit, [refused(sites["21166"].token, payload=b"x" * 9000)])
        await quarantine.put(unit, [refused("stranger\x00", "unknown_client")])
    whole = (await admin.get("/api/v1/quarantine")).json()["items"]
    assert [item["source"] for item in whole] == [
        "stranger�",
        sites["21166"].token,
        *[sites["21231"].token] * 5,
    ]
    assert (whole[1]["size"], len(whole[1]["payload"])) == (9000, 5464)
    mine = (await operator.get("/api/v1/quarantine")).json()["items"]
    assert {item["source"] for item in mine} == {sites["21231"].token}
    counted = await operator.get(f"/api/v1/gateways/{sites['21231'].token}/refusals")
    assert [(row["code"], row["total"]) for row in counted.json()] == [("not_json", 20)]
    gateway = (await operator.get(f"/api/v1/gateways/{sites['21231'].token}")).json()
    assert gateway["quarantined"] == 20


async def test_only_who_manages_may_lock_out(
    runtime: Runtime,
    admin: httpx.AsyncClient,
    operator: httpx.AsyncClient,
    sites: dict[str, Issued],
) -> None:
    token = sites["21231"].token
    for act in ("revoke", "rotate"):
        answer = await operator.post(f"/api/v1/gateways/{token}/{act}", json={"reason": "x"})
        assert answer.status_code == 403
    rotated = await admin.post(f"/api/v1/gateways/{token}/rotate", json={"reason": "yearly"})
    assert len(rotated.json()["secret"]) == 43
    long = await admin.post(f"/api/v1/gateways/{token}/rotate", json={"reason": "x" * 501})
    assert (long.status_code, long.json()["errors"][0]["field"]) == (422, "reason")
    assert (await admin.post(f"/api/v1/gateways/{token}/revoke", json={})).json()["revoked"]
    again = await admin.post(f"/api/v1/gateways/{token}/revoke", json={})
    assert (again.status_code, again.json()["code"]) == (409, "client_revoked")
    async with runtime.database.unit() as unit:
        acts = (
            await unit.execute(
                text("select act, params, scopes from journal.entry where params ->> 'client' = :t"
                     " order by recorded, id"), {"t": token},
            )
        ).all()  # fmt: skip
    assert [row.act for row in acts] == [
        "gateways.client_issued",
        "gateways.secret_rotated",
        "gateways.client_revoked",
    ]
    assert {tuple(row.scopes) for row in acts} == {("21231/lighting",)}
    assert rotated.json()["secret"] not in str(acts)


async def test_the_schema_is_public(app: Any) -> None:
    answer = await client(app).get("/api/v1/mqtt-schema.json")
    assert answer.json()["$defs"]["Reading"]["required"] == ["device", "boot", "n", "at", "values"]


async def test_what_was_rolled_back_uses_up_no_place_in_quarantine(
    runtime: Runtime, admin: httpx.AsyncClient
) -> None:
    quarantine = Quarantine(kept_an_hour=5)
    with pytest.raises(RuntimeError):
        async with runtime.database.unit() as unit:
            await quarantine.put(unit, [refused("unlucky") for _ in range(5)])
            raise RuntimeError
    for _ in range(2):
        async with runtime.database.unit() as unit:
            await quarantine.put(unit, [refused("unlucky") for _ in range(3)])
    rows = (await admin.get("/api/v1/quarantine?source=unlucky")).json()["items"]
    assert len(rows) == 5
