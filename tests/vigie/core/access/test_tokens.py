"""API tokens: a part of what their owner may do, as long as the owner may."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from tests.support.web import client, person
from vigie.core import clock, journal
from vigie.core.access import PERMISSIONS, Logins, Permission
from vigie.core.access.api import ROUTES
from vigie.core.journal import erase_personal, read_entry
from vigie.core.permissions import Catalogue
from vigie.core.runtime import Runtime
from vigie.core.web import Caller, build_app, get

READ = Permission("trial.read", "Try.", ("operator", "administrator"))


@get("/trial", permission="trial.read")
async def read_trial(caller: Caller, catalogue: Catalogue) -> dict[str, list[str]]:
    """What the caller may read here."""
    scope = catalogue.scope_for(caller.principal, "trial.read")
    assert scope is not None
    return {"pairs": sorted(scope.pairs), "municipalities": sorted(scope.municipalities)}


@pytest.fixture(scope="module")
def app(runtime: Runtime):
    return build_app(runtime, [*ROUTES, read_trial], [*PERMISSIONS, READ])


@pytest.fixture(scope="module")
async def olga(app, runtime):
    return await person(app, runtime, "olga", "operator@21231", "viewer")


async def _token(browser, **body):
    made = await browser.post(
        "/api/v1/tokens", json={"name": "script", "permissions": ["trial.read"], **body}
    )
    assert made.status_code == 201, made.text
    return made.json()


def _program(app, token):
    program = client(app)
    program.headers["Authorization"] = f"Bearer {token}"
    return program


@pytest.mark.parametrize("name", ["", " ", "\u200b", "robot\u202e", "\u2800"])
async def test_a_token_has_a_name_that_can_be_read(olga, name):
    wanted = {"name": name, "permissions": ["trial.read"]}
    answer = await olga.post("/api/v1/tokens", json=wanted)
    assert answer.status_code == 422
    assert answer.json()["errors"], answer.text


async def test_a_token_does_what_it_was_made_for_and_nothing_else(app, olga):
    made = await _token(olga)
    assert made["token"].startswith("vgt_")
    async with _program(app, made["token"]) as program:
        assert (await program.get("/api/v1/trial")).json()["municipalities"] == ["21231"]
        assert (await program.get("/api/v1/tokens")).json()["code"] == "not_permitted"
        assert (await program.get("/api/v1/session")).json()["code"] == "session_needed"
    listed = (await olga.get("/api/v1/tokens")).json()["items"]
    assert made["token"] not in str(listed)
    assert next(t for t in listed if t["id"] == made["id"])["last_used"] is not None


async def test_a_token_may_be_narrowed_to_a_place(app, olga):
    narrow = {"role": "operator", "municipality": "21231", "trade": "lighting"}
    made = await _token(olga, grants=[narrow])
    async with _program(app, made["token"]) as program:
        assert (await program.get("/api/v1/trial")).json() == {
            "pairs": ["21231/lighting"],
            "municipalities": [],
        }


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"permissions": ["access.manage"]}, "permissions[0]"),
        ({"permissions": ["trial.read", "no.such"]}, "permissions[1]"),
        ({"grants": [{"role": "operator"}]}, "grants[0]"),
        ({"grants": [{"role": "operator", "municipality": "21166"}]}, "grants[0]"),
        ({"grants": [{"role": "administrator", "municipality": "21231"}]}, "grants[0]"),
        ({"expires": "2020-01-01T00:00:00Z"}, "expires"),
        ({"expires": "2030-01-01T00:00:00"}, "expires"),
    ],
)
async def test_a_token_cannot_hold_more_than_its_owner(olga, body, field):
    answer = await olga.post(
        "/api/v1/tokens", json={"name": "x", "permissions": ["trial.read"], **body}
    )
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["field"] == field


async def test_a_revoked_token_is_dead_at_once(app, olga, runtime):
    made = await _token(olga)
    async with _program(app, made["token"]) as program:
        assert (await program.get("/api/v1/trial")).status_code == 200
        stranger = await person(app, runtime, "stranger", "operator")
        assert (await stranger.delete(f"/api/v1/tokens/{made['id']}")).status_code == 404
        assert (await olga.delete(f"/api/v1/tokens/{made['id']}")).status_code == 204
        assert (await program.get("/api/v1/trial")).json()["code"] == "bad_token"
        assert (await olga.delete(f"/api/v1/tokens/{made['id']}")).status_code == 404


async def test_an_expired_token_is_dead(app, olga, runtime):
    made = await _token(olga, expires=(clock.now() + timedelta(hours=1)).isoformat())
    async with _program(app, made["token"]) as program:
        assert (await program.get("/api/v1/trial")).status_code == 200
        async with runtime.database.unit() as unit:
            await unit.execute(text("update access.token set expires = now()"))
            owner = (await unit.execute(text("select distinct account from access.token"))).scalar()
        Logins.of(runtime).forget(owner)
        assert (await program.get("/api/v1/trial")).status_code == 401


async def test_a_token_loses_what_its_owner_loses(app, runtime):
    boss = await person(app, runtime, "boss", "administrator")
    paul = await person(app, runtime, "paul", "operator")
    made = await _token(paul)
    me = (await paul.get("/api/v1/session")).json()["user"]["id"]
    async with _program(app, made["token"]) as program:
        assert (await program.get("/api/v1/trial")).status_code == 200
        await boss.patch(f"/api/v1/users/{me}", json={"grants": [{"role": "viewer"}]})
        assert (await program.get("/api/v1/trial")).status_code == 403
        await boss.patch(f"/api/v1/users/{me}", json={"active": False})
        assert (await program.get("/api/v1/trial")).status_code == 401
    everyone = (await boss.get("/api/v1/tokens")).json()["items"]
    assert made["id"] in {token["id"] for token in everyone}


async def test_garbage_in_the_header_is_refused_not_ignored(app, olga):
    for value in ["Bearer", "Bearer vgt_x", "Basic abc", "Bearer " + "x" * 5000]:
        answer = await olga.get("/api/v1/tokens", headers={"Authorization": value})
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_the_journal_can_forget_whose_token_it_was(app, runtime):
    async with await person(app, runtime, "paula", "operator@21231") as paula:
        made = await _token(paula, name="paula at home")
        caller = await Logins.of(runtime).by_token(made["token"])
        owner = (await paula.get("/api/v1/session")).json()["user"]["id"]
    assert caller is not None
    async with runtime.database.unit(caller.principal) as unit:
        entry = await journal.record(unit, "test.act")
    async with runtime.database.unit() as unit:
        assert (await read_entry(unit, entry)).actor.name == "paula/paula at home"
        await erase_personal(unit, subject=f"user:{owner}")
        assert (await read_entry(unit, entry)).actor.name is None
        kept = await unit.execute(text("select e::text from journal.entry e"))
        assert all("paula" not in row for row in kept.scalars())
