"""People at their desks: what is one's own, who looks at what and took it, what the wall shows."""

from typing import Any

import pytest
from sqlalchemy import text

from tests.support.rooms import PERMISSIONS, ROLES, ROUTES
from tests.support.web import person
from vigie.core import clock
from vigie.core.database import Database
from vigie.core.desk import service
from vigie.core.runtime import Runtime
from vigie.core.web import build_app

WINDOW = {
    "path": "/journal", "left": -1920, "top": 0, "width": 1920, "height": 1080,
    "panels": [{"kind": "asset", "id": "7", "pinned": True}], "filter": "status:fault",
    "drawer": True, "side_by_side": False, "range": {"name": "night"},
    "view": [5.0, 47.2, 5.1, 47.4], "linked": True,
}  # fmt: skip


@pytest.fixture(scope="module")
def app(runtime: Runtime) -> Any:
    return build_app(runtime, ROUTES, PERMISSIONS, ROLES)


async def entry(http: Any, what: str) -> dict[str, str]:
    """An entry of the log: an object that anybody who reads the log may see."""
    made = await http.post(
        "/api/v1/logbook/entries",
        json={"text": what, "municipality": "21231", "trade": "lighting"},
    )
    assert made.status_code == 201, made.text
    return {"type": "logbook.entry", "id": made.json()["id"]}


async def test_preferences_and_posts_are_ones_own(app: Any, runtime: Runtime) -> None:
    async with await person(app, runtime, "deskone", "operator") as one:
        assert (await one.get("/api/v1/desk/preferences")).json() == {"digits": {}, "toured": False}
        mine = {"digits": {"3": "/journal?filter=act:access"}, "toured": True}
        assert (await one.put("/api/v1/desk/preferences", json=mine)).json() == mine
        assert (await one.get("/api/v1/desk/preferences")).json() == mine
        wrong = await one.put("/api/v1/desk/preferences", json={"digits": {"3": "https://x"}})
        assert wrong.status_code == 422, "only places of this console"
        post = {"title": "Éclairage nuit", "windows": [WINDOW]}
        saved = await one.post("/api/v1/desk/posts", json=post)
        assert saved.status_code == 201, saved.text
        again = await one.post("/api/v1/desk/posts", json=post | {"windows": [WINDOW, WINDOW]})
        assert again.json()["id"] == saved.json()["id"], "the same name is replaced"
        [kept] = (await one.get("/api/v1/desk/posts")).json()
        assert [window["panels"] for window in kept["windows"]] == [WINDOW["panels"]] * 2
    async with await person(app, runtime, "desktwo", "operator") as two:
        assert (await two.get("/api/v1/desk/posts")).json() == []
        at = f"/api/v1/desk/posts/{kept['id']}"
        assert (await two.delete(at)).status_code == 404
    async with await person(app, runtime, "deskthree", "viewer") as three:
        for n in range(service.MOST_POSTS):
            made = await three.post("/api/v1/desk/posts", json=post | {"title": f"Poste {n}"})
            assert made.status_code == 201
        refused = await three.post("/api/v1/desk/posts", json=post | {"title": "Un de trop"})
        assert refused.json()["code"] == "too_many_posts"


async def test_two_do_not_take_the_same_unknowingly(
    app: Any, runtime: Runtime, database: Database
) -> None:
    """The second is told who has it, may take it over, and the journal knows."""
    async with (
        await person(app, runtime, "takeone", "operator") as one,
        await person(app, runtime, "taketwo", "operator") as two,
    ):
        ref = await entry(one, "Arbre sur la chaussée")
        first = await one.post("/api/v1/desk/locks", json={"object": ref})
        assert first.status_code == 201, first.text
        again = await one.post("/api/v1/desk/locks", json={"object": ref})
        assert again.json()["since"] == first.json()["since"], "taken once"
        refused = await two.post("/api/v1/desk/locks", json={"object": ref})
        assert (refused.status_code, refused.json()["code"]) == (409, "taken_by_other")
        assert refused.json()["params"]["name"] == first.json()["name"]
        over = await two.post("/api/v1/desk/locks", json={"object": ref, "over": True})
        assert over.json()["person"] != first.json()["person"]
        assert (await one.post("/api/v1/desk/locks/release", json=ref)).status_code == 204
        async with database.unit() as unit:
            key = f"{ref['type']}/{ref['id']}"
            [row] = await service.lock_rows(unit, [key])
            assert (row.scope, row.body.person) == ("21231/lighting", row.body.person)
            acts = await unit.execute(
                text(
                    "select params->>'over' from journal.entry where act = 'core.object_taken'"
                    " and actor_id = any(:who) order by occurred"
                ),
                {"who": [first.json()["person"], over.json()["person"]]},
            )
            assert [act for (act,) in acts] == ["false", "true"]


async def test_one_is_seen_at_what_one_may_see_only(
    app: Any, runtime: Runtime, database: Database
) -> None:
    async with (
        await person(app, runtime, "lookone", "operator") as one,
        await person(app, runtime, "looktwo", "operator@21278") as elsewhere,
    ):
        ref = await entry(one, "Câble dénudé")
        assert (await one.post("/api/v1/desk/presence", json=ref)).status_code == 204
        assert (await elsewhere.post("/api/v1/desk/presence", json=ref)).status_code == 404
        assert (await elsewhere.post("/api/v1/desk/locks", json={"object": ref})).status_code == 404
        async with database.unit() as unit:
            rows = await service.presence_rows(unit, None)
            [row] = [row for row in rows if row.body.object == ref["id"]]
            assert row.scope == "21231/lighting"
            assert row.body.until > clock.now()
        assert (await one.post("/api/v1/desk/presence/leave", json=ref)).status_code == 204
        async with database.unit() as unit:
            assert await service.presence_rows(unit, [row.id]) == []


async def test_what_was_not_renewed_is_over(app: Any, runtime: Runtime, database: Database) -> None:
    async with (
        await person(app, runtime, "pastone", "operator") as one,
        await person(app, runtime, "pasttwo", "operator") as two,
    ):
        ref = await entry(one, "Trappe ouverte")
        await one.post("/api/v1/desk/presence", json=ref)
        await one.post("/api/v1/desk/locks", json={"object": ref})
        async with database.unit() as unit:
            for table in ("desk_presence", "desk_lock"):
                await unit.execute(
                    text(
                        f"update core.{table} set until = vigie.now() - interval '1 s'"
                        " where object = :id"
                    ),
                    {"id": ref["id"]},
                )
        async with database.unit() as unit:
            rows = [*await service.presence_rows(unit, None), *await service.lock_rows(unit, None)]
            assert [row for row in rows if row.body.object == ref["id"]] == []
        assert (await two.post("/api/v1/desk/locks", json={"object": ref})).status_code == 201
        await two.post("/api/v1/desk/presence", json=ref)
        async with database.unit() as unit:
            left = await unit.execute(
                text("select name from core.desk_presence where object = :id"), {"id": ref["id"]}
            )
            assert len(left.all()) == 1, "the look of another sweeps"


async def test_a_locked_wall_is_not_stolen(app: Any, runtime: Runtime) -> None:
    at = "/api/v1/desk/walls/salle"
    tiles = [{"kind": "map", "view": [5.0, 47.2, 5.1, 47.4]}, {"kind": "text", "text": "Neige"}]
    async with (
        await person(app, runtime, "wallone", "operator") as one,
        await person(app, runtime, "walltwo", "operator") as two,
        await person(app, runtime, "wallview", "viewer") as viewer,
    ):
        assert (await viewer.get(at)).json()["version"] == 0, "nobody set it yet"
        assert (await viewer.put(at, json={"tiles": tiles})).status_code == 403
        first = await one.put(at, json={"tiles": tiles, "locked": True})
        assert (first.status_code, first.headers["etag"]) == (200, '"1"')
        refused = await two.put(at, json={"tiles": []})
        assert (refused.status_code, refused.json()["code"]) == (409, "wall_locked")
        shown = (await viewer.get(at)).json()
        assert [tile["kind"] for tile in shown["tiles"]] == ["map", "text"]
        stale = await two.put(at, json={"tiles": [], "unlock": True}, headers={"If-Match": '"7"'})
        assert stale.status_code == 412
        freed = await two.put(at, json={"tiles": [], "unlock": True})
        assert (freed.json()["locked"], freed.json()["version"]) == (False, 2)


async def test_a_desk_is_forgotten_with_its_person(
    app: Any, runtime: Runtime, database: Database
) -> None:
    async with await person(app, runtime, "deskgone", "operator") as one:
        await one.put("/api/v1/desk/preferences", json={"toured": True})
        await one.post("/api/v1/desk/posts", json={"title": "A", "windows": [WINDOW]})
        user = (await one.get("/api/v1/session")).json()["user"]["id"]
    async with database.unit() as unit:
        assert await service.erase(unit, f"user:{user}") == 2
