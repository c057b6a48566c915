"""Commands over HTTP: who may, what is answered, what is refused."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.rooms import PERMISSIONS, ROLES, ROUTES
from tests.support.web import person
from tests.vigie.control.conftest import CHENOVE, DIJON, Lights
from vigie.control.keeper import keep
from vigie.core.runtime import Runtime
from vigie.core.web import build_app

pytestmark = pytest.mark.usefixtures("quiet")


async def post(browser: httpx.AsyncClient, key: str | None = None, **fields: Any) -> httpx.Response:
    body = {
        "verb": "set_dimming_level",
        "params": {"level": 40},
        "reason": "Trop sombre",
    } | fields
    headers = {"Idempotency-Key": key} if key else {}
    return await browser.post("/api/v1/commands", json=body, headers=headers)


async def test_commands_over_http(runtime: Runtime, lights: Lights) -> None:
    app = build_app(runtime, ROUTES, PERMISSIONS, ROLES)
    ids = await lights.add(3)
    key = str(uuid4())
    claire = await person(app, runtime, "claire", f"operator@{DIJON}")
    denis = await person(app, runtime, "denis", f"operator@{CHENOVE}")
    vera = await person(app, runtime, "vera", "viewer")
    made = await post(claire, key, assets=ids)
    assert made.status_code == 202, made.text
    command = made.json()
    assert command["requested_by"]["name"] == "claire"
    assert (command["total"], command["counts"]["requested"]) == (3, 3)
    assert (await post(claire, key, assets=ids)).json()["id"] == command["id"]
    reused = await post(claire, key, assets=ids[:1])
    assert (reused.status_code, reused.json()["code"]) == (409, "idempotency_key_reused")
    path = f"/api/v1/commands/{command['id']}"
    page = (await claire.get(f"{path}/targets", params={"state": "requested"})).json()
    assert [item["asset"]["id"] for item in page["items"]] == ids
    assert set(page["items"][0]) >= {
        "asset", "state", "sent_at", "delivered_at", "ended_at", "error", "late"
    }  # fmt: skip
    wrong = await claire.get(f"{path}/targets", params={"state": "bored"})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "unknown_state")

    assert (await post(denis, assets=ids)).status_code == 404
    assert (await denis.get(path)).status_code == 404
    assert (await denis.get(f"{path}/targets")).status_code == 404
    assert (await denis.post(f"{path}/cancel", json={"reason": "x"})).status_code == 404
    assert (await denis.get("/api/v1/commands")).json()["items"] == []

    assert (await vera.get(path)).status_code == 200
    assert (await post(vera, assets=ids)).status_code == 403

    cancelled = await claire.post(f"{path}/cancel", json={"reason": "Erreur"})
    assert cancelled.status_code == 200
    after = cancelled.json()
    assert {state: n for state, n in after["counts"].items() if n} == {"cancelled": 3}
    assert after["ended_at"] is not None
    again = await claire.post(f"{path}/cancel", json={"reason": "Erreur"})
    assert (again.status_code, again.json()["code"]) == (409, "command_ended")


async def test_another_municipality_is_not_counted(runtime: Runtime, lights: Lights) -> None:
    app = build_app(runtime, ROUTES, PERMISSIONS, ROLES)
    ids = [*await lights.add(3), *await lights.add(2, CHENOVE)]
    everywhere = await person(app, runtime, "emma", "operator")
    part = await person(app, runtime, "fanny", f"operator@{CHENOVE}")
    command = (await post(everywhere, assets=ids)).json()
    path = f"/api/v1/commands/{command['id']}"

    async def told(browser: httpx.AsyncClient) -> list[tuple[int, dict[str, int]]]:
        listed = (await browser.get("/api/v1/commands")).json()["items"]
        shown = [(await browser.get(path)).json(), *(c for c in listed if c["id"] == command["id"])]
        return [(c["total"], {s: n for s, n in c["counts"].items() if n}) for c in shown]

    assert await told(everywhere) == [(5, {"requested": 5})] * 2
    assert await told(part) == [(2, {"requested": 2})] * 2
    cancelled = await part.post(f"{path}/cancel", json={"reason": "Pas chez nous"})
    assert (cancelled.status_code, cancelled.json()["total"]) == (200, 2)
    assert {s: n for s, n in cancelled.json()["counts"].items() if n} == {"cancelled": 2}
    assert cancelled.json()["ended_at"] is None
    await keep(runtime)
    assert await told(everywhere) == [(5, {"requested": 3, "cancelled": 2})] * 2
    assert await told(part) == [(2, {"cancelled": 2})] * 2
    act = (await part.get(f"/api/v1/journal/{command['entry']}")).json()
    assert (act["changes_count"], "total" in act["params"]) == (2, False)
    whole = (await everywhere.get(f"/api/v1/journal/{command['entry']}")).json()
    assert (whole["changes_count"], whole["params"]["total"]) == (5, 5)


BAD: dict[str, tuple[dict[str, Any], int]] = {
    "level": ({"params": {"level": 101}}, 422),
    "level type": ({"params": {"level": "40"}}, 422),
    "level null": ({"params": {"level": None}}, 422),
    "no reason": ({"reason": ""}, 422),
    "NUL in the reason": ({"reason": "a\0b"}, 422),
    "unknown field": ({"colour": "blue"}, 422),
    "unknown verb": ({"verb": "'; drop table control.command; --"}, 422),
    "no assets": ({"assets": []}, 422),
    "assets of text": ({"assets": ["1"]}, 422),
    "huge id": ({"assets": [2**62]}, 404),
    "expiry": ({"expires_in_s": 1e9}, 422),
    "box": ({"assets": None, "bbox": [1, 2, 3]}, 422),
}


async def test_refusals_over_http(runtime: Runtime, lights: Lights) -> None:
    app = build_app(runtime, ROUTES, PERMISSIONS, ROLES)
    (light,) = await lights.add(1)
    gilles = await person(app, runtime, "gilles", "operator")
    for name, (fields, status) in BAD.items():
        answer = await post(gilles, **({"assets": [light]} | fields))
        assert answer.status_code == status, f"{name}: {answer.text}"
        assert answer.headers["content-type"] == "application/problem+json", name
        assert answer.json()["code"], name
    rows = await lights.owner.execute(
        "select count(*) from control.target where asset = %s", [light]
    )
    assert await rows.fetchone() == (0,)
