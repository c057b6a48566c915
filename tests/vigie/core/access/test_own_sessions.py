"""Sessions as their owner sees them and ends them."""

import contextlib

import pytest

from tests.support.web import PASSWORD, client, log_in, person
from vigie.core.access import PERMISSIONS
from vigie.core.access.api import ROUTES
from vigie.core.runtime import Runtime
from vigie.core.web import build_app


@pytest.fixture(scope="module")
def app(runtime: Runtime):
    return build_app(runtime, ROUTES, PERMISSIONS)


async def test_sessions_are_seen_and_ended_by_their_owner_alone(app, runtime):
    async with contextlib.AsyncExitStack() as stack:
        desk = await stack.enter_async_context(await person(app, runtime, "os-anne", "viewer"))
        other = await stack.enter_async_context(await person(app, runtime, "os-bruno", "viewer"))
        phones = [await stack.enter_async_context(client(app)) for _ in range(3)]
        for phone in phones:
            phone.headers["User-Agent"] = "Phone/1.0"
            assert (await log_in(phone, "os-anne", PASSWORD)).status_code == 200
        listed = (await desk.get("/api/v1/sessions")).json()["items"]
        assert len(listed) == 4
        assert [s["agent"] for s in listed if s["current"]] == ["tests"]
        assert {(s["means"], s["address"]) for s in listed} == {("password", "127.0.0.1")}
        assert all(s["since"] <= s["last_used"] < s["expires"] for s in listed)

        (mine,) = [
            s for s in (await phones[0].get("/api/v1/sessions")).json()["items"] if s["current"]
        ]
        assert (await other.delete(f"/api/v1/sessions/{mine['id']}")).status_code == 404
        assert (await phones[0].get("/api/v1/session")).status_code == 200
        assert (await desk.delete(f"/api/v1/sessions/{mine['id']}")).status_code == 204
        assert (await phones[0].get("/api/v1/session")).status_code == 401
        assert (await phones[1].get("/api/v1/session")).status_code == 200

        ended = await desk.post("/api/v1/sessions/end-others")
        assert ended.json() == {"count": 2}
        assert [(await phone.get("/api/v1/session")).status_code for phone in phones] == [401] * 3
        assert (await desk.get("/api/v1/session")).status_code == 200
        assert (await other.get("/api/v1/session")).status_code == 200


async def test_a_token_has_no_sessions(app, runtime):
    async with await person(app, runtime, "os-token", "administrator") as desk:
        made = await desk.post(
            "/api/v1/tokens", json={"name": "robot", "permissions": ["access.tokens"]}
        )
        async with client(app) as robot:
            robot.headers["Authorization"] = f"Bearer {made.json()['token']}"
            for path in ("/api/v1/sessions", "/api/v1/passkeys", "/api/v1/session/identities"):
                answer = await robot.get(path)
                assert (answer.status_code, answer.json()["code"]) == (403, "session_needed")
