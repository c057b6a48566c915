"""Roles as an installation edits them: nothing is widened that nobody granted."""

import asyncio
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.web import person
from vigie.app import every_room
from vigie.core.access.api import ROUTES
from vigie.core.access.roles import Roles
from vigie.core.access.rules import beyond, grantable
from vigie.core.permissions import EVERY_ROLE, Catalogue, Permission, Role, RoleEdit
from vigie.core.runtime import Runtime
from vigie.core.scope import NOTHING, Grant, Principal
from vigie.core.web import build_app

NAMES = [f"room.p_{letter}" for letter in "abcde"]
DECLARED = Catalogue(
    [
        Permission("room.p_a", "", ("administrator", "operator", "viewer")),
        Permission("room.p_b", "", ("administrator", "operator")),
        Permission("room.p_c", "", ("administrator",)),
        Permission("room.p_d", "", ("auditor",)),
        Permission("room.p_e", "", ("police",)),
    ],
    [Role("police", "", compartments=("police",))],
)
roles = st.sampled_from([*EVERY_ROLE, "police", "own", "other"])
edits = st.lists(
    st.builds(
        RoleEdit,
        roles,
        st.just("x"),
        st.frozensets(st.sampled_from([*NAMES, "gone.away"])),
        st.frozensets(st.sampled_from(["police", "video"])),
    ),
    max_size=5,
)
grants = st.builds(
    Grant, roles, st.sampled_from(["*", "21231", "21166"]), st.sampled_from(["*", "lighting"])
)
people = st.builds(lambda g: Principal(None, "x", "user", tuple(g)), st.lists(grants, max_size=4))


@given(edits, people)
def test_an_edit_gives_its_role_what_it_lists_and_nothing_else(edited, who):
    after = DECLARED.with_roles(edited)
    last = {edit.name: edit for edit in edited if edit.name != "administrator"}
    expected: set[str] = set()
    for grant in who.grants:
        if grant.role in last:
            expected |= last[grant.role].holds & set(NAMES)
        else:
            expected |= {n for n, p in DECLARED.permissions.items() if grant.role in p.roles}
    assert after.held_by(who) == expected
    for name in NAMES:
        scope = after.scope_for(who, name) or NOTHING
        holding = [g for g in who.grants if g.role in after.permissions[name].roles]
        for place in (("21231", "lighting"), ("21166", "water"), ("99999", "x")):
            inside = any(
                g.municipality in ("*", place[0]) and g.trade in ("*", place[1]) for g in holding
            )
            assert scope.allows(*place) is inside
            # A compartment is open where a role that opens it *and* holds the permission is.
            opened = any(
                "police" in after.roles[g.role].compartments
                and g.municipality in ("*", place[0])
                and g.trade in ("*", place[1])
                for g in holding
                if g.role in after.roles
            )
            assert scope.sees(*place, "police") is opened


@given(edits, edits)
def test_edits_replace_each_other_and_leave_the_declaration_alone(first, second):
    before = {name: p.roles for name, p in DECLARED.permissions.items()}
    twice = DECLARED.with_roles(first).with_roles(second)
    once = DECLARED.with_roles(second)
    assert twice.roles == once.roles
    assert twice.permissions == once.permissions
    assert {name: p.roles for name, p in DECLARED.permissions.items()} == before
    back = twice.with_roles(())
    assert (back.roles, back.permissions) == (DECLARED.roles, DECLARED.permissions)


@given(edits)
def test_the_administrator_stays_as_declared(edited):
    after = DECLARED.with_roles(edited)
    assert after.held_by_role("administrator") == DECLARED.held_by_role("administrator")
    assert after.roles["administrator"] == DECLARED.roles["administrator"]


@given(edits, people, st.frozensets(st.sampled_from(NAMES)))
def test_nobody_edits_in_what_they_do_not_hold_everywhere(edited, who, wanted):
    catalogue = DECLARED.with_roles(edited)
    everywhere = {name for name in wanted if (catalogue.scope_for(who, name) or NOTHING).everything}
    missing = beyond(catalogue, who, wanted, ())
    assert (missing is None) is (wanted == everywhere)


@given(edits, people, grants)
def test_who_is_no_administrator_gives_only_what_they_hold(edited, who, grant):
    catalogue = DECLARED.with_roles(edited)
    if grant.role not in catalogue.roles or Grant("administrator") in who.grants:
        return
    if not grantable(catalogue, who, grant):
        return
    given_to = Principal(None, "y", "user", (grant,))
    for name in catalogue.held_by(given_to):
        theirs, mine = catalogue.scope_for(given_to, name), catalogue.scope_for(who, name)
        assert mine is not None
        for place in (("21231", "lighting"), ("21166", "lighting"), ("21231", "x"), ("9", "x")):
            assert mine.allows(*place) or not theirs.allows(*place)


@pytest.fixture(scope="module")
def app(runtime: Runtime):
    rooms = every_room()
    return build_app(runtime, ROUTES, rooms.permissions, rooms.roles)


async def role(browser, name: str) -> dict:
    roles = (await browser.get("/api/v1/roles")).json()["roles"]
    return next(r for r in roles if r["name"] == name)


async def test_a_role_of_ones_own_is_made_given_narrowed_and_removed(app, runtime):
    async with contextlib.AsyncExitStack() as stack:
        admin = await stack.enter_async_context(
            await person(app, runtime, "ro-admin", "administrator")
        )
        made = await admin.post(
            "/api/v1/roles",
            json={
                "name": "controller",
                "permissions": ["access.read", "core.system"],
                "labels": {"fr": "contrôleur", "en": "controller"},
            },
        )
        assert made.status_code == 201, made.text
        again = await admin.post("/api/v1/roles", json={"name": "controller", "permissions": []})
        assert (again.status_code, again.json()["code"]) == (409, "role_taken")
        shown = await role(admin, "controller")
        assert shown["labels"]["fr"] == "contrôleur"
        assert (shown["declared"], shown["version"]) == (False, 1)

        someone = await stack.enter_async_context(
            await person(app, runtime, "ro-someone", "controller")
        )
        assert (await someone.get("/api/v1/users")).status_code == 200
        narrowed = await admin.put(
            "/api/v1/roles/controller",
            json={"permissions": ["core.system"]},
            headers={"If-Match": '"1"'},
        )
        assert narrowed.status_code == 204, narrowed.text
        assert (await someone.get("/api/v1/users")).status_code == 403
        assert (await someone.get("/api/v1/session")).json()["permissions"] == ["core.system"]
        late = await admin.put(
            "/api/v1/roles/controller", json={"permissions": []}, headers={"If-Match": '"1"'}
        )
        assert late.status_code == 412

        used = await admin.delete("/api/v1/roles/controller")
        assert (used.status_code, used.json()["code"]) == (409, "role_in_use")
        user = (await someone.get("/api/v1/session")).json()["user"]["id"]
        assert (
            await admin.patch(f"/api/v1/users/{user}", json={"grants": [{"role": "viewer"}]})
        ).status_code == 200
        assert (await admin.delete("/api/v1/roles/controller")).status_code == 204
        refused = await admin.patch(
            f"/api/v1/users/{user}", json={"grants": [{"role": "controller"}]}
        )
        assert (refused.status_code, refused.json()["code"]) == (422, "role_unknown")


async def test_a_declared_role_is_edited_and_comes_back(app, runtime):
    async with await person(app, runtime, "ro-edit", "administrator") as admin:
        before = await role(admin, "auditor")
        fixed = await admin.put("/api/v1/roles/administrator", json={"permissions": []})
        assert (fixed.status_code, fixed.json()["code"]) == (403, "role_fixed")
        assert (
            await admin.put("/api/v1/roles/auditor", json={"permissions": ["journal.read"]})
        ).status_code == 204
        edited = await role(admin, "auditor")
        assert (edited["permissions"], edited["edited"]) == (["journal.read"], True)
        assert (await admin.delete("/api/v1/roles/auditor")).status_code == 204
        assert await role(admin, "auditor") == before
        unknown = await admin.put("/api/v1/roles/viewer", json={"permissions": ["no.such"]})
        assert (unknown.status_code, unknown.json()["code"]) == (422, "permission_unknown")
        assert (
            await admin.put("/api/v1/roles/nobody", json={"permissions": []})
        ).status_code == 404


async def test_who_may_edit_roles_edits_in_only_what_they_hold(app, runtime):
    async with contextlib.AsyncExitStack() as stack:
        admin = await stack.enter_async_context(
            await person(app, runtime, "ro-root", "administrator")
        )
        await admin.post(
            "/api/v1/roles",
            json={
                "name": "deputy",
                "permissions": ["access.roles", "access.manage", "access.read"],
            },
        )
        deputy = await stack.enter_async_context(await person(app, runtime, "ro-deputy", "deputy"))
        local = await stack.enter_async_context(
            await person(app, runtime, "ro-local", "administrator@21231")
        )
        gain = {"permissions": ["access.roles", "access.manage", "access.read", "journal.read"]}
        refused = await deputy.put("/api/v1/roles/deputy", json=gain)
        assert (refused.status_code, refused.json()["code"]) == (403, "role_beyond_own")
        assert "journal.read" not in (await role(admin, "deputy"))["permissions"]
        assert (
            await deputy.put("/api/v1/roles/viewer", json={"permissions": []})
        ).status_code == 204
        assert (await admin.delete("/api/v1/roles/viewer")).status_code == 204
        assert (await local.post("/api/v1/roles", json={"name": "x_y", "permissions": []})
                ).status_code == 403  # fmt: skip

        # Neither by giving a larger role, nor by opening a larger account.
        me = (await deputy.get("/api/v1/session")).json()["user"]["id"]
        taken = await deputy.patch(
            f"/api/v1/users/{me}", json={"grants": [{"role": "administrator"}]}
        )
        assert (taken.status_code, taken.json()["code"]) == (403, "grant_beyond_own")
        root = (await admin.get("/api/v1/session")).json()["user"]["id"]
        reset = await deputy.post(f"/api/v1/users/{root}/reset-password")
        assert (reset.status_code, reset.json()["code"]) == (403, "grant_beyond_own")


async def test_other_processes_follow(app, runtime, settings, database, bus):
    other = Runtime(settings, "other", database, bus, every_room())
    database.house = runtime.house
    following = asyncio.create_task(Roles.of(other).follow())
    try:
        async with await person(app, runtime, "ro-follow", "administrator") as admin:
            await admin.post("/api/v1/roles", json={"name": "night", "permissions": []})
            for _ in range(100):
                if "night" in other.house.catalogue.roles:
                    break
                await asyncio.sleep(0.1)
            assert "night" in other.house.catalogue.roles
            await admin.delete("/api/v1/roles/night")
    finally:
        following.cancel()
