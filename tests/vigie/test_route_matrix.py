"""Who may call what: every route × every role, as a file that a reviewer reads.

`VIGIE_GOLDEN=write pytest tests/vigie/test_route_matrix.py` writes it anew.
"""

import contextlib
import os
import re
from pathlib import Path

import pytest
from litestar.routes import HTTPRoute, WebSocketRoute

from tests.support.web import client, person
from vigie.core.access import ANY_LOGIN, EVERY_ROLE, PUBLIC
from vigie.core.runtime import Runtime
from vigie.core.web import build_app
from vigie.routes import PERMISSIONS, ROUTES

GOLDEN = Path(__file__).parents[1] / "golden" / "role_route_matrix.txt"
COLUMNS = ("anonymous", *EVERY_ROLE)
PLACEHOLDERS = {"int": "2147480000", "uuid": "00000000-0000-7000-8000-000000000000", "str": "none"}


@pytest.fixture(scope="module")
def app(runtime: Runtime):
    return build_app(runtime, ROUTES, PERMISSIONS)


def declared(app):
    """(method, path as declared, permission) of every route."""
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            for handler in route.route_handlers:
                if handler.opt.get("permission"):
                    for method in sorted(handler.http_methods):
                        yield str(method), route.path, handler.opt["permission"]
        elif isinstance(route, WebSocketRoute):
            yield "SOCKET", route.path, route.route_handler.opt["permission"]


def may(app, column: str, permission: str) -> bool:
    if permission == PUBLIC:
        return True
    if column == "anonymous":
        return False
    return permission == ANY_LOGIN or column in app.state.catalogue.permissions[permission].roles


def matrix(app) -> str:
    lines = [f"{'':7}{'route':56}{'permission':18}" + " ".join(f"{c:13}" for c in COLUMNS)]
    for method, path, permission in sorted(declared(app), key=lambda r: (r[1], r[0])):
        cells = " ".join(f"{'yes' if may(app, c, permission) else '-':13}" for c in COLUMNS)
        lines.append(f"{method:7}{path:56}{permission:18}{cells}".rstrip())
    return "\n".join(line.rstrip() for line in lines) + "\n"


def test_the_matrix_is_the_golden_one(app):
    found = matrix(app)
    if os.environ.get("VIGIE_GOLDEN") == "write":
        GOLDEN.write_text(found, encoding="utf-8")
    assert found == GOLDEN.read_text(encoding="utf-8"), (
        "who may call what has changed: if that is meant, run "
        "VIGIE_GOLDEN=write pytest tests/vigie/test_route_matrix.py and read the difference"
    )


@pytest.mark.parametrize("column", COLUMNS)
async def test_routes_answer_as_the_matrix_says(app, runtime, column):
    if column == "anonymous":
        browser = client(app, address="192.0.2.1", base="https://127.0.0.1:8080")
    else:
        browser = await person(app, runtime, f"the-{column}", column)
    routes = [r for r in declared(app) if r[0] != "SOCKET" and r[1] != "/api/v1/session"]
    assert len(routes) > 20
    async with contextlib.aclosing(browser):
        for method, path, permission in routes:
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
