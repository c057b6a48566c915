"""A browser's or a program's side of the API, in process."""

import contextlib
from collections.abc import AsyncIterator, Iterable
from typing import Any

import httpx
from litestar import Litestar

from vigie.core.access import users
from vigie.core.access.model import GrantInput, NewUser
from vigie.core.database import Database
from vigie.core.runtime import Runtime

PASSWORD = "quatre chevaux verts 9"
BASE = "http://127.0.0.1:8080"


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
    """A logged-in client of a new account that already chose its password."""
    first = await account(runtime.database, username, *grants)
    browser = client(app, base=base)
    await log_in(browser, username, first)
    answer = await browser.post(
        "/api/v1/session/password", json={"current": first, "new": PASSWORD}
    )
    assert answer.status_code == 200, answer.text
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
