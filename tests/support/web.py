"""A browser's or a program's side of the API, in process."""

import contextlib
from collections.abc import AsyncIterator, Iterable
from typing import Any

import httpx
from litestar import Litestar
from sqlalchemy import text

from vigie.core.access import passwords, sessions, users
from vigie.core.access.logins import csrf_of
from vigie.core.access.model import GrantInput, NewUser
from vigie.core.database import Database
from vigie.core.runtime import Runtime

PASSWORD = "quatre chevaux verts 9"
BASE = "http://127.0.0.1:8080"
_hashed: dict[str, str] = {}


def client(app: Any, *, base: str = BASE, address: str = "127.0.0.1") -> httpx.AsyncClient:
    """A client of this machine; `address` may say otherwise."""
    transport = httpx.ASGITransport(app, client=(address, 50123), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url=base)


@contextlib.asynccontextmanager
async def serving(app: Litestar) -> AsyncIterator[Litestar]:
    """The app with its start-up and shut-down hooks run."""
    async with app.lifespan():
        yield app


async def account(database: Database, username: str, *grants: str) -> str:
    """An account with grants like `operator`, `viewer@21231`, `operator@21231/lighting`; its
    first password."""
    async with database.unit() as unit:
        made = await users.create_user(
            unit, NewUser(username=username, display_name=username, grants=list(_parse(grants)))
        )
        return made.password


async def person(
    app: Any, runtime: Runtime, username: str, *grants: str, base: str = BASE
) -> httpx.AsyncClient:
    """A logged-in client of a new account that already chose PASSWORD as its password."""
    await account(runtime.database, username, *grants)
    if PASSWORD not in _hashed:
        _hashed[PASSWORD] = await passwords.hash_password(PASSWORD)
    async with runtime.database.unit() as unit:
        found = await unit.execute(
            text(
                "update access.account set password = :hashed, must_change_password = false"
                " where username = :username returning id"
            ),
            {"hashed": _hashed[PASSWORD], "username": username},
        )
        user = found.scalar_one()
    # As after a login; deriving the key anew for each of hundreds of people would take minutes.
    visitor = sessions.Visitor("127.0.0.1", "tests", "")
    secret = await sessions.open_session(runtime, user, username, _hashed[PASSWORD], visitor)
    browser = client(app, base=base)
    name = "__Host-vigie" if base.startswith("https") else "vigie"
    host = browser.base_url.host
    # As Python's jar calls a name without a dot.
    domain = host if "." in host else f"{host}.local"
    browser.cookies.set(name, secret, domain=domain, path="/")
    browser.headers["X-CSRF-Token"] = csrf_of(secret)
    return browser


async def log_in(browser: httpx.AsyncClient, username: str, password: str) -> httpx.Response:
    """Log in, and send the CSRF token from now on."""
    answer = await browser.post(
        "/api/v1/session", json={"username": username, "password": password}
    )
    if answer.status_code == 200:
        browser.headers["X-CSRF-Token"] = answer.json()["csrf"]
    return answer


def _parse(grants: Iterable[str]) -> Iterable[GrantInput]:
    for grant in grants:
        role, _, place = grant.partition("@")
        municipality, _, trade = place.partition("/")
        yield GrantInput(role, municipality or "*", trade or "*")  # type: ignore[arg-type]
