"""Who may call what, as files that a reviewer reads: one a room.

tests/golden/routes/ROOM.txt holds its routes × core's roles, and what each role that the room
names may do, and its public routes with what each may
cost. `VIGIE_GOLDEN=write pytest tests/vigie/test_route_matrix.py` writes them.
"""

import contextlib
import os
import re
from pathlib import Path

import pytest
from litestar.routes import HTTPRoute, WebSocketRoute

from tests.support.rooms import PERMISSIONS, PUBLIC_ROUTES, ROLES, ROUTES, room_of
from tests.support.web import client, person
from vigie.app import every_room
from vigie.core.access import ANY_LOGIN, EVERY_ROLE, PUBLIC
from vigie.core.runtime import Runtime
from vigie.core.web import build_app
from vigie.core.web.public import build_public_app

GOLDEN = Path(__file__).parents[1] / "golden" / "routes"
COLUMNS = ("anonymous", *EVERY_ROLE)
PEOPLE = (*COLUMNS, *(role.name for role in ROLES))
PLACEHOLDERS = {"int": "2147480000", "uuid": "00000000-0000-7000-8000-000000000000", "str": "none"}


@pytest.fixture(scope="module")
def app(runtime: Runtime):
    return build_app(runtime, ROUTES, PERMISSIONS, ROLES)


def declared(app):
    """(method, path as declared, permission, room) of every route."""
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            for handler in route.route_handlers:
                if handler.opt.get("permission"):
                    for method in sorted(handler.http_methods):
                        room = room_of(handler.fn.__module__)
                        yield str(method), route.path, handler.opt["permission"], room
        elif isinstance(route, WebSocketRoute):
            handler = route.route_handler
            room = room_of(handler.fn.__module__)
            yield "SOCKET", route.path, handler.opt["permission"], room


def may(app, column: str, permission: str) -> bool:
    if permission == PUBLIC:
        return True
    if column == "anonymous":
        return False
    return permission == ANY_LOGIN or column in app.state.catalogue.permissions[permission].roles


def matrices(app) -> dict[str, str]:
    """File name → text, for each room that has routes or names roles."""
    texts: dict[str, list[str]] = {}
    for method, path, permission, room in sorted(declared(app), key=lambda r: (r[1], r[0])):
        cells = " ".join(f"{'yes' if may(app, c, permission) else '-':13}" for c in COLUMNS)
        head = f"{'':7}{'route':56}{'permission':18}" + " ".join(f"{c:13}" for c in COLUMNS)
        lines = texts.setdefault(room, [head])
        lines.append(f"{method:7}{path:56}{permission:18}{cells}")
    for room in every_room():
        for role in room.roles:
            held = sorted(
                name
                for name, permission in app.state.catalogue.permissions.items()
                if role.name in permission.roles
            )
            opened = "".join(f" [{name}]" for name in role.compartments)
            lines = texts.setdefault(room.name, [])
            lines += ["", f"{role.name}{opened}", *(f"       {name}" for name in held)]
    for route in build_public_app(app.state.runtime, PUBLIC_ROUTES).routes:
        for handler in getattr(route, "route_handlers", ()):
            if budget := handler.opt.get("budget"):
                lines = texts.setdefault(room_of(handler.fn.__module__), [])
                method = "/".join(sorted(str(m) for m in handler.http_methods - {"OPTIONS"}))
                cost = (
                    f"{budget.per_minute:g}/min of an address, {budget.burst} at once; "
                    f"{budget.at_once} run, {budget.seconds:g} s"
                )
                lines += ["", f"{method:7}{route.path:56}{'everyone':18}{cost}"]
    return {
        f"{room}.txt": "\n".join(line.rstrip() for line in lines).lstrip("\n") + "\n"
        for room, lines in texts.items()
    }


def test_the_matrix_is_the_golden_one(app):
    found = matrices(app)
    if os.environ.get("VIGIE_GOLDEN") == "write":
        GOLDEN.mkdir(exist_ok=True)
        for file in GOLDEN.glob("*.txt"):
            if file.name not in found:
                file.unlink()
        for name, text in found.items():
            (GOLDEN / name).write_text(text, encoding="utf-8")
    stored = {file.name: file.read_text(encoding="utf-8") for file in GOLDEN.glob("*.txt")}
    changed = sorted(n for n in found.keys() | stored.keys() if found.get(n) != stored.get(n))
    assert not changed, (
        f"who may call what has changed ({', '.join(changed)}): if that is meant, run "
        "VIGIE_GOLDEN=write pytest tests/vigie/test_route_matrix.py and read the difference"
    )


@pytest.mark.parametrize("column", PEOPLE)
async def test_routes_answer_as_the_matrix_says(app, runtime, column):
    if column == "anonymous":
        browser = client(app, address="192.0.2.1", base="https://127.0.0.1:8080")
    else:
        browser = await person(app, runtime, f"the-{column}", column)
    routes = [r for r in declared(app) if r[0] != "SOCKET" and r[1] != "/api/v1/session"]
    assert len(routes) > 20
    async with contextlib.aclosing(browser):
        for method, path, permission, _ in routes:
            address = re.sub(r"{\w+:(\w+)}", lambda m: PLACEHOLDERS[m.group(1)], path)
            answer = await browser.request(method, address)
            code = answer.json()["code"] if answer.status_code in (401, 403) else ""
            refused = code in ("not_logged_in", "not_permitted")
            allowed = may(app, column, permission)
            assert refused is not allowed, (method, path, answer.status_code, code)
            assert answer.status_code != 500, (method, path, answer.text)


async def test_unknown_and_foreign_methods_are_closed_too(app, runtime):
    async with client(app) as browser:
        for method in ("PUT", "TRACE", "FOO", "PROPFIND"):
            answer = await browser.request(method, "/api/v1/users")
            assert answer.status_code in (404, 405), method
