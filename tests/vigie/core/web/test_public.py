"""The public process: what it serves, what it refuses, and how little its database login may."""

import asyncio
from collections.abc import AsyncIterator

import msgspec
import psycopg
import pytest
import pytest_asyncio

from tests.support.web import client
from vigie import places
from vigie.app import every_room
from vigie.core.database import Database
from vigie.core.permissions import ANY_LOGIN, PUBLIC
from vigie.core.runtime import Runtime, database_url
from vigie.core.settings import public_settings
from vigie.core.web import Budget, get
from vigie.core.web.budget import Budgets
from vigie.core.web.public import build_public_app


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def process(runtime: Runtime) -> AsyncIterator[Runtime]:
    """A public process over the module's database, under its narrow role."""
    async with runtime.database.unit() as unit:
        await places.install(unit, places.load_pack("dijon"))
    settings = public_settings(runtime.settings)
    database = Database(database_url(settings), pool=2, role="vigie_public", pool_wait_s=1.0)
    yield Runtime(settings, "public", database, runtime.bus, every_room())
    await database.close()


def app_of(process: Runtime, *routes: object):
    return build_public_app(process, routes or process.rooms.collect("public"))


async def test_anyone_reads_the_territory_and_may_keep_it(process: Runtime):
    async with client(app_of(process), address="192.0.2.7") as browser:
        answer = await browser.get("/public/v1/territory")
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert body["name"] == "Dijon métropole"
        assert body["languages"][0] == "fr"
        assert {"insee", "name"} <= body["municipalities"][0].keys()
        assert len(body["municipalities"]) == 23
        assert answer.headers["cache-control"].startswith("public, max-age=")
        again = await browser.get(
            "/public/v1/territory", headers={"If-None-Match": answer.headers["etag"]}
        )
        assert again.status_code == 304


async def test_the_desks_routes_are_not_served_here(process: Runtime):
    async with client(app_of(process)) as browser:
        for path in ("/api/v1/territory", "/api/v1/session"):
            assert (await browser.get(path)).status_code == 404, path
        assert "vigie_" not in (await browser.get("/metrics")).text
        assert (await browser.get("/healthz")).status_code == 200
        assert (await browser.get("/readyz")).status_code == 200
        described = (await browser.get("/public/v1/openapi.json")).json()
        assert set(described["paths"]) == {"/healthz", "/public/v1/territory", "/readyz"}


async def test_a_route_without_a_budget_or_with_a_login_is_refused(process: Runtime):
    @get("/free", permission=PUBLIC)
    async def free() -> None:
        """No budget."""

    @get("/inside", permission=ANY_LOGIN, budget=Budget(per_minute=1, burst=1))
    async def inside() -> None:
        """For who is logged in."""

    with pytest.raises(ValueError, match="budget"):
        app_of(process, free)
    with pytest.raises(ValueError, match="PUBLIC"):
        app_of(process, inside)


async def test_an_address_that_asks_too_often_waits_and_others_do_not(process: Runtime):
    @get("/costly", permission=PUBLIC, budget=Budget(per_minute=6, burst=3))
    async def costly() -> dict[str, str]:
        """Allowed three times at once, then every ten seconds."""
        return {}

    app = app_of(process, costly)
    async with client(app, address="192.0.2.1") as eager, client(app, address="192.0.2.2") as calm:
        answers = [await eager.get("/public/v1/costly") for _ in range(4)]
        assert [a.status_code for a in answers] == [200, 200, 200, 429]
        assert answers[3].json()["code"] == "too_often"
        assert 1 <= int(answers[3].headers["retry-after"]) <= 10
        assert (await calm.get("/public/v1/costly")).status_code == 200


async def test_no_more_requests_of_a_route_run_at_once_than_its_budget_says(process: Runtime):
    running = most = 0

    @get("/slow", permission=PUBLIC,
         budget=Budget(per_minute=6000, burst=100, at_once=2, seconds=0.2))  # fmt: skip
    async def slow() -> dict[str, str]:
        """Slow."""
        nonlocal running, most
        running, most = running + 1, max(most, running + 1)
        await asyncio.sleep(0.15)
        running -= 1
        return {}

    async with client(app_of(process, slow)) as browser:
        answers = await asyncio.gather(*(browser.get("/public/v1/slow") for _ in range(12)))
    statuses = [a.status_code for a in answers]
    assert most == 2
    assert statuses.count(200) >= 2
    assert 503 in statuses
    assert {a.json()["code"] for a in answers if a.status_code == 503} == {"busy"}


def test_a_budget_is_counted_by_neighbourhood_and_forgets():
    budgets = Budgets(most=100)
    budget = Budget(per_minute=60, burst=2)
    assert budgets.wait_s("r", budget, "2001:db8::1", 0.0) == 0
    assert budgets.wait_s("r", budget, "2001:db8::2", 0.0) == 0
    assert budgets.wait_s("r", budget, "2001:db8::3", 0.0) == 1.0
    assert budgets.wait_s("s", budget, "2001:db8::3", 0.0) == 0
    assert budgets.wait_s("r", budget, "2001:db8::3", 1.0) == 0
    for n in range(500):
        budgets.wait_s("r", budget, f"198.51.100.{n % 250}", float(n))
    assert len(budgets) <= 100


async def test_the_public_role_reads_what_rooms_publish_and_nothing_else(process: Runtime):
    url = process.database.url
    async with await psycopg.AsyncConnection.connect(
        url, autocommit=True, options="-c role=vigie_public"
    ) as connection:
        await connection.execute("select name from places.meta")
        for statement in (
            "select 1 from access.account",
            "select 1 from journal.entry",
            "select 1 from twin.asset",
            "update places.meta set name = 'mine'",
            "create table places.mine (id int)",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                await connection.execute(statement)  # type: ignore[arg-type]


async def test_grants_that_no_room_declares_any_more_are_taken_back(
    process: Runtime, owner: psycopg.AsyncConnection
):
    from vigie.core.engines.postgres import LOGIN
    from vigie.core.migrate import migrate
    from vigie.core.runtime import database_owner_url

    await owner.execute("grant select, update on twin.asset to vigie_public")
    await asyncio.to_thread(migrate, database_owner_url(process.settings), LOGIN, every_room())
    found = await owner.execute(
        "select has_table_privilege('vigie_public', 'twin.asset', 'select'),"
        " has_table_privilege('vigie_public', 'places.meta', 'select')"
    )
    assert await found.fetchone() == (False, True)


def test_the_public_process_listens_where_its_settings_say(runtime: Runtime):
    desk = msgspec.structs.replace(
        runtime.settings, http_names="desk.example", http_public_names="town.example"
    )
    public = public_settings(desk)
    assert public.http_port == desk.http_public_port != desk.http_port
    assert public.http_names == "town.example"
