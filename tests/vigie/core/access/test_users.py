"""Accounts and grants: nobody gives, sees or takes more than they hold."""

import pytest

from tests.support.web import PASSWORD, client, log_in, person
from vigie.core.access import PERMISSIONS, admin
from vigie.core.access.api import ROUTES
from vigie.core.errors import Conflict, Invalid, NotFound
from vigie.core.runtime import Runtime
from vigie.core.web import build_app

DIJON = {"role": "operator", "municipality": "21231", "trade": "lighting"}


@pytest.fixture(scope="module")
def app(runtime: Runtime):
    return build_app(runtime, ROUTES, PERMISSIONS)


@pytest.fixture(scope="module")
async def boss(app, runtime):
    return await person(app, runtime, "boss", "administrator")


async def _new(browser, username, **fields):
    return await browser.post(
        "/api/v1/users", json={"username": username, "display_name": username, **fields}
    )


async def test_an_account_is_created_read_changed_and_closed(app, boss):
    made = await _new(boss, "alice", grants=[DIJON], language="en")
    assert made.status_code == 201
    first = made.json()
    shown = await boss.get(f"/api/v1/users/{first['id']}")
    assert shown.headers["etag"] == '"1"'
    assert shown.json()["grants"] == [DIJON]
    assert "password" not in shown.json()
    again = await boss.get(f"/api/v1/users/{first['id']}", headers={"If-None-Match": '"1"'})
    assert again.status_code == 304
    async with client(app) as alice:
        await log_in(alice, "alice", first["password"])
        await alice.post(
            "/api/v1/session/password", json={"current": first["password"], "new": PASSWORD}
        )
        assert (await alice.get("/api/v1/tokens")).status_code == 200
        assert (await alice.get("/api/v1/users")).json()["code"] == "not_permitted"
        stale = await boss.patch(
            f"/api/v1/users/{first['id']}", json={"language": "fr"}, headers={"If-Match": '"1"'}
        )
        assert stale.status_code == 412
        changed = await boss.patch(
            f"/api/v1/users/{first['id']}", json={"grants": [], "display_name": "Alice D."}
        )
        assert changed.json()["grants"] == []
        assert (await alice.get("/api/v1/tokens")).status_code == 403
        closed = await boss.patch(f"/api/v1/users/{first['id']}", json={"active": False})
        assert closed.json()["active"] is False
        assert (await alice.get("/api/v1/session")).status_code == 401
        assert (await log_in(alice, "alice", PASSWORD)).status_code == 401


async def test_a_reset_password_is_shown_once_and_must_be_changed(app, boss, runtime):
    bob = await person(app, runtime, "bob", "viewer")
    me = (await bob.get("/api/v1/session")).json()["user"]["id"]
    wanted = {"name": "robot", "permissions": ["access.tokens"]}
    token = (await bob.post("/api/v1/tokens", json=wanted)).json()["token"]
    robot = client(app)
    robot.headers["Authorization"] = f"Bearer {token}"
    assert (await robot.get("/api/v1/roles")).status_code == 200
    password = (await boss.post(f"/api/v1/users/{me}/reset-password", json={})).json()["password"]
    assert (await bob.get("/api/v1/session")).status_code == 401
    assert (await robot.get("/api/v1/roles")).status_code == 401, "tokens end too"
    answer = await log_in(bob, "bob", password)
    assert answer.json()["user"]["must_change_password"] is True


async def test_nobody_resets_their_own_password(app, boss):
    me = (await boss.get("/api/v1/session")).json()["user"]["id"]
    wanted = {"name": "robot", "permissions": ["access.manage"]}
    robot = client(app)
    token = (await boss.post("/api/v1/tokens", json=wanted)).json()["token"]
    robot.headers["Authorization"] = f"Bearer {token}"
    for browser in (boss, robot):
        answer = await browser.post(f"/api/v1/users/{me}/reset-password")
        assert (answer.status_code, answer.json()["code"]) == (409, "own_password")
        assert "/session/password" in answer.json()["detail"]
    assert (await boss.get("/api/v1/session")).status_code == 200


async def test_a_closed_account_has_no_tokens_once_open_again(app, boss, runtime):
    carl = await person(app, runtime, "carl", "viewer")
    user = (await carl.get("/api/v1/session")).json()["user"]["id"]
    wanted = {"name": "robot", "permissions": ["access.tokens"]}
    token = (await carl.post("/api/v1/tokens", json=wanted)).json()["token"]
    for active in (False, True):
        await boss.patch(f"/api/v1/users/{user}", json={"active": active})
    robot = client(app)
    robot.headers["Authorization"] = f"Bearer {token}"
    assert (await robot.get("/api/v1/roles")).status_code == 401


async def test_an_administrator_of_one_city_sees_and_grants_only_there(app, boss, runtime):
    mayor = await person(app, runtime, "mayor", "administrator@21231")
    elsewhere = (await _new(boss, "elsewhere", grants=[{**DIJON, "municipality": "21166"}])).json()
    here = await _new(mayor, "here", grants=[DIJON])
    assert here.status_code == 201, here.text
    names = {u["username"] for u in (await mayor.get("/api/v1/users")).json()["items"]}
    assert {"mayor", "here"} <= names
    assert not {"elsewhere", "boss"} & names
    for verb, path in [("GET", ""), ("PATCH", ""), ("POST", "/reset-password")]:
        body = None if verb == "GET" else {"json": {}}
        answer = await mayor.request(verb, f"/api/v1/users/{elsewhere['id']}{path}", **(body or {}))
        assert answer.status_code == 404, (verb, path)
    for grant in [
        {"role": "viewer"},
        {"role": "viewer", "trade": "lighting"},
        {**DIJON, "municipality": "21166"},
    ]:
        refused = await _new(mayor, "toomuch", grants=[grant])
        assert refused.json()["code"] == "grant_beyond_own", grant
    assert (await _new(mayor, "nothing")).status_code == 403


async def test_a_taken_name_tells_nothing_of_people_elsewhere(app, boss, runtime):
    """One answer for a name taken here, taken elsewhere, and reserved; and few questions."""
    clerk = await person(app, runtime, "clerk", "administrator@21166")
    assert (await _new(boss, "faraway", grants=[DIJON])).status_code == 201
    near = {**DIJON, "municipality": "21166"}
    assert (await _new(clerk, "nearby", grants=[near])).status_code == 201
    answers = [await _new(clerk, name, grants=[near]) for name in ("faraway", "nearby", "vigie")]
    told = []
    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (409, "username_unavailable")
        told.append(answer.json() | {"request_id": ""})
    assert told[0] == told[1] == told[2]
    assert (await _new(boss, "faraway")).json()["code"] == "username_taken"
    assert (await _new(boss, "root")).json()["code"] == "username_unavailable"
    codes = [(await _new(clerk, "faraway", grants=[near])).json()["code"] for _ in range(20)]
    assert codes[-1] == "too_many_names"
    refused = await _new(clerk, "a-free-name", grants=[near])
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) > 0
    assert (await _new(boss, "a-free-name")).status_code == 201


async def test_the_last_administrator_stays_and_nobody_closes_themselves(boss):
    me = (await boss.get("/api/v1/session")).json()["user"]["id"]
    closed = await boss.patch(f"/api/v1/users/{me}", json={"active": False})
    assert closed.json()["code"] == "own_account"
    demoted = await boss.patch(f"/api/v1/users/{me}", json={"grants": [DIJON]})
    assert demoted.json()["code"] == "last_administrator"
    assert (await boss.get("/api/v1/users")).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {"username": "No Spaces", "display_name": "x"},
        {"username": "x" * 65, "display_name": "x"},
        {"username": "ok-name", "display_name": ""},
        {"username": "ok-name\n", "display_name": "x"},
        {"username": "ok-name", "display_name": "nul \x00"},
        {"username": "ok-name", "display_name": "  "},
        {"username": "ok-name", "display_name": "\u3164\u2800"},
        {"username": "ok-name", "display_name": "Anna \u202etxt.bob"},
        {"username": "ok-name", "display_name": "Anna\u200b"},
        {
            "username": "ok-name",
            "display_name": "x",
            "grants": [{"role": "viewer", "trade": "video\n"}],
        },
        {"username": "ok-name", "display_name": "x", "grants": [{"role": "king"}]},
        {"username": "ok-name", "display_name": "x", "language": "de"},
        {"username": "ok-name", "display_name": "x", "admin": True},
        {"username": "ok-name", "display_name": "x", "grants": [{"role": "viewer", "trade": "'"}]},
    ],
)
async def test_malformed_accounts_are_refused_field_by_field(boss, body):
    answer = await boss.post("/api/v1/users", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"], answer.text


async def test_a_changed_name_is_checked_like_a_new_one(boss):
    made = (await _new(boss, "renamed")).json()
    for name in (" ", "\u2066bob", "\u200b"):
        answer = await boss.patch(f"/api/v1/users/{made['id']}", json={"display_name": name})
        assert answer.status_code == 422, ascii(name)
        assert answer.json()["errors"][0]["field"] == "display_name"
    assert (await boss.get(f"/api/v1/users/{made['id']}")).json()["version"] == made["version"]
    kept = await boss.patch(f"/api/v1/users/{made['id']}", json={"display_name": " Zoe\u0308 "})
    assert kept.json()["display_name"] == "Zoë"


async def test_a_name_is_taken_once(boss):
    assert (await _new(boss, "twin")).status_code == 201
    assert (await _new(boss, "twin")).json()["code"] == "username_taken"


async def test_lists_come_in_pages(boss):
    for i in range(5):
        await _new(boss, f"page-{i}")
    seen, cursor = [], None
    while True:
        query = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = (await boss.get("/api/v1/users", params=query)).json()
        seen += [u["username"] for u in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == sorted(seen)
    assert {f"page-{i}" for i in range(5)} <= set(seen)
    assert (await boss.get("/api/v1/users?cursor=zzzz")).json()["code"] == "bad_cursor"


async def test_the_shell_makes_the_first_administrator_once(new_runtime):
    database = (await new_runtime()).database
    first = await admin.create_first_administrator(database)
    assert first is not None
    assert await admin.create_first_administrator(database) is None
    added = await admin.add_user(database, "Night", grants=["operator@21231/lighting", "viewer"])
    assert added.username == "night"
    with pytest.raises(Conflict, match="night"):
        await admin.add_user(database, "night")
    with pytest.raises(Invalid):
        await admin.add_user(database, "day", grants=["king"])
    with pytest.raises(Invalid, match="U\\+202E"):
        await admin.add_user(database, "day", "Day\u202e")
    assert (await admin.reset_password(database, "night")).password != added.password
    assert (await admin.set_active(database, "night", False)).active is False
    with pytest.raises(Conflict):
        await admin.set_active(database, first.username, False)
    with pytest.raises(NotFound, match="vigie user list"):
        await admin.reset_password(database, "nobody")
    assert [u.username for u in await admin.list_users(database)] == ["admin", "night"]
