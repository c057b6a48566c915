"""Saved views: one's own, shared ones as far as one may, and no more than so many."""

from typing import Any

import pytest
from sqlalchemy import text

from tests.support.rooms import PERMISSIONS, ROLES, ROUTES
from tests.support.web import person
from vigie.core.database import Database
from vigie.core.lists import views
from vigie.core.runtime import Runtime
from vigie.core.web import build_app

AT = "/api/v1/views"
MINE = {"list": "twin.assets", "title": "Éteints", "filter": "status:fault", "sort": "-name"}


@pytest.fixture(scope="module")
def app(runtime: Runtime) -> Any:
    return build_app(runtime, ROUTES, PERMISSIONS, ROLES)


async def test_a_view_is_saved_changed_and_removed(app: Any, runtime: Runtime) -> None:
    async with await person(app, runtime, "vera", "viewer") as http:
        made = await http.post(AT, json=MINE | {"columns": ["id", "name"]})
        assert made.status_code == 201, made.text
        view = made.json()
        assert (view["own"], view["shared"], made.headers["etag"]) == (True, None, '"1"')
        at = f"{AT}/{view['id']}"
        assert (await http.get(AT, params={"list": "twin.assets"})).json() == [view]
        assert (await http.get(AT, params={"list": "control.commands"})).json() == []
        changed = await http.patch(at, json={"title": "Pannes"}, headers={"If-Match": '"1"'})
        assert (changed.json()["title"], changed.headers["etag"]) == ("Pannes", '"2"')
        stale = await http.patch(at, json={"title": "x"}, headers={"If-Match": '"1"'})
        assert (stale.status_code, stale.json()["code"]) == (412, "version_changed")
        same = await http.patch(at, json={"title": "Pannes"}, headers={"If-Match": '"2"'})
        assert same.headers["etag"] == '"2"', "nothing changed"
        assert (await http.delete(at)).status_code == 204
        assert (await http.get(AT)).json() == []
        assert (await http.delete(at)).status_code == 404


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"filter": "status:"}, "filter"),
        ({"title": "\u202eabc"}, "title"),
        ({"list": "../etc"}, "list"),
        ({"sort": "name;drop"}, "sort"),
        ({"columns": ["a b"]}, "columns[0]"),
        ({"columns": ["a"] * 51}, "columns"),
    ],
)
async def test_what_cannot_be_a_view_is_refused(
    app: Any, runtime: Runtime, wrong: dict[str, Any], field: str, request: Any
) -> None:
    name = "wrong" + str(abs(hash(request.node.name)))[:8]
    async with await person(app, runtime, name, "viewer") as http:
        refused = await http.post(AT, json=MINE | wrong)
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, field)
        assert (await http.get(AT)).json() == []


async def test_who_sees_what_is_shared(app: Any, runtime: Runtime) -> None:
    shared = {"role": "viewer", "municipality": "21231"}
    async with (
        await person(app, runtime, "lucie", "operator@21231/lighting") as lucie,
        await person(app, runtime, "there", "viewer@21231") as there,
        await person(app, runtime, "elsewhere", "viewer@21166") as elsewhere,
        await person(app, runtime, "everywhere", "viewer") as everywhere,
        await person(app, runtime, "otherrole", "auditor@21231") as other_role,
    ):
        view = (await lucie.post(AT, json=MINE | {"shared": shared})).json()
        for http, sees in ((there, True), (elsewhere, False), (everywhere, True),
                           (other_role, False)):  # fmt: skip
            found = (await http.get(AT)).json()
            assert [v["id"] for v in found if v["id"] == view["id"]] == [view["id"]] * sees
            assert all(not v["own"] for v in found)
            at = f"{AT}/{view['id']}"
            assert (await http.patch(at, json={"title": "x"})).status_code == 404
            assert (await http.delete(at)).status_code == 404
        # Taken back, it is nobody else's.
        await lucie.patch(f"{AT}/{view['id']}", json={"shared": None})
        assert (await there.get(AT)).json() == []


@pytest.mark.parametrize(
    ("grant", "shared", "status"),
    [
        ("viewer", {"role": "viewer"}, 403),
        ("operator@21231", {"municipality": "21231"}, 201),
        ("operator@21231", {"municipality": "21166"}, 403),
        ("operator@21231", {}, 403),
        ("operator", {}, 201),
        ("operator", {"role": "nobody"}, 422),
    ],
)
async def test_sharing_goes_as_far_as_ones_own_rights(
    app: Any, runtime: Runtime, grant: str, shared: dict[str, str], status: int, request: Any
) -> None:
    name = "sharer" + str(abs(hash(request.node.name)))[:8]
    async with await person(app, runtime, name, grant) as http:
        answer = await http.post(AT, json=MINE | {"shared": shared})
        assert answer.status_code == status, answer.text


async def test_there_are_so_many_and_no_more(
    app: Any, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "MOST", 2)
    async with await person(app, runtime, "collector", "viewer") as http:
        for _ in range(2):
            assert (await http.post(AT, json=MINE)).status_code == 201
        refused = await http.post(AT, json=MINE)
        assert (refused.status_code, refused.json()["code"]) == (429, "too_many_views")


async def test_a_persons_views_are_forgotten_and_were_recorded(
    app: Any, runtime: Runtime, database: Database
) -> None:
    async with await person(app, runtime, "forgotten", "viewer") as http:
        await http.post(AT, json=MINE)
        user = (await http.get("/api/v1/session")).json()["user"]["id"]
    async with database.unit() as unit:
        acts = await unit.execute(
            text("select act, params, personal ? 'title' from journal.entry"
                 " where actor_id = :user and act like 'core.view%'"), {"user": user}
        )  # fmt: skip
        assert [tuple(row) for row in acts] == [("core.view_saved", {}, True)]
        assert await views.erase(unit, f"user:{user}") == 1
        assert await views.erase(unit, f"user:{user}") == 0


async def test_a_list_opens_with_the_view_that_one_chose(app: Any, runtime: Runtime) -> None:
    async with (
        await person(app, runtime, "chooser", "operator") as chooser,
        await person(app, runtime, "follower", "viewer@21231") as follower,
    ):
        first = (await chooser.post(AT, json=MINE | {"shared": {}})).json()
        second = (await chooser.post(AT, json=MINE | {"title": "Others"})).json()
        assert (await follower.put(f"{AT}/{second['id']}/default")).status_code == 404
        for view in (first, second):
            assert (await chooser.put(f"{AT}/{view['id']}/default")).status_code == 204
        assert (await follower.put(f"{AT}/{first['id']}/default")).status_code == 204
        chosen = [v["title"] for v in (await chooser.get(AT)).json() if v["default"]]
        assert chosen == ["Others"], "one a list"
        assert [v["id"] for v in (await follower.get(AT)).json() if v["default"]] == [first["id"]]
        await chooser.delete(f"{AT}/{second['id']}/default")
        assert not any(v["default"] for v in (await chooser.get(AT)).json())
        await chooser.delete(f"{AT}/{first['id']}")
        assert not any(v["default"] for v in (await follower.get(AT)).json())
