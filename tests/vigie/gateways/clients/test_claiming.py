"""A box claims its client's secret with the code on it: once, slowly, and only when a person says
so."""

from typing import Any

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import text

from tests.support.rooms import PERMISSIONS, ROLES, ROUTES
from tests.support.web import client, person
from vigie.core.runtime import Runtime
from vigie.core.web import build_app
from vigie.gateways.clients import ACCEPTED, digest, issue_client
from vigie.gateways.clients import api as routes
from vigie.gateways.clients.claiming import Tries
from vigie.gateways.clients.model import Issued

API = "/api/v1"


@pytest.fixture(scope="module")
def app(runtime: Runtime) -> Any:
    return build_app(runtime, ROUTES, PERMISSIONS, ROLES)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def admin(app: Any, runtime: Runtime) -> httpx.AsyncClient:
    return await person(app, runtime, "admin", "administrator")


@pytest_asyncio.fixture(loop_scope="session")
async def box(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> Issued:
    monkeypatch.setattr(routes, "_TRIES", Tries())
    async with runtime.database.unit() as unit:
        return await issue_client(
            unit, runtime.bus, name="box", kind="device", shards=1, protocol="line",
            stream=ACCEPTED, municipality="21231",
        )  # fmt: skip


async def code_of(admin: httpx.AsyncClient, box: Issued) -> str:
    answer = await admin.post(f"{API}/gateways/{box.token}/code", json={"reason": "installation"})
    assert answer.status_code == 200, answer.text
    return answer.json()["code"]


async def test_from_the_label_to_the_secret(
    app: Any, runtime: Runtime, admin: httpx.AsyncClient, box: Issued
) -> None:
    code = await code_of(admin, box)
    stranger = client(app)
    asked = await stranger.post(f"{API}/gateways/claims", json={"code": code.lower()})
    assert asked.status_code == 200, asked.text
    ticket = {"ticket": asked.json()["ticket"]}
    # Once: who copied the label comes too late, and is not told why.
    again = await stranger.post(f"{API}/gateways/claims", json={"code": code})
    assert (again.status_code, again.json()["code"]) == (403, "code_wrong")
    waiting = await stranger.post(f"{API}/gateways/claims/collect", json=ticket)
    assert waiting.json()["state"] == "waiting"

    (open_,) = [c for c in (await admin.get(f"{API}/gateways/claims")).json() if c["claimed"]]
    assert (open_["client"], open_["approved"]) == (box.token, None)
    assert open_["address"]
    body = {"reason": "seen on the spot"}
    done = await admin.post(f"{API}/gateways/claims/{open_['id']}/approve", json=body)
    assert done.json()["approved"] is True
    twice = await admin.post(f"{API}/gateways/claims/{open_['id']}/refuse", json=body)
    assert twice.json()["code"] == "claim_not_open"

    given = (await stranger.post(f"{API}/gateways/claims/collect", json=ticket)).json()
    assert (given["state"], given["client"], given["protocol"]) == ("given", box.token, "line")
    async with runtime.database.unit() as unit:
        stored = await unit.execute(
            text("select secret_sha256 from gateways.client where token = :t"), {"t": box.token}
        )
        assert bytes(stored.scalar_one()) == digest(given["secret"])
        acts = await unit.execute(
            text("select act from journal.entry where act like 'gateways.%' order by id")
        )
        assert [row.act for row in acts][-5:] == [
            "gateways.client_issued", "gateways.code_issued", "gateways.claimed",
            "gateways.claim_approved", "gateways.secret_rotated",
        ]  # fmt: skip
    late = await stranger.post(f"{API}/gateways/claims/collect", json=ticket)
    assert (late.status_code, late.json()["code"]) == (403, "ticket_wrong")


async def test_refused_or_too_old_gets_nothing(
    app: Any, runtime: Runtime, admin: httpx.AsyncClient, box: Issued
) -> None:
    stranger = client(app)
    code = await code_of(admin, box)
    asked = await stranger.post(f"{API}/gateways/claims", json={"code": code})
    claim = (await admin.get(f"{API}/gateways/claims")).json()[0]["id"]
    await admin.post(f"{API}/gateways/claims/{claim}/refuse", json={"reason": "not ours"})
    ticket = {"ticket": asked.json()["ticket"]}
    answer = (await stranger.post(f"{API}/gateways/claims/collect", json=ticket)).json()
    assert (answer["state"], answer["secret"]) == ("refused", "")

    code = await code_of(admin, box)
    newer = await code_of(admin, box)
    async with runtime.database.unit() as unit:
        await unit.execute(
            text("update gateways.claim set expires = now() where code_sha256 = :c"),
            {"c": digest(newer.replace("-", ""))},
        )
    for dead in (code, newer):
        answer = await stranger.post(f"{API}/gateways/claims", json={"code": dead})
        assert answer.json()["code"] == "code_wrong"


async def test_who_guesses_is_stopped(app: Any, admin: httpx.AsyncClient, box: Issued) -> None:
    stranger = client(app)
    code = await code_of(admin, box)
    answers = [
        (await stranger.post(f"{API}/gateways/claims", json={"code": f"{n:012}"})).status_code
        for n in range(12)
    ]
    assert answers == [403] * 10 + [429] * 2
    right = await stranger.post(f"{API}/gateways/claims", json={"code": code})
    assert right.status_code == 429


async def test_adapters_say_how_mature_they_are(admin: httpx.AsyncClient, box: Issued) -> None:
    found = {a["name"]: a for a in (await admin.get(f"{API}/gateways/adapters")).json()}
    assert found["mqtt"]["maturity"] == "tested"
    assert found["mqtt"]["takes_orders"]
    gateway = (await admin.get(f"{API}/gateways/{box.token}")).json()
    assert (gateway["protocol"], gateway["clock"], gateway["maturity"]) == ("line", "device", "")


async def test_a_device_is_bound_by_its_gateways_name_and_the_clock_set(
    runtime: Runtime, admin: httpx.AsyncClient, box: Issued
) -> None:
    async with runtime.database.unit() as unit:
        made = await unit.execute(
            text(
                "insert into twin.asset (token, kind, trade, source, source_id, lon, lat, mercator,"
                " municipality) values ('x1', 'Streetlight', 'lighting', 'test', 'x1', 5, 47,"
                " point(0, 0), '21231') returning id"
            )
        )
        asset = made.scalar_one()
    bound = await admin.post(
        f"{API}/gateways/{box.token}/devices", json={"asset": asset, "ref": "imei-9"}
    )
    assert bound.json()["devices"] == 1, bound.text
    missing = await admin.post(f"{API}/gateways/{box.token}/devices", json={"asset": 10**8})
    assert missing.status_code == 404
    clock = await admin.post(f"{API}/gateways/{box.token}/clock", json={"clock": "server"})
    assert clock.json()["clock"] == "server"
    made = await admin.post(
        f"{API}/assets/{asset}/calibrations",
        json={"metric": "activePower", "factor": 1.02, "offset": 0, "reason": "wattmeter"},
    )
    assert made.status_code == 201, made.text
    assert (await admin.get(f"{API}/assets/{asset}/calibrations")).json() == [made.json()]
